"""A session's journal: durable before it is acknowledged, published only after that. The journal is the truth."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from pathlib import Path

from orchestrator.journal.anchor import Anchored, AnchorFile, Head, sync_folder
from orchestrator.journal.chain import Integrity, Verification
from orchestrator.journal.codec import Entry, draft
from orchestrator.journal.database import DatabaseFault, SqliteDatabase
from orchestrator.journal.events import Event
from orchestrator.journal.faults import (
    DiskFull,
    JournalClosed,
    JournalDamaged,
    JournalError,
    StateError,
    no_such_session,
)
from orchestrator.journal.ledger import Ledger, Recovery
from orchestrator.journal.lock import SessionLock
from orchestrator.journal.reading import Reading
from orchestrator.journal.room import Ballast, is_no_room
from orchestrator.journal.subscription import Subscription
from orchestrator.journal.writer import Outcome, Place, Submission, Writer
from subagents.contract import Clock

__all__ = ["Entry", "Head", "Journal", "Recovery"]

DATABASE = "journal.db"
_VERIFY_STEP, _VERIFY_PAUSE_S = 64, 0.0005


class Journal:
    """The one writer of a session's journal. Use it on one event loop; reading is safe from any thread."""

    def __init__(self, directory: Path, clock: Clock, lock: SessionLock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = lock
        self._database = SqliteDatabase(directory / DATABASE)
        try:
            ledger = Ledger.open(self._database, AnchorFile(directory))
        except BaseException:
            self._database.close()
            raise
        self.recovery = ledger.recovery
        self._head = ledger.head
        self._reading_database = SqliteDatabase(directory / DATABASE, readonly=True)
        self._reading = Reading(self._reading_database)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscriptions: list[Subscription] = []
        self._closed = False
        self._closing = threading.Event()
        self._writer = Writer(ledger, Place(directory, clock, Ballast.beside(directory)), self._deliver)
        self._verified: Future[Integrity] = Future()
        self._verifier: threading.Thread | None = None
        self._verifying: SqliteDatabase | None = None
        if ledger.integrity.checked_from == 1:
            self._verified.set_result(ledger.integrity)
        else:
            self._verify_behind(ledger.head)

    @classmethod
    def create(cls, directory: Path, clock: Clock) -> Journal:
        """Start the journal of a new session; raises StateError, DiskFull, JournalBusy."""
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            if (directory / DATABASE).exists():
                raise StateError(f"{directory}: a session is kept here already; it was left as it is")
            lock = SessionLock(directory)
        except OSError as error:
            raise _cannot(directory, error) from error
        try:
            AnchorFile(directory).write(Head())
            os.close(os.open(directory / DATABASE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            sync_folder(directory)
            sync_folder(directory.parent)
        except OSError as error:
            lock.release()
            raise _cannot(directory, error) from error
        return cls._start(directory, clock, lock)

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Journal:
        """Continue a session; raises StateError, JournalBusy, JournalTooNew, JournalDamaged."""
        if not (directory / DATABASE).is_file():
            raise no_such_session(directory)
        try:
            lock = SessionLock(directory)
        except OSError as error:
            raise _cannot(directory, error) from error
        return cls._start(directory, clock, lock)

    @classmethod
    def _start(cls, directory: Path, clock: Clock, lock: SessionLock) -> Journal:
        try:
            return cls(directory, clock, lock)
        except DatabaseFault as fault:
            lock.release()
            if fault.kind == "damaged":
                raise JournalDamaged(f"{directory.name}: journal.db is damaged ({fault}); left as it is") from fault
            if fault.kind == "full":
                raise DiskFull(f"no room left for {directory}; free some space and try again") from fault
            raise StateError(f"{directory / DATABASE}: cannot be opened for writing ({fault})") from fault
        except BaseException:
            lock.release()
            raise

    @property
    def directory(self) -> Path:
        """The session's folder."""
        return self._directory

    @property
    def head(self) -> Head:
        """The last durable event that was published."""
        return self._head

    @property
    def writable(self) -> bool:
        """Whether appends can succeed: False after a fault that ended writing, and while the disk is full."""
        return not self._closed and self._writer.fatal is None and not self._writer.full

    @property
    def trouble(self) -> str:
        """Why it is not writable, in one line; empty when it is."""
        if self._writer.fatal is not None:
            return str(self._writer.fatal)
        return f"no room left for {self._directory}: nothing new is stored until there is" if self._writer.full else ""

    async def append(self, *entries: Entry) -> list[Event]:
        """Make entries durable together, then return their events; one already there is returned as stored.

        Raises BodyRefused before anything is queued, DiskFull (try again later), JournalReadOnly, JournalDamaged,
        JournalClosed. Cancelling the wait does not take the entries back.
        """
        if self._closed:
            raise JournalClosed("the session was closed; this event was not stored")
        drafts = tuple(draft(entry, self._clock) for entry in entries)
        if not drafts:
            return []
        loop = self._bind()
        future: asyncio.Future[list[Event]] = loop.create_future()
        self._writer.submit(Submission(drafts, future))
        return await future

    def find(self, source_id: str, stream: str = "local") -> Event | None:
        """Return the durable event with the engine's own id, the processed one where there are two."""
        reading = self._readable()
        with self._naming_damage():
            return reading.find(source_id, stream)

    def events(
        self,
        after: int = 0,
        *,
        types: Collection[str] | None = None,
        thread: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Event]:
        """Yield published events after seq `after`, in order; pages are read as they are needed.

        Raises JournalClosed, and JournalDamaged where the disk has spoilt what was whole on opening.
        """
        found = self._readable().events(after, upto=self._head.seq, types=types, thread=thread, limit=limit)
        with self._naming_damage():
            yield from found

    def subscribe(self, after: int | None = None) -> Subscription:
        """Follow events as they become durable, from after seq `after` (None: from now on)."""
        self._bind()
        start = self._head.seq if after is None else after
        subscription = Subscription(self._reread, lambda: self._head.seq, start)
        self._subscriptions = [one for one in self._subscriptions if not one.closed] + [subscription]
        return subscription

    async def verify(self) -> Integrity:
        """Wait for the background check of the whole chain, as it was on opening."""
        return await asyncio.wrap_future(self._verified)

    async def close(self) -> None:
        """Commit what is queued, end subscriptions, close; the session can then be opened elsewhere."""
        if self._closed:
            return
        self._closed = True
        self._closing.set()
        healthy = self._writer.fatal is None
        if self._verifier is not None:
            if self._verifying is not None:
                self._verifying.interrupt()
            await asyncio.to_thread(self._verifier.join)
        if healthy:
            self._reading_database.close()  # the writer, closing last, then removes the write-ahead log
        await asyncio.to_thread(self._writer.stop)
        if not healthy:
            self._reading_database.close()  # closing last, it cannot checkpoint: the log stays for recovery
        self._lock.release()
        for subscription in self._subscriptions:
            subscription.close()

    def _bind(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("a journal belongs to one event loop")
        return loop

    def _readable(self) -> Reading:
        if self._closed:
            raise JournalClosed("the session was closed; open it again to read it")
        return self._reading

    @contextlib.contextmanager
    def _naming_damage(self) -> Iterator[None]:
        try:
            yield
        except (DatabaseFault, ValueError) as fault:
            raise JournalDamaged(
                f"{self._directory.name} cannot be read any more ({fault}); export what is whole"
            ) from fault

    def _reread(self, after: int, limit: int) -> list[Event]:
        return [] if self._closed else list(self.events(after, limit=limit))

    def _deliver(self, outcomes: list[Outcome], head: Head) -> None:
        """Hand a group's outcomes to the loop; runs on the writer thread."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._publish, outcomes, head)
        except RuntimeError:
            return  # the loop is gone, and with it everyone who waited

    def _publish(self, outcomes: list[Outcome], head: Head) -> None:
        self._head = head
        fresh = [one.event for outcome in outcomes for one in outcome.stored if one.fresh]
        for outcome in outcomes:
            future = outcome.submission.future
            if future.done():
                continue
            if outcome.error is not None:
                future.set_exception(_own_copy(outcome.error))
            else:
                future.set_result([one.event for one in outcome.stored])
        if fresh:
            for subscription in self._subscriptions:
                subscription.offer(fresh)

    def _verify_behind(self, head: Head) -> None:
        self._verifier = threading.Thread(target=self._verify_all, args=(head,), name="journal-verify", daemon=True)
        self._verifier.start()

    def _verify_all(self, head: Head) -> None:
        try:
            database = self._verifying = SqliteDatabase(self._directory / DATABASE, readonly=True)
        except DatabaseFault as fault:
            self._verified.set_exception(JournalError(f"the chain could not be checked: {fault}"))
            return
        try:
            check = Verification(database, Anchored(head), upto=head.seq, thorough=True)
            while check.step(_VERIFY_STEP):
                if self._closing.wait(_VERIFY_PAUSE_S):
                    break
            result = check.result()
        finally:
            database.close()
        if not result.whole and not self._closing.is_set():
            name = self._directory.name
            self._writer.fatal = JournalDamaged(f"{name} is {result.words}; nothing more is written to it")
        self._verified.set_result(result)


def _own_copy(error: JournalError) -> JournalError:
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy


def _cannot(directory: Path, error: OSError) -> JournalError | StateError:
    if is_no_room(error):
        return DiskFull(f"no room left for {directory}; free some space and try again")
    return StateError(f"{directory}: cannot be used ({error.strerror or error})")
