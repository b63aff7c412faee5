"""Reading a journal whose first page is damaged: a copy gets the first page of an empty journal.

Page 1 holds SQLite's header and the schema, and nothing else. Every journal has the same schema, made in the
same order, so its tables begin on the same pages. The chain check then proves whatever is read by it.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from pathlib import Path

from orchestrator.journal.database import DatabaseFault, SqliteDatabase
from orchestrator.journal.ledger import create_schema

PAGE = 4096
_PAGE_COUNT = slice(28, 32)
_WAL = 18
_WAL_SUFFIX = "-wal"


def transplanted(database: Path) -> tempfile.TemporaryDirectory[str] | None:
    """Return a temporary folder with a readable copy of `database`, of the same name; None where it cannot be made."""
    size = database.stat().st_size
    if size < 2 * PAGE:
        return None
    place = tempfile.TemporaryDirectory(prefix="warroom-salvage-")
    try:
        folder = Path(place.name)
        first = bytearray(_empty_first_page(folder / "empty.db"))
        first[_PAGE_COUNT] = struct.pack(">I", size // PAGE)
        first[_WAL : _WAL + 2] = b"\x02\x02"  # read and write versions: write-ahead log
        copy = folder / database.name
        shutil.copyfile(database, copy)
        log = database.with_name(database.name + _WAL_SUFFIX)
        if log.exists():
            shutil.copyfile(log, copy.with_name(copy.name + _WAL_SUFFIX))
        with copy.open("r+b") as file:
            file.write(first)
    except (OSError, DatabaseFault):
        place.cleanup()
        return None
    return place


def _empty_first_page(path: Path) -> bytes:
    path.touch(mode=0o600)
    database = SqliteDatabase(path)
    try:
        database.run(f"PRAGMA page_size = {PAGE}")
        create_schema(database)
    finally:
        database.close()
    with path.open("rb") as file:
        return file.read(PAGE)
