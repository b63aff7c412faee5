"""A specialist as a definition: who it is, its tools, its procedure, its bench; and the cast of them, by name."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from subagents.contract import AgentName, Brief, Coverage, D, Finding, Params, Resolver, Tool, ToolResult


class Workbench(Protocol):
    """What a specialist's procedure works at: its own tools, the board, its voice. Nothing else."""

    @property
    def agent(self) -> AgentName:
        """Whose bench this is."""

    async def call(self, tool: str, params: Params, returns: type[D]) -> ToolResult[D]:
        """Run one of the agent's own tools through hands. Never raises for a failed call: see `outcome`."""

    async def report(self, finding: Finding) -> None:
        """Put a finding on the board; durable on return; reporting it twice adds nothing."""

    async def say(self, text: str) -> None:
        """Write one line to the agent's own stream."""

    def board(self) -> tuple[Finding, ...]:
        """Return every finding of the session so far, oldest first."""

    async def more(self, seen: int) -> bool:
        """Wait until the board holds more than `seen` findings (True), or nobody else is still working (False)."""


Procedure = Callable[[Brief, Workbench], Awaitable[BaseModel | None]]
"""What a specialist does with no model. Returns what it learnt, typed; raises nothing for bad data."""


@dataclass(frozen=True)
class Agent:
    """One specialist: the same definition serves every engine."""

    name: AgentName
    description: str
    """When to hand it work; what a coordinator reads."""
    mission: str
    prompt: str
    tools: tuple[Tool[Any, Any], ...]
    procedure: Procedure | None = None
    resolver: Resolver | None = None
    """Opens the citation kinds in `cites`."""
    cites: tuple[str, ...] = ()
    problems: tuple[Coverage, ...] = ()


_TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


@dataclass(frozen=True)
class Roster:
    """The agents of a session, by name."""

    agents: Mapping[AgentName, Agent]

    def __post_init__(self) -> None:
        """Refuse tool names that are not unique or that an API would not accept."""
        seen: set[str] = set()
        for agent in self.agents.values():
            for tool in agent.tools:
                if not _TOOL_NAME.match(tool.name) or tool.name in seen:
                    raise ValueError(f"tool name {tool.name!r} of {agent.name} is malformed or taken")
                seen.add(tool.name)

    def tool(self, agent: AgentName, name: str) -> Tool[Any, Any] | None:
        """Return the agent's own tool of that name; None when the agent does not hold it."""
        owner = self.agents.get(agent)
        if owner is None:
            return None
        return next((tool for tool in owner.tools if tool.name == name), None)
