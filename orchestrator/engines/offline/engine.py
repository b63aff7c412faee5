"""The offline engine: four specialists as concurrent tasks, then a verdict by rules. No model, no network.

It works in rounds. A round is named by the sources there are (its *edition*); when evidence is attached
while it runs, or a new session message asks for it, another round starts with all sources. Within an
edition everything is keyed by content, so a run that is started again replays instead of repeating.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from orchestrator.engines.base import BoardEdit, Desk, EngineError, Interrupt, Message, SourceAdded, StopReason
from orchestrator.engines.offline.bench import Floor, OfflineBench
from orchestrator.engines.offline.cross_look import cross_look
from orchestrator.engines.offline.cut_short import BudgetSpent, cut_off, reason_of
from orchestrator.engines.offline.judge import Judge
from orchestrator.engines.offline.looked import Looked
from orchestrator.engines.offline.wishes import look_into
from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentMessage,
    Body,
    SessionError,
    SessionErrorDetail,
    ThreadCreated,
    ThreadMessageReceived,
    ThreadMessageSent,
    ThreadStatusIdle,
    ThreadStatusRunning,
    VerdictReached,
    text_content,
)
from orchestrator.journal.events import StopReason as Reason
from orchestrator.journal.faults import JournalError, StateError
from orchestrator.journal.hosted import StopReasonType
from orchestrator.verdict.board_edits import Edit
from subagents.contract import SPECIALISTS, Brief
from subagents.specialist import Agent

TAKES_UP = (
    "The offline investigator has no model and reads no free text. It takes up: evidence that you attach "
    "(it starts another round), what you do to the board, an interrupt, and your yes or no to what it drafts. "
    "Your message is kept in the session and in the report."
)
EDIT_TAKEN_UP = "Taken up. "


@dataclass
class Round:
    """One pass over one set of sources."""

    edition: str
    """Names the round: its sources, and how often it was given more after its budget had ended it."""
    sources: str
    """Names the sources alone: calls are the same, however often it was given more."""
    floor: Floor
    tasks: dict[str, asyncio.Task[BaseModel | None]] = field(default_factory=dict)
    summaries: dict[str, BaseModel] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Agent to why it gave nothing."""
    looked: Looked | None = None
    """What was looked up across the sources, once it was."""
    cut_short: bool = False
    """Whether the budget ended any of it."""


class OfflineEngine:
    """Decides by statistics and rules over the same tools as any model."""

    name = "offline"
    shown_as = "offline investigator, no model"

    async def run(self, desk: Desk) -> StopReason:
        """Work until there is a verdict for the sources there are, or until stopped."""
        while True:
            this = self._open_round(desk)
            again = await self._investigate(desk, this)
            if desk.cancel.is_set():
                return "interrupted"
            if again:
                continue
            if not await self._conclude(desk, this):
                return "budget_reached" if this.cut_short else "end_turn"

    def _open_round(self, desk: Desk) -> Round:
        names = [name for name in SPECIALISTS if name in desk.roster.agents]
        if not names:
            raise EngineError("the roster has no specialists, so there is nobody to investigate")
        ids = "\0".join(sorted(spec.id for spec in desk.brief.sources))
        sources = hashlib.sha256(ids.encode()).hexdigest()[:8]
        raised = desk.budget.resumptions
        return Round(edition=f"{sources}.{raised}" if raised else sources, sources=sources, floor=Floor(names))

    async def _investigate(self, desk: Desk, this: Round) -> bool:
        """Run the specialists; return True when the round must start over with more sources."""
        brief = desk.brief
        await self._say(desk, f"dispatched {len(this.floor.agents)}: {', '.join(this.floor.agents)}", this.edition)
        for name in this.floor.agents:
            await self._dispatch(desk, this, desk.roster.agents[name])
        for name in this.floor.agents:
            work = self._work(desk, this, desk.roster.agents[name], brief)
            this.tasks[name] = asyncio.create_task(work, name=f"offline-{name}")
        listener = asyncio.create_task(self._listen(desk, this), name="offline-inbox")
        stopper = asyncio.create_task(desk.cancel.wait(), name="offline-cancel")
        everyone = asyncio.gather(*this.tasks.values(), return_exceptions=True)
        try:
            waited: set[asyncio.Future[Any]] = {everyone, listener, stopper}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            again = listener.done() and not desk.cancel.is_set()
            if again and (error := listener.exception()):
                raise error
        finally:
            for task in (*this.tasks.values(), listener, stopper):
                task.cancel()
            results = await asyncio.gather(*this.tasks.values(), listener, stopper, return_exceptions=True)
        for outcome in results[: len(this.tasks)]:
            if isinstance(outcome, Exception):
                raise outcome
        return again

    async def _dispatch(self, desk: Desk, this: Round, agent: Agent) -> None:
        thread, key = agent.name, f"{agent.name}-{this.edition}"
        await desk.record(
            ThreadCreated(session_thread_id=thread, agent_name=agent.name), thread=thread, source_id=f"thread-{thread}"
        )
        task = text_content(agent.mission)
        await desk.record(
            ThreadMessageSent(to_session_thread_id=thread, to_agent_name=agent.name, content=task),
            thread=MAIN_THREAD,
            source_id=f"sent-{key}",
        )
        await desk.record(
            ThreadMessageReceived(from_session_thread_id=MAIN_THREAD, from_agent_name=MAIN_THREAD, content=task),
            thread=thread,
            source_id=f"received-{key}",
        )
        await desk.record(
            ThreadStatusRunning(session_thread_id=thread, agent_name=agent.name, doing=agent.mission),
            thread=thread,
            source_id=f"running-{key}",
        )

    async def _work(self, desk: Desk, this: Round, agent: Agent, brief: Brief) -> BaseModel | None:
        """Let one specialist follow its procedure; a fault of its own ends it, not the investigation."""
        bench = OfflineBench(agent.name, desk, this.floor, this.sources, this.edition)
        stop: StopReasonType = "end_turn"
        message = ""
        try:
            summary = await agent.procedure(brief, bench) if agent.procedure else None
            if summary is not None:
                this.summaries[agent.name] = summary
        except asyncio.CancelledError:
            if this.tasks[agent.name].cancelling() and not desk.cancel.is_set() and agent.name in this.failed:
                summary, stop, message = None, "interrupted", this.failed[agent.name]
            else:
                raise
        except BudgetSpent as spent:
            summary, stop = None, "budget_reached"
            message = this.failed[agent.name] = reason_of(spent)
        except (JournalError, StateError, EngineError):
            raise  # nothing of the session can go on
        except Exception as error:  # a procedure's own defect: the others' work counts, and the verdict names the gap
            summary, stop = None, "error"
            message = f"{type(error).__name__}: {error}"
            this.failed[agent.name] = message
            fault = SessionErrorDetail(type="specialist_failed", message=f"{agent.name}: {message}")
            await self._record(desk, SessionError(error=fault), agent.name, f"failed-{agent.name}-{this.edition}")
        finally:  # else who waits for it would wait for ever
            await this.floor.done(agent.name)
        idle = ThreadStatusIdle(
            session_thread_id=agent.name,
            agent_name=agent.name,
            stop_reason=Reason(type=stop, message=message),
        )
        await self._record(desk, idle, agent.name, f"idle-{agent.name}-{this.edition}")
        return summary

    async def _listen(self, desk: Desk, this: Round) -> None:
        """Take up what the person says; return when the round must start over."""
        while True:
            incoming = await desk.inbox.get()
            if isinstance(incoming, SourceAdded):
                return
            if isinstance(incoming, BoardEdit):
                said = text_content(f"{EDIT_TAKEN_UP}{incoming.text}")
                await desk.record(AgentMessage(content=said), thread=MAIN_THREAD)
            elif isinstance(incoming, Message):
                await desk.record(AgentMessage(content=text_content(TAKES_UP)), thread=MAIN_THREAD)
            elif isinstance(incoming, Interrupt) and incoming.thread in this.tasks:
                this.failed[incoming.thread] = "stopped by the person"
                this.tasks[incoming.thread].cancel()

    async def _conclude(self, desk: Desk, this: Round) -> bool:
        """Conclude, again for each edit of the board that comes meanwhile; return True when there are more sources."""
        while True:
            edits = desk.edits()
            edition = _with_edits(this.edition, edits)
            missed = await look_into(desk, this.floor, this.summaries, (this.sources, this.edition))
            if this.looked is None:
                this.looked = await cross_look(desk, this.floor, this.summaries, (this.sources, this.edition))
            looked = replace(this.looked, missed=(*missed, *this.looked.missed))
            this.cut_short = bool(cut_off(this.failed) or looked.missed)
            judge = Judge(desk, this.floor, this.summaries, this.failed, looked)
            verdict, holds = await judge.conclude(edition)
            await self._say(desk, holds.headline, edition)
            await self._record(desk, VerdictReached(verdict=verdict), MAIN_THREAD, f"verdict-{edition}")
            if any(isinstance(item, SourceAdded) for item in desk.inbox.drain()):
                return True
            if desk.edits() == edits or desk.cancel.is_set():
                return False

    async def _say(self, desk: Desk, text: str, edition: str) -> None:
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        await self._record(desk, AgentMessage(content=text_content(text)), MAIN_THREAD, f"say-{edition}-{key}")

    @staticmethod
    async def _record(desk: Desk, body: Body, thread: str, source_id: str) -> None:
        await desk.record(body, thread=thread, source_id=source_id)


def _with_edits(edition: str, edits: tuple[Edit, ...]) -> str:
    """Name what is concluded from a round: its edition, and what the person did to the board until then."""
    if not edits:
        return edition
    content = "\0".join(edit.body.model_dump_json() for edit in edits)
    return f"{edition}.b{hashlib.sha256(content.encode()).hexdigest()[:8]}"
