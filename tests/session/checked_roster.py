"""One specialist whose tool and resolver live in a worker: what it answers shows in which process it answered."""

from __future__ import annotations

import os
from collections.abc import Sequence

from subagents.contract import (
    Evidence,
    Fact,
    Finding,
    Params,
    ServiceInfo,
    SourceSpec,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
    Window,
    evidence,
)
from subagents.specialist import Agent, Roster
from subagents.verifying import NameKind, Recomputed

DEADLY = "log:toys@66+1"
SCORED = "log:toys@7+1"


class Looked(Params):
    pass


class FakeCounter:
    """Counts what it is asked; knows one service and the process it is in."""

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        if not ref.startswith("log:toys@"):
            raise ToolError(f"there is no {ref}")
        return evidence(ref, f"seen by {os.getpid()}".encode())

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        if fact.citation == DEADLY:
            os._exit(7)
        return Recomputed(value=42, unit="events") if fact.quantity == "count" else None

    def has(self, kind: NameKind, name: str) -> bool | None:
        return name == "search" if kind == "service" else None

    def span(self) -> Window | None:
        return None


def _look(params: Looked, context: ToolContext) -> ToolResult[Fact]:
    return ToolResult(data=Fact(quantity="score", value=0.87, citation=SCORED), citations=(evidence(SCORED, b"x"),))


def build(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    tool = Tool(name="toys_look", description="look", params=Looked, result=Fact, run=_look, worker=True)
    agent = Agent("toys", "toys", "counts", "", (tool,), resolver=FakeCounter(), cites=("log",))
    return Roster({"toys": agent})
