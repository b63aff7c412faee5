"""The writer thread: owns the ledger, commits in groups, anchors the head, and knows what a failed write means.

Everything queued while the previous fsync ran goes into the next transaction. Acknowledgements leave only
after COMMIT. The anchor follows once nothing has come for 10 ms, and at least every 100 ms under load.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.journal.anchor import Head
from orchestrator.journal.codec import Draft
from orchestrator.journal.database import DatabaseFault
from orchestrator.journal.events import Event
from orchestrator.journal.faults import (
    DiskFull,
    JournalBusy,
    JournalClosed,
    JournalDamaged,
    JournalError,
    JournalReadOnly,
)
from orchestrator.journal.ledger import Ledger, Stored
from orchestrator.journal.room import Ballast, is_no_room, lacks_room
from subagents.contract import Clock

_GROUP_DRAFTS = 2048
_GROUP_BYTES = 4 << 20
_ANCHOR_LAG_S = 0.1
_IDLE_S = 0.01


@dataclass(frozen=True, eq=False)
class Submission:
    """Drafts that become durable together, and who waits for them."""

    drafts: tuple[Draft, ...]
    future: asyncio.Future[list[Event]]


@dataclass(frozen=True)
class Outcome:
    """What became of one submission: its stored entries, or the error."""

    submission: Submission
    stored: tuple[Stored, ...] = ()
    error: JournalError | None = None


Deliver = Callable[[list[Outcome], Head], None]


@dataclass(frozen=True)
class Place:
    """Where a journal lies and what helps it there."""

    directory: Path
    clock: Clock
    ballast: Ballast | None = None


class Writer:
    """One thread per open journal. `deliver` is called on it, once per group."""

    def __init__(self, ledger: Ledger, place: Place, deliver: Deliver) -> None:
        self._ledger = ledger
        self._place = place
        self._deliver = deliver
        self._queue: queue.SimpleQueue[Submission | None] = queue.SimpleQueue()
        self._anchored_at = place.clock.monotonic()
        self._behind = False
        self._ballast_due = place.ballast is not None
        self.fatal: JournalError | None = None
        """Why nothing more may be written; None while all is well."""
        self.full = False
        """The last write found no room."""
        self._thread = threading.Thread(target=self._run, name=f"journal-{place.directory.name}", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> None:
        """Queue drafts; never blocks."""
        self._queue.put(submission)

    def stop(self) -> None:
        """Commit what is queued, close the database and return once it is closed; blocks."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group, stopping = self._next_group()
            if group:
                self._commit(group)
            if not group or self._place.clock.monotonic() - self._anchored_at >= _ANCHOR_LAG_S:
                self._behind = False
                self._keep_up()
        self._finish()

    def _next_group(self) -> tuple[list[Submission], bool]:
        group: list[Submission] = []
        drafts = size = 0
        try:
            item = self._queue.get(timeout=_IDLE_S if self._behind else None)
        except queue.Empty:
            return group, False
        while True:
            if item is None:
                return group, True
            group.append(item)
            drafts += len(item.drafts)
            size += sum(len(draft.body) for draft in item.drafts)
            if drafts >= _GROUP_DRAFTS or size >= _GROUP_BYTES:
                return group, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, False

    def _commit(self, group: list[Submission]) -> None:
        self._behind = True
        error = self.fatal
        stored: list[Stored] = []
        if error is None:
            try:
                stored = self._append([draft for submission in group for draft in submission.drafts])
            except JournalError as fault:
                error = fault
                self.full = isinstance(fault, DiskFull)
        outcomes: list[Outcome] = []
        start = 0
        for submission in group:
            end = start + len(submission.drafts)
            outcomes.append(Outcome(submission, tuple(stored[start:end]), error))
            start = end
        self._deliver(outcomes, self._ledger.head)

    def _append(self, drafts: list[Draft]) -> list[Stored]:
        try:
            stored = self._ledger.append(drafts)
        except DatabaseFault as fault:
            error = self._judge(fault)
            if not isinstance(error, DiskFull) or not self._free_ballast():
                raise error from fault
            try:
                stored = self._ledger.append(drafts)
            except DatabaseFault as again:
                raise self._judge(again) from again
        except ValueError as fault:
            self.fatal = JournalDamaged(f"{self._place.directory.name}: {fault}; nothing more is written to it")
            raise self.fatal from fault
        except Exception as fault:  # nobody else hears of a fault on this thread: who waits would wait for ever
            self.fatal = self._read_only(f"{type(fault).__name__}: {fault}")
            raise self.fatal from fault
        self.full = False
        return stored

    def _keep_up(self) -> None:
        """Anchor and checkpoint: what follows a commit but nobody waits for."""
        if self.fatal is not None:
            return
        try:
            self._ledger.write_anchor()
            self._anchored_at = self._place.clock.monotonic()
            self._ledger.checkpoint_if_due()
            if self._ballast_due and self._place.ballast is not None:
                self._ballast_due = not self._place.ballast.hold()
        except DatabaseFault as fault:
            self._judge(fault)
        except OSError as error:
            if not is_no_room(error):
                self.fatal = self._read_only(f"head.json: {error.strerror}")
            elif self._free_ballast():
                self._keep_up()
        except Exception as error:
            self.fatal = self._read_only(f"{type(error).__name__}: {error}")

    def _finish(self) -> None:
        if self.fatal is None:
            # Should it fail: what was acknowledged is in the write-ahead log, and the next open recovers it.
            with contextlib.suppress(DatabaseFault, OSError):
                self._ledger.finish()
        self._ledger.close()
        self._refuse_late()

    def _refuse_late(self) -> None:
        late: list[Outcome] = []
        while not self._queue.empty():
            item = self._queue.get()
            if item is not None:
                late.append(Outcome(item, error=JournalClosed("the session was closed; this event was not stored")))
        if late:
            self._deliver(late, self._ledger.head)

    def _free_ballast(self) -> bool:
        freed = self._place.ballast is not None and self._place.ballast.let_go()
        self._ballast_due = self._ballast_due or freed
        return freed

    def _judge(self, fault: DatabaseFault) -> JournalError:
        """Say what a fault means; one after which the file cannot be trusted ends all writing."""
        directory = self._place.directory
        if fault.kind == "full" or (fault.kind == "io" and lacks_room(directory, _size(directory / "journal.db-wal"))):
            return DiskFull(
                f"no room left for {directory}: this event was not stored, all earlier ones are safe; "
                "free some space and warroom goes on by itself"
            )
        if fault.kind == "busy":
            return JournalBusy(f"another program holds {directory / 'journal.db'} locked; this event was not stored")
        if fault.kind == "damaged":
            self.fatal = JournalDamaged(f"{directory.name}: {fault}; nothing more is written, export what is whole")
        else:
            self.fatal = self._read_only(str(fault))
        return self.fatal

    def _read_only(self, why: str) -> JournalReadOnly:
        return JournalReadOnly(
            f"writing to {self._place.directory} failed ({why}): nothing more is stored in this session; "
            "what was acknowledged stays readable; check the disk, then resume the session"
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
