"""The journal beside what one would write instead: a JSONL loop with fdatasync, and SQLite with a commit per event.

`python -m benchmarks journal`; the session that is opened has 200,000 events, or as many as WARROOM_BENCH_EVENTS
says (1000000 for the figure in the documentation).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import AgentMessage, text_content
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.store import Journal
from subagents.clock import SystemClock

EVENTS = 5000
APPENDERS = 16
ROUNDS = 5
TEXT = "GET /search upstream 503 after 1200 ms, retry 2 of 3 " * 4


def entry(number: int) -> Entry:
    return Entry(AgentMessage(content=text_content(f"{number} {TEXT}")), "logs", source_id=f"ev_{number}")


async def append_together(directory: Path) -> None:
    """Sixteen tasks, as four agents with their tools are: each waits for its own events to be durable."""
    journal = Journal.create(directory, SystemClock())

    async def work(first: int) -> None:
        for number in range(first, EVENTS, APPENDERS):
            await journal.append(entry(number))

    await asyncio.gather(*(work(first) for first in range(APPENDERS)))
    await journal.close()


async def append_alone(directory: Path) -> None:
    """One task that waits for each event."""
    journal = Journal.create(directory, SystemClock())
    for number in range(EVENTS):
        await journal.append(entry(number))
    await journal.close()


def jsonl_loop(directory: Path) -> None:
    """One line, one write, one fdatasync per event; no order check, no index, no chain."""
    directory.mkdir()
    handle = os.open(directory / "log.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(EVENTS):
        os.write(handle, entry(number).body.model_dump_json().encode() + b"\n")
        os.fdatasync(handle)
    os.close(handle)


def sqlite_loop(directory: Path) -> None:
    """One transaction per event under WAL and synchronous=FULL."""
    directory.mkdir()
    connection = sqlite3.connect(directory / "log.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, source_id TEXT UNIQUE, body BLOB)")
    for number in range(EVENTS):
        one = entry(number)
        connection.execute("INSERT INTO event VALUES (?, ?, ?)", (None, one.source_id, one.body.model_dump_json()))
    connection.close()


def timed(run: Callable[[Path], None], place: Path) -> float:
    started = time.perf_counter()
    run(place)
    return time.perf_counter() - started


def throughput(place: Path) -> None:
    ways: dict[str, Callable[[Path], None]] = {
        "journal, 16 appenders": lambda path: asyncio.run(append_together(path)),
        "journal, 1 appender": lambda path: asyncio.run(append_alone(path)),
        "jsonl + fdatasync loop": jsonl_loop,
        "sqlite, 1 per transaction": sqlite_loop,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):  # interleaved, so that a noisy neighbour meets all of them
        for name, run in ways.items():
            seconds[name].append(timed(run, place / f"{name}-{turn}".replace(" ", "_")))
    best = statistics.median(seconds["journal, 16 appenders"])
    print(f"append {EVENTS} events of {len(TEXT)} bytes, each durable before it counts (median of {ROUNDS}):")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        spread = f"{EVENTS / max(runs):,.0f} to {EVENTS / min(runs):,.0f}"
        print(f"  {name:27} {EVENTS / median:9,.0f} /s  ({spread})   {median / best:5.2f} x the time of 16 appenders")


async def fill(directory: Path, events: int) -> None:
    """Write a session and die without closing it."""
    journal = Journal.create(directory, SystemClock())
    for start in range(0, events, 2000):
        await journal.append(*(entry(number) for number in range(start, min(events, start + 2000))))
    os.kill(os.getpid(), signal.SIGKILL)


def crashed(directory: Path, events: int) -> None:
    child = os.fork()
    if child == 0:
        asyncio.run(fill(directory, events))
    os.waitpid(child, 0)


async def opening(directory: Path) -> None:
    started = time.perf_counter()
    journal = Journal.open(directory, SystemClock())
    opened = time.perf_counter()
    await journal.append(entry(10**9))
    appended = time.perf_counter()
    integrity = await journal.verify()
    verified = time.perf_counter()
    await journal.close()
    print(f"open a session of {integrity.total:,} events after SIGKILL, chain end and anchor checked (budget 2 s):")
    print(f"  {journal.recovery.words}")
    print(f"  open {opened - started:6.3f} s, first append durable after {appended - started:6.3f} s")
    print(f"  whole chain checked in the background after {verified - started:5.1f} s: {integrity.words}")
    started = time.perf_counter()
    with JournalReader(directory) as reader:
        tail = reader.tail(50)
        shown = time.perf_counter()
        whole = reader.verify()
        print(f"  reader: last {len(tail)} events after {shown - started:.3f} s, all proved after", end=" ")
        print(f"{time.perf_counter() - started:.1f} s ({whole.total / (time.perf_counter() - shown):,.0f} events/s)")


def main() -> None:
    events = int(os.environ.get("WARROOM_BENCH_EVENTS", "200000"))
    with tempfile.TemporaryDirectory() as place:
        throughput(Path(place))
        crashed(Path(place) / "long", events)
        asyncio.run(opening(Path(place) / "long"))


if __name__ == "__main__":
    main()
