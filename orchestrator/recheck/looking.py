"""How a re-check asks: the specialists' own tools through hands, as a person's calls, and counts by their resolvers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.engines.base import ToolUse
from orchestrator.hands.threads import in_thread
from orchestrator.hands.verifying import NoAnswer, WorkerVerifier
from orchestrator.journal.events import ResultAcknowledged
from orchestrator.journal.verdict import State
from subagents.contract import AgentName, D, Fact, Finding, Params, ToolError

if TYPE_CHECKING:
    from orchestrator.session import Session

WORST_FIRST: tuple[State, ...] = ("ongoing", "recovering", "unknown", "recovered")
"""Of several measurements the first of these that one has is the answer."""


class Untold(Exception):
    """The data does not tell; the message says why."""


@dataclass(frozen=True)
class Measured:
    """What one measurement came to."""

    state: State
    reason: str
    as_of: datetime | None = None
    finding: Finding | None = None
    missing: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Looker:
    """Asks for one re-check; every call of it is in the journal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._key = f"recheck-{session.journal.head.seq}"
        self._asked = 0

    @property
    def session(self) -> Session:
        """The session that is looked at."""
        return self._session

    async def ask(self, agent: AgentName, tool: str, params: Params, returns: type[D]) -> D:
        """Return what a tool says; raises Untold where it says nothing."""
        self._asked += 1
        desk = self._session.desk
        given = params.model_dump(mode="json", exclude_defaults=True)
        use = ToolUse(id=f"{self._key}-{self._asked}", name=tool, input=given)
        result = await desk.hands.call(agent, agent, use, by_person=True)
        if not desk.hands.acknowledge:  # its engine says when a result has arrived: this one arrived here, at once
            taken = ResultAcknowledged(tool_use_id=use.id)
            await desk.record(taken, thread=agent, source_id=f"acknowledged:{use.id}")
        if result.outcome != "ok" or not isinstance(result.data, returns):
            raise Untold(result.text or f"{tool} gave nothing ({result.outcome})")
        return result.data

    async def count(self, fact: Fact) -> float:
        """Return how many events there are by a fact's citation, window and unit; raises Untold."""
        desk = self._session.desk
        verifier = WorkerVerifier("logs", desk.hands.workers, desk.clock)
        try:
            found = await in_thread(lambda: verifier.recompute(fact), "recheck")
        except (ToolError, NoAnswer) as error:
            raise Untold(str(error)) from error
        if found is None or isinstance(found.value, str):
            raise Untold(f"{fact.citation} cannot be counted again")
        return float(found.value)
