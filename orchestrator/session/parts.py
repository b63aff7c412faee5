"""What a session is wired from, and what can be read of it; what it does is in `core`."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.engines.base import Engine, StopReason
from orchestrator.hands.approvals import Approvals
from orchestrator.hands.budget import Budget
from orchestrator.hands.budget_fold import SpentFold
from orchestrator.hands.fix_desk import FixDesk
from orchestrator.hands.results import Keeper
from orchestrator.hands.run import Hands
from orchestrator.hands.steps import Steps
from orchestrator.hands.threads import in_thread
from orchestrator.hands.watching import Sink, Watching
from orchestrator.hands.workers import Workers
from orchestrator.journal.blobs import BlobStore
from orchestrator.journal.events import (
    MAIN_THREAD,
    ApprovalRequested,
    Body,
    Event,
    Note,
)
from orchestrator.journal.home import StateHome
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.store import Journal
from orchestrator.journal.subscription import Subscription
from orchestrator.session.claims import EVIDENCE_TYPES, SessionCheckers
from orchestrator.session.desk import PreviewSink, Recorder, SessionDesk
from orchestrator.session.drive import one_line
from orchestrator.session.fold import SessionFold
from orchestrator.session.indexing import IndexNotes
from orchestrator.session.patient import PatientLog
from orchestrator.session.settings import Settings, write_log
from orchestrator.session.status import Standing
from orchestrator.verdict.claim_rounds import ClaimRounds
from subagents.specialist import Roster


class SessionFault(Exception):
    """The session cannot do what was asked; the message says what, why, and what to do."""


class SessionParts:
    """Base of Session: its journal, hands, approvals, desk and folds, and how they are told of events."""

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
        self._watching = Watching(redactor, self._clock)
        self._hands = self._make_hands(steps)
        self.fixes = FixDesk(steps, self.approvals, self._hands, lambda: self._fold.sources, log=self._write_log)
        """Drafts of fixes: what waits for a person's decision, and carrying it out."""
        self._recorder = Recorder(self._log, redactor)
        self._desk = self._make_desk()
        self._busy = False
        self._running: asyncio.Task[StopReason] | None = None
        self._was_doing: tuple[str, ...] = ()
        self._closed = False

    def _make_hands(self, steps: Steps) -> Hands:
        settings = self._settings
        return Hands(
            steps=steps,
            keeper=Keeper(self._redactor, BlobStore(self._journal.directory)),
            policy=settings.policy,
            approvals=self.approvals,
            workers=Workers(settings.recipe, self._clock, settings.spare),
            clock=self._clock,
            findings=lambda: tuple(self._fold.findings.values()),
            log=self._write_log,
            acknowledge=not getattr(self._engine, "acknowledges", False),
            budget=self.budget,
            watching=self._watching,
        )

    def _make_desk(self) -> SessionDesk:
        return SessionDesk(
            clock=self._clock,
            started_at=self._clock.now(),
            fold=self._fold,
            hands=self._hands,
            recorder=self._recorder,
            transition=self._transition,
            budget=self.budget,
            claims=self._claim_rounds(),
            services=self._settings.services,
        )

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

    @property
    def watches(self) -> bool:
        """Whether its engine only watches what others drive: nothing is decided or carried out here."""
        return bool(getattr(self._engine, "watches", False))

    @property
    def health(self) -> Any:
        """How the engine's connection is, where it has one: an object with `state`, `why`, `byte_age`, `event_age`."""
        return getattr(self._engine, "health", None)

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

    def on_call_preview(self, sink: Sink) -> None:
        """Show `sink` how far running calls are and what they found until now; none of it is stored."""
        self._watching.sinks.append(sink)

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
