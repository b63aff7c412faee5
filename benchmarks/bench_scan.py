"""A scan of large logs as the person sees it: first words, how often they come, how long a stop takes, and the loop.

`python -m benchmarks scan`. `WARROOM_BENCH_SCAN_MB` sets the size (default 200; 1024 for the issue's bar). A whole
session, journal and all: its agent asks for `logs_first_look`, the person stops it, it goes on, and it ends.
Each round starts from no worker: its start is in every figure. Cancel: from the key to the worker's death, to the
session at rest.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.hands.watching import CallPreview
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.clock import SystemClock
from subagents.contract import Incident, SourceSpec

ROUNDS = 5
STOP_AFTER = 2
"""Previews that are waited for before the stop."""
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOURS = 2.0


def generate(path: Path, megabytes: int) -> None:
    """Write a service log of two hours; a new error begins with its last tenth."""
    rng = random.Random(11)
    target = megabytes << 20
    size = 0
    with path.open("w", encoding="ascii") as out:
        while size < target:
            part = size / target
            stamp = (START + timedelta(hours=HOURS * part)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            lines = []
            for _ in range(2_000):
                draw, number = rng.random(), rng.getrandbits(40)
                if part > 0.9 and draw < 0.02:
                    lines.append(f"{stamp}Z ERROR [http-{number % 16}] stock: reservation lost for order {number}\n")
                elif draw < 0.001:
                    lines.append(f"{stamp}Z ERROR [http-{number % 16}] orders: order {number} failed, will retry\n")
                elif draw < 0.3:
                    lines.append(
                        f"{stamp}Z INFO [http-{number % 16}] cart: cache hit key=item:{number} ttl={number % 900}\n"
                    )
                elif draw < 0.6:
                    lines.append(
                        f"{stamp}Z INFO [http-{number % 16}] api: GET /v1/items/{number} 200 in {number % 300}ms\n"
                    )
                else:
                    lines.append(
                        f"{stamp}Z INFO [http-{number % 16}] orders: order {number:010x} accepted for u={number}\n"
                    )
            text = "".join(lines)
            size += len(text)
            out.write(text)


@dataclass
class Seen:
    """What came to the person's side, and when."""

    previews: list[tuple[float, CallPreview]] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    started: float = 0.0

    def take(self, preview: CallPreview) -> None:
        self.previews.append((time.perf_counter() - self.started, preview))
        if len(self.previews) >= STOP_AFTER:
            self.enough.set()

    def begin(self) -> None:
        self.previews.clear()
        self.enough.clear()
        self.started = time.perf_counter()


class Looking:
    """An engine that asks for one first look."""

    name = shown_as = "bench"

    def __init__(self) -> None:
        self.round = 0

    async def run(self, desk: Desk) -> StopReason:
        """Ask, and take the answer."""
        result = await desk.call("logs", ToolUse(id=f"look-{self.round}", name="logs_first_look", input={}))
        assert result.outcome == "ok", result.text
        return "end_turn"


async def gone(pid: int) -> None:
    """Return when a process has ended."""
    watch, ended = os.pidfd_open(pid), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(watch, ended.set)
    await ended.wait()
    loop.remove_reader(watch)
    os.close(watch)


async def stalls(worst: list[float]) -> None:
    """Keep the longest time that the loop could do nothing else."""
    while True:
        at = time.perf_counter()
        await asyncio.sleep(0.002)
        worst.append(time.perf_counter() - at - 0.002)


async def stop_once(session: Session, seen: Seen) -> tuple[float, float, float]:
    """Start a scan, stop it once it is seen; return the seconds to the first preview, the worker's death, the rest."""
    seen.begin()
    run = asyncio.create_task(session.run())
    await seen.enough.wait()
    pid = session._hands.workers.pid("logs")
    assert pid is not None
    at = time.perf_counter()
    dying = asyncio.create_task(gone(pid))
    await session.interrupt()
    await dying
    died = time.perf_counter() - at
    assert await run == "interrupted"
    return seen.previews[0][0], died, time.perf_counter() - at


async def measure(folder: Path, megabytes: int) -> None:
    """Measure and print."""
    log = folder / "service.log"
    generate(log, megabytes)
    spec = SourceSpec(id="service.log", kind="logs", path=str(log), origin="service.log")
    seen, looking, waits = Seen(), Looking(), list[float]()
    home = StateHome(folder / "home")
    settings = Settings(clock=SystemClock(), version="0")
    session = await Session.create(home, Incident(id="B-1", title="bench"), [spec], [], looking, settings)
    session.on_call_preview(seen.take)
    watcher = asyncio.create_task(stalls(waits))
    rounds = [await stop_once(session, seen) for _ in range(ROUNDS)]
    seen.begin()
    assert await session.run() == "end_turn"
    whole = time.perf_counter() - seen.started
    watcher.cancel()
    await session.close()
    for name, times in zip(
        ("first partial", "stop: worker dead", "stop: at rest"), zip(*rounds, strict=True), strict=True
    ):
        print(f"{name:18} median {statistics.median(times) * 1000:7.0f} ms   worst {max(times) * 1000:7.0f} ms")
    print(
        f"whole scan         {whole:.1f} s, {megabytes / whole:.0f} MB/s, the worker's start included; "
        f"{len(seen.previews)} previews"
    )
    print(f"loop               longest wait {max(waits) * 1000:.0f} ms")
    if seen.previews:
        first, last = seen.previews[0][1], seen.previews[-1][1]
        print(f"first said         {first.share or 0:.0%}: {first.text[:150]}")
        print(f"last said          {last.share or 0:.0%}: {last.text[:150]}")


def main() -> None:
    """Measure and print."""
    megabytes = int(os.environ.get("WARROOM_BENCH_SCAN_MB", "200"))
    print(f"{megabytes} MB; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as folder:
        asyncio.run(measure(Path(folder), megabytes))


if __name__ == "__main__":
    main()
