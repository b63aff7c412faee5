"""Two sources that cannot both be right: found by code, with the numbers and the evidence of both sides."""

from __future__ import annotations

from typing import Literal

from subagents.contract import Fact, Frozen

ContradictionKind = Literal[
    "alert and series", "alert and sources", "logs and metrics", "logs and traces", "clocks", "reach"
]


class Contradiction(Frozen):
    """Where the alert and the data, or two sources, disagree."""

    kind: ContradictionKind
    text: str
    """One sentence that names both sides; its numbers are facts, or the alert's own words."""
    facts: tuple[Fact, ...] = ()
    citations: tuple[str, ...] = ()
