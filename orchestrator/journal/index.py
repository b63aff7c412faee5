"""The index of sessions: one row each, for the list. It holds nothing that the session folders do not."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import AwareDatetime

from orchestrator.journal.anchor import Anchored, AnchorFile
from orchestrator.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    IncidentOpened,
    RemoteRequest,
    RemoteSession,
    VerdictReached,
)
from orchestrator.journal.faults import StateError
from orchestrator.journal.fold import STATUS_TYPES, SUMMARY_TYPES, SessionStatus, status
from orchestrator.journal.home import StateHome
from orchestrator.journal.lock import is_live
from orchestrator.journal.reader import JournalReader
from subagents.contract import Frozen

_VERSION = 3


class SessionRow(Frozen):
    """What the list of sessions shows of one."""

    id: str
    incident: str = ""
    title: str = ""
    service: str | None = None
    engine: str = ""
    status: SessionStatus = "idle"
    reason: str = "not started"
    created: AwareDatetime | None = None
    updated: AwareDatetime | None = None
    events: int = 0
    verdict: str | None = None
    """Kind of the last verdict."""
    approvals: tuple[str, ...] = ()
    """Ids of the approvals that wait for a person."""
    remote: str = ""
    """Id of the server's session that it is bound to; empty where no server keeps it."""
    asked: str = ""
    """Nonce of the server's session that was to be made for it: it may be there although its id is not known."""
    hands: bool = True
    """Whether its calls are carried out here; False for one that is only watched from here."""
    problem: str = ""
    """Why the journal cannot be trusted or read, in one line; empty when nothing is wrong."""


def fold(row: SessionRow, events: Iterable[Event]) -> SessionRow:
    """Return the row as it is after more events, in order."""
    changes: dict[str, object] = {}
    waiting = list(row.approvals)
    for event in events:
        changes |= _changes(event, waiting)
        changes |= {"events": event.seq, "updated": event.ts}
        if row.created is None:
            changes.setdefault("created", event.ts)
    return row.model_copy(update={**changes, "approvals": tuple(waiting)})


def _changes(event: Event, waiting: list[str]) -> dict[str, object]:
    body = event.body
    if event.type in STATUS_TYPES:
        state, reason = status((event,))
        return {"status": state, "reason": reason}
    if isinstance(body, IncidentOpened):
        incident = body.incident
        return {
            "incident": incident.id,
            "title": incident.title,
            "service": incident.service,
            "engine": body.shown_as or body.engine,
        }
    if isinstance(body, VerdictReached):
        return {"verdict": body.stands.kind}
    if isinstance(body, RemoteSession):
        return {"remote": body.id, "hands": body.hands}
    if isinstance(body, RemoteRequest) and body.what == "session":
        return {"asked": body.nonce}
    if isinstance(body, ApprovalRequested) and body.id not in waiting:
        waiting.append(body.id)
    elif isinstance(body, ApprovalDecided) and body.id in waiting:
        waiting.remove(body.id)  # only for the list's count: what a decision binds to is hands' to check
    return {}


def summarise(directory: Path, row: SessionRow | None = None) -> SessionRow:
    """Make a session's row from its journal, whatever state that is in; an earlier `row` saves reading it all."""
    row = row or SessionRow(id=directory.name)
    try:
        with JournalReader(directory) as reader:
            if not row.events:
                row = fold(row, reader.events(limit=1))
            row = fold(row, reader.events(row.events, types=SUMMARY_TYPES))
            row = fold(row, [event for event in reader.tail(1) if event.seq > row.events])
            problem = "" if reader.integrity.whole and not reader.newer else reader.words
            return row.model_copy(update={"problem": problem})
    except StateError as error:
        return row.model_copy(update={"problem": str(error)})


class Index:
    """`index.db` of a state directory. Any fault of the file itself is answered by building it anew."""

    def __init__(self, home: StateHome) -> None:
        self._home = home

    def note(self, row: SessionRow) -> None:
        """Put a session's row in; a lost note costs nothing, `rows()` finds it out. Blocks for some milliseconds."""
        with contextlib.suppress(sqlite3.Error, OSError):
            self._put([row])

    def forget(self, session: str) -> None:
        """Take a session's row out."""
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as connection:
            connection.execute("DELETE FROM session WHERE id = ?", (session,))

    def rows(self) -> list[SessionRow]:
        """Return every session, newest first; rows that lag behind their journal are made anew."""
        known = self._read()
        current: list[SessionRow] = []
        changed: list[SessionRow] = []
        for session in self._home.session_ids():
            directory = self._home.session_dir(session)
            anchored = AnchorFile(directory).read()
            if not anchored.head.seq and not (directory / "journal.db").exists():
                continue  # it was never begun: the process died, or the disk was full, while the folder was made
            row = self._up_to_date(known.get(session), directory, anchored)
            if row is not known.get(session):
                changed.append(row)
            current.append(row)
        gone = known.keys() - {row.id for row in current}
        if changed or gone:
            with contextlib.suppress(sqlite3.Error, OSError):
                self._put(changed, gone)
        return current[::-1]

    @staticmethod
    def _up_to_date(row: SessionRow | None, directory: Path, anchored: Anchored) -> SessionRow:
        if row is None or anchored.fault or row.problem:
            return summarise(directory)
        behind = anchored.head.seq - row.events
        if behind == 0 or (behind < 0 and is_live(directory)):
            return row  # a live session's notes run ahead of its anchor by a moment
        return summarise(directory, row) if behind > 0 else summarise(directory)

    def rebuild(self) -> list[SessionRow]:
        """Make the index anew from the session folders; return its rows, newest first."""
        self._discard()
        return self.rows()

    def _read(self) -> dict[str, SessionRow]:
        if not self._home.index.exists():
            return {}
        try:
            with self._open() as connection:
                stored = connection.execute("SELECT id, row FROM session").fetchall()
            return {session: SessionRow.model_validate_json(raw) for session, raw in stored}
        except (sqlite3.Error, ValueError, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                self._discard()
            return {}

    def _put(self, rows: Iterable[SessionRow], gone: Iterable[str] = ()) -> None:
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO session (id, row) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET row = excluded.row",
                [(row.id, row.model_dump_json()) for row in rows],
            )
            connection.executemany("DELETE FROM session WHERE id = ?", [(session,) for session in gone])

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # Several processes write here, so no write-ahead log: two of them at once can corrupt it before SQLite 3.51.3.
        connection = sqlite3.connect(self._home.index, timeout=2.0)
        try:
            self._home.index.chmod(0o600)
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                connection.execute("DROP TABLE IF EXISTS session")
                connection.execute("CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, row TEXT NOT NULL)")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            with connection:
                yield connection
        finally:
            connection.close()

    def _discard(self) -> None:
        for path in (self._home.index, self._home.index.with_name("index.db-journal")):
            with contextlib.suppress(OSError):
                path.unlink()
