"""One thread, followed for as long as it lives: open its stream, read its history, go on with the tail, and again.

Opening comes first, so that nothing falls between history and tail; what comes twice is for the merger to know. An end
without a word is a lost connection like any other. A connection that says nothing for too long is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from orchestrator.engines.managed.merge import Arrived, Occurrences, Origin
from orchestrator.engines.managed.retrying import Dropped, Fault, Random, StreamError, delay, fault_of, gives_up
from orchestrator.engines.managed.sources import PAGE, Page, Source
from orchestrator.engines.managed.sse import Decoder, Frame
from subagents.contract import Clock

if TYPE_CHECKING:
    import httpx2

LinkState = Literal["connecting", "listing", "live", "waiting", "ended"]
SILENCE_S: Final = 45.0
"""A connection on which nothing came for so long is dead, unless keep-alives were seen to come more rarely."""
SILENCE_MOST_S: Final = 180.0
EVERY_S: Final = 5.0
BURST: Final = 3
"""Connections that may follow each other at once; after that one in EVERY_S seconds."""


@dataclass(frozen=True)
class Passed:
    """What a link puts into the merger's inbox besides events."""

    what: Literal["begin", "caught_up"]
    origin: Origin


Put = Callable[[Arrived | Passed], Awaitable[None]]
Said = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Ways:
    """What every link of a session has in common."""

    clock: Clock
    random: Random
    put: Put
    lost: Callable[[Origin, Fault], Awaitable[None]]
    """Told once per outage: when coming back failed as well."""
    found: Callable[[Origin], Awaitable[None]]
    """Told when that outage is over."""
    broken: Callable[[Origin, Frame], Awaitable[None]]
    """Told of a frame that could not be read."""


class LinkLost(Exception):
    """A thread cannot be followed any further; the message is one line for people."""

    def __init__(self, fault: Fault, why: str) -> None:
        super().__init__(why)
        self.fault = fault


class Pace:
    """At most one in EVERY_S seconds, and a few at once after a rest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock.monotonic()

    async def take(self) -> None:
        """Return when it is this one's turn."""
        while True:
            now = self._clock.monotonic()
            self._left = min(float(BURST), self._left + max(0.0, now - self._at) / EVERY_S)
            self._at = now
            if self._left >= 1 - 1e-9:
                self._left -= 1
                return
            await self._clock.sleep((1 - self._left) * EVERY_S)


class Pulse:
    """When something was last heard, and how long a silence may be."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._longest = 0.0
        self._doubt = 1.0
        self._heard = False
        self.byte_at: float | None = None
        self.event_at: float | None = None

    @property
    def limit(self) -> float:
        """Seconds of silence after which a connection is dead."""
        return min(SILENCE_MOST_S, max(SILENCE_S, 3 * self._longest) * self._doubt)

    def opened(self) -> None:
        """A connection stands."""
        self.byte_at, self._heard = self._clock.monotonic(), False

    def bytes(self) -> None:
        """Something came."""
        now = self._clock.monotonic()
        if self.byte_at is not None:
            self._longest = max(self._longest, min(now - self.byte_at, self.limit))
        self.byte_at, self._heard, self._doubt = now, True, 1.0

    def event(self) -> None:
        """An event was handed on."""
        self.event_at = self._clock.monotonic()

    def silent_for(self) -> float:
        """Return the seconds since anything came."""
        return 0.0 if self.byte_at is None else self._clock.monotonic() - self.byte_at

    def died(self) -> None:
        """A silence was too long: where nothing ever came, keep-alives may be rarer than we think."""
        if not self._heard:
            self._doubt = min(4.0, self._doubt * 2)


class Link:
    """Follows one thread. `follow` once."""

    def __init__(self, origin: Origin, source: Source, ways: Ways) -> None:
        self.origin = origin
        self._source = source
        self._ways = ways
        self._pace = Pace(ways.clock)
        self._cycle: asyncio.Task[None] | None = None
        self._dropped = ""
        self._wake = asyncio.Event()
        self._told = False
        self._refusals = 0
        self.pulse = Pulse(ways.clock)
        self.state: LinkState = "connecting"
        self.why = ""
        self.attempts = 0
        """Failed attempts in a row."""
        self.retry_at: float | None = None
        self.closed = False
        """The thread is over: its history is read once more, and that is all."""
        self._page = PAGE
        self._step_at = ways.clock.monotonic()
        """When the last step was made on the way to a live connection."""

    def drop(self, why: str, *, at_once: bool = False) -> None:
        """Give the connection up and connect anew; `at_once` without waiting, also where it waits now."""
        if at_once:
            self.attempts = 0
            self._wake.set()
        if self._cycle is not None and not self._cycle.done():
            self._dropped = why
            self._cycle.cancel()

    def check(self) -> None:
        """Give the connection up where nothing has come for too long, also where it never answered."""
        live = self.state == "live"
        silent = self.pulse.silent_for() if live else self._ways.clock.monotonic() - self._step_at
        if self.state in ("connecting", "listing", "live") and silent >= self.pulse.limit:
            if live:
                self.pulse.died()
            self.drop(f"nothing came for {silent:.0f} s")

    async def follow(self) -> None:
        """Follow until the thread is over; raises LinkLost where it cannot be followed, and what the inbox raises."""
        try:
            while True:
                if not self._wake.is_set():
                    await self._pace.take()
                self._wake.clear()
                fault = await self._once()
                if fault is None:
                    return
                await self._recover(fault)
        finally:
            self.state = "ended"

    async def history(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the history from its start."""
        cursor: str | None = None
        while True:
            page = await self._read_page(cursor)
            self._step_at = self._ways.clock.monotonic()
            for raw in page.events:
                yield raw
            if page.next is None or page.next == cursor:
                return
            cursor = page.next

    async def _read_page(self, cursor: str | None) -> Page:
        """Read a page, a smaller one where the answer was too large, or more was asked for than the server gives."""
        import anthropic

        from orchestrator.hands.egress import ResponseRefused, refusal_in

        while True:
            try:
                return await self._source.page(cursor, self._page)
            except Exception as error:
                asked_too_much = isinstance(error, anthropic.BadRequestError) and self._page == PAGE
                too_large = isinstance(refusal_in(error), ResponseRefused) and self._page > 1
                if not (asked_too_much or too_large):
                    raise
                self._page = max(1, self._page // 10)

    # -- one connection ----------------------------------------------------------------------

    async def _once(self) -> Fault | None:
        """Connect and follow until it ends; returns what ended it, or None where the thread is over."""
        self.state, self.retry_at, self._dropped = "connecting", None, ""
        self._step_at = self._ways.clock.monotonic()
        self._cycle = asyncio.ensure_future(self._last() if self.closed else self._connection())
        try:
            await self._cycle
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._dropped or (task is not None and task.cancelling()):
                raise
            return Fault(self._dropped)
        except Exception as error:
            return fault_of(error, self._ways.clock.now())
        return None if self.closed else Fault("the stream ended")

    async def _last(self) -> None:
        same = Occurrences()
        await self._ways.put(Passed("begin", self.origin))
        async for raw in self.history():
            await self._ways.put(Arrived(self.origin, raw, replayed=True, occurrence=same.of(raw)))
        await self._ways.put(Passed("caught_up", self.origin))

    async def _connection(self) -> None:
        response = await self._source.open()
        self.pulse.opened()
        frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        reading = asyncio.ensure_future(self._read(response, frames))
        try:
            self.state, self._step_at = "listing", self._ways.clock.monotonic()
            await self._last()
            self.state, self.why = "live", ""
            self.attempts = self._refusals = 0
            if self._told:
                self._told = False
                await self._ways.found(self.origin)
            await self._tail(frames)
            await reading  # raises what ended it
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading
            with contextlib.suppress(Exception):
                await response.aclose()

    async def _read(self, response: httpx2.Response, frames: asyncio.Queue[Frame | None]) -> None:
        """Read frames for as long as there are any, also while the history is read: the server need not wait."""
        decoder = Decoder()
        try:
            async for chunk in response.aiter_bytes():
                self.pulse.bytes()
                for frame in decoder.feed(chunk):
                    frames.put_nowait(frame)
        finally:
            frames.put_nowait(None)

    async def _tail(self, frames: asyncio.Queue[Frame | None]) -> None:
        same = Occurrences()
        while (frame := await frames.get()) is not None:
            if frame.kind == "event":
                await self._ways.put(Arrived(self.origin, frame.data, occurrence=same.of(frame.data)))
            elif frame.kind == "error":
                raise StreamError(frame.data)
            elif frame.kind == "bad":
                await self._ways.broken(self.origin, frame)
                raise Dropped(f"a broken frame came: {frame.data.get('why')}")  # what it held is in the history

    # -- and again ---------------------------------------------------------------------------

    async def _recover(self, fault: Fault) -> None:
        """Wait as long as the fault asks for; raises LinkLost where it does not pass."""
        self.attempts += 1
        self._refusals = self._refusals + 1 if fault.refusal or fault.stops else 0
        self.why = fault.why
        if reason := gives_up(fault, self._refusals):
            raise LinkLost(fault, reason)
        if self.attempts == 2 and not self._told:
            self._told = True
            await self._ways.lost(self.origin, fault)
        if self._wake.is_set():
            return
        self.state = "waiting"
        seconds = delay(fault, self.attempts, self._ways.random)
        self.retry_at = self._ways.clock.monotonic() + seconds
        await first_of(self._ways.clock.sleep(seconds), self._wake.wait())


async def first_of(*waits: Awaitable[Any]) -> None:
    """Return when the first of them has; the others are cancelled."""
    futures = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in futures:
            one.cancel()
        await asyncio.gather(*futures, return_exceptions=True)
