"""Sessions in a state directory, written through the journal from hand-made events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Event, IncidentOpened
from orchestrator.journal.home import StateHome
from orchestrator.journal.store import Journal
from tests.fakes import FakeClock
from tests.report.story import told


def keep(home: Path, events: Sequence[Event] | None = None, at: datetime = datetime(2026, 4, 1, 8, tzinfo=UTC)) -> str:
    """Keep a session below `home`/state; return its id."""
    clock = FakeClock(at)
    state = StateHome(home / "state")

    async def write() -> str:
        folder = state.new_session(clock)
        journal = Journal.create(folder, clock)
        for event in events or told():
            body = event.body
            if isinstance(body, IncidentOpened):
                body = body.model_copy(update={"session": folder.name})
            await journal.append(Entry(body=body, thread=event.thread))
        await journal.close()
        return folder.name

    return asyncio.run(write())
