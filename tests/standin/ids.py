"""Ids in the order of their making, and moments that only grow."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta


class Ids:
    """Opaque, unique, and the same in every run of the same script, however often a client asks."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        """Return the next id of that kind."""
        self._counts[prefix] += 1
        return f"{prefix}_01Standin{self._counts[prefix]:012d}"


class Stamps:
    """Moments in RFC 3339, each later than the one before; with an `epoch`, a millisecond apart from there on."""

    def __init__(self, epoch: datetime | None = None) -> None:
        self._epoch = epoch
        self._last = epoch or datetime.now(UTC)

    def now(self) -> str:
        """Return the moment, to the microsecond, UTC."""
        if self._epoch is not None:
            self._last += timedelta(milliseconds=1)
        else:
            self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """Return the moment that an RFC 3339 text names; ValueError where it names none."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found
