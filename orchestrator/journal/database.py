"""The one door to SQLite: statements in, rows out, faults named. A port, so that tests can put a failing disk below."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

FaultKind = Literal["full", "sync", "io", "damaged", "busy", "readonly", "other"]
Params = Sequence[Any]

_FULL, _IOERR, _CORRUPT, _NOTADB, _BUSY, _LOCKED, _READONLY, _CANTOPEN = 13, 10, 11, 26, 5, 6, 8, 14
_PRIMARY: dict[int, FaultKind] = {
    _FULL: "full",
    _IOERR: "io",
    _CORRUPT: "damaged",
    _NOTADB: "damaged",
    _BUSY: "busy",
    _LOCKED: "busy",
    _READONLY: "readonly",
    _CANTOPEN: "other",
}
_SYNC_FAULTS = frozenset({_IOERR | 4 << 8, _IOERR | 5 << 8})  # SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC


class DatabaseFault(Exception):
    """A statement failed; `kind` says in which of the ways that matter here."""

    def __init__(self, kind: FaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def fault_kind(code: int | None) -> FaultKind:
    """Sort an extended SQLite result code into the kinds that matter here."""
    if code is None:
        return "other"
    return "sync" if code in _SYNC_FAULTS else _PRIMARY.get(code & 0xFF, "other")


class Database(Protocol):
    """An open database. Every method raises DatabaseFault."""

    def run(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""

    def run_many(self, sql: str, rows: Iterable[Params]) -> None:
        """Run one statement once per row."""

    def close(self) -> None:
        """Close; faults while closing are dropped, since all that was acknowledged is durable already."""


class SqliteDatabase:
    """The standard library's SQLite behind the port."""

    def __init__(self, path: Path, *, readonly: bool = False, immutable: bool = False, wait_s: float = 2.0) -> None:
        mode = "?immutable=1" if immutable else "?mode=ro" if readonly else "?mode=rw"
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path))}{mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=wait_s,
                cached_statements=64,
            )
            self._connection.text_factory = _lenient_text
        except sqlite3.Error as error:
            raise _fault(error) from error

    def run(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise _fault(error) from error

    def run_many(self, sql: str, rows: Iterable[Params]) -> None:
        """Run one statement once per row."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise _fault(error) from error

    def interrupt(self) -> None:
        """Make a statement that runs on another thread fail soon."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.interrupt()

    def close(self) -> None:
        """Close the connection."""
        try:
            self._connection.close()
        except sqlite3.Error:
            return


def _fault(error: sqlite3.Error) -> DatabaseFault:
    # The message can quote damaged bytes of the file.
    message = str(error).encode("ascii", "backslashreplace").decode()
    return DatabaseFault(fault_kind(getattr(error, "sqlite_errorcode", None)), message)


def _lenient_text(raw: bytes) -> str:
    # A flipped bit in a text column must reach the chain check as a changed row, not as a decoding error.
    return raw.decode("utf-8", "surrogateescape")
