"""The first look: onset, new patterns and recent changes by the specialists' own tools, before any model is asked.

Everything in it is keyed by content and by the sources there are, so that a look which is taken again after a crash
replays: the journal answers with what is already there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic import BaseModel

from orchestrator.engines.base import Desk, ToolUse
from orchestrator.engines.offline.bench import Floor, OfflineBench
from orchestrator.engines.offline.cut_short import BudgetSpent, reason_of
from orchestrator.journal.events import ResultAcknowledged
from subagents.contract import AgentName, Finding, ToolResult

LOOKERS: Final[tuple[AgentName, ...]] = ("logs", "metrics", "deploys")
"""Who looks: those whose tools only read."""


@dataclass(frozen=True)
class FirstLook:
    """What the specialists saw without a model."""

    findings: tuple[Finding, ...] = ()
    """Those that hold, oldest first."""
    summaries: Mapping[AgentName, BaseModel] = field(default_factory=dict)
    failed: Mapping[AgentName, str] = field(default_factory=dict)
    """Agent to why it gave nothing."""


async def first_look(desk: Desk) -> FirstLook:
    """Let each specialist follow its procedure side by side; what one cannot do is said, and stops nobody else."""
    names = [name for name in LOOKERS if name in desk.roster.agents]
    floor, here = Floor(names), cast(Desk, _Taking(desk))
    summaries: dict[AgentName, BaseModel] = {}
    failed: dict[AgentName, str] = {}

    async def look(name: AgentName) -> None:
        procedure = desk.roster.agents[name].procedure
        try:
            made = await procedure(desk.brief, OfflineBench(name, here, floor, edition(desk))) if procedure else None
            if made is not None:
                summaries[name] = made
        except BudgetSpent as spent:
            failed[name] = reason_of(spent)
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError) as error:
            failed[name] = f"{type(error).__name__}: {error}"  # a procedure's own defect: the others still count
        finally:
            await floor.done(name)

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(look(name), name=f"first-look-{name}")
    return FirstLook(tuple(floor.findings.values()), summaries, failed)


class _Taking:
    """The desk of an engine that records itself when a result has arrived: here it arrives at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def call(self, thread: str, use: ToolUse) -> ToolResult[Any]:
        result = await self._desk.call(thread, use)
        taken = ResultAcknowledged(tool_use_id=use.id)
        await self._desk.record(taken, thread=thread, source_id=f"acknowledged:{use.id}")
        return result


def edition(desk: Desk) -> str:
    """Name the set of sources that there is."""
    ids = "\0".join(sorted(spec.id for spec in desk.brief.sources))
    return hashlib.sha256(ids.encode()).hexdigest()[:8]
