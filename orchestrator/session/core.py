"""One investigation of one incident: an engine, a journal, a status, and the person's way in.

    session = await Session.create(home, incident, specs, coverage, engine, Settings(...))
    stop = await session.run()          # again after a message, a late source or an interrupt
    await session.close()               # or: async with await Session.open(home, id, engine) as session

Killing the process at any moment leaves the session resumable: `open` says what it was doing, `run` replays, and
the journal answers for what is already there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from orchestrator.config.model import Budgets
from orchestrator.engines.base import BoardEdit, Engine, Interrupt, Message, SourceAdded, StopReason
from orchestrator.hands.budget_fold import BUDGET_TYPES
from orchestrator.hands.threads import in_thread
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import (
    MAIN_THREAD,
    ApprovalDecided,
    BoardEdited,
    Body,
    Event,
    Note,
    Rechecked,
    SessionError,
    SessionErrorDetail,
    StatusIdle,
    StatusRunning,
    StatusTerminated,
    UserInterrupt,
    UserMessage,
    text_content,
)
from orchestrator.journal.events import StopReason as Reason
from orchestrator.journal.faults import DiskFull, JournalError
from orchestrator.journal.home import StateHome
from orchestrator.journal.store import Journal
from orchestrator.session.beginning import first_entries, lost_tests, source_entry, stored_services, zip_coverage
from orchestrator.session.budgeting import first_budget, how_to_raise, raised
from orchestrator.session.drive import drive
from orchestrator.session.editing import Candidate, candidates, wished
from orchestrator.session.fold import CALL_TYPES, FOLDED_TYPES
from orchestrator.session.parts import SessionFault, SessionParts
from orchestrator.session.settings import Settings, make_redactor
from orchestrator.session.status import SETTLED_REASONS, standing_of
from orchestrator.verdict.board_edits import Act, EditFault, told
from subagents.contract import AgentName, Coverage, Incident, SourceSpec


class Session(SessionParts):
    """See the module. Made by `create` and `open`; belongs to one event loop."""

    # -- made and opened ---------------------------------------------------------------------

    @classmethod
    async def create(
        cls,
        home: StateHome,
        incident: Incident,
        specs: Sequence[SourceSpec],
        coverage: Sequence[Coverage],
        engine: Engine,
        settings: Settings | None = None,
    ) -> Session:
        """Start a new session; its first events are the incident and its sources. Raises StateError, DiskFull."""
        settings = settings or Settings()
        redactor = await in_thread(lambda: make_redactor(home.ensure(), settings), "redactor")
        made = settings.directory
        directory = await in_thread(lambda: made or home.new_session(settings.clock), "new-session")
        journal = await in_thread(lambda: Journal.create(directory, settings.clock), "new-journal")
        session = cls(home, journal, engine, settings, redactor)
        try:
            await session._begin(incident, specs, coverage)
        except BaseException:
            await session.close()
            raise
        return session

    @classmethod
    async def open(cls, home: StateHome, session_id: str, engine: Engine, settings: Settings | None = None) -> Session:
        """Continue a session. Raises StateError, JournalBusy, JournalTooNew, JournalDamaged."""
        settings = settings or Settings()
        directory = home.session_dir(session_id)
        journal = await in_thread(lambda: Journal.open(directory, settings.clock), "open-journal")
        try:
            redactor = await in_thread(lambda: make_redactor(home, settings), "redactor")
        except BaseException:
            await journal.close()
            raise
        session = cls(home, journal, engine, settings, redactor)
        try:
            await session._take_up()
        except BaseException:
            await session.close()
            raise
        return session

    async def _begin(self, incident: Incident, specs: Sequence[SourceSpec], coverage: Sequence[Coverage]) -> None:
        # Together, so that a session which exists has all that it was started with.
        entries = first_entries(self.id, incident, zip_coverage(specs, coverage), self._engine, self._settings)
        entries += first_budget(self._settings.budgets, self._engine)
        self._desk.started_at = (await self._recorder.record_all(*entries, now=True))[0].ts
        await self._fit()
        self.fixes.take_up()

    async def _take_up(self) -> None:
        hears_again = getattr(self._engine, "hears_again", False)
        for event in self._journal.events(types=FOLDED_TYPES | BUDGET_TYPES):
            self._learn(event)
            if hears_again and isinstance(event.body, UserMessage) and event.stream == "local":
                text = "\n".join(part.text for part in event.body.content)
                self._desk.inbox.put(Message(text=text, to=event.body.to, id=f"message-{event.seq}"))
            elif hears_again and isinstance(event.body, BoardEdited):
                self._desk.inbox.put(BoardEdit(text=told(event.body), id=f"board-{event.seq}"))
            if event.seq == 1:
                self._desk.started_at = event.ts
        for event in self._journal.events(self._fold.settled_seq, types=CALL_TYPES):
            self._learn(event)
        if self._fold.opened is None:
            raise SessionFault(f"{self.id}: it holds no incident, so there is nothing to continue; delete it")
        if not self._desk.services:
            self._desk.services = stored_services(self._fold.opened.settings)
        self._was_doing = tuple(
            f"{self._fold.agent_of(event.thread)}: {getattr(event.body, 'name', '')}"
            for event in self._fold.open_calls.values()
        )
        with suppress(DiskFull):
            await self._say_interrupted()
            if not self._settings.services and (remark := lost_tests(self._fold.opened.settings)) is not None:
                await self._recorder.record_all(remark, now=True)
        await self._fit()
        self.fixes.take_up()

    # -- work --------------------------------------------------------------------------------

    async def run(self, reason: str = "") -> StopReason:
        """Let the engine work until it stops, and return why. A fault of the engine is an event, not an exception."""
        if self._busy or self._closed:
            raise SessionFault(f"{self.id}: it is {'closed' if self._closed else 'running already'}")
        if self.standing.status == "terminated":
            raise SessionFault(f"{self.id}: it is over ({self.standing.reason}); start a new session")
        self._busy = True
        try:
            self._desk.cancel.clear()
            self._desk.inbox.forget_interrupts()
            self._log.giving_up.clear()
            await self._say_interrupted()
            why = reason or ("resume" if self._fold.runs else "start")
            sources = self._fold.sources.values()
            self._hands.workers.prepare([spec.path for spec in sources if spec.kind == "logs"])
            await self._transition(StatusRunning(reason=why, by=self._settings.operator), now=True)
            self._running = asyncio.create_task(self._drive(), name=f"session-{self.id}")
            return await asyncio.shield(self._running)
        except asyncio.CancelledError:
            await self._halt()
            raise
        finally:
            self._busy, self._running = False, None

    async def _drive(self) -> StopReason:
        ending = await drive(self._engine, self._desk, self._clock, self._settings.grace_s)
        stop = ending.stop
        said = ending.message or ("" if ending.trace else str(getattr(self._engine, "why", "")))
        why = how_to_raise(self.budget, self.id) if stop == "budget_reached" else said
        if ending.trace:
            self._write_log(ending.trace)
        try:
            if ending.message:
                fault = SessionErrorDetail(type=ending.kind, message=ending.message, retry_status="exhausted")
                await self._record_end(SessionError(error=fault))
            if stop not in SETTLED_REASONS:
                self._hands.stop()
            self._hands.cancel()
            await self._hands.settled()
            if stop in SETTLED_REASONS:
                await self._settle_open_calls()
                await self.fixes.settle(unchecked=True)
            if self.standing.status in ("running", "rescheduling"):
                await self._record_end(StatusIdle(stop_reason=Reason(type=stop, message=why)))
        except JournalError as fault_of_journal:
            # Nothing more can be stored: what is there says `running`, and the next to open it sees it interrupted.
            self._write_log(f"{self.id}: {fault_of_journal}")
            stop = "interrupted" if self._desk.cancel.is_set() else "error"
        await self._index.settle()
        return stop

    async def _settle_open_calls(self) -> None:
        """Answer what an earlier process left unanswered and the engine did not ask for again."""
        for event in list(self._fold.open_calls.values()):
            await self._hands.recover(self._fold.agent_of(event.thread), event)
        await self._hands.acknowledged()

    async def _record_end(self, body: Body) -> None:
        stopping = self._desk.cancel.is_set()
        if standing_of(body) is not None:
            await self._transition(body, now=stopping)
        else:
            await self._recorder.record(body, MAIN_THREAD, now=stopping)

    # -- the person --------------------------------------------------------------------------

    async def message(self, text: str, to: AgentName | None = None) -> Event:
        """Say something to everyone or to one agent; it is durable and in the engine's inbox on return."""
        body = UserMessage(content=text_content(text), to=to)
        event = await self._recorder.record(body, MAIN_THREAD, now=True)
        self._desk.inbox.put(Message(text=text, to=to, id=f"message-{event.seq}"))
        return event

    async def interrupt(self, thread: str | None = None) -> None:
        """Stop the work, everywhere or on one thread; what runs is cancelled. Returns at once when nothing runs."""
        if thread is None:
            self._stop()
        else:
            self._desk.inbox.put(Interrupt(thread=thread))
            self._hands.cancel(thread)
        with suppress(DiskFull):
            await self._recorder.record(UserInterrupt(session_thread_id=thread), MAIN_THREAD, now=True)

    async def _halt(self) -> None:
        """Leave: what works elsewhere for this session may go on there, which an interrupt would stop."""
        if self._running is not None:
            self._stop(interrupt=False)
            await asyncio.wait({self._running})

    def _stop(self, *, interrupt: bool = True) -> None:
        if interrupt and not self._desk.cancel.is_set() and self._running is not None:
            self._desk.inbox.put(Interrupt())
        self._desk.cancel.set()
        self._log.giving_up.set()
        self._hands.stop()

    async def add_source(self, spec: SourceSpec, coverage: Coverage | None = None) -> Event:
        """Attach evidence; on return it is durable, the agents see it and the engine is told."""
        known = self._fold.sources.get(spec.id)
        if known is not None and known != spec:
            raise SessionFault(
                f"source {spec.id!r} is there already, from {known.origin or known.path}; name it otherwise"
            )
        (event, *_) = await self._recorder.record_all(source_entry(spec, coverage), now=True)
        if known is None:
            await self._fit()
            self._desk.inbox.put(SourceAdded(spec=spec))
        return event

    async def edit_board(self, act: Act, text: str, note: str = "", by: str = "person") -> Event:
        """Add, pin, rule out (with a reason in `note`), or undo that; durable on return, and the engine is told.

        `text` names a hypothesis of the board (its place, its id, the start of a commit), or says one that is added.
        It is the person's act: neither the desk nor any tool leads here. Raises SessionFault for what cannot be done.
        """
        try:
            body = await wished(self._desk, act, text, note, by)
        except EditFault as fault:
            raise SessionFault(f"{self.id}: {fault}") from fault
        event = await self._recorder.record(body, MAIN_THREAD, now=True)
        self._desk.inbox.put(BoardEdit(text=told(body), id=f"board-{event.seq}"))
        return event

    async def candidates(self) -> tuple[Candidate, ...]:
        """Return what the session knows and the board does not hold: changes and services that could be added."""
        return await candidates(self._desk)

    async def rechecked(self, body: Rechecked) -> Event:
        """Keep how the symptom stands by newer data; it is a person's measurement, and no engine records one."""
        return await self._recorder.record(body, MAIN_THREAD, now=True)

    async def note(self, text: str, by: str = "person") -> Event:
        """Keep a line for the record."""
        return await self._recorder.record(Note(text=text, by=by), MAIN_THREAD, now=True)

    async def raise_budgets(self, wished: Budgets, by: str = "person") -> list[Event]:
        """Raise bounds of the session and of agents to what is given, on record, all or none; raises BudgetFault.

        It is the person's act: neither the desk nor any tool leads here.
        """
        bodies = raised(self._spent.budgets or Budgets(), wished, by)
        return await self._recorder.record_all(*(Entry(body=body, thread=MAIN_THREAD) for body in bodies), now=True)

    async def decide(
        self,
        approval_id: str,
        decision: Literal["approve", "reject"],
        digest: str,
        by: str = "person",
        reason: str = "",
    ) -> ApprovalDecided:
        """Decide on exactly the bytes that `digest` names; other bytes void it. Raises ApprovalError."""
        return await self.approvals.decide(approval_id, decision, digest, by, reason)

    async def terminate(self, reason: str) -> None:
        """End the session for good; it can be read and exported, not run."""
        await self._halt()
        if self.standing.status != "terminated":
            await self._transition(StatusTerminated(reason=reason), now=True)

    async def close(self) -> None:
        """Stop what runs, end the workers, close the journal. The session can be opened again."""
        if self._closed:
            return
        await self._halt()
        self._closed = True
        self._log.giving_up.set()
        await self.fixes.close()
        await self._hands.close()
        await self._index.settle()
        await self._journal.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _say_interrupted(self) -> None:
        """Record that the last run broke off, where it could not say so itself; raises DiskFull."""
        if self.standing.status not in ("running", "rescheduling"):
            return
        doing = f"; it was at {', '.join(self._was_doing)}" if self._was_doing else ""
        message = f"{self._journal.recovery.words}{doing}"
        await self._transition(StatusIdle(stop_reason=Reason(type="interrupted", message=message)), now=True)
