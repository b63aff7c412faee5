"""What happened on one thread, in order, and who listens: no replay, later events only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class Feed:
    """One open stream connection."""

    def __init__(self, deltas: frozenset[str]) -> None:
        self.deltas = deltas
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.started: set[str] = set()


class Log:
    """The events of one thread. An input that waits stands with `processed_at` null and moves when it is processed."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._next = 0
        self.rows: list[tuple[int, Event]] = []
        self.feeds: set[Feed] = set()
        self.closed = False

    @property
    def events(self) -> list[Event]:
        """Return the stored events, oldest first."""
        return [event for _, event in self.rows]

    def add(self, event: Event) -> Event:
        """Store an event and send it to who listens."""
        self.rows.append((self._next, event))
        self._next += 1
        self._publish(event)
        return event

    def processed(self, event: Event, stamp: str) -> Event:
        """Store the same event again as processed, in the place of the copy that waited."""
        self.rows = [row for row in self.rows if row[1] is not event]
        return self.add({**event, "processed_at": stamp})

    def live(self, event: Event) -> None:
        """Send an event that is never stored."""
        self._publish(event)

    def _publish(self, event: Event) -> None:
        for feed in self.feeds:
            feed.queue.put_nowait(event)
        self._changed()

    def preview_start(self, kind: str, key: str) -> None:
        """Open a preview on the connections that asked for this kind."""
        for feed in self.feeds:
            if kind in feed.deltas:
                feed.started.add(key)
                feed.queue.put_nowait({"type": "event_start", "event": {"type": kind, "id": key}})

    def preview_delta(self, key: str, text: str) -> None:
        """Send a piece of a preview to the connections that saw its start."""
        delta = {"type": "content_delta", "index": 0, "content": {"type": "text", "text": text}}
        for feed in self.feeds:
            if key in feed.started:
                feed.queue.put_nowait({"type": "event_delta", "event_id": key, "delta": delta})

    def open(self, deltas: frozenset[str]) -> Feed:
        """Return a new connection's feed."""
        feed = Feed(deltas)
        if self.closed:
            feed.queue.put_nowait(None)
        self.feeds.add(feed)
        self._changed()
        return feed

    def close(self) -> None:
        """End every stream cleanly, also those that come."""
        self.closed = True
        for feed in self.feeds:
            feed.queue.put_nowait(None)
