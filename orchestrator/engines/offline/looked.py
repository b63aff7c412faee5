"""What was looked up across the sources before the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.verdict.contradictions.clocks import Named
from subagents.contract import Fact
from subagents.metrics.model import Compared, TracedView


@dataclass(frozen=True)
class Level:
    """A series before and after the onset, with its numbers as facts."""

    row: Compared
    facts: tuple[Fact, ...]

    @property
    def departure(self) -> float:
        """How far it moved, in noises, the direction that hurts positive: less of what is left is worse."""
        return -self.row.size if self.row.bad == "down" else self.row.size


@dataclass(frozen=True)
class Looked:
    """What was looked up."""

    errors: tuple[Level, ...] = ()
    hosts: tuple[Level, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    """Caller and callee."""
    traced: tuple[TracedView, ...] = ()
    """How spans ended since the onset."""
    named: tuple[Named, ...] = ()
    quiet: tuple[tuple[str, str], ...] = ()
    """Services that log, and log no errors more than before, each with an event of theirs."""
    hosts_left: int | None = None
    """How many series of hosts were not compared, because others moved more; None where nobody compared any."""
    missed: tuple[tuple[str, str], ...] = ()
    """Looks that were not made, in words, each with why."""


NOTHING = Looked()
"""Before anything was looked up, or where nothing could be."""
