"""What a sentence of a claim says that can be looked up: quotes, commits, names, full times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.verdict.claim_numbers import moment

_ESCAPE = re.compile(r'\\u([0-9a-fA-F]{4})|\\(["\\/nrt])')
_PLAIN_QUOTE = re.compile(r'(?<![\w"\\])"([^"]{3,})"(?![\w"])|(?<![\w\'\\])\'([^\']{3,})\'(?![\w\'])')
_QUOTE = re.compile("`([^`]{3,})`|“([^“”]{3,})”|„([^„“”]{3,})[“”]|«([^«»]{3,})»|\u2018([^\u2018\u2019]{3,})\u2019")
_ID = r"(?=[a-f]*\d)[0-9a-f]{7,40}\b"
_CALLED = re.compile(
    rf"\b(commits?|revisions?|revs?|sha1?|changesets?)\b[\s:#(]*({_ID}(?:(?:[\s,&/]|and|or|to|\.\.)+{_ID})*)",
    re.IGNORECASE,
)
_HEX = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_FULL = re.compile(r"(?<![\w:/-])([0-9a-f]{40})(?![\w-])", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w./:#@%+-])(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{7,40}(?![\w/:%@+-]|\.\w)")
_IDENTIFIER = re.compile(r"(?<![\w./:#@%$-])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+(?![\w/:%@=-]|\.\w)")
_SERVICE = re.compile(r"(?<![\w./-])([A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)+) service\b")
_DATED = re.compile(
    r"\b(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)"
    r"(?:\s?(?P<zone>(?:Z|UTC|GMT)\b|[+-]\d\d:?\d\d))?)?"
)
_GAP = re.compile(r"…|\.\.\.|<[^<>\s]{0,24}>|\{[^{}\s]{0,24}\}|\*")
LEAST_PIECE = 2
"""Fewest characters of a quote's piece that must be found."""
LONGEST_PIECE = 6
"""A quote with parts left out has a piece of so many characters at least: letters here and there are no quote."""
DAY = timedelta(days=1)
ANY_ZONE = timedelta(hours=14)
"""By so much a time without a zone may be another one."""


@dataclass(frozen=True)
class Dated:
    """A full time, or a day, of a sentence."""

    written: str
    at: datetime
    """Read as UTC where it names no zone; of a day its beginning."""
    length: timedelta
    """Of what it may mean: a day, a minute or a second."""
    exact: bool
    """It names its zone; one that does not may be any zone's."""

    @property
    def is_day(self) -> bool:
        """Whether it names no time of day."""
        return self.length == DAY

    def may_lie_in(self, start: datetime, end: datetime) -> bool:
        """Say whether a part of what it may mean lies between two moments."""
        slack = timedelta() if self.exact else ANY_ZONE
        return self.at - slack <= end and start <= self.at + self.length + slack


def quotes(text: str) -> tuple[str, ...]:
    """Return what stands in backticks, or in quotation marks that open and close."""
    found = (next(part for part in one.groups() if part) for one in _QUOTE.finditer(_flat(text)))
    return tuple(dict.fromkeys(found))


def plain_quotes(text: str) -> tuple[str, ...]:
    """Return what stands in straight quotes: it may be words of the file, or a name that the writer gave."""
    found = _PLAIN_QUOTE.findall(_QUOTE.sub(" ", _flat(text)))
    return tuple(dict.fromkeys(double or single for double, single in found))


def unquoted(text: str) -> str:
    """Return a sentence on one line without what it quotes."""
    return _QUOTE.sub(" ", _flat(text))


def _flat(text: str) -> str:
    return " ".join(text.split())


def unescaped(passage: str) -> str:
    """Return the text of JSON strings as it was before it was written as JSON."""
    return _ESCAPE.sub(
        lambda at: chr(int(at[1], 16)) if at[1] else {"n": " ", "r": " ", "t": " "}.get(at[2], at[2]), passage
    )


def quoted_in(quote: str, passage: str) -> bool:
    """Say whether a passage holds a quote; blanks may differ, and `…`, `*` and `<…>` stand for anything."""
    flat, at = _flat(passage), 0
    pieces = [_flat(piece) for piece in _GAP.split(quote)]
    if len(pieces) > 1 and max(map(len, pieces)) < LONGEST_PIECE:
        return _flat(quote) in flat
    for wanted in pieces:
        if len(wanted) < LEAST_PIECE:
            continue
        found = flat.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True


def commits(text: str) -> tuple[str, ...]:
    """Return the ids that a sentence calls commits, and whatever has the form of a full one, in lower case."""
    # An id alone in quotes is what the sentence says; a longer quote is what somebody else said.
    bare = _QUOTE.sub(lambda at: f" {at[0][1:-1]} " if _HEX.fullmatch(at[0][1:-1]) else " ", _flat(text))
    called = [
        each
        for word, ids in _CALLED.findall(bare)
        for each in _HEX.findall(ids)
        if not each.isdigit() or word.casefold().startswith("commit")
    ]
    return tuple(dict.fromkeys(each.lower() for each in (*called, *_FULL.findall(bare))))


def ids(text: str) -> tuple[str, ...]:
    """Return what may be the id of a commit and is not called so, outside quotes."""
    called = commits(text)
    return tuple(dict.fromkeys(each for each in _BARE.findall(unquoted(text)) if each not in called))


def names(text: str) -> tuple[str, ...]:
    """Return what has the form of a name of a metric, a setting, a function or a service, outside quotes."""
    bare = unquoted(text)
    return tuple(dict.fromkeys((*_IDENTIFIER.findall(bare), *_SERVICE.findall(bare))))


def times(text: str) -> tuple[Dated, ...]:
    """Return the full times and the days of a sentence, outside quotes."""
    return tuple(one for at in _DATED.finditer(unquoted(text)) if (one := _dated(at)) is not None)


def _dated(at: re.Match[str]) -> Dated | None:
    """Return what a match says; None for 2026-13-45: numbers like any other."""
    zone = (at["zone"] or "+00:00").replace("UTC", "+00:00").replace("GMT", "+00:00")
    clock = at["clock"] or "00:00"
    length = DAY if not at["clock"] else timedelta(minutes=1) if len(clock) == 5 else timedelta(seconds=1)
    try:
        found = Dated(at[0], moment(f"{at['day']}T{clock}{zone}"), length, at["zone"] is not None)
        found.may_lie_in(found.at, found.at)
    except (ValueError, OverflowError):
        return None
    return found


def without_times(text: str) -> str:
    """Return a sentence without its quotes, full times and days."""
    return _DATED.sub(lambda at: at[0] if _dated(at) is None else " ", unquoted(text))
