"""What a count of log events counts: its fact's unit says it, so that it can be counted again.

Each is about the cited event: its message's template, its service, its stack trace, its kind of failure.
"""

from __future__ import annotations

from subagents.logs.signatures import TABLE

EVENTS = "events"
"""Events of the cited event's template. Also what is taken where a unit says nothing else."""
SEVERE = "severe events"
"""Events of level error or worse, or that speak of a failure, of the cited event's service."""
TRACES = "stack traces"
"""Stack traces with the cited one's exception and frames."""
LINES = "lines"
"""Lines of recorded outputs that show the same known kind of failure as the cited one."""
_KIND = " events"
_NAMES = frozenset(known.name for known in TABLE)


def unit_of_kind(name: str) -> str:
    """Return the unit that counts the events of a known kind of failure that fall under one signature."""
    return name + _KIND


def kind_of_unit(unit: str) -> str | None:
    """Return the known kind of failure that a unit counts; None where it counts something else."""
    name = unit.removesuffix(_KIND)
    return name if name != unit and name in _NAMES else None
