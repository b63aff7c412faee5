"""Rust regexes of stamps: of their bodies whatever the digits are, of what stands before them and what may follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from subagents.logs.sources.expressions import quick
from subagents.logs.sources.stamp_kinds import MONTH, WEEKDAY_WITHIN, Kind
from subagents.logs.sources.weekdays import DAY, pattern_of
from subagents.logs.sources.zones import HOURS

_ZONES = ("Z", "UTC", "GMT", *HOURS)
_HALVES = ("AM", "PM")


@lru_cache(maxsize=4)
def no_zone(behind_fraction: bool, has_halves: bool) -> str:
    """Return the Rust regex of what may follow a stamp without a zone, so that it is not taken from one that has more.

    That is a zone, or digits; `has_halves`: or the half of the day. Behind a fraction no other can follow.
    """
    colon = "" if behind_fraction else ":"
    word = _other_than(_ZONES + _HALVES if has_halves else _ZONES)
    return rf"(?:$|[^\d.,Z+{colon} -]|[.,:-](?:\D|$)| (?:[+-](?:$|\D|\d{{1,3}}(?:$|\D))|{word}))"


def _other_than(names: Sequence[str], but: str = "+-") -> str:
    """Return the Rust regex of how what is none of some words begins, nor one of the characters `but`.

    None of the words may be the beginning of another one.
    """
    if "" in names:
        return r"\w"
    parts = ["$", f"[^{''.join(sorted({name[0] for name in names}))}{but}]"]
    for first in sorted({name[0] for name in names}):
        parts.append(first + _other_than([name[1:] for name in names if name[0] == first], ""))
    return f"(?:{'|'.join(parts)})"


@lru_cache(maxsize=1_024)
def stamp_pattern(lead: str, kind: Kind, body: str, named: str, behind: str) -> str:
    """Return the Rust regex of a body, as it is whatever its digits are, between what stands before and behind it."""
    return quick(lead + body_pattern(kind, body, named) + behind)


def _ragged_body(body: str) -> str:
    """Return the form of a body that may lack zeros as a Rust regex."""
    parts = re.split(rf"({MONTH}|\d+)", body)
    for place in range(1, len(parts), 2):
        digits = len(parts[place])
        parts[place] = MONTH if not parts[place].isdigit() else rf"\d{{{1 if digits < 4 else digits},{digits}}}"
    return "".join(part if place % 2 else literal(part) for place, part in enumerate(parts))


def body_pattern(kind: Kind, body: str, named: str) -> str:
    """Return the body's form as a Rust regex: digits as classes, month names as words, the rest as it is."""
    if kind.ragged:
        return _ragged_body(body)
    month = re.search(MONTH, body)
    weekday = re.search(DAY, body) if kind.name == WEEKDAY_WITHIN else None
    zoned = range(body.find(named), len(body)) if named else range(0)
    has_blank = kind.name in ("syslog (RFC 3164)", "asctime", "month, day and year", "date(1)")
    parts = []
    for place, char in enumerate(body):
        if weekday is not None and weekday.start() <= place < weekday.end():
            parts.append(pattern_of(weekday[0]) if place == weekday.start() else "")
        elif place in zoned[: len(named)]:
            parts.append(literal(char))
        elif month is not None and month.start() <= place < month.end():
            parts.append(MONTH if place == month.start() else "")
        elif has_blank and place == 4:
            parts.append(r"[ \d]")
        elif char.isdigit():
            parts.append(r"\d")
        elif char == "A" or (char == "P" and body.endswith("M")):
            parts.append("[AP]")
        else:
            parts.append(literal(char))
    return "".join(parts)


def up_to(anchor: str) -> str:
    """Return the Rust regex of what ends with the first such text, or with any where that is of several characters."""
    return literal(anchor) if len(anchor) > 1 else rf"^[^{literal(anchor)}]*{literal(anchor)}"


def literal(text: str) -> str:
    """Return the Rust regex of a text as it is."""
    return "".join("\\" + char if char in r"\.+*?()|[]{}^$-&#~" else char for char in text)
