"""Errors that logs tell and no series shows, or the reverse; and onsets that lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subagents import quantities as q
from subagents.contract import Fact
from subagents.contradiction import Contradiction
from subagents.quantities import figure

RISE, LEAST_EVENTS = 5.0, 20
"""Severe events, and times what was expected of them, from which errors rise in the logs."""
STILL, JUMPED = 2.0, 6.0
"""Noises within which a series is still, and from which it surely moved."""
SAME = 1.25
"""Level after / level before up to which it did not grow."""
APART = timedelta(minutes=15)
"""Errors of one service that begin so far apart in two sources are not one story."""


@dataclass(frozen=True)
class ErrorSeries:
    """A series of errors of one service, before and after the onset."""

    service: str
    name: str
    citation: str
    size: float
    """Departure in noises, the bad direction positive."""
    facts: tuple[Fact, ...]
    """Its levels."""
    onset: Fact | None = None
    stirred: bool = False
    """It left its level for a while, whatever the medians say."""

    @property
    def still(self) -> bool:
        """Whether it kept its level, by its own spread and by the ratio of its levels."""
        if self.stirred or self.onset is not None:
            return False
        ratio = next((float(fact.value) for fact in self.facts if fact.quantity == q.LEVEL_RATIO), 1.0)
        return self.size < STILL and ratio <= SAME

    @property
    def told(self) -> str:
        """Return what it did, in a clause."""
        value = {fact.quantity: fact for fact in self.facts}
        before, after = value.get(q.LEVEL_BEFORE), value.get(q.LEVEL_AFTER)
        if before is None or after is None:
            return f"{self.service} {self.name}".strip()
        unit = f" {before.unit}" if before.unit not in ("", "ratio") else ""
        numbers = f"{figure(float(before.value), 4)} -> {figure(float(after.value), 4)}{unit}"
        return f"{self.service} {self.name} ({numbers})".strip()


@dataclass(frozen=True)
class LoggedErrors:
    """How many severe events one service logged, and how many were expected."""

    service: str
    count: Fact
    expected: Fact | None
    first: Fact | None = None

    @property
    def rises(self) -> bool:
        """Whether they surely rise; without a time before nobody can tell."""
        if self.expected is None or isinstance(self.count.value, str) or isinstance(self.expected.value, str):
            return False
        return self.count.value >= LEAST_EVENTS and self.count.value >= RISE * max(self.expected.value, 1.0)


def logs_against_metrics(
    series: Sequence[ErrorSeries], logged: Sequence[LoggedErrors], quiet: Mapping[str, str]
) -> Iterator[Contradiction]:
    """Yield disagreements about one service; `quiet` has an event to cite of each that logs, and logs no errors."""
    for held in logged:
        mine = [one for one in series if one.service == held.service]
        if held.rises and mine and all(one.still for one in mine):
            yield _unseen(held, max(mine, key=lambda one: one.size))
        elif mine:
            yield from _apart(held, max(mine, key=lambda one: one.size))
    for one in series:
        if one.size >= JUMPED and one.service in quiet:
            yield Contradiction(
                kind="logs and metrics",
                text=f"{one.told} leaves its baseline, and the logs of {one.service} show no more errors than before",
                facts=one.facts,
                citations=(one.citation, quiet[one.service]),
            )


def _unseen(held: LoggedErrors, still: ErrorSeries) -> Contradiction:
    expected = figure(float(held.expected.value)) if held.expected is not None else "0"
    return Contradiction(
        kind="logs and metrics",
        text=f"{held.service} logged {held.count.value} severe events where {expected} were expected, "
        f"and {still.told} does not show them",
        facts=tuple(fact for fact in (held.count, held.expected, *still.facts) if fact is not None),
        citations=(held.count.citation, still.citation),
    )


def _apart(held: LoggedErrors, series: ErrorSeries) -> Iterator[Contradiction]:
    """Yield where errors that rise in both begin far apart."""
    if not held.rises or series.size < JUMPED or held.first is None or series.onset is None:
        return
    logged, measured = (datetime.fromisoformat(str(fact.value)) for fact in (held.first, series.onset))
    if abs(logged - measured) > APART:
        yield Contradiction(
            kind="logs and metrics",
            text=f"errors of {held.service} begin at {logged:%H:%M:%S} UTC in its logs, "
            f"and at {measured:%H:%M:%S} UTC in {series.name}",
            facts=(held.first, series.onset),
            citations=(held.first.citation, series.citation),
        )
