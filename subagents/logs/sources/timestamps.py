"""Time stamps: what they look like, and how a whole column of them becomes microseconds since 1970.

A `Shape` is learnt from one stamp and then recognised by one anchored regular expression without
captures and read by a fixed slice: 0.1 of the cost of a capturing expression on every line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from subagents.logs.sources.expressions import quick
from subagents.logs.sources.stamp_kinds import EPOCH, KEY, KINDS, TAIL, Kind, padded
from subagents.logs.sources.stamp_patterns import body_pattern, literal, no_zone, stamp_pattern, up_to
from subagents.logs.sources.weekdays import follow_weekday, format_of, pattern_of, weekday_before, without_weekday
from subagents.logs.sources.zones import HOURS, is_zone, placed

if TYPE_CHECKING:
    import polars as pl

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
    named: str = ""
    """A zone within the body"""
    words: int = 0
    """It is the one behind so many, each with one space behind it; 0: that does not matter"""
    in_name: bool = False
    """It is a part of a name, as of a file."""
    weekday: str = ""
    """Before the body, with what stands between them"""

    @property
    def end(self) -> int:
        """Where the stamp ends in the text."""
        return self.start + len(self.weekday) + len(self.body) + len(self.frac) + len(self.zone)


HEAD = 200
"""Characters of a line in which its stamp begins."""


def find_stamp(text: str) -> Stamp | None:
    """Return the first stamp that stands where a log line has one; None where there is none."""
    best: Stamp | None = None
    head = text[:HEAD]
    for kind in KINDS:
        if best is not None and not best.start:
            break
        match = _own(kind, head)
        start = _start(kind, head, match) if match is not None else 0
        if match is None or (best is not None and _rank(text, start) >= _rank(text, best.start)):
            continue
        if kind.only_first and start > 1:
            match = _keyed_epoch(head) if kind.name == "epoch" else None
            if match is None or (best is not None and match.start() >= best.start):
                continue
            start = match.start()
        if not _is_header(text[:start]) and not _is_access(kind, text, start, match):
            continue
        weekday, tail = text[start : match.start()], tail_of(head, match)
        best = Stamp(kind, start, match[0], tail["frac"] or "", tail["zone"] or "", _named(match), weekday=weekday)
    if best is not None and _is_in_name(text, best.start):
        return replace(best, in_name=True)
    if best is not None and not best.kind.year and best.start > _EPOCH_WIDTH:
        return _as_epoch(text, best) or best
    return best


def _rank(text: str, start: int) -> tuple[bool, int]:
    """Rank stamps: of a name that holds one, as files' do, only where no other stands by itself; then the first."""
    return _is_in_name(text, start), start


def _is_in_name(text: str, start: int) -> bool:
    return start > 1 and (text[start - 1].isalnum() or text[start - 1] in "._-/")


def _own(kind: Kind, text: str) -> re.Match[str] | None:
    """Return where a kind is first found, but not in a name where it stands by itself too."""
    first = kind.find.search(text)
    if first is None or not _is_in_name(text, first.start()):
        return first
    end = tail_of(text, first).end()
    others = (other for other in kind.find.finditer(text, end) if not _is_in_name(text, other.start()))
    return next((other for other in others if _is_header(text[: _start(kind, text, other)])), first)


def tail_of(text: str, body: re.Match[str]) -> re.Match[str]:
    """Return the fraction and the zone behind a body, where it has them."""
    return cast("re.Match[str]", TAIL.match(text, body.end()))  # nothing is a tail too


def _start(kind: Kind, text: str, match: re.Match[str]) -> int:
    """Return where a stamp begins: with its weekday, if it has one."""
    return match.start() - (len(weekday_before(text, match.start())) if kind.takes_weekday else 0)


_EPOCH_WORD = re.compile(r"(?<![^ ])1\d{9}(?= )")
_EPOCH_WIDTH = 11
"""Of seconds since 1970, with the space behind them."""
_SAME_MINUTES = 900
"""Zones are quarters of an hour apart."""


def _as_epoch(text: str, stamp: Stamp) -> Stamp | None:
    """Return the seconds since 1970 before a stamp that does not say its year, where they are of the same moment."""
    word = _EPOCH_WORD.search(text, 0, stamp.start)
    clock = re.search(r"(\d\d):(\d\d)$", stamp.body)
    if word is None or clock is None or (int(word[0]) - int(clock[1]) * 60 - int(clock[2])) % _SAME_MINUTES:
        return None
    return epoch_word(text, word.start())


def epoch_word(text: str, start: int) -> Stamp | None:
    """Return the seconds since 1970 that are a word of a line; None where words are more than a space apart."""
    before = text[:start].split(" ")[:-1]
    return Stamp(EPOCH, start, text[start : start + 10], "", "", words=len(before)) if all(before) else None


def _named(match: re.Match[str]) -> str:
    return match["named"] if "named" in match.re.groupindex else ""


def _keyed_epoch(text: str) -> re.Match[str] | None:
    """Return seconds or their fractions since 1970 that a pair of logfmt gives as the time."""
    found = _EPOCH_PAIR.search(text)
    return EPOCH.find.match(text, found.end()) if found is not None else None


def _is_access(kind: Kind, text: str, start: int, match: re.Match[str]) -> bool:
    """Say whether a stamp is one of an access log, which stands in brackets wherever the format puts it."""
    if kind.name == "asctime":
        end = tail_of(text, match).end()
        return start < match.start() and text[start - 1] + text[end : end + 1] == "[]"
    return kind.name == "common log format"


_PREFIX_WORD = re.compile(r"(?:-|\S*\d\S*|[A-Z]{3,}|[A-Z]|\S+=\S*|[\[(<{|]\S*|\S*[\]>|)}:])$")
_STARTED = re.compile(r'(?:\[[^\]]*\] )*Started [A-Z]+ "\S*" for \S+ at ')
"""Rails says at the end when a request began"""
_NUMBERS = re.compile(r"\s*\[?(?:\d+:)+\s*")
"""Numbers of processes, threads or messages before the time"""
_KEYED = re.compile(rf"(?:^|[\s{{,\"']){KEY}$|\baudit\($")


def _is_header(prefix: str) -> bool:
    """Say whether a stamp after `prefix` is the line's own, not a moment that the message speaks of."""
    if prefix[:1] == "\t":  # the rest of the line above
        return False
    if len(prefix) <= 2 or _KEYED.search(prefix):
        return True
    words = prefix.split()
    if _STARTED.fullmatch(prefix):
        return True
    if len(prefix) > 80:
        return False
    if prefix.endswith("\t") or _NUMBERS.fullmatch(prefix):
        return True
    if len(words) > 4 or prefix.rstrip().endswith(":"):
        return False
    return all(_PREFIX_WORD.match(word) for word in words[1:])


_EPOCH_PAIR = re.compile(rf"(?:(?<!SET)(?:^|[\s{{,\"']){KEY}|\baudit\()(?=1\d{{9}})")


def zone_minutes(zone: str) -> int | None:
    """Return the offset from UTC in minutes; None where the stamp names no zone."""
    text = zone.strip()
    if not text:
        return None
    if text in ("Z", "UTC", "GMT"):
        return 0
    if text in HOURS:
        return HOURS[text] * 60
    digits = text[1:].replace(":", "")
    in_minutes = len(digits) == 3  # as DB2 counts
    minutes = int(digits) if in_minutes else int(digits[:2]) * 60 + int(digits[2:] or 0)
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
    named: str = ""
    """The zone within the body."""
    words: int = 0
    """Before the stamp, each with one space behind it; then the column is -1."""
    in_name: bool = False
    """Taken only where no other stamp is found."""
    split: str = ""
    """Of a loose shape: a Rust regex with what stands before the stamp, its body and the rest of it as groups."""
    weekday: str = ""
    """What its format begins with, if that is a weekday before the date."""

    @property
    def is_loose(self) -> bool:
        """Say whether place or width differ by line."""
        return self.kind.ragged or self.words > 0

    @property
    def is_bare(self) -> bool:
        """Say whether a weekday may stand before the place: then the stamp is another one."""
        return self.kind.takes_weekday and not self.weekday and (self.start > 3 or self.anchor == " ")

    @property
    def turn(self) -> int:
        """Say when it is asked for: what says less or could be something else comes later."""
        if self.in_name:
            return 3
        if self.words:
            return 1
        return 0 if self.kind.year or 0 <= self.start <= _EPOCH_WIDTH else 2

    def found_in(self, lines: pl.Series) -> pl.Series:
        """Say which lines have the stamp: a slice costs less than an expression that runs up to the place."""
        part = lines
        if self.start < 0:
            part = lines.str.slice(0, HEAD + len(self.anchor) + self.width + _GUARDED)
        elif self.start:
            part = lines.str.slice(self.start, self.width + _GUARDED)
        found = part.str.contains(self.pattern)
        return found & ~follow_weekday(lines, self.start) if self.is_bare and found.any() else found

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
        return not self.zone and self.kind.name != "epoch" and not is_zone(self.named)

    def describe(self) -> str:
        """Return the shape as a person reads it."""
        name = self.zone.strip() or self.named
        zone = "" if self.kind.name == "epoch" else f", zone {name}" if name else ", no zone"
        unit = {10: " s", 13: " ms", 16: " µs", 19: " ns"}.get(self.length, "") if self.kind.name == "epoch" else ""
        fraction = f", {self.frac} decimals" if self.frac else ""
        weekday = " with weekday" if self.weekday else ""
        return f"{self.kind.name}{weekday}{unit}{fraction}{zone}"


_GUARDED = 8
"""Characters that are looked at behind a stamp."""


def shape_of(stamp: Stamp, prefix: str | None, form: str | None = None) -> Shape:
    """Make the shape of one stamp; `prefix` gives the anchor, None means a fixed column, `form` its own format."""
    anchor = ""
    if prefix is not None and not stamp.words:
        before = re.search(r"(?: at |[\w@]+[\"']?[=:] ?[\"']?|[^\w\s]+|\s+)$", prefix)
        anchor = before[0] if before is not None else ""
        if not anchor or prefix.find(anchor) != len(prefix) - len(anchor):
            anchor = ""
    lead = up_to(anchor) if anchor else rf"^(?:[^ ]+ ){{{stamp.words}}}" if stamp.words else "^"
    frac_digits = max(len(stamp.frac) - 1, 0)
    tail = (rf"[.,:]\d{{{frac_digits}}}" if frac_digits else "") + literal(stamp.zone)
    guard = r"(?:\D|$)"
    if not stamp.zone and not (stamp.kind is EPOCH and frac_digits):
        guard = no_zone(behind_fraction=frac_digits > 0, has_halves=stamp.kind.has_halves)
    full = padded(stamp.body) if stamp.kind.ragged else stamp.body
    body = full if stamp.named else full.translate(_ZEROS)
    form = form or (stamp.kind.formats(full) if stamp.kind.name != "epoch" else "")
    weekday, day = format_of(stamp.weekday), pattern_of(stamp.weekday)
    return Shape(
        kind=stamp.kind,
        start=-1 if anchor or stamp.words else stamp.start,
        anchor=anchor,
        length=len(stamp.weekday) + len(full),
        frac=frac_digits,
        zone=stamp.zone,
        format=weekday + form,
        pattern=stamp_pattern(lead + day, stamp.kind, body, stamp.named, tail + guard),
        named=stamp.named,
        words=stamp.words,
        in_name=stamp.in_name,
        split=_split(stamp, lead, day, body, tail) if stamp.kind.ragged or stamp.words else "",
        weekday=weekday,
    )


_ZEROS = str.maketrans("123456789", "000000000")


def _split(stamp: Stamp, lead: str, day: str, body: str, tail: str) -> str:
    before = f"^(?s:.*?){lead}" if lead[0] != "^" else f"^(?s:.{{{stamp.start}}})" if lead == "^" else lead
    return quick(f"({before})({day}{body_pattern(stamp.kind, body, stamp.named)})({tail})")


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


def with_zeros(body: pl.Expr) -> pl.Expr:
    """Return the expression of bodies with the zeros that they lack, as `padded`."""
    body = body.str.replace_all(r"(?-u:\b)([0-9])(?-u:\b)", "0${1}")
    return body.str.replace(r"(:[0-9]{2}:[0-9]{2}):([0-9]{2})$", "${1}:0${2}")


def _parse(body: pl.Expr, shape: Shape, hint: datetime) -> pl.Expr:
    import polars as pl

    def read(lead: str, form: str) -> pl.Expr:
        text = pl.lit(lead) + body if lead else body
        return placed(text.str.to_datetime(form, time_unit="us", strict=False), shape.named).cast(pl.Int64)

    body, form = without_weekday(body, shape.format)
    if shape.named:
        form, body = form.replace(" %Z", ""), body.str.replace(f" {shape.named}", "", literal=True)
    if not shape.kind.date:
        return read(hint.strftime("%Y-%m-%d "), "%Y-%m-%d " + form)
    if shape.kind.year:
        return read("", form)
    stamps, late = read(f"{hint.year} ", "%Y " + form), int((hint.timestamp() + 2 * 86400) * 1e6)
    return pl.when(stamps > late).then(read(f"{hint.year - 1} ", "%Y " + form)).otherwise(stamps)


def moment(microseconds: int) -> datetime:
    """Return microseconds since 1970 as an aware UTC moment."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def microseconds(at: datetime) -> int:
    """Return a moment as microseconds since 1970, exactly."""
    base = int(at.replace(microsecond=0).timestamp())
    return base * 1_000_000 + at.microsecond
