"""Keeping the index of sessions up with one session, behind its back: the index may lag, never hold anything up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.hands.threads import in_thread
from orchestrator.journal.database import DatabaseFault
from orchestrator.journal.events import Event
from orchestrator.journal.faults import JournalError, StateError
from orchestrator.journal.fold import SUMMARY_TYPES
from orchestrator.journal.home import StateHome

if TYPE_CHECKING:
    from orchestrator.journal.index import SessionRow


class IndexNotes:
    """Notes the session's row whenever an event changes it; several changes at once are one note."""

    def __init__(self, home: StateHome, directory: Path) -> None:
        self._home = home
        self._directory = directory
        self._row: SessionRow | None = None
        self._due = False
        self._task: asyncio.Task[None] | None = None

    def learn(self, event: Event) -> None:
        """Take an event into account; returns at once."""
        if event.type in SUMMARY_TYPES:
            self._due = True
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._note(), name="index")

    async def settle(self) -> None:
        """Wait until the row is noted as the session is now."""
        self._due = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._note(), name="index")
        await asyncio.shield(self._task)

    async def _note(self) -> None:
        while self._due:
            self._due = False
            # Whatever is wrong with the index: `Index.rows()` finds out and makes the row anew.
            with suppress(JournalError, StateError, DatabaseFault, OSError, ValueError):
                await in_thread(self._write, "index")

    def _write(self) -> None:
        from orchestrator.journal.index import Index, summarise

        self._row = summarise(self._directory, self._row)
        Index(self._home).note(self._row)
