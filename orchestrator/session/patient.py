"""The session's way to its journal: waits while the disk is full, and lets the folds learn what was appended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import MAIN_THREAD, Event, Note
from orchestrator.journal.faults import DiskFull
from orchestrator.journal.store import Journal
from subagents.contract import Clock

RETRY_S = 2.0
"""How often a full disk is tried again."""


class PatientLog:
    """Appends. While the disk is full nothing goes on behind it: no tool starts, no event is passed over."""

    def __init__(self, journal: Journal, clock: Clock, learn: Callable[[Event], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._learn = learn
        self._waiting = 0
        self._told = False
        self.on_full: Callable[[str], None] = lambda text: None
        """Told, once for each time, that the disk is full and work waits."""
        self.giving_up = asyncio.Event()
        """Set when the session stops: whoever waits for room gets DiskFull."""

    @property
    def waiting(self) -> bool:
        """Say whether something waits for room on the disk."""
        return self._waiting > 0

    async def append_now(self, *entries: Entry) -> list[Event]:
        """Append, or raise DiskFull at once."""
        events = await self._journal.append(*entries)
        self._told = False
        for event in events:
            self._learn(event)
        return events

    async def append(self, *entries: Entry) -> list[Event]:
        """Append, and wait while there is no room; raises DiskFull only when the session stops."""
        try:
            return await self.append_now(*entries)
        except DiskFull:
            since = self._clock.monotonic()
        self._waiting += 1
        try:
            while True:
                await self.wait_for_room()
                try:
                    events = await self.append_now(*entries)
                    break
                except DiskFull:
                    continue
        finally:
            self._waiting -= 1
        waited = self._clock.monotonic() - since
        text = f"the disk was full for {waited:.0f} s; nothing was lost, no tool was started meanwhile; work goes on"
        await self.append_now(Entry(body=Note(text=text, level="warning"), thread=MAIN_THREAD))
        return events

    async def wait_for_room(self) -> None:
        """Return after a while; raise DiskFull when the session stops."""
        if not self._told and not self.giving_up.is_set():
            self._told = True
            self.on_full(f"{self._journal.directory}: no room left; waiting for some, nothing is lost; free some space")
        pause = asyncio.ensure_future(self._clock.sleep(RETRY_S))
        stop = asyncio.ensure_future(self.giving_up.wait())
        waits: set[asyncio.Future[Any]] = {pause, stop}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in waits:
                waiting.cancel()
        if self.giving_up.is_set():
            raise DiskFull(f"{self._journal.directory}: stopped while there was no room on the disk")

    def find(self, source_id: str, stream: str = "local") -> Event | None:
        """Return the event of that id."""
        return self._journal.find(source_id, stream)
