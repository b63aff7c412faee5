"""Time stamps as others write them: ISO 8601, or epoch seconds, milli-, micro- or nanoseconds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_EPOCH_UNITS = (1.0, 1e3, 1e6, 1e9)


def epoch_seconds(number: float) -> float | None:
    """Return epoch seconds of a number in s, ms, us or ns; None where no unit gives a date of 1990 to 2100."""
    if not math.isfinite(number):
        return None
    for unit in _EPOCH_UNITS:
        if _EARLIEST <= number / unit <= _LATEST:
            return number / unit
    return None


def parse_stamp(text: str) -> float | None:
    """Return epoch seconds; a time without a zone is taken as UTC; None where it is not a time."""
    text = text.strip().strip('"')
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return epoch_seconds(float(text))
        except ValueError:
            return None
    if text.isdigit():  # 20140214 reads as a date, and an epoch may have eight digits: a plain number is an epoch
        return epoch_seconds(float(text))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    stamp = moment.timestamp()
    return stamp if _EARLIEST <= stamp <= _LATEST else None


def stamp_of(value: object) -> float | None:
    """Return epoch seconds of a JSON value, a number or a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return epoch_seconds(float(value))
    return parse_stamp(str(value))


def naive(text: str) -> bool:
    """Say whether a readable time names no zone and is no number."""
    try:
        return datetime.fromisoformat(text.strip()).tzinfo is None and not text.strip().isdigit()
    except ValueError:
        return False


def parse_unique(texts: Iterable[str]) -> dict[str, float | None]:
    """Return every distinct text with its epoch seconds."""
    return {text: parse_stamp(text) for text in texts}


def moment(seconds: float) -> datetime:
    """Return the UTC moment of epoch seconds, to the microsecond."""
    return datetime.fromtimestamp(round(seconds, 6), UTC)
