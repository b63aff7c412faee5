"""One investigation of one incident: an engine, a journal, a status, and the person's way in.

    session = await Session.create(home, incident, specs, coverage, engine, Settings(...))
    stop = await session.run()          # again after a message, a late source or an interrupt
    await session.close()               # or: async with await Session.open(home, id, engine) as session

Killing the process at any moment leaves the session resumable: `open` says what it was doing, `run` replays, and
the journal answers for what is already there.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, cast

from orchestrator.config.model import Budgets
from orchestrator.engines.base import Engine, Interrupt, Message, SourceAdded, StopReason
from orchestrator.hands.approvals import Approvals
from orchestrator.hands.budget import Budget
from orchestrator.hands.budget_fold import BUDGET_TYPES, SpentFold
from orchestrator.hands.fix_desk import FixDesk
from orchestrator.hands.results import Keeper
from orchestrator.hands.run import Hands
from orchestrator.hands.steps import Steps
from orchestrator.hands.threads import in_thread
from orchestrator.hands.workers import Workers
from orchestrator.journal.blobs import BlobStore
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import (
    MAIN_THREAD,
    ApprovalDecided,
    ApprovalRequested,
    Body,
    Event,
    Note,
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
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.store import Journal
from orchestrator.journal.subscription import Subscription
from orchestrator.session.beginning import first_entries, source_entry, zip_coverage
from orchestrator.session.budgeting import first_budget, how_to_raise, raised
from orchestrator.session.claims import EVIDENCE_TYPES, SessionCheckers
from orchestrator.session.desk import PreviewSink, Recorder, SessionDesk
from orchestrator.session.drive import drive, one_line
from orchestrator.session.fold import CALL_TYPES, FOLDED_TYPES, SessionFold
from orchestrator.session.indexing import IndexNotes
from orchestrator.session.patient import PatientLog
from orchestrator.session.settings import Settings, make_redactor, write_log
from orchestrator.session.status import SETTLED_REASONS, Standing, standing_of
from orchestrator.verdict.claim_rounds import ClaimRounds
from subagents.contract import AgentName, Coverage, Incident, Roster, ServiceInfo, SourceSpec


class SessionFault(Exception):
    """The session cannot do what was asked; the message says what, why, and what to do."""


class Session:
    """See the module. Made by `create` and `open`; belongs to one event loop."""

    def __init__(
        self, home: StateHome, journal: Journal, engine: Engine, settings: Settings, redactor: Redactor
    ) -> None:
        self._home = home
        self._journal = journal
        self._engine = engine
        self._settings = settings
        self._clock = settings.clock
        self._redactor = redactor
        self._fold = SessionFold()
        self._spent = SpentFold(settings.prices)
        self.budget = Budget(self._spent, self._clock, settings.prices)
        """What may be spent and what is left."""
        self._index = IndexNotes(home, journal.directory)
        self._log = PatientLog(journal, self._clock, self._learn)
        steps = Steps(self._log)
        self.approvals = Approvals(steps, settings.attended)
        """What waits for a person, and what was approved for the session: the person's, as `decide` is."""
        self._hands = Hands(
            steps=steps,
            keeper=Keeper(redactor, BlobStore(journal.directory)),
            policy=settings.policy,
            approvals=self.approvals,
            workers=Workers(settings.recipe, self._clock),
            clock=self._clock,
            findings=lambda: tuple(self._fold.findings.values()),
            log=self._write_log,
            acknowledge=not getattr(engine, "acknowledges", False),
            budget=self.budget,
        )
        self.fixes = FixDesk(steps, self.approvals, self._hands, lambda: self._fold.sources, log=self._write_log)
        """Drafts of fixes: what waits for a person's decision, and carrying it out."""
        self._recorder = Recorder(self._log, redactor)
        self._desk = SessionDesk(
            clock=self._clock,
            started_at=self._clock.now(),
            fold=self._fold,
            hands=self._hands,
            recorder=self._recorder,
            transition=self._transition,
            budget=self.budget,
            claims=self._claim_rounds(),
            services=settings.services,
        )
        self._busy = False
        self._running: asyncio.Task[StopReason] | None = None
        self._was_doing: tuple[str, ...] = ()
        self._closed = False

    def _claim_rounds(self) -> ClaimRounds:
        checkers = SessionCheckers(
            read=lambda after: self._journal.events(after, types=EVIDENCE_TYPES),
            blobs=BlobStore(self._journal.directory),
            roster=lambda: self._hands.roster,
            brief=lambda: self._desk.brief,
            findings=lambda: tuple(self._fold.findings.values()),
            workers=self._hands.workers,
            clock=self._clock,
        )
        return ClaimRounds(checkers, self._recorder.record, self._clock)

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
        for event in self._journal.events(types=FOLDED_TYPES | BUDGET_TYPES):
            self._learn(event)
            if event.seq == 1:
                self._desk.started_at = event.ts
        for event in self._journal.events(self._fold.settled_seq, types=CALL_TYPES):
            self._learn(event)
        if self._fold.opened is None:
            raise SessionFault(f"{self.id}: it holds no incident, so there is nothing to continue; delete it")
        if not self._desk.services:
            stored = cast(list[Any], self._fold.opened.settings.get("services") or [])
            self._desk.services = tuple(ServiceInfo.model_validate(item) for item in stored)
        self._was_doing = tuple(
            f"{self._fold.agent_of(event.thread)}: {getattr(event.body, 'name', '')}"
            for event in self._fold.open_calls.values()
        )
        with suppress(DiskFull):
            await self._say_interrupted()
        await self._fit()
        self.fixes.take_up()

    # -- what it is --------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The session's id."""
        return self._journal.directory.name

    @property
    def directory(self) -> Path:
        """The session's folder."""
        return self._journal.directory

    @property
    def standing(self) -> Standing:
        """The status and why."""
        return self._fold.standing

    @property
    def trouble(self) -> str:
        """Why nothing can be stored now, such as a full disk; empty when all is well."""
        return self._journal.trouble

    @property
    def was_doing(self) -> tuple[str, ...]:
        """The calls that were on their way when the last process ended, as `agent: tool`."""
        return self._was_doing

    @property
    def desk(self) -> SessionDesk:
        """The engine's desk."""
        return self._desk

    @property
    def journal(self) -> Journal:
        """The journal, to read."""
        return self._journal

    @property
    def roster(self) -> Roster:
        """The agents as they are now."""
        return self._hands.roster

    def pending(self) -> tuple[ApprovalRequested, ...]:
        """Return what waits for a person."""
        return self.approvals.pending()

    def subscribe(self, after: int | None = None) -> Subscription:
        """Follow the events from after seq `after`; None: from now on."""
        return self._journal.subscribe(after)

    def on_full_disk(self, sink: Callable[[str], None]) -> None:
        """Tell `sink`, in a line for people, whenever work begins to wait for room on the disk."""
        self._log.on_full = sink

    def on_preview(self, sink: PreviewSink) -> None:
        """Show streamed text to `sink(thread, text)`; it is never stored."""
        self._desk.previews.append(sink)

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
            await self._transition(StatusRunning(reason=why), now=True)
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
        why = how_to_raise(self.budget, self.id) if stop == "budget_reached" else ending.message
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
        self._desk.inbox.put(Message(text=text, to=to))
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
        if self._running is not None:
            self._stop()
            await asyncio.wait({self._running})

    def _stop(self) -> None:
        if not self._desk.cancel.is_set() and self._running is not None:
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

    # -- inside ------------------------------------------------------------------------------

    def _learn(self, event: Event) -> None:
        self._fold.learn(event)
        self._spent.learn(event)
        self.approvals.learn(event)
        self._desk.claims.learn(event)
        self.fixes.learn(event)
        self._index.learn(event)

    async def _transition(self, body: Body, source_id: str | None = None, *, now: bool = False) -> Event:
        """Record a status; one that cannot follow raises IllegalTransition and is not recorded."""
        if source_id is not None and (there := self._journal.find(source_id)) is not None:
            return there
        self.standing.then(body)
        return await self._recorder.record(body, MAIN_THREAD, source_id, now=now)

    async def _say_interrupted(self) -> None:
        """Record that the last run broke off, where it could not say so itself; raises DiskFull."""
        if self.standing.status not in ("running", "rescheduling"):
            return
        doing = f"; it was at {', '.join(self._was_doing)}" if self._was_doing else ""
        message = f"{self._journal.recovery.words}{doing}"
        await self._transition(StatusIdle(stop_reason=Reason(type="interrupted", message=message)), now=True)

    async def _fit(self) -> None:
        """Give hands and workers the roster for the sources there are; where it cannot be built, the last one stays."""
        specs, services = tuple(self._fold.sources.values()), self._desk.services
        try:
            roster = await in_thread(lambda: self._settings.recipe.build(specs, services), "roster")
        except Exception as error:  # a source must not take the session with it, whatever is wrong with it
            self._write_log(traceback.format_exc())
            text = f"the agents could not be given the sources: {type(error).__name__}: {one_line(error)}"
            await self._recorder.record(Note(text=text, level="error"), MAIN_THREAD)
            return
        self._hands.roster = roster
        self._hands.workers.fit(specs, services)

    def _write_log(self, text: str) -> None:
        write_log(self._home.log, f"{self._clock.now().isoformat()} {self.id} {self._redactor.redact(text).text}\n")
