"""How hands write and read the journal: one stream of their own, each step of a call once.

The call itself is recorded under the engine's id; everything that hands add is in the stream `hands` under
`<step>:<call id>`, so that a replay finds what is there and adds nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Body, Event

HANDS = "hands"


class Log(Protocol):
    """The part of a journal that hands need."""

    def append(self, *entries: Entry) -> Awaitable[list[Event]]:
        """Make events durable, waiting while the disk is full; those that are there are returned as they are."""

    def append_now(self, *entries: Entry) -> Awaitable[list[Event]]:
        """Do the same, but raise DiskFull at once."""

    def wait_for_room(self) -> Awaitable[None]:
        """Return after a while in which the disk may have got room; raise DiskFull when the session stops."""

    def find(self, source_id: str, stream: str = "local") -> Event | None:
        """Return the event of that id."""


class Steps:
    """The steps of calls and approvals, in the journal."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def write(self, body: Body, thread: str, key: str) -> Event:
        """Record one step under its key, durable on return; a step that is there is returned instead."""
        if (there := self._log.find(key, HANDS)) is not None:
            return there
        (event,) = await self._log.append(entry(body, thread, key))
        return event

    async def write_now(self, body: Body, thread: str, key: str) -> Event:
        """Record one step, or raise DiskFull at once."""
        (event,) = await self._log.append_now(entry(body, thread, key))
        return event

    async def write_all(self, *entries: Entry) -> list[Event]:
        """Record several steps in one transaction."""
        return await self._log.append(*entries) if entries else []

    async def wait_for_room(self) -> None:
        """Return when it is worth trying again; raise DiskFull when the session stops."""
        await self._log.wait_for_room()

    def read(self, key: str) -> Body | None:
        """Return the body of a step, if it was recorded."""
        event = self._log.find(key, HANDS)
        return None if event is None else event.body

    def call(self, call_id: str) -> Event | None:
        """Return the event that asked for a call."""
        return self._log.find(call_id, "local")


def entry(body: Body, thread: str, key: str) -> Entry:
    """Return a step of hands as a journal entry."""
    return Entry(body=body, thread=thread, stream=HANDS, source_id=key)
