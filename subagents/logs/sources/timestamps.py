"""Time stamps: what they look like, and how a whole column of them becomes microseconds since 1970.

A `Shape` is learnt from one stamp and then recognised by one anchored regular expression without
captures and read by a fixed slice: 0.1 of the cost of a capturing expression on every line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from subagents.logs.sources.expressions import quick

if TYPE_CHECKING:
    import polars as pl

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_HMS = r"\d\d:\d\d:\d\d"
_FRAC = r"(?P<frac>[.,]\d{1,9}|:\d{3}(?![\d:]))?"
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT)\b| ?[+-]\d\d:?\d\d(?!\d)|[+-]\d\d(?![\d:-]))?"


@dataclass(frozen=True)
class Kind:
    """One way to write a moment."""

    name: str
    find: re.Pattern[str]
    """With groups `body`, and `frac` and `zone` where it may have them."""
    formats: Callable[[str], str]
    """The strptime format of a body."""
    year: bool = True
    date: bool = True
    only_first: bool = False
    """Taken for a time only at the very start of a line: it could be any number elsewhere."""


def _kind(name: str, body: str, fmt: Callable[[str], str] | str, **flags: bool) -> Kind:
    formats = fmt if callable(fmt) else (lambda _body, fmt=fmt: fmt)
    return Kind(name, re.compile(rf"(?P<body>{body}){_FRAC}{_ZONE}"), formats, **flags)


def _iso(body: str) -> str:
    return f"%Y{body[4]}%m{body[7]}%d{body[10:-8]}%H:%M:%S"


def _minute(body: str) -> str:
    return f"%Y-%m-%d{body[10]}%H:%M"


def _compact(body: str) -> str:
    return f"%Y%m%d{body[8]}%H%M%S" if ":" not in body else f"%Y%m%d{body[8]}%H:%M:%S"


def _day_first(body: str) -> str:
    return f"%d{body[2]}%m{body[2]}%Y{body[10]}%H:%M:%S" if int(body[:2]) > 12 else f"%m/%d/%Y{body[10]}%H:%M:%S"


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


def _common(body: str) -> str:
    return f"%d/%b/%Y{body[11]}%H:%M:%S"


EPOCH = _kind("epoch", r"(?<![\d.])1\d{9}(?:\d{3}){0,3}(?![\d:])", "", only_first=True)
KINDS: tuple[Kind, ...] = (
    _kind("ISO 8601", rf"\d{{4}}-\d\d-\d\d[T _\t]{_HMS}", _iso),
    _kind("ISO 8601 to the minute", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?![\d:])", _minute),
    _kind("date with slashes", rf"\d{{4}}/\d\d/\d\d(?:[T ]| - ){_HMS}", _iso),
    _kind("date with dots", rf"\d{{4}}\.\d\d\.\d\d[T ]{_HMS}", _iso),
    _kind("common log format", rf"\d\d/{_MONTH}/\d{{4}}[: ]{_HMS}", _common),
    _kind("day and month name", rf"\d\d[ -]{_MONTH}[ -]\d{{4}}(?:::|[ :]){_HMS}", _worded),
    _kind("month, day, year", rf"{_MONTH} \d{{1,2}}, \d{{4}} \d{{1,2}}:\d\d:\d\d [AP]M", "%b %d, %Y %I:%M:%S %p"),
    _kind("asctime", rf"{_MONTH} [ \d]\d {_HMS}(?:\.\d{{1,9}})? \d{{4}}", "%b %e %H:%M:%S%.f %Y"),
    _kind("month, day and year", rf"{_MONTH} [ \d]\d \d{{4}} {_HMS}", "%b %e %Y %H:%M:%S"),
    _kind("syslog (RFC 3164)", rf"{_MONTH} [ \d]\d {_HMS}", "%b %e %H:%M:%S", year=False),
    _kind("compact ISO 8601", r"(?:19|20)\d{6}[T ]\d{6}(?!\d)", _compact),
    _kind("compact date", rf"(?:19|20)\d{{6}}[ T-]{_HMS}", _compact),
    _kind("US date", r"\d{1,2}/\d{1,2}/\d{4},? \d{1,2}:\d\d:\d\d [AP]M", _us),
    _kind("US or European date", rf"\d\d/\d\d/\d{{4}}[ T]{_HMS}", _day_first),
    _kind("short date with slashes", rf"(?<![\d/])\d\d/\d\d/\d\d {_HMS}", _year_first),
    _kind("klog with its year", rf"(?<=^[IWEF])\d{{6}} {_HMS}", "%y%m%d %H:%M:%S"),
    _kind("klog", rf"(?<=^[IWEF])\d{{4}} {_HMS}", "%m%d %H:%M:%S", year=False),
    _kind("DB2", r"\d{4}[-.]\d\d[-.]\d\d-\d\d\.\d\d\.\d\d", _dotted),
    _kind("month.day", rf"(?<=^\[)\d\d\.\d\d {_HMS}", "%m.%d %H:%M:%S", year=False),
    _kind("month-day", rf"(?<![\d-])\d\d-\d\d {_HMS}", "%m-%d %H:%M:%S", year=False),
    _kind("short date", r"(?<!\d)\d{6} \d{6}(?= )", "%y%m%d %H%M%S", only_first=True),
    EPOCH,
    _kind("time of day", rf"(?<![\d:]){_HMS}", "%H:%M:%S", year=False, date=False, only_first=True),
)

_KEY = r"(?:ts|t|time|Time|timestamp|@timestamp|at|date|datetime|asctime|msec)[\"']?[=:] ?[\"']?"
ANY_TIME = quick(
    r"\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^[\[(<\"']?1\d{9}|\d{8}T\d{6}|^\d{6} \d{6} "
    rf"|\d-\d\d\.\d\d\.\d\d|(?:^|[\s{{,\"']){_KEY}1\d{{9}}|audit\(1\d{{9}}"
)
"""Rust regex: a line that may hold a stamp; cheap, and never misses one of `KINDS`."""


EARLIEST, LATEST = 631_152_000_000_000, 4_102_444_800_000_000
"""1990 and 2100 in µs: a moment outside is a zero value or a fault, not a time."""


@dataclass(frozen=True)
class Stamp:
    """A time stamp found in a text."""

    kind: Kind
    start: int
    body: str
    frac: str
    zone: str

    @property
    def end(self) -> int:
        """Where the stamp ends in the text."""
        return self.start + len(self.body) + len(self.frac) + len(self.zone)


HEAD = 200
"""Characters of a line in which its stamp begins."""


def find_stamp(text: str, head: int = HEAD) -> Stamp | None:
    """Return the first stamp that stands where a log line has one; None where there is none."""
    best: Stamp | None = None
    for kind in KINDS:
        match = kind.find.search(text[:head])
        if match is None or (best is not None and match.start() >= best.start):
            continue
        if kind.only_first and match.start() > 1:
            match = _keyed_epoch(text[:head]) if kind.name == "epoch" else None
            if match is None or (best is not None and match.start() >= best.start):
                continue
        if not _is_header(text[: match.start()]) and not _is_access(kind, text, match):
            continue
        best = Stamp(kind, match.start(), match["body"], match["frac"] or "", match["zone"] or "")
    return best


def _keyed_epoch(text: str) -> re.Match[str] | None:
    """Return seconds or their fractions since 1970 that a pair of logfmt gives as the time."""
    found = _EPOCH_PAIR.search(text)
    return EPOCH.find.match(text, found.end()) if found is not None else None


def _is_access(kind: Kind, text: str, match: re.Match[str]) -> bool:
    """Say whether a stamp is one of an access log, which stands in brackets wherever the format puts it."""
    if kind.name == "asctime":
        return _DAY_BEFORE.search(text, 0, match.start()) is not None and text[match.end() : match.end() + 1] == "]"
    return kind.name == "common log format"


_DAY_BEFORE = re.compile(r"\[[A-Z][a-z]{2} $")
_PREFIX_WORD = re.compile(r"(?:-|\S*\d\S*|[A-Z]{3,}|\S+=\S*|[\[(<{|]\S*|\S*[\]>|)}:])$")
_KEYED = re.compile(rf"(?:^|[\s{{,\"']){_KEY}$|\baudit\($")


def _is_header(prefix: str) -> bool:
    """Say whether a stamp after `prefix` is the line's own, not a moment that the message speaks of."""
    if len(prefix) <= 2 or _KEYED.search(prefix):
        return True
    words = prefix.split()
    if len(words) > 4 or len(prefix) > 80 or prefix.rstrip().endswith(":"):
        return False
    return all(_PREFIX_WORD.match(word) for word in words[1:])


_EPOCH_PAIR = re.compile(rf"(?:(?<!SET)(?:^|[\s{{,\"']){_KEY}|\baudit\()(?=1\d{{9}})")


def zone_minutes(zone: str) -> int | None:
    """Return the offset from UTC in minutes; None where the stamp names no zone."""
    text = zone.strip()
    if not text:
        return None
    if text in ("Z", "UTC", "GMT"):
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:4])
    return -minutes if text[0] == "-" else minutes


@dataclass(frozen=True)
class Shape:
    """A stamp of exact form at an exact place: what one anchored expression recognises."""

    kind: Kind
    start: int
    """Characters before the stamp; -1: it follows the first `anchor`."""
    anchor: str
    length: int
    """Of the body."""
    frac: int
    """Digits of the fraction; 0 where there is none."""
    zone: str
    format: str
    pattern: str
    """To be asked by `found_in`."""

    def found_in(self, lines: pl.Series) -> pl.Series:
        """Say which lines have the stamp: a slice costs less than an expression that runs up to the place."""
        if self.anchor:
            lines = lines.str.slice(0, HEAD + len(self.anchor) + self.width + _GUARDED)
        elif self.start:
            lines = lines.str.slice(self.start, self.width + _GUARDED)
        return lines.str.contains(self.pattern)

    @property
    def width(self) -> int:
        """Characters of body, fraction and zone together."""
        return self.length + (self.frac + 1 if self.frac else 0) + len(self.zone)

    @property
    def reach(self) -> int:
        """How far into a line it must be looked to find the stamp; only for a fixed column."""
        return self.start + self.width + _GUARDED

    @property
    def naive(self) -> bool:
        """Say whether the stamp names no zone and needs one."""
        return not self.zone and self.kind.name != "epoch"

    def describe(self) -> str:
        """Return the shape as a person reads it."""
        zone = "" if self.kind.name == "epoch" else f", zone {self.zone.strip()}" if self.zone else ", no zone"
        unit = {10: " s", 13: " ms", 16: " µs", 19: " ns"}.get(self.length, "") if self.kind.name == "epoch" else ""
        fraction = f", {self.frac} decimals" if self.frac else ""
        return f"{self.kind.name}{unit}{fraction}{zone}"


_GUARDED = 8
"""Characters that are looked at behind a stamp."""
_NO_ZONE = r"(?:$|[^\d.,Z+: -]|[.,:-](?:\D|$)| (?:$|[^+UG-]|[+-](?:$|\D|\d{1,3}(?:$|\D))|U[^T]|G[^M]))"
"""What may follow a stamp without a zone, so that it is not taken from one that has a zone or more digits."""


def shape_of(stamp: Stamp, prefix: str | None) -> Shape:
    """Make the shape of one stamp; `prefix` gives the anchor, None means a fixed column."""
    anchor = ""
    if prefix is not None:
        before = re.search(r"(?:[\w@]+[\"']?[=:] ?[\"']?|[^\w\s]+|\s+)$", prefix)
        anchor = before[0] if before is not None else ""
        if not anchor or prefix.find(anchor) != len(prefix) - len(anchor):
            anchor = ""
    lead = _literal(anchor) if anchor else "^"
    frac_digits = max(len(stamp.frac) - 1, 0)
    tail = (rf"[.,:]\d{{{frac_digits}}}" if frac_digits else "") + _literal(stamp.zone)
    guard = _NO_ZONE if not stamp.zone and not (stamp.kind is EPOCH and frac_digits) else r"(?:\D|$)"
    return Shape(
        kind=stamp.kind,
        start=-1 if anchor else stamp.start,
        anchor=anchor,
        length=len(stamp.body),
        frac=frac_digits,
        zone=stamp.zone,
        format=stamp.kind.formats(stamp.body) if stamp.kind.name != "epoch" else "",
        pattern=quick(lead + _rust_body(stamp) + tail + guard),
    )


def _rust_body(stamp: Stamp) -> str:
    """Return the body's form as a Rust regex: digits as classes, month names as words, the rest as it is."""
    month = re.search(_MONTH, stamp.body)
    padded = stamp.kind.name in ("syslog (RFC 3164)", "asctime", "month, day and year")
    parts = []
    for place, char in enumerate(stamp.body):
        if month is not None and month.start() <= place < month.end():
            parts.append(_MONTH if place == month.start() else "")
        elif padded and place == 4:
            parts.append(r"[ \d]")
        elif char.isdigit():
            parts.append(r"\d")
        elif char == "A" or (char == "P" and stamp.body.endswith("M")):
            parts.append("[AP]")
        else:
            parts.append(_literal(char))
    return "".join(parts)


def _literal(text: str) -> str:
    return "".join("\\" + char if char in r"\.+*?()|[]{}^$-&#~" else char for char in text)


def moments(slices: pl.Expr, shape: Shape, hint: datetime) -> pl.Expr:
    """Return the expression that reads stamps of one shape: µs since 1970 UTC (Int64), null where it is no moment."""
    import polars as pl

    body = slices.str.slice(0, shape.length)
    if shape.kind.name == "epoch":
        whole = body.cast(pl.Int64, strict=False)
        stamps = whole // 1_000 if shape.length == 19 else whole * {10: 1_000_000, 13: 1_000}.get(shape.length, 1)
    else:
        stamps = _parse(body, shape, hint)
    if shape.frac:
        digits = slices.str.slice(shape.length + 1, min(shape.frac, 6)).cast(pl.Int64, strict=False)
        scale: int = 10 ** (6 - min(shape.frac, 6))
        if shape.kind.name == "epoch":
            scale = scale // 1000 if shape.length == 13 else scale
        stamps = stamps + digits * scale
    offset = zone_minutes(shape.zone)
    stamps = stamps - offset * 60_000_000 if offset else stamps
    return pl.when(stamps.is_between(EARLIEST, LATEST)).then(stamps)


def _parse(body: pl.Expr, shape: Shape, hint: datetime) -> pl.Expr:
    import polars as pl

    def read(lead: str, form: str) -> pl.Expr:
        text = pl.lit(lead) + body if lead else body
        return text.str.to_datetime(form, time_unit="us", strict=False).cast(pl.Int64)

    if not shape.kind.date:
        return read(hint.strftime("%Y-%m-%d "), "%Y-%m-%d " + shape.format)
    if shape.kind.year:
        return read("", shape.format)
    stamps, late = read(f"{hint.year} ", "%Y " + shape.format), int((hint.timestamp() + 2 * 86400) * 1e6)
    return pl.when(stamps > late).then(read(f"{hint.year - 1} ", "%Y " + shape.format)).otherwise(stamps)


def moment(microseconds: int) -> datetime:
    """Return microseconds since 1970 as an aware UTC moment."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def microseconds(at: datetime) -> int:
    """Return a moment as microseconds since 1970, exactly."""
    base = int(at.replace(microsecond=0).timestamp())
    return base * 1_000_000 + at.microsecond
