"""Four specialists that look twice each, for sessions of the offline engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from subagents.contract import (
    SPECIALISTS,
    Brief,
    Finding,
    Frozen,
    Params,
    ServiceInfo,
    SourceSpec,
    Tool,
    ToolContext,
    ToolResult,
)
from subagents.specialist import Agent, Roster, Workbench


class Look(Params):
    where: str = "here"


class Seen(Frozen):
    text: str


def look(params: Look, context: ToolContext) -> ToolResult[Seen]:
    return ToolResult(data=Seen(text=params.where), text=params.where)


async def procedure(brief: Brief, bench: Workbench) -> BaseModel | None:
    for where in ("here", "there"):
        seen = await bench.call(f"{bench.agent}_look", Look(where=where), Seen)
        await bench.report(Finding(agent=bench.agent, claim=f"{bench.agent} looked {seen.need().text}", topic="gap"))
    return None


def build(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    agents = {}
    for name in SPECIALISTS:
        tool: Tool[Any, Any] = Tool(name=f"{name}_look", description="Look.", params=Look, result=Seen, run=look)
        agents[name] = Agent(name, name, f"look at {name}", "", (tool,), procedure)
    return Roster(agents)
