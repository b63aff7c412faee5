"""The journal's database as its one writer sees it: schema, opening, one transaction per group. Synchronous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.journal.anchor import Anchor, Head
from orchestrator.journal.chain import Integrity, check_end
from orchestrator.journal.codec import Draft
from orchestrator.journal.database import Database, DatabaseFault
from orchestrator.journal.events import SCHEMA_VERSION, Event
from orchestrator.journal.faults import JournalDamaged, JournalTooNew, StateError
from orchestrator.journal.rows import COLUMNS, Row, last_seq, one, seal, to_event

APPLICATION_ID = 0x77617272  # "warr"
CHECKPOINT_BYTES = 4 << 20
_PAGE = 4096

_SCHEMA = (
    """CREATE TABLE event (
        seq INTEGER PRIMARY KEY, ts TEXT NOT NULL, mono REAL NOT NULL, stream TEXT NOT NULL, thread TEXT NOT NULL,
        type TEXT NOT NULL, source_id TEXT, processed INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX once ON event (stream, source_id, processed) WHERE source_id IS NOT NULL",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_INSERT = f"INSERT INTO event ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constant columns
_FIND = f"SELECT {COLUMNS} FROM event WHERE stream = ? AND source_id = ? AND processed = ?"  # noqa: S608


@dataclass(frozen=True)
class Recovery:
    """What opening found: whether the last writer closed in order, and what was brought back."""

    clean: bool
    events: int
    after_anchor: int = 0
    """Events that were committed after the last anchor and are whole."""

    @property
    def words(self) -> str:
        """Say it in one line."""
        if self.clean:
            return f"{self.events} events, closed in order"
        extra = f"; {self.after_anchor} were not anchored yet and are whole" if self.after_anchor else ""
        return f"the last run ended without closing; all {self.events} committed events recovered{extra}"


@dataclass(frozen=True)
class Stored:
    """One entry's outcome: its event, and whether it is new."""

    event: Event
    fresh: bool


class Ledger:
    """Appends to one database. Not thread-safe: one thread owns it."""

    def __init__(
        self, database: Database, anchor: Anchor, recovery: Recovery, head: Head, integrity: Integrity
    ) -> None:
        self._database = database
        self._anchor = anchor
        self._since_checkpoint = 0
        self.head = head
        self.anchored = head if recovery.clean else Head()
        self.recovery = recovery
        self.integrity = integrity

    @classmethod
    def open(cls, database: Database, anchor: Anchor) -> Ledger:
        """Prepare the database for writing; raises JournalTooNew, JournalDamaged, StateError, DatabaseFault."""
        anchored = anchor.read()
        version = schema_version(database)
        if version > SCHEMA_VERSION:
            raise JournalTooNew(
                f"this session was written by a newer warroom (log version {version}, here {SCHEMA_VERSION}); "
                "it can be shown and exported here; upgrade to continue it"
            )
        if version == 0:
            if anchored.fault or anchored.head.seq:
                lost = anchored.fault or f"{anchored.head.seq} events missing: the log is empty"
                raise JournalDamaged(_damaged(lost))
            _prepare(database)
            create_schema(database)
            return cls(database, anchor, Recovery(clean=True, events=0), Head(), Integrity(0, 0))
        integrity = check_end(database, anchored)
        if not integrity.whole:
            raise JournalDamaged(_damaged(integrity.words))
        _prepare(database)
        seq = last_seq(database)
        newest = one(database, seq) if seq else None
        head = Head(seq, newest.hash.hex()) if newest else Head()
        recovery = Recovery(anchored.clean and anchored.head == head, seq, seq - anchored.head.seq)
        return cls(database, anchor, recovery, head, integrity)

    def append(self, drafts: Sequence[Draft]) -> list[Stored]:
        """Commit the drafts in one transaction; on a fault nothing of it is kept and DatabaseFault is raised."""
        database = self._database
        database.run("BEGIN IMMEDIATE")
        try:
            stored, rows, head = self._plan(drafts)
            database.run_many(_INSERT, rows)
            database.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self.head = head
        self._since_checkpoint += sum(len(row.body) + 512 for row in rows) + 2 * _PAGE
        return stored

    def checkpoint_if_due(self) -> None:
        """Move the write-ahead log into the database when it has grown; raises DatabaseFault.

        SQLite's own checkpoint after a commit drops its errors; a failed fsync there must not pass unseen.
        """
        if self._since_checkpoint >= CHECKPOINT_BYTES:
            self._database.run("PRAGMA wal_checkpoint(PASSIVE)")
            self._since_checkpoint = 0

    def write_anchor(self, *, clean: bool = False) -> None:
        """Put the head into the anchor, if it is not there; raises OSError."""
        if clean or self.anchored != self.head:
            self._anchor.write(self.head, clean=clean)
            self.anchored = self.head

    def finish(self) -> None:
        """Fold the write-ahead log into the database and anchor a clean end; raises DatabaseFault, OSError."""
        self._database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        self.write_anchor(clean=True)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _plan(self, drafts: Sequence[Draft]) -> tuple[list[Stored], list[Row], Head]:
        stored: list[Stored] = []
        rows: list[Row] = []
        known: dict[tuple[str, str, bool], Event] = {}
        seq, previous = self.head.seq, bytes.fromhex(self.head.hash)
        for draft in drafts:
            entry = draft.entry
            key = None if entry.source_id is None else (entry.stream, entry.source_id, entry.processed)
            there = None if key is None else known.get(key) or self._find(key)
            if there is not None:
                stored.append(Stored(there, fresh=False))
                continue
            seq += 1
            row = _row(seq, draft, previous)
            previous = row.hash
            rows.append(row)
            event = to_event(row, entry.body)
            stored.append(Stored(event, fresh=True))
            if key is not None:
                known[key] = event
        return stored, rows, Head(seq, previous.hex())

    def _find(self, key: tuple[str, str, bool]) -> Event | None:
        found = self._database.run(_FIND, key)
        return to_event(Row(*found[0])) if found else None

    def _roll_back(self) -> None:
        try:
            self._database.run("ROLLBACK")
        except DatabaseFault:
            return  # SQLite rolls back by itself on the faults that matter, and then there is nothing to roll back


def schema_version(database: Database) -> int:
    """Return the log version, 0 for a database that has no schema yet; raises DatabaseFault, JournalDamaged."""
    tables = {name for (name,) in database.run("SELECT name FROM sqlite_master WHERE type = 'table'")}
    version = int(database.run("PRAGMA user_version")[0][0])
    if "event" not in tables and (tables or version):
        raise JournalDamaged(_damaged("journal.db holds no events table"))
    return version if tables else 0


def _prepare(database: Database) -> None:
    mode = database.run("PRAGMA journal_mode = WAL")[0][0]
    if mode != "wal":
        raise StateError(
            f"the file system of the state directory cannot hold a write-ahead log (SQLite offers {mode!r}); "
            "set WARROOM_HOME to a local disk"
        )
    for pragma in (
        "synchronous = FULL",
        "fullfsync = ON",  # macOS: flush the drive's cache as well; elsewhere without effect
        "checkpoint_fullfsync = ON",
        "wal_autocheckpoint = 0",
        "cache_size = -8000",
    ):
        database.run(f"PRAGMA {pragma}")


def create_schema(database: Database) -> None:
    """Make the tables of an empty journal; raises DatabaseFault."""
    database.run("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        database.run(statement)
    database.run("COMMIT")


def _row(seq: int, draft: Draft, previous: bytes) -> Row:
    entry = draft.entry
    envelope = (seq, draft.ts, draft.mono, entry.stream, entry.thread, entry.body.type, entry.source_id)
    row = Row(*envelope, int(entry.processed), draft.body, b"")
    sealed = seal(previous, row)
    if sealed is None:
        raise ValueError(f"{entry.body.type} cannot be sealed")
    return row._replace(hash=sealed)


def _damaged(words: str) -> str:
    return f"{words}; nothing was changed: show or export it to keep what is whole, and start a new session to go on"
