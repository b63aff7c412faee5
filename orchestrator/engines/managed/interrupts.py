"""Interrupting there: one thread or all, remembered, since the end of an interrupted turn says no reason of its own."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.engines.base import Desk, EngineError
from orchestrator.engines.managed.sending import NotTaken, Sender
from orchestrator.journal.events import MAIN_THREAD, Note, RemoteRequest

IN_TIME_S: Final = 3.0
"""Seconds that telling the server may take when all is stopped here."""


@dataclass
class Interrupts:
    """What was interrupted from here."""

    desk: Desk
    sender: Sender
    count: int = 0
    _stopped: set[str] = field(default_factory=set)
    _on_the_way: int = 0

    def stopped(self, thread: str) -> bool:
        """Say whether a thread is being interrupted now."""
        return thread in self._stopped

    def is_ours(self, identity: str) -> bool:
        """Say whether an interrupt there was sent from here."""
        return self._on_the_way > 0 or self.desk.recorded(f"interrupt-{identity}") is not None

    async def send(self, thread: str, identity: str) -> str | None:
        """Interrupt one thread, and return what names that interrupt; None where the thread is over already.

        An interrupt of a thread at rest does nothing there.
        """
        self._stopped.add(thread)
        try:
            return await self._send({"type": "user.interrupt", "session_thread_id": identity}, identity)
        except NotTaken as refused:
            text = f"{thread} could not be interrupted: {str(refused)[:200]}"
            await self.desk.record(Note(text=text, level="warning"), thread=MAIN_THREAD)
            return None
        finally:
            self._stopped.discard(thread)

    async def send_all(self) -> bool:
        """Interrupt every thread; False where the session takes nothing any more."""
        try:
            await self._send({"type": "user.interrupt"}, "")
            return True
        except NotTaken:
            return False

    async def send_all_in_time(self) -> bool:
        """Interrupt every thread, or give up soon: whoever stopped the work waits for it."""
        with contextlib.suppress(TimeoutError, EngineError):
            async with asyncio.timeout(IN_TIME_S):
                return await self.send_all()
        return False

    async def _send(self, event: dict[str, Any], thread_id: str) -> str:
        async def never() -> str | None:
            return None  # a second interrupt does what the first did: nothing is looked for

        self.count += 1
        self._on_the_way += 1
        try:
            identity = await self.sender.send(event, never)
            body = RemoteRequest(what="interrupt", nonce="", state="sent", id=identity, thread_id=thread_id)
            name = identity or f"{thread_id}-{self.count}"
            await self.desk.record(body, thread=MAIN_THREAD, source_id=f"interrupt-{name}")
        finally:
            self._on_the_way -= 1
        return name
