"""A scan of large logs as the person sees it: first words, how often they come, how long a stop takes, and the loop.

`python -m benchmarks scan`. `WARROOM_BENCH_SCAN_MB` sets the size (default 200; 1024 for the issue's bar). A whole
session, journal and all: its agent asks for `logs_first_look`, the person stops it, it goes on, and it ends. Once each
round starts from no worker, whose start is in every figure; once with one that is started ahead, as `warroom run` does
for large files. Stop: from the key to the worker's death, and to the session at rest.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.hands.spare import Spare
from orchestrator.hands.watching import CallPreview
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.clock import SystemClock
from subagents.contract import Incident, SourceSpec

ROUNDS = 5
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
    first: asyncio.Event = field(default_factory=asyncio.Event)
    started: float = 0.0
    worker: Callable[[], int | None] = lambda: None
    cpu: list[float] = field(default_factory=list)
    """CPU seconds that a worker had used when its first words came: what a busy machine cannot change."""

    def take(self, preview: CallPreview) -> None:
        if not self.previews and (pid := self.worker()) is not None:
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            self.cpu.append(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
        self.previews.append((time.perf_counter() - self.started, preview))
        self.first.set()

    def begin(self) -> None:
        self.previews.clear()
        self.first.clear()
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


def start_of_polars() -> float:
    """Return the seconds that an interpreter with polars takes to start: most of a worker's own start."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import polars"], check=True)
    return time.perf_counter() - began


async def stop_once(session: Session, seen: Seen) -> tuple[float, float, float]:
    """Start a scan, stop it once it is seen; return the seconds to the first preview, the worker's death, the rest."""
    seen.begin()
    run, first = asyncio.create_task(session.run()), asyncio.create_task(seen.first.wait())
    await asyncio.wait({run, first}, return_when=asyncio.FIRST_COMPLETED)
    assert not run.done(), "the scan ended before it said anything: WARROOM_BENCH_SCAN_MB sets a larger log"
    pid = session._hands.workers.pid("logs")
    assert pid is not None
    at = time.perf_counter()
    dying = asyncio.create_task(gone(pid))
    await session.interrupt()
    await dying
    died = time.perf_counter() - at
    assert await run == "interrupted"
    return seen.previews[0][0], died, time.perf_counter() - at


async def rounds(folder: Path, spec: SourceSpec, spare: Spare | None) -> None:
    """Measure and print: from no worker, or with one that is started ahead while a person needs their second."""
    seen, waits = Seen(), list[float]()
    settings = Settings(clock=SystemClock(), version="0", spare=spare)
    incident = Incident(id="B-1", title="bench")
    session = await Session.create(StateHome(folder / "home"), incident, [spec], [], Looking(), settings)
    session.on_call_preview(seen.take)
    seen.worker = lambda: session._hands.workers.pid("logs")
    watcher = asyncio.create_task(stalls(waits))
    stopped = []
    for _ in range(ROUNDS):
        await asyncio.sleep(1.0 if spare is not None else 0)
        stopped.append(await stop_once(session, seen))
    seen.begin()
    assert await session.run() == "end_turn"
    whole = time.perf_counter() - seen.started
    watcher.cancel()
    await session.close()
    print(f"-- {'from no worker' if spare is None else 'with a worker started ahead'}")
    names = ("first partial", "stop: worker dead", "stop: at rest")
    for name, times in zip(names, zip(*stopped, strict=True), strict=True):
        print(f"{name:18} median {statistics.median(times) * 1000:7.0f} ms   worst {max(times) * 1000:7.0f} ms")
    print(
        f"first partial      median {statistics.median(seen.cpu) * 1000:7.0f} ms CPU of the worker, its start included"
    )
    rate = seen.previews[-1][1].total / 1e6 / whole
    print(f"whole scan         {whole:.1f} s, {rate:.0f} MB/s from the call; {len(seen.previews)} previews")
    print(f"loop               longest wait {max(waits) * 1000:.0f} ms")
    for _, one in seen.previews[:: max(1, len(seen.previews) - 1)]:
        print(f"said               {one.share or 0:.0%}: {one.text[:150]}")


async def measure(folder: Path, megabytes: int) -> None:
    """Measure both ways on one log."""
    log = folder / "service.log"
    generate(log, megabytes)
    print(f"yardstick          python -c 'import polars' takes {start_of_polars() * 1000:.0f} ms here and now")
    spec = SourceSpec(id="service.log", kind="logs", path=str(log), origin="service.log")
    await rounds(folder, spec, None)
    spare = Spare()
    spare.prepare()
    await rounds(folder, spec, spare)


def main() -> None:
    """Measure and print."""
    megabytes = int(os.environ.get("WARROOM_BENCH_SCAN_MB", "200"))
    print(f"{megabytes} MB; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as folder:
        asyncio.run(measure(Path(folder), megabytes))


if __name__ == "__main__":
    main()
