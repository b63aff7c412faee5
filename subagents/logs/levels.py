"""Severity: one scale for every logging library, and where it hides in a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import compress
from typing import Any, Literal

from subagents.logs.sources.expressions import quick

Level = Literal["unknown", "trace", "debug", "info", "warn", "error", "fatal"]

LEVELS: tuple[Level, ...] = ("unknown", "trace", "debug", "info", "warn", "error", "fatal")
UNKNOWN, TRACE, DEBUG, INFO, WARN, ERROR, FATAL = range(7)

_WORDS = {
    "trace": TRACE, "trc": TRACE, "trce": TRACE, "trac": TRACE, "finest": TRACE, "finer": TRACE, "verbose": TRACE,
    "vrb": TRACE, "silly": TRACE, "v": TRACE, "t": TRACE,
    "debug": DEBUG, "dbg": DEBUG, "dbug": DEBUG, "debu": DEBUG, "fine": DEBUG, "config": DEBUG, "d": DEBUG,
    "info": INFO, "inf": INFO, "information": INFO, "informational": INFO, "notice": INFO, "note": INFO, "log": INFO,
    "i": INFO, "n": INFO, "normal": INFO, "statement": INFO, "detail": INFO, "hint": INFO,
    "context": INFO, "query": INFO, "success": INFO, "system": INFO, "http": INFO, "audit": INFO,
    "warn": WARN, "warning": WARN, "wrn": WARN, "w": WARN, "deprecated": WARN, "#": WARN,
    "a": INFO, "o": INFO, "supervisor": ERROR, "crash": ERROR, "ii": INFO, "ww": WARN, "ee": ERROR, "fault": FATAL,
    "error": ERROR, "err": ERROR, "eror": ERROR, "erro": ERROR, "severe": ERROR, "failure": ERROR, "fail": ERROR,
    "e": ERROR,
    "fatal": FATAL, "ftl": FATAL, "fata": FATAL, "critical": FATAL, "crit": FATAL, "c": FATAL, "alert": FATAL,
    "emerg": FATAL, "emergency": FATAL, "panic": FATAL, "pani": FATAL, "dpanic": FATAL, "parse": FATAL, "f": FATAL,
}  # fmt: skip

SYSLOG = (FATAL, FATAL, FATAL, ERROR, WARN, INFO, INFO, DEBUG)
"""Severities by syslog's number, 0 to 7."""


_FINER = re.compile(r"(?<=[a-z])[+-]?\d+$")
"""`ERROR+2`, `D1`: a library's shades of a level."""


@lru_cache(maxsize=1_024)
def from_name(name: str) -> int:
    """Return the severity of a level field's value: a word, a syslog number (0 to 7) or a pino number (10 to 60)."""
    word = _FINER.sub("", name.strip().strip("[]\"'<>:").lower())
    if word in _WORDS:
        return _WORDS[word]
    if word.isdecimal():
        number = int(word)
        if number < len(SYSLOG):
            return SYSLOG[number]
        return {1: TRACE, 2: DEBUG, 3: INFO, 4: WARN, 5: ERROR, 6: FATAL}.get(number // 10, UNKNOWN)
    return UNKNOWN


_UPPER = (
    r"TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARN(?:ING)?|ERROR|ERR|SEVERE|CRIT(?:ICAL)?|ALERT|EMERG(?:ENCY)?|FATAL|PANIC|"
    r"CONFIG|FINEST|FINER|FINE|VERBOSE|DPANIC|TRAC|DEBU|ERRO|FATA|PANI"
)
_LOWER = r"trace|debug|info|notice|warn(?:ing)?|error|err|crit(?:ical)?|alert|emerg|fatal|panic|dpanic"
_SHORT = r"TRC|VRB|DBG|INF|WRN|ERR|FTL|PNC"
_WORDED = r"Trace|Debug|Information|Info|Notice|Note|System|Warning|Warn|Error|Critical|Fatal"
_IN_PROSE = r"(?!(?i:alert|emerg(?:ency)?|panic|config|fine(?:r|st)?) [a-z]+[.,]?(?: |$))"
"""Ahead of a bare word: it is no severity of syslog's or java.util.logging's own that a sentence goes on behind.

Loggers that write these names mark them, or set them apart; a word like ERROR they also write before plain prose.
"""
_MARKED = re.compile(
    rf"[\[<]\s*(?:[\w.]+:)?(?P<boxed>{_UPPER}|{_LOWER}|{_SHORT}|{_WORDED})\s*[\]>]"
    rf"|(?:^|[\s|\[(<,;:)]){_IN_PROSE}(?P<upper>{_UPPER})(?=[\s|\])>:,;/\[]|$)"
    rf"|[\[<](?:\w+:)?(?P<listed>{_LOWER}),"
    rf"|/(?P<thread>{_UPPER})\]"
    r"|\s\[(?P<letter_boxed>[TDIWEF])\](?=\s)|\((?P<xorg>II|WW|EE)\)"
    rf"|\b(?i:level|lvl|severity|levelname|loglevel)[\"']?[=:] ?[\"']?(?P<keyed>[A-Za-z]+)"
    r"|^(?P<klog>[DIWEF]) (?=\*|\d|\s|\[)|(?:^\s*|\]: )(?P<inner>[IWEF])(?=\d+ \d+:\d+:\d+\.\d+ )"
    rf"|(?:^|[\t ])(?P<tab>{_LOWER})\t"
    rf"|^\s*{_IN_PROSE}(?P<first>{_LOWER}|{_SHORT}):? "
    rf"|^\s*(?P<dotnet>trce|dbug|info|warn|fail|crit): "
    rf"|(?:^|[|,])\s*(?P<column>{_WORDED})(?:\s*[|,]|\s\s)"
    rf"|(?:\s\s|\t)(?P<alone>{_WORDED}|Normal|Fault)(?:\s\s|\t)"
    rf"|^: (?P<told>{_WORDED}) "
    r"|^ ?[\[:] *(?P<initial>[TDINWEFC]) +(?=\S)|^ ?(?P<urgent>[TDIWEF])! "
    r"|^\[ ?\] \* \w+ +(?P<websphere>[FEWAICDO]) "
    r"|\] +(?P<hana>[diwef]) [A-Z]\w* +\S+ :"
    r"| - +(?P<nest>LOG) \["
    rf"|[\w\]:] ?(?P<postgres>LOG|DETAIL|HINT|CONTEXT|STATEMENT|QUERY):  "
    r"|(?:,(?=LOG,\d+,)|^ ?\[\d+\] (?=LOG ))(?P<logged>LOG)"
    r"|%[A-Z][A-Z0-9_]*-(?P<mnemonic>[0-7])-[A-Z0-9_]+:"
    rf"|^=(?P<report>{_UPPER}|CRASH|SUPERVISOR) REPORT"
    r"|^ (?P<storage>[FEWID])\d? +(?:[A-Z_]{2,12}|-) +\["
    r"|\bat=(?P<l2met>debug|info|notice|warn|error|fatal)\b"
    rf"|^[\s\[\]*]*[\w.-]+\.(?P<channel>{_UPPER}): "
    rf"|\bPHP (?P<php>Fatal|Parse|Warning|Notice|Deprecated)\b"
    r"|^(?P<logrus>TRAC|DEBU|ERRO|FATA|PANI)\["
    rf"|^\*?\s+(?P<redis>#) "
    rf"|^\s*(?P<letter>[TDINWEC]) \| "
    rf"|^\s+\*\s+\* (?P<android>[VDIWEF]) \S"
    rf"|^\s*-?\s*\S+ - (?P<python>{_UPPER}) -",
)
_LOOSE = re.compile(
    rf"^.{{0,48}}?(?:[:\])|]\s*|\s\s)(?:(?P<colon>information|{_LOWER}|{_WORDED})\s*(?::(?=\s|$|\w)|/\w+: )"
    r"|(?P<degree>debug) [\d*])"
)
"""A word before a colon says the severity where nothing else does; it stays, for it may be part of what is said."""
_ODD = r"|[^ -~\t]"
"""The two libraries do not agree on what is a letter or a space among these."""
_MAY = (
    rf"(?i:\b(?:{_UPPER}|{_LOWER}|{_SHORT}|{_WORDED}|trce|dbug|fail|log|detail|hint|context|statement|query|parse|"
    r"deprecated|level|lvl|severity|levelname|loglevel|normal|fault|crash|supervisor)\b)"
    r"|(?:^|\W)[A-Z#]\d*(?:\W|$)|%[A-Z]|\] +[diwef] [A-Z]|\((?:II|WW|EE)\)"
    r"|(?:LOG|DETAIL|HINT|CONTEXT|STATEMENT|QUERY):  " + _ODD
)
"""Found in every head that `_MARKED` is found in, and quickly looked for."""


@lru_cache(maxsize=1)
def _looser() -> str:
    """Return an expression of Rust's that is found wherever a severity is: what those look ahead for, it takes."""
    loose = f"{_MARKED.pattern}|{_LOOSE.pattern}"
    for ahead in (_IN_PROSE, r"(?=LOG,\d+,)", "(?=LOG )"):
        loose = loose.replace(ahead, "")
    return quick(loose.replace("(?=", "(?:").replace(r"\b", r"(?-u:\b)")) + _ODD


_TROUBLE = re.compile(
    r"\b(?:error|errors|exception|fatal|panic|panicked|traceback|failed|failure|fails|cannot|refused|"
    r"timed out|timeout|denied|unavailable|unable|aborted|crash(?:ed)?|segfault|killed process|out of memory|"
    r"no space left|read-only file ?system|too many (?:open files|connections)|oom-kill(?:er)?|soft lockup|"
    r"deadlock (?:detected|found)|no route to host|not responding|table full)\b"
    r"|\w(?:Exception|Error)\b",
    re.IGNORECASE,
)
_NO_TROUBLE = re.compile(
    r"\b(?:0|no|without|zero) (?:errors?|failures?|exceptions?)\b|\berrors?[=:] ?0\b", re.IGNORECASE
)
MANY = 256
"""To make the expression ready that is all but sure costs as much as to search so many texts."""
_HEAD = 160
_LEAD, _SHORT_LEAD = 48, 24
_PAIRS = frozenset("=:")
"""What has one of these is a pair, and known by what stands before it."""


def sounds_bad(text: str) -> bool:
    """Say whether a text that carries no severity speaks of a failure."""
    return bool(_TROUBLE.search(text)) and not _NO_TROUBLE.search(text)


def sound_bad(texts: Sequence[str]) -> list[bool]:
    """Return `sounds_bad` of each text, more cheaply."""
    may = _contain(texts, f"(?i:{_TROUBLE.pattern})")
    return [each and sounds_bad(text) for each, text in zip(may, texts, strict=True)]


def split_head(text: str) -> tuple[int, str]:
    """Return the severity written in the head, and the text without the word."""
    return _without_mark(text, _mark_in_lead(text) or _mark(text[:_HEAD]))


def split_heads(texts: Sequence[str]) -> list[tuple[int, str]]:
    """Return `split_head` of each text, more cheaply."""
    found = marks(range(len(texts)), len(texts), partial(_leads, texts))
    return [
        (level, (text[:start] + text[end:]).strip()) if level else (UNKNOWN, text)
        for text, (level, start, end) in zip(texts, found.tolist(), strict=True)
    ]


def marks(asked: Any, count: int, leads: Leads) -> Any:
    """Return (severity, from where, to where the word stands that says it) of so many texts, as numpy's int32.

    (UNKNOWN, -1, -1) where none says it, or the text is not asked for. Texts that begin alike are looked at once.
    """
    import numpy as np

    found, places = np.tile(np.array(_NO_MARK, np.int32), (count, 1)), np.asarray(asked, np.int64)
    for find, most, whole in ((_marked, _SHORT_LEAD, False), (_marked, _LEAD, False), (_mark, _HEAD, True)):
        if not len(places):
            break
        lead_of, different = leads(places, most, whole)
        said, is_open = np.tile(np.array(_NO_MARK, np.int32), (len(different), 1)), np.ones(len(different), np.bool_)
        for number in _may_be_marked(different):
            if (mark := find(different[number])) is not None:
                said[number], is_open[number] = mark if mark[0] else _NO_MARK, False
        found[places] = said[lead_of]
        places = places[is_open[lead_of]]
    return found


def _leads(texts: Sequence[str], asked: Any, most: int, whole: bool) -> tuple[Any, list[str]]:
    import numpy as np

    heads = [texts[place][:most] for place in asked.tolist()]
    if not whole:
        heads = [head[: head.rfind(" ") + 1] for head in heads]
    numbers = {head: number for number, head in enumerate(dict.fromkeys(heads))}
    return np.array([numbers[head] for head in heads], np.int64), list(numbers)


def may_say(texts: Sequence[str]) -> list[bool]:
    """Say of each text whether a severity may be written in it."""
    return _contain(texts, _MAY)


def _may_be_marked(texts: Sequence[str]) -> list[int]:
    """Return the places of texts in which a severity may be written: of many, all but surely."""
    places = list(compress(range(len(texts)), may_say(texts)))
    if len(places) < MANY:
        return places
    return list(compress(places, _contain([texts[place] for place in places], _looser())))


def _contain(texts: Sequence[str], pattern: str) -> list[bool]:
    """Say of each text whether it contains a pattern, which has neither look-ahead nor look-behind."""
    import polars as pl

    found: list[bool] = pl.Series(texts, dtype=pl.String).str.contains(pattern).to_list()
    return found


Mark = tuple[int, int, int]
"""Severity, and from where to where the word stands that says it."""
Leads = Callable[[Any, int, bool], tuple[Any, Sequence[str]]]
"""Of texts by their places (numpy): (the number of what each begins with (numpy), the different beginnings).

A beginning has at most so many characters: whole words of them, or (True) all.
"""
_NO_MARK: Mark = (UNKNOWN, -1, -1)


def _mark_in_lead(text: str) -> Mark | None:
    """Return what says the severity if it stands in the first few words, which many texts share."""
    return _marked(text[: text.rfind(" ", 0, _SHORT_LEAD) + 1]) or _marked(text[: text.rfind(" ", 0, _LEAD) + 1])


def _without_mark(text: str, mark: Mark | None) -> tuple[int, str]:
    """Return the severity and the text without the word that says it."""
    if mark is None or mark[0] == UNKNOWN:
        return UNKNOWN, text
    level, start, end = mark
    return level, (text[:start] + text[end:]).strip()


@lru_cache(maxsize=16_384)
def _marked(lead: str) -> Mark | None:
    """Return what `_mark` finds in whole words that many heads begin with, if what goes on behind cannot matter."""
    found = _mark(lead)
    if found is None or found[2] < len(lead) - 1:
        return found
    return None if _PAIRS.isdisjoint(lead[found[1] : found[2]]) else found


def _mark(head: str) -> Mark | None:
    """Return (severity, start, end) of the word that says it; None without one."""
    match = _MARKED.search(head) or _LOOSE.search(head)
    if match is None:
        return None
    name = match.lastgroup or ""  # each form has one group
    if match.re is _LOOSE:
        return from_name(match[name]), 0, 0
    return from_name(match[name]), *(match.span() if name in ("keyed", "boxed") else match.span(name))
