"""Putting bodies on record: redacted beside the event loop, appended in the order in which they came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from orchestrator.hands.redacting import redacted_json
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Body, Event, Redacted, SourceAddedEvent, parse_body
from orchestrator.journal.redaction import Redactor
from orchestrator.session.patient import PatientLog


async def redacted_body(redactor: Redactor, body: Body) -> tuple[Body, dict[str, int]]:
    """Return the body without secrets, and how many were replaced, by kind."""
    kept, counts = await redacted_json(redactor, body.model_dump(mode="json"))
    if not counts:
        return body, {}
    if isinstance(body, SourceAddedEvent):
        # A source must be found again: where it is stays exact, what the person typed to name it does not.
        exact = body.spec.model_dump(mode="json", include={"id", "kind", "path", "options"})
        kept["spec"] = {**kept["spec"], **exact}
    return parse_body({**kept, "type": body.type}), counts


@dataclass
class Recorder:
    """Puts bodies on record, redacted. A small one never gets before a large one that came earlier."""

    log: PatientLog
    redactor: Redactor
    _turn: asyncio.Future[None] | None = field(default=None, init=False)

    async def record(self, body: Body, thread: str, source_id: str | None = None, *, now: bool = False) -> Event:
        """Append a body; `now` raises DiskFull instead of waiting for room."""
        entry = Entry(body=body, thread=thread, source_id=source_id)
        return (await self.record_all(entry, now=now))[0]

    async def record_all(self, *entries: Entry, now: bool = False) -> list[Event]:
        """Append bodies in one transaction; where the first is there already, it is returned and nothing is added."""
        first = entries[0]
        there = None if first.source_id is None else self.log.find(first.source_id, first.stream)
        if there is not None and (there.processed or not first.processed):
            return [there]
        before, mine = self._turn, asyncio.get_running_loop().create_future()
        self._turn = mine
        append = self.log.append_now if now else self.log.append
        try:
            prepared = await self._prepared(entries)
            if before is not None and not before.done():
                await asyncio.wait((before,))
        finally:
            _give_on(before, mine)
        # Queued before the next one wakes, as nothing is awaited between; the next need not wait until it is durable.
        return await append(*prepared)

    async def _prepared(self, entries: tuple[Entry, ...]) -> list[Entry]:
        kept: list[Entry] = []
        notes: list[Entry] = []
        for entry in entries:
            body, counts = await redacted_body(self.redactor, entry.body)
            kept.append(replace(entry, body=body))
            if counts:
                notes.append(Entry(body=Redacted(where=body.type, counts=counts), thread=entry.thread))
        return kept + notes


def _give_on(before: asyncio.Future[None] | None, mine: asyncio.Future[None]) -> None:
    """End this turn once the one before has ended: whoever was cancelled while it waited lets nobody past."""
    if before is None or before.done():
        mine.set_result(None)
    else:
        before.add_done_callback(lambda _: mine.set_result(None))
