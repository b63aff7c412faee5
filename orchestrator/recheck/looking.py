"""How a re-check asks: the specialists' own tools through hands, as a person's calls, and counts by their resolvers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from orchestrator.asking import ask_by_person
from orchestrator.hands.threads import in_thread
from orchestrator.hands.verifying import NoAnswer, WorkerVerifier
from orchestrator.journal.verdict import State
from subagents.contract import AgentName, D, Fact, Finding, Params, ToolError
from subagents.quantities import figure

if TYPE_CHECKING:
    from orchestrator.session import Session

WORST_FIRST: tuple[State, ...] = ("ongoing", "recovering", "unknown", "recovered")
"""Of several measurements the first of these that one has is the answer."""
AHEAD = timedelta(minutes=5)
"""How far ahead of this machine's clock another one may be; what is later lies in the future."""
JUST = timedelta(milliseconds=1)
"""How far a moment lies from one that is just before or after it."""


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

    @property
    def now(self) -> datetime:
        """The time by this machine."""
        return self._session.desk.clock.now()

    async def ask(self, agent: AgentName, tool: str, params: Params, returns: type[D]) -> D:
        """Return what a tool says; raises Untold where it says nothing."""
        self._asked += 1
        given = params.model_dump(mode="json", exclude_defaults=True)
        result = await ask_by_person(self._session, agent, f"{self._key}-{self._asked}", tool, given)
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


def told_at(at: datetime, beside: datetime | None = None) -> str:
    """Return a moment's time of day, with its day where the moment that it is told beside is of another one."""
    day = f"{at:%Y-%m-%d} " if beside is not None and at.date() != beside.date() else ""
    return f"{day}{at:%H:%M:%S} UTC"


def figured(value: float, unit: str = "") -> str:
    """Return a measured number as a re-check says it, with its unit where it has one."""
    return f"{figure(value)} {unit}".rstrip()
