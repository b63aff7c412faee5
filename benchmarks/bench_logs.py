"""Logs: a full pass (mask, merge, counts, windows, traces) beside a bare line loop and Drain3, on a generated corpus.

`WARROOM_BENCH_LOG_MB` sets the size (default 50). Drain3 runs on the first 100,000 lines if it is installed.
"""

from __future__ import annotations

import importlib.util
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from subagents.contract import SourceSpec, Window
from subagents.logs.compare import compare, spans_of
from subagents.logs.index import LogIndex
from subagents.logs.sources.log_source import LogSource

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
SERVICES = ("orders", "billing", "search", "gateway")
MESSAGES: tuple[Callable[[random.Random], str], ...] = (
    lambda r: f"order {r.getrandbits(64):016x} accepted for user={r.randrange(10**6)} total={r.random() * 100:.2f}",
    lambda r: f"GET /api/v1/items/{r.randrange(10**5)} 200 in {r.randrange(300)}ms",
    lambda r: f"cache hit key=item:{r.randrange(10**6)} ttl={r.randrange(900)}",
    lambda r: f"session {r.getrandbits(64):016x} opened from 10.0.{r.randrange(255)}.{r.randrange(255)}",
    lambda r: f"query took {r.randrange(90)} ms rows={r.randrange(100)} table=orders",
    lambda r: f"published event OrderPlaced offset={r.randrange(10**7)} partition={r.randrange(12)}",
    lambda r: (
        f"worker {r.choice(('alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'))} picked job {r.randrange(10**6)}"
    ),
)
TRACE = (
    "java.lang.IllegalStateException: stock of item {0} is negative\n"
    "\tat com.acme.orders.Stock.take(Stock.java:88)\n"
    "\tat com.acme.orders.OrderService.place(OrderService.java:41)\n"
    "\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:897)\n"
)


def generate(path: Path, megabytes: int) -> int:
    """Write a service log; its last tenth holds a new error, a burst and lacks one message. Return the lines."""
    rng = random.Random(7)
    size, lines, target = 0, 0, megabytes << 20
    with path.open("w", encoding="utf-8") as out:
        while size < target:
            part = size / target
            at = START + timedelta(seconds=7200 * part)
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{rng.randrange(1000):03d}Z"
            text = _line(rng, part)
            out.write(f"{stamp} {text}")
            size += len(stamp) + 1 + len(text)
            lines += text.count("\n")
    return lines


def _line(rng: random.Random, part: float) -> str:
    draw = rng.random()
    thread = f"[http-{rng.randrange(16)}]"
    if part > 0.9 and draw < 0.01:
        return f"ERROR {thread} com.acme.Stock - reservation lost for order {rng.randrange(10**6)}\n"
    if draw < (0.05 if part > 0.9 else 0.003):
        return f"WARN  {thread} com.acme.Pool - waited {rng.randrange(900)} ms for a connection\n"
    if draw > 0.998:
        return f"ERROR {thread} com.acme.Orders - order failed\n" + TRACE.format(rng.randrange(10**6))
    choice = rng.randrange(len(MESSAGES))
    if part > 0.9 and choice == 2:
        choice = 1
    return f"INFO  {thread} com.acme.{rng.choice(SERVICES)} - {MESSAGES[choice](rng)}\n"


def full_pass(path: Path) -> tuple[LogIndex, list[Any]]:
    """Read, mask, merge, count, compare the last tenth with the rest, group traces."""
    index = LogIndex.build([LogSource(SourceSpec(id="bench", kind="logs", path=str(path)))])
    end = START + timedelta(seconds=7200)
    split = START + timedelta(seconds=6480)
    spans = spans_of(index, Window(start=split, end=end), Window(start=START, end=split))
    return index, compare(index, spans)


def line_loop(path: Path) -> int:
    """The yardstick: a bare loop over the lines."""
    count = 0
    with path.open("rb") as lines:
        for _ in lines:
            count += 1
    return count


def drain3(path: Path, limit: int) -> float | None:
    """Return Drain3's events per second, with four usual masks; None where it is not installed."""
    if importlib.util.find_spec("drain3") is None:
        return None
    drain = importlib.import_module("drain3")
    masking = importlib.import_module("drain3.masking").MaskingInstruction
    config = importlib.import_module("drain3.template_miner_config").TemplateMinerConfig()
    config.masking_instructions = [
        masking(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID"),
        masking(r"\d+\.\d+\.\d+\.\d+", "IP"),
        masking(r"\b[0-9a-f]{8,}\b", "HEX"),
        masking(r"\b\d+\b", "NUM"),
    ]
    miner = drain.TemplateMiner(config=config)
    count, began = 0, time.perf_counter()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            miner.add_log_message(line[24:].rstrip())
            count += 1
            if count >= limit:
                break
    return count / (time.perf_counter() - began)


def _timed(run: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    best, result = float("inf"), None
    for _ in range(times):
        began = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - began)
    return best, result


def main() -> None:
    """Print MB/s, events/s and ratios."""
    megabytes = int(os.environ.get("WARROOM_BENCH_LOG_MB", "50"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.log"
        lines = generate(path, megabytes)
        size = path.stat().st_size / 1e6
        loop_s, counted = _timed(lambda: line_loop(path))
        assert counted == lines
        ours_s, (index, compared) = _timed(lambda: full_pass(path))
        assert index.lines == lines, f"{lines - index.lines} lines lost"
        events = sum(each.items for each in index.coverage)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"corpus {size:.0f} MB, {lines} lines, {events} events")
        print(f"bare line loop   {loop_s:7.2f} s  {size / loop_s:7.0f} MB/s")
        print(f"full pass        {ours_s:7.2f} s  {size / ours_s:7.0f} MB/s  {events / ours_s:9.0f} events/s")
        print(f"full pass / line loop: {ours_s / loop_s:.1f}x; peak memory {peak:.0f} MB")
        for each in compared[:5]:
            print(f"  {each.change:8} {each.count:>7} ({each.baseline_count:.0f} expected) {each.text[:90]}")
        print(f"  {index.stacks.traces} traces in {len(index.stacks.groups)} groups")
        rate = drain3(path, 100_000)
        if rate is None:
            print("Drain3 is not installed in this environment: skipped")
        else:
            print(f"Drain3 + 4 masks {rate:9.0f} events/s; full pass is {events / ours_s / rate:.1f}x")


if __name__ == "__main__":
    main()
