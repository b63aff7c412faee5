"""Time stamps as others write them: ISO 8601, or epoch seconds, milli-, micro- or nanoseconds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_ZONE = re.compile(r"\s*(Z?\[UTC\]|UTC|GMT)$")
_CALENDAR = re.compile(r"(\d{1,4})[/.](\d{1,2})[/.](\d{1,4}),?[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?([AaPp][Mm])?")
_WORDED = (
    "%a %b %d %H:%M:%S %Y",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S",
    "%Y-%b-%d %H:%M:%S",
)
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
    text = _ZONE.sub("Z", text.strip().strip('"'))
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


def parse_by_calendar(known: dict[str, float | None]) -> list[str]:
    """Fill in what the same column wrote with slashes, dots or names of months; return what had to be assumed."""
    rest = [text for text, stamp in known.items() if stamp is None and text.strip()]
    dates = {text: found for text in rest if (found := _CALENDAR.fullmatch(text.strip()))}
    pairs = [(int(found[1]), int(found[2])) for found in dates.values() if len(found[1]) < 3]
    days_first = any(first > 12 for first, _ in pairs)
    for text in rest:
        known[text] = _dated(dates[text], days_first) if text in dates else _worded(text.strip())
    if not pairs or days_first or any(second > 12 for _, second in pairs):
        return []
    return ["dates like 10/09/2025 are read month first: no day above 12 says otherwise"]


def _dated(found: re.Match[str], days_first: bool) -> float | None:
    one, two, three, clock, half = found.groups()
    year, month, day = (one, two, three) if len(one) == 4 else (three, two, one) if days_first else (three, one, two)
    shape = "%Y-%m-%d %H:%M" + (":%S" if clock.count(":") == 2 else "") + (".%f" if "." in clock else "")
    if half:
        shape, clock = shape.replace("%H", "%I") + " %p", f"{clock} {half}"
    return _by_shape(f"{year}-{month}-{day} {clock}", shape)


def _worded(text: str) -> float | None:
    text = re.sub(r"\s+", " ", _ZONE.sub("", text))
    return next((stamp for shape in _WORDED if (stamp := _by_shape(text, shape)) is not None), None)


def _by_shape(text: str, shape: str) -> float | None:
    try:
        return datetime.strptime(text, shape).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def moment(seconds: float) -> datetime:
    """Return the UTC moment of epoch seconds, to the microsecond."""
    return datetime.fromtimestamp(round(seconds, 6), UTC)
