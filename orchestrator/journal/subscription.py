"""A live view of a journal that never holds the writer up and never misses an event."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from orchestrator.journal.events import Event

BUFFER_EVENTS = 1024
_REREAD = 64

Reread = Callable[[int, int], Sequence[Event]]
"""(after, limit) -> the next events of the journal, as far as they are published."""


class Subscription:
    """An async iterator of events in order, from after `after`.

    It buffers at most BUFFER_EVENTS; a reader that falls further behind is served from the journal until it
    has caught up, so memory is bounded and nothing is dropped. Use it on one task of the journal's loop.
    """

    def __init__(self, reread: Reread, published: Callable[[], int], after: int) -> None:
        self._reread = reread
        self._published = published
        self._seen = after
        self._buffer: deque[Event] = deque()
        self._behind = after < published()
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, events: Sequence[Event]) -> None:
        """Take newly published events; called by the journal."""
        if self._closed:
            return
        if not self._behind:
            if len(self._buffer) + len(events) > BUFFER_EVENTS:
                self._behind = True
            else:
                self._buffer.extend(events)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many published events this subscriber has not taken yet."""
        return self._published() - self._seen

    @property
    def closed(self) -> bool:
        """Whether it was closed, by its reader or by the journal."""
        return self._closed

    def close(self) -> None:
        """End the iteration after what is buffered."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._buffer:
                event = self._buffer.popleft()
                self._seen = event.seq
                return event
            if self._closed:
                raise StopAsyncIteration
            if self._behind:
                self._buffer.extend(self._reread(self._seen, _REREAD))
                newest = self._buffer[-1].seq if self._buffer else self._seen
                self._behind = bool(self._buffer) and newest < self._published()
                continue
            self._wake.clear()
            await self._wake.wait()
