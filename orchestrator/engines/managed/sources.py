"""Where a thread's events come from: its stream and its history, as they are sent, unread by the SDK's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

PAGE: Final = 1000
CONNECT_S, BACKSTOP_S = 5.0, 300.0
"""Seconds: until connected; longest silence that the HTTP layer bears, behind the watch that the clock keeps."""


@dataclass(frozen=True)
class Page:
    """A part of a history, oldest first."""

    events: Sequence[Mapping[str, Any]]
    next: str | None


class Source(Protocol):
    """One thread's events."""

    async def open(self) -> httpx2.Response:
        """Connect to the stream; close the response when done."""

    async def page(self, cursor: str | None, limit: int) -> Page:
        """Read a part of the history."""


class PrimarySource:
    """The session's own events."""

    def __init__(self, client: AsyncAnthropic, session_id: str) -> None:
        self._events = client.with_options(max_retries=0).beta.sessions.events
        self._session_id = session_id

    async def open(self) -> httpx2.Response:
        """Connect to the stream, previews on."""
        stream = await self._events.stream(
            self._session_id, event_deltas=["agent.message", "agent.thinking"], timeout=stream_timeout()
        )
        return stream.response

    async def page(self, cursor: str | None, limit: int) -> Page:
        """Read a part of the history."""
        more: dict[str, Any] = {"page": cursor} if cursor else {}
        answer = await self._events.with_raw_response.list(self._session_id, limit=limit, **more)
        return page_of(answer.http_response)


class ThreadSource:
    """One thread's own events."""

    def __init__(self, client: AsyncAnthropic, session_id: str, thread_id: str) -> None:
        self._events = client.with_options(max_retries=0).beta.sessions.threads.events
        self._session_id = session_id
        self._thread_id = thread_id

    async def open(self) -> httpx2.Response:
        """Connect to the stream, previews on."""
        stream = await self._events.stream(
            self._thread_id,
            session_id=self._session_id,
            event_deltas=["agent.message", "agent.thinking"],
            timeout=stream_timeout(),
        )
        return stream.response

    async def page(self, cursor: str | None, limit: int) -> Page:
        """Read a part of the history."""
        more: dict[str, Any] = {"page": cursor} if cursor else {}
        answer = await self._events.with_raw_response.list(
            self._thread_id, session_id=self._session_id, limit=limit, **more
        )
        return page_of(answer.http_response)


def stream_timeout() -> httpx2.Timeout:
    """Return the time-outs of a stream."""
    import httpx2

    return httpx2.Timeout(BACKSTOP_S, connect=CONNECT_S)


def page_of(response: httpx2.Response) -> Page:
    """Read a page; ValueError where it is none. What in it is no event is left out."""
    import orjson

    found = orjson.loads(response.content)
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise ValueError("a page of the history is not one")
    events = [one for one in found["data"] if isinstance(one, dict) and isinstance(one.get("type"), str)]
    following = found.get("next_page")
    return Page(events, following if isinstance(following, str) and following else None)
