"""Exactly once: every event of every stream becomes durable, then counts as seen, then is handed on, in that order."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.managed.answering import OpenCalls
from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP, Delivered, Handle, stream_of, text_of
from orchestrator.engines.managed.previews import PREVIEW_TYPES, Previews
from orchestrator.engines.managed.threads import Threads
from orchestrator.engines.managed.translate import (
    PRIMARY_ONLY,
    SAID_BY_HANDS,
    SAID_BY_SESSION,
    fitting,
    is_mirrored,
    mirrored,
    translated,
)
from orchestrator.journal.events import Body, Event

if TYPE_CHECKING:
    from orchestrator.engines.managed.streams import Sink, Terms

_ID_LIMIT = 500
SAID: Final = "said:"
"""Begins the key of an event without an id."""
NOT_OF_THREADS: Final = SAID_BY_HANDS | SAID_BY_SESSION | PRIMARY_ONLY
"""What a thread's own stream says a second time: kept, not handed on."""


@dataclass(frozen=True)
class Origin:
    """A stream: the session's own, or a thread's."""

    session_id: str
    thread_id: str = ""
    """Empty: the session's own."""

    @property
    def primary(self) -> bool:
        """Whether it is the session's own."""
        return not self.thread_id

    @property
    def stream(self) -> str:
        """What the journal calls it."""
        return stream_of(self.thread_id) if self.thread_id else self.session_id


@dataclass(frozen=True)
class Arrived:
    """Something that came by a stream."""

    origin: Origin
    raw: Mapping[str, Any]
    replayed: bool = False
    occurrence: int = 0
    """Which of several events without an id that are the same in all else, within one listing or connection."""


@dataclass
class _Taking:
    """An event on its way into the journal."""

    arrived: Arrived
    key: tuple[str, str]
    thread: str
    recording: asyncio.Task[Event]


@dataclass
class _Listing:
    """A history that is being read: what can take a result at its end, and what is handed on then."""

    open: OpenCalls = field(default_factory=OpenCalls)
    held: list[Delivered] = field(default_factory=list)


class Merger:
    """Takes what arrives, from all streams, one batch after another."""

    def __init__(self, sink: Sink, threads: Threads, terms: Terms) -> None:
        self._sink = sink
        self._threads = threads
        self._terms = terms
        self._seen: dict[tuple[str, str], bool] = {}
        """Stream and id to whether the processed one was seen."""
        self._counted: dict[tuple[str, str], str] = {}
        """Type and id to the first stream that it came by: the same on another is the second copy."""
        self._listings: dict[str, _Listing] = {}
        self._open = OpenCalls()
        self._previews = Previews(sink.preview)
        self._taking: dict[tuple[str, str], _Taking] = {}

    @property
    def open_calls(self) -> frozenset[str]:
        """The calls that can take a result."""
        return self._open.ids

    async def take(self, batch: Sequence[Arrived], handle: Handle) -> None:
        """Record what is new, in order, and hand it on; history is held back until it was read to its end."""
        try:
            for arrived in batch:
                if arrived.raw.get("type") in PREVIEW_TYPES:
                    await self._flush(handle)
                    self._previews.learn(await self._threads.name(arrived.origin.thread_id), arrived.raw)
                else:
                    await self._take(arrived, handle)
            await self._flush(handle)
        finally:
            for taking in self._taking.values():
                taking.recording.cancel()
            self._taking.clear()

    async def begin(self, origin: Origin, handle: Handle) -> None:
        """A connection begins: its history is read from the start, and nothing of an earlier one is still written."""
        await self._flush(handle)
        broken_off = self._listings.get(origin.stream)  # what it held is seen, and is still to be handed on
        self._listings[origin.stream] = _Listing(held=broken_off.held if broken_off else [])
        if (thread := self._threads.known(origin.thread_id)) is not None:
            self._previews.clear(thread)

    async def caught_up(self, origin: Origin, handle: Handle) -> None:
        """A history was read to its end: hand on what of it is new."""
        await self._flush(handle)
        listing = self._listings.pop(origin.stream, None) or _Listing()
        if origin.primary:
            self._open = listing.open
        thread = await self._threads.name(origin.thread_id)
        for one in listing.held:
            waits = one.type != CALL or one.id in listing.open.ids
            await handle(one if waits else _closed(one))
        calls = listing.open.ids if origin.primary else frozenset()
        await handle(Delivered(CAUGHT_UP, {}, thread, primary=origin.primary, replayed=True, open_calls=calls))

    # -- one event ---------------------------------------------------------------------------

    async def _take(self, arrived: Arrived, handle: Handle) -> None:
        raw, origin = arrived.raw, arrived.origin
        if origin.primary:
            listing = self._listings.get(origin.stream) if arrived.replayed else None
            (listing.open if listing is not None else self._open).learn(raw)
        key, processed = (origin.stream, key_of(arrived)), raw.get("processed_at") is not None
        if not key[1] or self._is_seen(key, processed):
            return
        if key in self._taking:
            await self._flush(handle)
            if self._is_seen(key, processed):
                return
        thread = await self._thread_of(arrived, handle)
        body = fitting(self._body(arrived, thread))
        record = self._sink.record(body, thread=thread, source_id=key[1], stream=origin.stream, processed=processed)
        self._taking[key] = _Taking(arrived, key, thread, asyncio.ensure_future(record))

    def _is_seen(self, key: tuple[str, str], processed: bool) -> bool:
        """Say whether it, or what came of it, was taken before: the processed one stands for both."""
        seen = self._seen.get(key)
        return seen is not None and (seen or not processed)

    async def _thread_of(self, arrived: Arrived, handle: Handle) -> str:
        own = arrived.origin.thread_id
        thread_id = own or text_of(arrived.raw, "session_thread_id")
        if (known := self._threads.known(thread_id)) is not None:
            return known
        await self._flush(handle)  # its name is recorded after what came before
        return await self._threads.name(thread_id, "" if own else text_of(arrived.raw, "agent_name"))

    def _body(self, arrived: Arrived, thread: str) -> Body:
        raw, origin = arrived.raw, arrived.origin
        kind, identity = str(raw.get("type", "")), text_of(raw, "id")
        second = False
        if identity and kind not in NOT_OF_THREADS:
            second = self._counted.setdefault((kind, identity), origin.stream) != origin.stream
        echo = kind.startswith(("user.", "system.")) and self._terms.echoed(raw)
        if second or echo or is_mirrored(raw, primary=origin.primary):
            return mirrored(raw)
        return translated(raw, thread)

    async def _flush(self, handle: Handle) -> None:
        """Wait until what is on its way is durable; then it is seen, and handed on."""
        taking, self._taking = list(self._taking.values()), {}
        if not taking:
            return
        try:
            await asyncio.gather(*(one.recording for one in taking))
        finally:
            for one in taking:
                one.recording.cancel()
        for one in taking:
            self._seen[one.key] = self._seen.get(one.key, False) or one.arrived.raw.get("processed_at") is not None
        for one in taking:
            await self._hand_on(one.arrived, one.thread, handle)

    async def _hand_on(self, arrived: Arrived, thread: str, handle: Handle) -> None:
        raw, origin = arrived.raw, arrived.origin
        kind = str(raw.get("type", ""))
        self._previews.settle(thread, raw)
        if not origin.primary and kind in NOT_OF_THREADS:
            return
        one = Delivered(kind, raw, thread, primary=origin.primary, replayed=arrived.replayed)
        listing = self._listings.get(origin.stream) if arrived.replayed else None
        if listing is not None:
            listing.held.append(one)
        else:
            await handle(one)


def _closed(one: Delivered) -> Delivered:
    return Delivered(one.type, one.raw, one.thread, primary=one.primary, replayed=one.replayed, open=False)


def key_of(arrived: Arrived) -> str:
    """Return what an event is known by on its stream: its id, or what it says where it has none.

    Empty for what has no id in a history and was not processed: it comes again.
    """
    identity = text_of(arrived.raw, "id")
    if identity:
        # With a colon, or longer: no id as the API makes them, and none that meets a key of ours.
        return identity if len(identity) <= _ID_LIMIT and ":" not in identity else f"odd:{_digest(identity)}"
    if arrived.raw.get("processed_at") is None and arrived.replayed:
        return ""
    return f"{SAID}{_digest(arrived.raw)}:{arrived.occurrence}"


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


class Occurrences:
    """Numbers events without an id that are the same in all else: they are not one event, and not many more."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def of(self, raw: Mapping[str, Any]) -> int:
        """Return how many the same came before this one; 0 for one with an id."""
        if text_of(raw, "id"):
            return 0
        digest = _digest(raw)
        self._times[digest] += 1
        return self._times[digest] - 1
