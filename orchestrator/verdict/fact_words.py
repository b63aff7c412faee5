"""A fact in words, for people: moments as moments, long times with their unit, no powers of ten."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from orchestrator.verdict.when import moment
from subagents import quantities as q
from subagents.contract import Fact

DIGITS = 6
LONG_S, DAY_S = 7200.0, 86400.0
"""Seconds from which hours are added, and from twice which days."""


def fact_words(fact: Fact, zone: tzinfo | None = None) -> str:
    """Return what a fact states, without what it cites; moments in UTC and in `zone` (None: this machine's)."""
    name = fact.quantity.replace("_", " ")
    if isinstance(fact.value, str):
        told = _told(fact, zone)
    else:
        told = q.figure(fact.value, DIGITS) if isinstance(fact.value, float) else str(fact.value)
    return f"{name} {told}{' ' + fact.unit if fact.unit else ''}{_longer(fact)}{_within(fact)}"


def _told(fact: Fact, zone: tzinfo | None) -> str:
    if fact.quantity not in q.MOMENTS:
        return str(fact.value)
    try:
        at = datetime.fromisoformat(str(fact.value))
    except ValueError:  # a moment in nobody's notation is shown as it is
        return str(fact.value)
    return str(fact.value) if at.tzinfo is None else moment(at, zone)


def _within(fact: Fact) -> str:
    """Say when what is counted on both sides of a moment was counted: the same quantity is stated of each."""
    if fact.quantity not in q.COURSES or fact.window is None:
        return ""
    start, end = (at.astimezone(UTC) for at in (fact.window.start, fact.window.end))
    day = "%Y-%m-%d " if start.date() != end.date() else ""
    return f", {start:{day}%H:%M:%S} to {end:{day}%H:%M:%S} UTC"


def _longer(fact: Fact) -> str:
    if fact.unit != "s" or isinstance(fact.value, str) or abs(fact.value) < LONG_S:
        return ""
    days = abs(fact.value) >= 2 * DAY_S
    return f" ({fact.value / (DAY_S if days else 3600.0):.1f} {'d' if days else 'h'})"
