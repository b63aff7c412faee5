"""Append, redact and publish at 500 events a second, how long the loop is stalled, and detect-secrets beside it.

`python -m benchmarks redaction`. Every hundredth event is a tool's result of 100 KiB; one line in 50 holds a secret.
Beside it: the same without redaction, and with redaction on the loop. detect-secrets is compared where the folder
of an environment that has it is named by WARROOM_BENCH_DETECT_SECRETS (`python3 -m venv X && X/bin/pip install
detect-secrets`).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from orchestrator.hands.redacting import redacted_json
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import AgentMessage, Body, ToolFinished, parse_body, text_content
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.secret_scanner import provider_scanner
from orchestrator.journal.store import Journal
from subagents.clock import SystemClock
from tests.redaction import corpus, heldout, unseen

RATE = 500
SECONDS = 10
LARGE_EVERY = 100
LARGE_BYTES = 100 * 1024
STALL_LIMIT_MS = 50.0
LINE = (
    "2026-01-05T10:00:01.123Z INFO checkout request_id=550e8400-e29b-41d4-a716-446655440000 GET /api/v1/orders/48213"
    " status=200 took 12ms sha=9fceb02d0ae598e95dc970b74767f19372d61af8"
)
Redact = Callable[[Any], Awaitable[Any]]


def lines(count: int) -> list[str]:
    """Lines of a log of which one in 50 holds a secret."""
    secrets = [p.line.replace("\n", " ") for p in corpus.secrets(1)]
    return [secrets[n // 50 % len(secrets)] if n % 50 == 49 else LINE for n in range(count)]


def body(number: int) -> Body:
    if number % LARGE_EVERY == LARGE_EVERY - 1:
        rows = lines(LARGE_BYTES // 2 // len(LINE))
        text, data = "\n".join(rows), {"lines": [{"n": n, "text": row} for n, row in enumerate(rows)]}
        return ToolFinished(
            tool_use_id=f"c{number}", tool="log_search", outcome="ok", seconds=0.1, text=text, data=data
        )
    return AgentMessage(content=text_content(f"{number} " + "\n".join(lines(6)[number % 5 :])))


class Stalls:
    """Measures how long the loop answered nobody, and worked at most: the rest is waiting for a core or the GIL."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.worked = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Stalls:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        last, cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now, used = time.perf_counter(), time.thread_time()
            self.longest, last = max(self.longest, now - last - 0.001), now
            self.worked, cpu = max(self.worked, used - cpu), used


async def sustained(place: Path, redact: Redact, rate: float | None) -> str:
    """Run for `SECONDS` at a rate, or as fast as it goes; return the figures."""
    journal = Journal.create(place, SystemClock())
    begun: dict[str, float] = {}
    taken: list[float] = []
    events = RATE * SECONDS
    prepared = [body(number) for number in range(events)]
    gc.collect()
    gc.freeze()  # what is prepared here would be looked at by every collection

    async def one(number: int) -> None:
        begun[f"e{number}"] = time.perf_counter()
        kept = await redact(prepared[number].model_dump(mode="json"))
        await journal.append(Entry(parse_body({**kept, "type": prepared[number].type}), "logs", source_id=f"e{number}"))

    async def follow() -> None:
        async for event in journal.subscribe(0):
            taken.append(time.perf_counter() - begun[str(event.source_id)])
            if len(taken) == events:
                return

    async with Stalls() as stalls:
        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        start = time.perf_counter()
        tasks = []
        room = asyncio.Semaphore(32)

        async def bounded(number: int) -> None:
            async with room:
                await one(number)

        for number in range(events):
            if rate is not None and (ahead := start + number / rate - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            tasks.append(asyncio.create_task(one(number) if rate is not None else bounded(number)))
        await asyncio.gather(*tasks)
        await following
        spent = time.perf_counter() - start
    await journal.close()
    taken.sort()
    p50, p99 = statistics.median(taken) * 1e3, taken[int(len(taken) * 0.99)] * 1e3
    stall = stalls.longest * 1e3
    rates = f"{events / spent:7,.0f} /s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   longest stall {stall:6.1f} ms"
    verdict = f"(limit {STALL_LIMIT_MS:.0f} ms: {'met' if stall <= STALL_LIMIT_MS else 'MISSED'})"
    return f"{rates}, {stalls.worked * 1e3:5.1f} ms of work in one turn of the loop {verdict}"


def throughput(redactor: Redactor) -> None:
    """Print MB/s over the same lines: ours, and detect-secrets where it is."""
    text = "\n".join(lines(20_000))
    started = time.perf_counter()
    redactor.redact(text)
    ours = len(text) / 1e6 / (time.perf_counter() - started)
    print(f"  warroom, {len(text) / 1e6:.1f} MB of log: {ours:8.1f} MB/s", flush=True)
    place = os.environ.get("WARROOM_BENCH_DETECT_SECRETS")
    if not place:
        print("  detect-secrets: not compared (WARROOM_BENCH_DETECT_SECRETS names no environment)")
        return
    planted = [p.line for p in heldout.secrets(1) + unseen.secrets(1)]
    given = {"text": text[:400_000], "planted": planted, "benign": unseen.benign(1, 2000)}
    ran = subprocess.run(
        [str(Path(place, "bin", "python")), "-c", DETECT],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(ran.stdout)
    print(f"  detect-secrets, its defaults: {theirs['rate']:8.2f} MB/s   {ours / theirs['rate']:.0f} x")
    found = sum(redactor.redact(line).text != line for line in planted)
    altered = sum(redactor.redact(line).text != line for line in given["benign"])
    print(
        f"  lines with a secret that were noticed, of {len(planted)}: warroom {found}, detect-secrets {theirs['found']}"
    )
    print(f"  harmless lines that were not left alone, of 2000: warroom {altered}, detect-secrets {theirs['altered']}")


DETECT = """
import json, sys, time
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import default_settings
given = json.load(sys.stdin)
with default_settings():
    started = time.perf_counter()
    for line in given["text"].splitlines():
        list(scan_line(line))
    rate = len(given["text"]) / 1e6 / (time.perf_counter() - started)
    count = lambda texts: sum(any(list(scan_line(line)) for line in text.splitlines()) for text in texts)
    found, altered = count(given["planted"]), count(given["benign"])
print(json.dumps({"rate": rate, "found": found, "altered": altered}))
"""


def main() -> None:
    """Print the figures of each way, then the rates of redaction alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        scanner = provider_scanner(place)
        held = [f"own-secret-number-{n}-value" for n in range(10)]
        redactor = Redactor(held, b"k" * 32, () if scanner is None else (scanner,))
        redactor.redact("password=hunter22x")

        async def off_loop(value: Any) -> Any:
            return (await redacted_json(redactor, value))[0]

        async def on_loop(value: Any) -> Any:
            return redactor.redact_json(value)[0]

        async def not_at_all(value: Any) -> Any:
            return value

        ways = {"redacted (as shipped)": off_loop, "redacted on the loop": on_loop, "not redacted": not_at_all}
        print(f"{RATE} events/s for {SECONDS} s, one in {LARGE_EVERY} of 100 KiB, durable and published:")
        for name, redact in ways.items():
            print(
                f"  {name:22} {asyncio.run(sustained(place / f'paced{len(name)}', redact, RATE))}",
                flush=True,
            )
        print("as fast as it goes, 32 at a time:", flush=True)
        for name, redact in ways.items():
            print(f"  {name:22} {asyncio.run(sustained(place / f'free{len(name)}', redact, None))}", flush=True)
        throughput(redactor)


if __name__ == "__main__":
    main()
