"""Rows as they lie in the file: the stored form of an event, its seal, and a scan that survives damaged pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import orjson

from orchestrator.journal.database import Database, DatabaseFault
from orchestrator.journal.events import Body, Event, parse_body

GENESIS = bytes(32)
"""The hash before the first event."""

COLUMNS = "seq, ts, mono, stream, thread, type, source_id, processed, body, hash"
_BATCH = 256
_PROBE_LIMIT = 2_000_000


class Row(NamedTuple):
    """One stored event. `ts` is ISO 8601 UTC, `mono` seconds, `body` the JSON bytes that the hash covers."""

    seq: int
    ts: str
    mono: float
    stream: str
    thread: str
    type: str
    source_id: str | None
    processed: int
    body: bytes
    hash: bytes


@dataclass(frozen=True)
class Unreadable:
    """Rows `first` to `last` lie on pages that SQLite cannot read."""

    first: int
    last: int


def seal(previous: bytes, row: Row) -> bytes | None:
    """Return SHA-256 of the previous hash and the row's envelope and body; None where a value has lost its type."""
    try:
        envelope = orjson.dumps(row[:8])
        return hashlib.sha256(b"%b%b\n%b" % (previous, envelope, row.body)).digest()
    except (TypeError, ValueError):
        return None


def to_event(row: Row, body: Body | None = None) -> Event:
    """Read a stored row (or wrap the body it was made from); raises ValueError where it is not an event any more."""
    try:
        return Event.model_construct(
            seq=row.seq,
            ts=datetime.fromisoformat(row.ts),
            mono=float(row.mono),
            thread=row.thread,
            stream=row.stream,
            source_id=row.source_id,
            processed=bool(row.processed),
            body=parse_body(orjson.loads(row.body)) if body is None else body,
            hash=row.hash.hex(),
        )
    except (TypeError, AttributeError) as error:
        raise ValueError(f"row {row.seq} is not an event any more: {error}") from error


def batch(database: Database, after: int, limit: int, upto: int | None = None) -> list[Row]:
    """Return up to `limit` rows with `after < seq <= upto`, in order."""
    sql = f"SELECT {COLUMNS} FROM event WHERE seq > ?"  # noqa: S608 - constant columns
    if upto is None:
        return [Row(*values) for values in database.run(f"{sql} ORDER BY seq LIMIT ?", (after, limit))]
    return [Row(*values) for values in database.run(f"{sql} AND seq <= ? ORDER BY seq LIMIT ?", (after, upto, limit))]


def one(database: Database, seq: int) -> Row | None:
    """Return the row `seq`, if it is there."""
    found = database.run(f"SELECT {COLUMNS} FROM event WHERE seq = ?", (seq,))  # noqa: S608
    return Row(*found[0]) if found else None


def last_seq(database: Database) -> int:
    """Return the highest seq stored, 0 for none."""
    return int(database.run("SELECT coalesce(max(seq), 0) FROM event")[0][0])


def row_count(database: Database, upto: int) -> int:
    """Return how many rows there are of `seq <= upto`, whatever their seq is."""
    return int(database.run("SELECT count(*) FROM event NOT INDEXED WHERE seq <= ?", (upto,))[0][0])


def scan(database: Database, after: int, upto: int) -> Iterator[Row | Unreadable]:
    """Yield every row with `after < seq <= upto` that can still be read, in order, and what cannot."""
    seq, careful_until = after, 0
    while seq < upto:
        rows = _ordered(database, seq, 1 if seq < careful_until else _BATCH, upto)
        if rows is None and seq >= careful_until:
            careful_until = seq + _BATCH  # read one by one up to the damage, then past it
            continue
        if rows is None:
            found, seq = _past(database, seq, upto)
            yield from found
            careful_until = max(careful_until, seq + _BATCH)
            continue
        if not rows:
            return
        yield from rows
        seq = rows[-1].seq


def _ordered(database: Database, after: int, limit: int, upto: int) -> list[Row] | None:
    """Return the next rows; None where the pages are damaged or give rows out of order."""
    try:
        rows = batch(database, after, limit, upto)
    except DatabaseFault:
        return None
    seqs = [after, *(row.seq for row in rows)]
    rising = all(isinstance(b, int) and a < b for a, b in pairwise(seqs))
    return rows if rising else None


def _past(database: Database, seq: int, upto: int) -> tuple[list[Row | Unreadable], int]:
    """Probe row by row for the next one that can be read; return the hole before it and it, and where that ends."""
    last = min(upto, seq + _PROBE_LIMIT)
    for probe in range(seq + 1, last + 1):
        try:
            found = one(database, probe)
        except DatabaseFault:
            continue
        if found is not None and found.seq == probe:
            hole: list[Row | Unreadable] = [Unreadable(seq + 1, probe - 1)] if probe > seq + 1 else []
            return [*hole, found], probe
    return [Unreadable(seq + 1, last)], last
