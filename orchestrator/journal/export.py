"""Export as JSON lines, from any journal that can be opened at all, damaged or newer ones too.

Line 1 is `{"record":"export",…}`: session, log version, and in words how whole the journal is. Then one
`{"record":"event",…}` per event, `{"record":"row",…}` for a row that is not an event any more (bytes as
base64), `{"record":"damage",…}` where something is missing. The last line is `{"record":"end",…}` with the
counts; an export without it was cut. `body` is written as stored, byte for byte, so that anyone can check the
chain: `hash = sha256(previous || envelope || "\\n" || body)`, where `previous` is the 32 bytes of the hash
before (zeros for the first) and the envelope is the compact JSON array
`[seq, ts, mono, stream, thread, type, source_id, processed (1 or 0)]`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import aiofiles
import orjson

from orchestrator.journal.chain import Damage, Integrity
from orchestrator.journal.events import Event, parse_body
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.rows import Row, to_event

FORMAT_VERSION = 1
_CHUNK_BYTES = 1 << 18


class Sink(Protocol):
    """Where lines go: an aiofiles file, or `aiofiles.stdout_bytes`."""

    async def write(self, data: bytes, /) -> Any:
        """Write all of `data`."""

    async def flush(self) -> Any:
        """Hand on what was written."""


async def export(reader: JournalReader, target: Path | None) -> Integrity:
    """Write the whole journal to `target`, or to standard output; return how whole it was. Raises OSError."""
    async with _sink(target) as sink:
        return await export_to(reader, sink)


async def export_to(reader: JournalReader, sink: Sink) -> Integrity:
    """Write the whole journal to `sink`; return how whole it was."""
    integrity = await asyncio.to_thread(reader.verify)
    records = _records(reader, integrity)
    while chunk := await asyncio.to_thread(_chunk, records):
        await sink.write(chunk)
    await sink.flush()
    return integrity


def read_export(lines: Iterable[bytes]) -> Iterator[Event]:
    """Read the events of an export back; raises ValueError for a line that is not of one."""
    for line in lines:
        record = orjson.loads(line)
        if not isinstance(record, dict) or "record" not in record:
            raise ValueError("this line is not of a warroom export")
        if record["record"] == "event":
            values = {key: value for key, value in record.items() if key not in ("record", "type", "body")}
            yield Event(**values, body=parse_body(record["body"]))


@contextlib.asynccontextmanager
async def _sink(target: Path | None) -> AsyncIterator[Sink]:
    if target is None:
        yield aiofiles.stdout_bytes
        return
    async with aiofiles.open(target, "wb") as file:
        yield file


def _chunk(records: Iterator[dict[str, Any]]) -> bytes:
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        size += len(lines[-1])
        if size >= _CHUNK_BYTES:
            break
    return b"".join(lines)


def _records(reader: JournalReader, integrity: Integrity) -> Iterator[dict[str, Any]]:
    yield {
        "record": "export",
        "version": FORMAT_VERSION,
        "session": reader.directory.name,
        "log_version": reader.version,
        "whole": integrity.whole,
        "integrity": reader.words,
        "events": integrity.total,
    }
    events = others = 0
    for item in reader.salvage():
        if isinstance(item, Damage):
            yield _damage_record(item)
        elif (event := _as_event(item)) is not None:
            events += 1
            yield event
        else:
            others += 1
            yield _row_record(item)
    yield {
        "record": "end",
        "events": events,
        "rows_not_events": others,
        "proved": integrity.good,
        "damage": [_damage_record(item) for item in integrity.damage],
    }


def _as_event(row: Row) -> dict[str, Any] | None:
    try:
        event = to_event(row)
        orjson.dumps(row[:8])  # text columns that are not text any more
    except (ValueError, TypeError):
        return None
    return {
        "record": "event",
        "seq": row.seq,
        "ts": row.ts,
        "mono": event.mono,
        "thread": row.thread,
        "stream": row.stream,
        "source_id": row.source_id,
        "processed": event.processed,
        "type": row.type,
        "body": orjson.Fragment(row.body),
        "hash": event.hash,
    }


def _damage_record(item: Damage) -> dict[str, Any]:
    return {"record": "damage", "kind": item.kind, "first": item.first, "last": item.last, "words": item.words}


def _row_record(row: Row) -> dict[str, Any]:
    body = row.body if isinstance(row.body, bytes) else repr(row.body).encode()
    text = base64.b64encode(body).decode()
    return {"record": "row", "seq": row.seq, "words": "not an event any more", "base64": text}
