"""What a count of log events counts: its fact's unit says it, so that it can be counted again.

Each is about the cited event: its message's template, its service, its stack trace, its kind of failure.
"""

from __future__ import annotations

import re

from subagents.logs.signatures import TABLE

EVENTS = "events"
"""Events of the cited event's template. Also what is taken where a unit says nothing else."""
SEVERE = "severe events"
"""Events of level error or worse, or that speak of a failure, of the cited event's service."""
TRACES = "stack traces"
"""Stack traces with the cited one's exception and frames."""
LINES = "lines"
"""Lines of recorded outputs that show the same known kind of failure as the cited one."""
WELL, AMISS = "states well", "states amiss"
"""Lines of recorded outputs that say of something that it is well, or that it is not."""
TIMES = "times"
"""Of the course of requests: each time that a statement is logged in one; where not all were followed, it says so."""
PARTS = 1024
"""Parts that the requests of large logs are dealt into by their ids; some of them are followed."""
_SAMPLED = re.compile(rf"{TIMES} in (\d{{1,4}})/{PARTS} of the requests")
_KIND = " events"
_NAMES = frozenset(known.name for known in TABLE)


UNITS = (EVENTS, SEVERE, TRACES, LINES)
OF_RECORDED = (LINES, WELL, AMISS)
"""What is counted of recorded outputs."""


def is_circumstance(name: str) -> bool:
    """Say whether a name is that of a kind of failure, alone or with who tells of it, rather than of a thing."""
    return name in _NAMES or any(name.startswith(kind + " in ") for kind in _NAMES)


def unit_of_kind(name: str) -> str:
    """Return the unit that counts the events of a known kind of failure that fall under one signature."""
    return name + _KIND


def unit_of_times(parts: int) -> str:
    """Return the unit of counts within requests, of which so many parts were followed."""
    return TIMES if parts == PARTS else f"{TIMES} in {parts}/{PARTS} of the requests"


def parts_of(unit: str) -> int:
    """Return of which parts of the requests a count is, by its unit."""
    sampled = _SAMPLED.fullmatch(unit)
    return min(PARTS, max(1, int(sampled[1]))) if sampled is not None else PARTS


def is_unit(unit: str) -> bool:
    """Say whether a unit says exactly what is counted."""
    return unit in (*UNITS, *OF_RECORDED) or kind_of_unit(unit) is not None


def kind_of_unit(unit: str) -> str | None:
    """Return the known kind of failure that a unit counts; None where it counts something else."""
    name = unit.removesuffix(_KIND)
    return name if name != unit and name in _NAMES else None
