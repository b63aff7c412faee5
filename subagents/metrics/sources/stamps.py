"""Time stamps as others write them: ISO 8601, or epoch seconds, milli-, micro- or nanoseconds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_ZONE = re.compile(r"\s*(Z?\[UTC\]|UTC|GMT)$")
_OFFSET = re.compile(r"\s+(?:GMT|UTC)?([+-])(\d\d):?(\d\d)(?:\s+\(?[A-Za-z][A-Za-z ]*\)?)?$")
"""An offset that stands apart, as Go, Ruby and browsers write it; a zone's name behind it says nothing more."""
_HOURS = {"UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_HOURS |= {"CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9}
"""Zones by their letters, as RFC 5322 reads them, and some more that mean one thing; hours ahead of UTC."""
_LETTERS = re.compile(rf"\s+({'|'.join(_HOURS)})(?=\s+\d{{4}}$|$)")
"""A zone by its letters, behind the clock; `date` writes the year behind both."""
_RANGE = re.compile(r"(\S.*\d.*?)\s+-\s+\d.*")
"""From one time to another: the first counts."""
_CLOCK = r"(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(?:\s?([AaPp])\.?[Mm]\.?)?"
_CALENDAR = re.compile(
    rf"(?:(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})|(\d{{1,2}})([-/.])(\d{{1,2}})\6(\d{{4}}|\d\d(?=,?[\sT]+\d)))(?:,?[\sT]+{_CLOCK})?"
)
_WORDS = re.compile(r"[^\W\d]+|\d+(?::\d+)*(?:[.,]\d+(?=\s|$))?")
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: place for place, name in enumerate(_NAMES, 1)}
_AROUND = {"at", "t", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}
"""Words of a time that say nothing more, weekdays by their first letters."""
LONGEST = 96
"""Characters of the longest text that may be a time."""
EPOCH_DAY = 25_569
"""The day of a spreadsheet on which epochs begin."""
EPOCH_UNITS = (1.0, 1e3, 1e6, 1e9)


def epoch_seconds(number: float) -> float | None:
    """Return epoch seconds of a number in s, ms, us or ns; None where no unit gives a date of 1990 to 2100."""
    if not math.isfinite(number):
        return None
    for unit in EPOCH_UNITS:
        if EARLIEST <= number / unit <= LATEST:
            return number / unit
    return None


def parse_stamp(text: str) -> float | None:
    """Return epoch seconds; a time without a zone is taken as UTC; None where it is not a time."""
    if len(text) > LONGEST:
        return None
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
    return stamp if EARLIEST <= stamp <= LATEST else None


def stamp_of(value: object) -> float | None:
    """Return epoch seconds of a JSON value, a number or a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return epoch_seconds(float(value))
    return parse_stamp(str(value))


def naive(text: str) -> bool:
    """Say whether a time names no zone and is no number."""
    bare, offset = _without_offset(text)
    if offset is not None or bare != _first(text) or bare.replace(".", "", 1).isdigit():
        return False
    try:
        return datetime.fromisoformat(bare).tzinfo is None
    except ValueError:
        return bool(bare)


def parse_unique(texts: Iterable[str]) -> dict[str, float | None]:
    """Return every distinct text with its epoch seconds."""
    return {text: parse_stamp(text) for text in texts}


@dataclass
class DateOrder:
    """Which comes first in the dates of one file that write day and month as numbers: settled once, by all of them."""

    days_first: bool | None = None
    """None: not settled yet."""
    remark: str = ""
    """What had to be assumed."""
    _dates: set[tuple[int, int, int]] = field(default_factory=set)
    _dotted: bool = False

    def add(self, texts: Iterable[str]) -> None:
        """Take in what is no ISO time nor an epoch."""
        for text in texts:
            if text[:4].isdecimal() or len(text) > LONGEST:  # the year comes first, or it is no time
                continue
            found = _CALENDAR.fullmatch(_without_offset(text)[0])
            if found and found[5]:
                self._dates.add((int(found[5]), int(found[7]), int(found[8])))
                self._dotted |= found[6] == "."

    @property
    def is_open(self) -> bool:
        """Say whether there are dates that can be read either way, and nothing says which."""
        return self.days_first is None and bool(self._dates) and self._told() is None

    def _told(self) -> bool | None:
        if any(first > 12 for first, _, _ in self._dates):
            return True
        if any(second > 12 for _, second, _ in self._dates):
            return False
        return True if self._dotted else None

    def settle(self) -> bool:
        """Return whether the day comes first, by what is known now; it stays so."""
        if self.days_first is None and self._dates:
            self.days_first = self._told()
            if self.days_first is None:
                self.days_first = self._spread(days_first=True) < self._spread(days_first=False)
                how = "day first: so they lie closest together" if self.days_first else "month first"
                self.remark = f"dates like 10/09/2025 are read {how}; no day above 12 says otherwise"
        return bool(self.days_first)

    def _spread(self, days_first: bool) -> int:
        """Return how many days lie between the first and the last date."""
        read = ((year, two, one) if days_first else (year, one, two) for one, two, year in self._dates)
        days = [date(*each).toordinal() for each in read if each[0] and each[1] and each[2]]
        return max(days, default=0) - min(days, default=0)


def parse_by_calendar(known: dict[str, float | None], order: DateOrder) -> None:
    """Fill in what was written with slashes, dots, names of months, or an offset that stands apart."""
    days_first = order.settle()
    for text, stamp in known.items():
        if stamp is None and text.strip() and len(text) <= LONGEST:
            bare, offset = _without_offset(text)
            local = parse_stamp(bare) if offset is not None else None
            local = local if local is not None else _by_calendar(bare, days_first)
            known[text] = None if local is None else local - (offset or 0.0)


def serial_days(text: str) -> float | None:
    """Return epoch seconds of a spreadsheet's day, counted from 1899-12-30, to the millisecond."""
    try:
        days = float(text.replace(",", "."))
    except ValueError:
        return None
    seconds = (days - EPOCH_DAY) * 86_400
    return round(seconds, 3) if EARLIEST <= seconds <= LATEST else None


def are_serial_days(texts: Iterable[str]) -> bool:
    """Say whether numbers are a spreadsheet's days: all lie in 1990 to 2100, and some have decimals."""
    held = [text for text in texts if text]
    return any("." in text or "," in text for text in held) and all(serial_days(text) is not None for text in held)


def _first(text: str) -> str:
    """Return a time, of a range where it begins."""
    text = text.strip().strip('"')
    found = _RANGE.fullmatch(text) if " - " in text else None
    return found[1] if found else text


def _without_offset(text: str) -> tuple[str, float | None]:
    """Return a time without its zone, and the zone's seconds ahead of UTC where it says them."""
    text = _first(text)
    found = _OFFSET.search(text)
    letters = _LETTERS.search(text) if found is None else None
    if letters is not None:
        return text[: letters.start()] + text[letters.end() :], _HOURS[letters[1]] * 3600.0
    if found is None:
        return _ZONE.sub("", text), None
    seconds = int(found[2]) * 3600.0 + int(found[3]) * 60.0
    return text[: found.start()], seconds if found[1] == "+" else -seconds


def _by_calendar(text: str, days_first: bool) -> float | None:
    found = _CALENDAR.fullmatch(text)
    if found is None:
        return _worded(text)
    year, _, month, day, one, _, two, last, clock, half = found.groups()
    if one:
        year, month, day = (last, two, one) if days_first else (last, one, two)
    return _stamp((int(year), int(month), int(day)), clock or "0:00", half or "")


def _worded(text: str) -> float | None:
    """Return the time of a text that names the month, whatever the order of its parts; None where a part is odd."""
    words = _WORDS.findall(re.sub(r"(\d{4}):(\d\d:)", r"\1 \2", text))
    months = [_MONTHS[word[:3].lower()] for word in words if word[:3].lower() in _MONTHS]
    halves = [word[0] for word in words if word.lower() in ("am", "pm")]
    clocks = [word for word in words if ":" in word]
    years = [int(word) for word in words if len(word) == 4 and word.isdecimal()]
    days = [int(word) for word in words if len(word) < 3 and word.isdecimal()]
    around = [word for word in words if word[:3].lower() in _AROUND]
    if not (len(months) == len(years) == len(days) == 1 and len(clocks) < 2 and len(halves) < 2):
        return None
    if 3 + len(clocks) + len(halves) + len(around) != len(words):
        return None
    return _stamp((years[0], months[0], days[0]), clocks[0] if clocks else "0:00", "".join(halves))


def _stamp(day: tuple[int, int, int], clock: str, half: str) -> float | None:
    hour, minute, *rest = clock.replace(",", ".").split(":")
    hours = int(hour) % 12 + 12 * (half.lower() == "p") if half else int(hour)
    year = day[0] if day[0] > 99 else 2000 + day[0]
    try:
        begun = datetime(year, day[1], day[2], hours, int(minute), tzinfo=UTC).timestamp()
    except ValueError:
        return None
    stamp = begun + (float(rest[0]) if rest else 0.0)
    return stamp if EARLIEST <= stamp <= LATEST else None


def moment(seconds: float) -> datetime:
    """Return the UTC moment of epoch seconds, to the microsecond."""
    return datetime.fromtimestamp(round(seconds, 6), UTC)
