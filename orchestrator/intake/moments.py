"""Times as alerts and manifests write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from pydantic import JsonValue

_EPOCH = re.compile(r"\d{9,19}(?:\.\d+)?\Z")
_SPACED_ZONE = re.compile(r" (UTC|GMT|Z)\Z")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SCALES = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (math.inf, 1e9))


def moment(value: JsonValue) -> datetime | None:
    """Return the time that a value names, UTC; None where it names none.

    Epoch numbers may be in s, ms, us or ns. A time with no zone is taken as UTC. What is before 1990
    (the year 1 is Go's zero time, which Alertmanager sends for "not ended") or after 2100 is no time.
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = _from_epoch(float(value)) if isinstance(value, int | float) else _from_text(value)
        found = None if found is None else found.astimezone(UTC)
        return found if found is not None and _EARLIEST <= found < _LATEST else None
    except (ValueError, OverflowError, OSError):
        return None


def has_zone(value: JsonValue) -> bool:
    """Say whether a written time names its zone (epoch numbers do)."""
    if not isinstance(value, str) or _EPOCH.match(value.strip()):
        return True
    try:
        return datetime.fromisoformat(_SPACED_ZONE.sub("Z", value.strip())).tzinfo is not None
    except ValueError:
        return True


def _from_text(value: JsonValue) -> datetime | None:
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip()
    if _EPOCH.match(text):
        return _from_epoch(float(text))
    found = datetime.fromisoformat(_SPACED_ZONE.sub("Z", text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number) or number < 1e8:
        return None
    scale = next(scale for limit, scale in _SCALES if number < limit)
    return datetime.fromtimestamp(number / scale, UTC)
