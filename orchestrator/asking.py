"""A call that a person asks for beside the engine: through hands like any other, on record, and handed over here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.engines.base import ToolUse
from orchestrator.journal.events import ResultAcknowledged

if TYPE_CHECKING:
    from orchestrator.session import Session
    from subagents.contract import AgentName, ToolResult


def about_to_ask(session: Session, agent: AgentName) -> None:
    """Make ready for a person who is about to ask: what it takes to answer at once is started while they type."""
    session.desk.hands.workers.prepare_beside(agent)


async def ask_by_person(
    session: Session, agent: AgentName, key: str, tool: str, given: Mapping[str, object]
) -> ToolResult[Any]:
    """Return what an agent's tool says; `key` is the call's id. Cancelling this cancels the call."""
    desk = session.desk
    use = ToolUse(id=key, name=tool, input=dict(given))
    result = await desk.hands.call(agent, agent, use, by_person=True)
    if not desk.hands.acknowledge:  # its engine says when a result has arrived: this one arrived here, at once
        await desk.record(ResultAcknowledged(tool_use_id=key), thread=agent, source_id=f"acknowledged:{key}")
    return result
