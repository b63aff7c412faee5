"""The ways in which programs write a moment, and which lines may hold one."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from subagents.logs.sources.expressions import quick
from subagents.logs.sources.weekdays import DAY, format_of
from subagents.logs.sources.zones import HOURS

MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_HMS = r"\d\d:\d\d:\d\d"
_RAGGED = r"\d\d?:\d\d?:\d\d?"
_SHORT, _SHORT_MS = re.compile(r"\b\d\b"), re.compile(r"(:\d\d:\d\d):(\d\d)$")
_FRAC = r"(?P<frac>[.,]\d{1,9}|:\d{3}(?![\d:]))?"
_ZONE = (
    rf"(?P<zone> ?(?:Z|UTC|GMT)\b| (?:{'|'.join(HOURS)})\b| ?[+-]\d\d:?\d\d(?!\d)|[+-]\d\d(?![\d:-])"
    r"|(?<=\.\d{6})[+-]\d{3}(?!\d))?"
)
TAIL = re.compile(_FRAC + _ZONE)
"""What may stand behind any body: groups `frac` and `zone`. Behind each one by itself it would cost its making anew."""


@dataclass(frozen=True)
class Kind:
    """One way to write a moment."""

    name: str
    find: re.Pattern[str]
    """Of the body"""
    formats: Callable[[str], str]
    """The strptime format of a body."""
    year: bool = True
    date: bool = True
    only_first: bool = False
    """Taken for a time only at the very start of a line: it could be any number elsewhere."""
    ragged: bool = False
    """Its numbers may lack the zeros before them; its format is that of a body which has them (`padded`)."""

    @property
    def has_halves(self) -> bool:
        """Say whether the half of the day may stand behind such a time: there it is another stamp."""
        return self.name in (AMBIGUOUS, SPELLED)

    @property
    def takes_weekday(self) -> bool:
        """Say whether a weekday before it is a part of it."""
        return self.date and not self.only_first


def _kind(name: str, body: str, fmt: Callable[[str], str] | str, **flags: bool) -> Kind:
    formats = fmt if callable(fmt) else (lambda _body, fmt=fmt: fmt)
    return Kind(name, re.compile(body), formats, **flags)


def _iso(body: str) -> str:
    return f"%Y{body[4]}%m{body[7]}%d{body[10:-8]}%H:%M:%S"


def _iso_and_weekday(body: str) -> str:
    return f"%Y-%m-%d{format_of(body[10:-8])}%H:%M:%S"


def _minute(body: str) -> str:
    return f"%Y-%m-%d{body[10]}%H:%M"


def _compact(body: str) -> str:
    return f"%Y%m%d{body[8]}%H%M%S" if ":" not in body[9:] else f"%Y%m%d{body[8]}%H:%M:%S"


def _month_first(body: str) -> str:
    """Write the month first, as only Americans do; with dots the day is always first."""
    day_first = body[2] == "." or int(body[:2]) > 12
    return as_day_first(body) if day_first else f"%m{body[2]}%d{body[2]}%Y{body[10:-8]}%H:%M:%S"


def as_day_first(body: str) -> str:
    """Return the format of a date with the day before the month."""
    return f"%d{body[2]}%m{body[2]}%Y{body[10:-8]}%H:%M:%S"


def is_day_first(bodies: Sequence[str], hint: datetime) -> bool:
    """Say whether dates such as 05/11/2026 have the day first.

    They have where the first number says so, or where the days then follow closer on each other; one day alone is
    the one that is nearly the file's own date. Nothing else speaks for it.
    """
    dates = {(int(body[:2]), int(body[3:5]), int(body[6:10])) for body in bodies}
    if any(first > 12 for first, _, _ in dates) or any(second > 12 for _, second, _ in dates):
        return any(first > 12 for first, _, _ in dates)
    real = [date for date in dates if min(date) > 0]
    days = [(_ordinal(year, second, first), _ordinal(year, first, second)) for first, second, year in real]
    spans = [max(each) - min(each) for each in zip(*days, strict=True)] if days else [0, 0]
    if spans[0] != spans[1]:
        return spans[0] < spans[1]
    near = [abs(hint.toordinal() - each) <= NEAR_DAYS for each in days[0]] if days else [False, False]
    return near[0] and not near[1]


def _ordinal(year: int, month: int, day: int) -> int:
    """Return which day it is, or the last of its month, where that has fewer."""
    return datetime(year, month, min(day, monthrange(year, month)[1])).toordinal()


def _dotted(body: str) -> str:
    return f"%Y{body[4]}%m{body[7]}%d-%H.%M.%S"


def _us(body: str) -> str:
    return f"%m/%d/%Y{',' if ',' in body else ''} %I:%M:%S %p"


def _year_first(body: str) -> str:
    """Hadoop and Spark write the year first; a middle number above 12 is a day, so that the year comes last."""
    return "%m/%d/%y %H:%M:%S" if int(body[3:5]) > 12 else "%y/%m/%d %H:%M:%S"


def _worded(body: str) -> str:
    separator = body.lstrip("0123456789")[0]
    return f"%d{separator}%b{separator}%Y{body[11:-8]}%H:%M:%S"


def padded(body: str) -> str:
    """Return a body whose numbers have the zeros before them; a number behind the seconds is one of milliseconds."""
    body = _SHORT.sub(r"0\g<0>", body)
    return _SHORT_MS.sub(r"\1:0\2", body)


def _ragged(body: str) -> str:
    if body[:8].isdigit():
        return f"%Y%m%d{body[8]}%H:%M:%S{':%3f' if body.count(':') == 3 else ''}"
    return f"%Y{body[4]}%m{body[7]}%d %H:%M:%S"


def _spelled(body: str) -> str:
    at = "@ " if "@" in body else ""
    if not body.endswith("M"):
        return f"%b %d, %Y {at}%H:%M:%S"
    fraction = re.search(r"[.,]\d+(?= )", body)
    digits = f"{fraction[0][0]}%{len(fraction[0]) - 1}f" if fraction is not None else ""
    return f"%b %d, %Y {at}%I:%M:%S{digits} %p"


def _year_last(body: str) -> str:
    digits = len(body) - len("Jan  1 00:00:00. 1970")
    fraction = "" if "." not in body else f".%{digits}f" if digits in (3, 6, 9) else "%.f"
    return f"%b %e %H:%M:%S{fraction} %Y"


def _common(body: str) -> str:
    return f"%d/%b/%Y{body[11]}%H:%M:%S"


AMBIGUOUS = "US or European date"
SPELLED = "month, day, year"
WEEKDAY_WITHIN = "ISO 8601, weekday within"
NEAR_DAYS = 2
"""A log is mostly copied soon after its last line."""
_PLACE = r"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Z][\w/+-]+"
_YYMMDD = r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
EPOCH = _kind("epoch", r"(?<![\d.])1\d{9}(?:\d{3}){0,3}(?![\d:])", "", only_first=True)
KINDS: tuple[Kind, ...] = (
    _kind("ISO 8601", rf"\d{{4}}-\d\d-\d\d(?:[T _\t]|, |\]\[| time=\"?){_HMS}", _iso),
    _kind(WEEKDAY_WITHIN, rf"\d{{4}}-\d\d-\d\d {DAY},? {_HMS}", _iso_and_weekday),
    _kind("ISO 8601, hour without a zero", r"\d{4}-\d\d-\d\d  \d:\d\d:\d\d", "%Y-%m-%d %k:%M:%S"),
    _kind("ISO 8601 to the minute", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?![\d:])", _minute),
    _kind("date with slashes", rf"\d{{4}}/\d\d/\d\d(?:[T ]| - ){_HMS}", _iso),
    _kind("date with dots", rf"\d{{4}}\.\d\d\.\d\d[T ]{_HMS}", _iso),
    _kind("common log format", rf"\d\d/{MONTH}/\d{{4}}[: ]{_HMS}", _common),
    _kind("day and month name, place", rf"\d\d-{MONTH}-\d{{4}} {_HMS} (?P<named>{_PLACE})", "%d-%b-%Y %H:%M:%S %Z"),
    _kind("day and month name", rf"\d\d[ -]{MONTH}[ -]\d{{4}}(?:::|[ :]){_HMS}", _worded),
    _kind(
        SPELLED,
        rf"{MONTH} \d{{1,2}}, \d{{4}} (?:@ )?\d{{1,2}}:\d\d:\d\d(?:(?:[.,]\d{{1,6}})? [AP]M)?",
        _spelled,
    ),
    _kind("date(1)", rf"{MONTH} [ \d]\d {_HMS} (?P<named>[A-Z]{{3,5}}) \d{{4}}", "%b %e %H:%M:%S %Z %Y"),
    _kind("asctime", rf"{MONTH} [ \d]\d {_HMS}(?:\.\d{{1,9}})? \d{{4}}", _year_last),
    _kind("month, day and year", rf"{MONTH} [ \d]\d \d{{4}} {_HMS}", "%b %e %Y %H:%M:%S"),
    _kind("day and month without a year", rf"(?<!\d)\d\d {MONTH} {_HMS}", "%d %b %H:%M:%S", year=False),
    _kind("syslog (RFC 3164)", rf"{MONTH} [ \d]\d {_HMS}", "%b %e %H:%M:%S", year=False),
    _kind("syslog, day without a zero", rf"{MONTH} \d {_HMS}", "%b %d %H:%M:%S", year=False, ragged=True),
    _kind("compact ISO 8601", r"(?:19|20)\d{6}[T :]\d{6}(?!\d)", _compact),
    _kind("compact date", rf"(?:19|20)\d{{6}}[ T-]{_HMS}(?!:\d\d?(?!\d))", _compact),
    _kind(
        "compact date, time without zeros",
        rf"(?:19|20)\d{{6}}[ -]{_RAGGED}(?::\d{{1,3}})?(?![\d:])",
        _ragged,
        ragged=True,
    ),
    _kind("date without zeros", rf"(?<![\d./-])\d{{4}}([-/.])\d\d?\1\d\d? {_RAGGED}(?![\d:])", _ragged, ragged=True),
    _kind("US date", r"\d{1,2}/\d{1,2}/\d{4},? \d{1,2}:\d\d:\d\d [AP]M", _us),
    _kind(AMBIGUOUS, rf"(?<![\d./-])\d\d([./-])\d\d\1\d{{4}}(?:[ T-]|, ){_HMS}", _month_first),
    _kind("month and day with a slash", rf"(?<![\d/])\d\d/\d\d-{_HMS}", "%m/%d-%H:%M:%S", year=False, only_first=True),
    _kind("short date with slashes", rf"(?<![\d/])\d\d/\d\d/\d\d {_HMS}", _year_first),
    _kind("klog with its year", rf"(?<=^[IWEF])\d{{6}} {_HMS}", "%y%m%d %H:%M:%S"),
    _kind("klog", rf"(?<=^[IWEF])\d{{4}} {_HMS}", "%m%d %H:%M:%S", year=False),
    _kind("DB2", r"\d{4}[-.]\d\d[-.]\d\d-\d\d\.\d\d\.\d\d", _dotted),
    _kind("month.day", rf"(?<=^\[)\d\d\.\d\d {_HMS}", "%m.%d %H:%M:%S", year=False),
    _kind("month-day", rf"(?<![\d-])\d\d-\d\d {_HMS}", "%m-%d %H:%M:%S", year=False),
    _kind(
        "short date with colons",
        rf"(?<![\w.:-]){_YYMMDD}(?: |  (?=\d:)){_HMS.replace('d', 'd?', 1)}",
        "%y%m%d %H:%M:%S",
    ),
    _kind("month and day of Chromium", r"(?<=:)\d{4}/\d{6}(?=[.:])", "%m%d/%H%M%S", year=False),
    _kind("short date", r"(?<!\d)\d{6} \d{6}(?= )", "%y%m%d %H%M%S", only_first=True),
    EPOCH,
    _kind("time of day", rf"(?<![\d:]){_HMS}", "%H:%M:%S", year=False, date=False, only_first=True),
    _kind("kitchen clock", r"\d{1,2}:\d\d[AP]M(?= )", "%I:%M%p", year=False, date=False, only_first=True),
)

KEY = r"(?:ts|t|time|Time|timestamp|@timestamp|at|date|datetime|asctime|msec)[\"']?[=:] ?[\"']?"
ANY_TIME = quick(
    r"(?:^| )1\d{9} |\d[ -]\d\d?:\d\d?:\d|"
    r"\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^[\[(<\"']?1\d{9}|\d{8}[T:]\d{6}|^\d{6} \d{6} "
    rf"|\d-\d\d\.\d\d\.\d\d|(?:^|[\s{{,\"']){KEY}1\d{{9}}|audit\(1\d{{9}}|^\d{{1,2}}:\d\d[AP]M |:\d{{4}}/\d{{6}}[.:]"
)
"""Rust regex: a line that may hold a stamp; cheap, and never misses one of `KINDS`."""
