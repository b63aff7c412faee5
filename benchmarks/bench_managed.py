"""A hosted session's events from the wire to the journal: per second, and how long coming back to a long one takes.

`python -m benchmarks managed`. The stand-in of the tests sends them on loopback, from a thread of this process; the
session is a real one, its journal on disk, redaction on. Coming back is measured from opening the stream until all of
the history is durable and handed on: for the first time, in a process that has seen it all, and in a new process.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from anthropic import AsyncAnthropic

from orchestrator.engines.base import Desk, StopReason
from orchestrator.engines.managed.delivered import CAUGHT_UP, Delivered
from orchestrator.engines.managed.streams import Streams
from orchestrator.hands.policy import Policy
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.clock import SystemClock
from tests.hands.conftest import LOOSE, RECIPE
from tests.managed.streaming import client_of
from tests.session.conftest import INCIDENT, FakeEngine
from tests.standin import Standin
from tests.standin.cast import begin

LIVE, HISTORY, ROUNDS, CHUNK = 5_000, 10_000, 3, 250
TEXT = "The error rate of checkout rose from 0.2 % to 11 % at 09:12:40, right after the release of 09:12. " * 3


class Counting:
    """Counts what is handed on, and says when it was so many, or when a history was read."""

    def __init__(self) -> None:
        self.count = 0
        self._moved = asyncio.Event()
        self.caught_up = 0

    async def handle(self, one: Delivered) -> None:
        self.count += one.type == "agent.message"
        self.caught_up += one.type == CAUGHT_UP
        self._moved.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._moved.clear()
            await self._moved.wait()


def emit(server: Standin, session_id: str, events: int) -> None:
    """Let the coordinator say so much."""
    content = [{"type": "text", "text": TEXT}]

    def there() -> None:
        for _ in range(events):
            server.state.sessions[session_id].emit("agent.message", content=content)

    server.run(there)


async def followed(
    desk: Desk, client: AsyncAnthropic, remote: str, work: Callable[[Counting, Streams], Awaitable[None]]
) -> None:
    counting = Counting()
    streams = Streams(client, remote, desk, SystemClock())
    following = asyncio.ensure_future(streams.run(counting.handle))
    try:
        await counting.until(lambda: counting.caught_up > 0)
        await work(counting, streams)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def run_in_session(home: Path, name: str | None, script: Callable[[Desk], Awaitable[StopReason]]) -> str:
    settings = Settings(recipe=RECIPE, policy=Policy(LOOSE), version="0")
    state = StateHome(home)
    made = (
        await Session.create(state, INCIDENT, [], [], FakeEngine(script), settings)
        if name is None
        else await Session.open(state, name, FakeEngine(script), settings)
    )
    async with made as session:
        assert await session.run() == "end_turn", list(session.journal.events())[-2:]
        return session.id


async def live(server: Standin, client: AsyncAnthropic, home: Path) -> float:
    """Return events a second from the wire to handed on."""
    remote = await begin(client, "scout")
    took: list[float] = []

    async def script(desk: Desk) -> StopReason:
        async def work(counting: Counting, streams: Streams) -> None:
            start = time.perf_counter()
            for sent in range(CHUNK, LIVE + 1, CHUNK):
                await asyncio.to_thread(emit, server, remote, CHUNK)
                await counting.until(lambda sent=sent: counting.count >= sent - 2 * CHUNK)  # type: ignore[misc]
            await counting.until(lambda: counting.count >= LIVE)
            took.append(time.perf_counter() - start)

        await followed(desk, client, remote, work)
        return "end_turn"

    await run_in_session(home, None, script)
    return LIVE / took[0]


async def coming_back(server: Standin, client: AsyncAnthropic, home: Path) -> dict[str, float]:
    """Return the seconds until a history of HISTORY events is durable and handed on, each way."""
    remote = await begin(client, "scout")
    emit(server, remote, HISTORY)
    took: dict[str, float] = {}

    async def script(desk: Desk) -> StopReason:
        start = time.perf_counter()

        async def work(counting: Counting, streams: Streams) -> None:
            took["again, another process" if "first time" in took else "first time"] = time.perf_counter() - start
            assert counting.count == HISTORY
            begun, seen = time.perf_counter(), counting.caught_up
            streams._primary.drop("benchmark", at_once=True)
            await counting.until(lambda: counting.caught_up > seen)
            took.setdefault("again, same process", time.perf_counter() - begun)
            assert counting.count == HISTORY

        await followed(desk, client, remote, work)
        return "end_turn"

    name = await run_in_session(home, None, script)
    await run_in_session(home, name, script)
    return took


async def measure() -> None:
    rates: list[float] = []
    times: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        with Standin({}) as server, tempfile.TemporaryDirectory() as folder:
            async with client_of(server) as client:
                rates.append(await live(server, client, Path(folder) / "live"))
                times.append(await coming_back(server, client, Path(folder) / "back"))
    print(f"live: {statistics.median(rates):,.0f} events/s ({min(rates):,.0f} to {max(rates):,.0f}), {LIVE:,} events")
    for way in times[0]:
        each: list[Any] = [one[way] for one in times]
        print(f"{HISTORY:,} events of history, {way}: {statistics.median(each):.2f} s (worst {max(each):.2f})")


def main() -> None:
    """Measure and print."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
