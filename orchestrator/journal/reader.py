"""Read-only view of a journal: another process's, a damaged one, or one that a newer warroom wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.journal.anchor import AnchorFile, Head
from orchestrator.journal.chain import Damage, Integrity, Verification, check_end
from orchestrator.journal.database import Database, DatabaseFault, SqliteDatabase
from orchestrator.journal.events import SCHEMA_VERSION, Event
from orchestrator.journal.faults import JournalDamaged, no_such_session
from orchestrator.journal.ledger import schema_version
from orchestrator.journal.lock import is_live
from orchestrator.journal.reading import Reading
from orchestrator.journal.rows import Row, Unreadable, last_seq, one, scan, to_event
from orchestrator.journal.transplant import transplanted

DATABASE = "journal.db"


class JournalReader:
    """Opens whatever is there without changing it. What it yields by `events()` is always a proved-so-far prefix.

    On opening, the anchor and the last 1,000 events are checked; `verify()` checks all. Raises StateError on
    opening only where no session is kept at all.
    """

    def __init__(self, directory: Path) -> None:
        if not (directory / DATABASE).is_file():
            raise no_such_session(directory)
        self.directory = directory
        # Read before the database is: a live writer commits first and anchors after, so it is never ahead of it.
        self._anchored = AnchorFile(directory).read()
        self._fault = ""
        self._header_fault = ""
        self._salvaged: TemporaryDirectory[str] | None = None
        self._version = SCHEMA_VERSION
        self._database, self._total = self._reach()
        self._reading = Reading(self._database)
        self.integrity = self._check(thorough=False)

    @classmethod
    def open(cls, directory: Path) -> JournalReader:
        """Open the journal in a session's folder."""
        return cls(directory)

    @property
    def live(self) -> bool:
        """Whether some process is writing it now."""
        return is_live(self.directory)

    @property
    def newer(self) -> bool:
        """Whether a newer warroom wrote it: shown as far as it is understood, never continued here."""
        return self._version > SCHEMA_VERSION

    @property
    def version(self) -> int:
        """The log version it was written with."""
        return self._version

    @property
    def head(self) -> Head:
        """The last event of the proved prefix."""
        if not self.integrity.good:
            return Head()
        row = one(self._database, self.integrity.good)
        return Head(row.seq, row.hash.hex()) if row else Head()

    @property
    def anchor_fault(self) -> str:
        """Say why head.json does not prove the end; empty where the event that it names is there as it names it."""
        if self._anchored.fault:
            return self._anchored.fault
        named = self._anchored.head
        try:
            row = one(self._database, named.seq) if named.seq else None
        except DatabaseFault as fault:
            return f"event {named.seq}, which head.json names, cannot be read ({fault})"
        if row is None and named.seq:
            return f"event {named.seq}, which head.json names, is missing"
        if row is not None and (not isinstance(row.hash, bytes) or row.hash.hex() != named.hash):
            return f"event {named.seq} is not the one that head.json names"
        return ""

    @property
    def anchored(self) -> int:
        """The event that head.json names, as it was read; 0 where it cannot be trusted."""
        return 0 if self._anchored.fault else self._anchored.head.seq

    @property
    def words(self) -> str:
        """Say in one line how far it can be trusted."""
        newer = f"written by a newer warroom (log version {self._version}); " if self.newer else ""
        return newer + self.integrity.words

    def events(
        self,
        after: int = 0,
        *,
        types: Collection[str] | None = None,
        thread: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Event]:
        """Yield the events of the whole prefix, in order; it ends before the first damage that is known.

        Call `refresh()` to see what a live writer has added since.
        """
        wanted = self._prefix(after) if self.integrity.damage else self._queried(after, types, thread)
        chosen = (
            event
            for event in wanted
            if (types is None or event.type in types) and (thread is None or event.thread == thread)
        )
        yield from islice(chosen, limit)

    def _queried(self, after: int, types: Collection[str] | None, thread: str | None) -> Iterator[Event]:
        seen = after
        try:
            for event in self._reading.events(after, upto=self.integrity.good, types=types, thread=thread):
                seen = event.seq
                yield event
        except (DatabaseFault, ValueError):
            self.verify()  # damage in the middle that opening had not reached: now it is named
            yield from self._prefix(seen)

    def _prefix(self, after: int) -> Iterator[Event]:
        """Read row by row up to the first damage: a query could touch the damaged page behind it."""
        for item in scan(self._database, after, self.integrity.good):
            if isinstance(item, Unreadable):
                return
            yield to_event(item)

    def tail(self, count: int) -> list[Event]:
        """Return the last `count` events of the whole prefix, oldest first."""
        return list(self.events(max(0, self.integrity.good - count)))

    def find(self, source_id: str, stream: str = "local") -> Event | None:
        """Return the event with the engine's own id, if it is in the whole prefix."""
        try:
            found = self._reading.find(source_id, stream)
        except (DatabaseFault, ValueError):
            return None
        return found if found is not None and found.seq <= self.integrity.good else None

    def refresh(self) -> Integrity:
        """Look at the journal as it is now; checks the end again."""
        self._anchored = AnchorFile(self.directory).read()
        self._total = self._count()
        self.integrity = self._check(thorough=False)
        return self.integrity

    def verify(self) -> Integrity:
        """Check the whole chain and SQLite's own structures; the answer is kept in `integrity`."""
        self.integrity = self._check(thorough=True)
        return self.integrity

    def salvage(self, upto: int | None = None) -> Iterator[Row | Damage]:
        """Yield every row that can still be read, whole or not, and a Damage where something is missing.

        `upto` ends it later or earlier than what was there when this reader was opened.
        """
        expected, last = 1, self._total if upto is None else upto
        for item in scan(self._database, 0, last):
            if isinstance(item, Unreadable):
                yield Damage("unreadable", item.first, item.last)
                expected = item.last + 1
                continue
            if item.seq > expected:
                yield Damage("missing", expected, item.seq - 1)
            expected = item.seq + 1
            yield item
        if expected <= last and not self._fault:
            yield Damage("shortened", expected, last)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()
        if self._salvaged is not None:
            self._salvaged.cleanup()

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reach(self) -> tuple[Database, int]:
        path = self.directory / DATABASE
        database: Database = SqliteDatabase(path, readonly=True)
        try:
            self._version = schema_version(database)
        except DatabaseFault as fault:
            if fault.kind == "other" and not _has_content(path.with_name(f"{DATABASE}-wal")):
                database.close()  # a read-only medium: no shared-memory file can be made, and none is needed
                database = SqliteDatabase(path, immutable=True)
                self._version = schema_version(database)
            elif fault.kind == "readonly" and not self._anchored.fault and not self._anchored.head.seq:
                self._version = 0  # it was being created when the power failed: nothing was recorded yet
            else:
                self._fault = str(fault)
                if fault.kind == "damaged":
                    database = self._without_first_page(database)
        except JournalDamaged as damaged:
            self._fault = str(damaged)
            database = self._without_first_page(database)
        self._database = database
        return database, self._count()

    def _without_first_page(self, damaged: Database) -> Database:
        """Read a copy with a sound first page, if that is all that is wrong; else keep what there is."""
        copy = transplanted(self.directory / DATABASE)
        if copy is None:
            return damaged
        database = SqliteDatabase(Path(copy.name) / DATABASE)
        try:
            self._version = schema_version(database)
            last_seq(database)
        except (DatabaseFault, JournalDamaged):
            database.close()
            copy.cleanup()
            return damaged
        damaged.close()
        self._header_fault, self._fault, self._salvaged = self._fault, "", copy
        return database

    def _count(self) -> int:
        anchored = 0 if self._anchored.fault else self._anchored.head.seq
        if self._fault or self._version == 0:
            return anchored
        try:
            return max(last_seq(self._database), anchored)
        except DatabaseFault as fault:
            self._fault = str(fault)
            return anchored

    def _check(self, *, thorough: bool) -> Integrity:
        found = self._check_rows(thorough=thorough)
        if not self._header_fault:
            return found
        header = Damage("header", found.total + 1, found.total + 1, self._header_fault)
        return replace(found, damage=(header, *found.damage))

    def _check_rows(self, *, thorough: bool) -> Integrity:
        if self._fault or (self._version == 0 and self._total):
            detail = self._fault or "journal.db is empty"
            return Integrity(0, self._total, (Damage("unreadable", 1, max(self._total, 1), detail),))
        if self._version == 0 and self._anchored.fault:
            # The anchor is there before the database is, so it has gone: nobody knows how much was here.
            return Integrity(0, 0, (Damage("anchor", 1, 1, f"journal.db is empty and {self._anchored.fault}"),))
        if self._version == 0:
            return Integrity(0, 0)
        if thorough:
            return Verification(self._database, self._anchored, thorough=True).run()
        found = check_end(self._database, self._anchored)
        if found.whole or found.checked_from == 1:
            return found
        return Verification(self._database, self._anchored).run()  # damaged: find the whole prefix


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
