"""What else reads a log, each in a process of its own: `python -m benchmarks.logs_others NAME FILE [LIMIT]`.

`drain3` runs in the benchmarks' own environment. The last line of the output is a JSON object.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

STAMP = 16
"""Characters of a line that say the minute, near enough: what a script would take."""


def _lines(path: str, limit: int) -> Iterator[str]:
    with open(path, encoding="utf-8", errors="replace") as file:
        yield from islice((line.rstrip("\n") for line in file), limit or None)


def drain3(path: str, limit: int) -> dict[str, float]:
    """Drain3 with four usual masks: one message at a time, and a count per template and minute."""
    from benchmarks.drain_groups import MASKS, miner

    drain = miner(MASKS)
    lines = list(_lines(path, limit))
    counts: Counter[tuple[int, str]] = Counter()
    began = time.perf_counter()
    for line in lines:
        counts[drain.add_log_message(line)["cluster_id"], line[:STAMP]] += 1
    return {"seconds": time.perf_counter() - began, "events": len(lines), "clusters": len(drain.drain.clusters)}


def loop(path: str, _limit: int) -> dict[str, float]:
    """A bare loop over the lines: what reading alone costs in Python."""
    began, count = time.perf_counter(), 0
    with open(path, "rb") as file:
        for _ in file:
            count += 1
    return {"seconds": time.perf_counter() - began, "events": count}


def orjson(path: str, _limit: int) -> dict[str, float]:
    """JSON lines read one by one: a count per level and minute."""
    loads = importlib.import_module("orjson").loads
    counts: Counter[tuple[str, str]] = Counter()
    began = time.perf_counter()
    with open(path, "rb") as file:
        for line in file:
            record = loads(line)
            counts[record["level"], record["ts"][:STAMP]] += 1
    return {"seconds": time.perf_counter() - began, "events": sum(counts.values())}


if __name__ == "__main__":
    programs = {"drain3": drain3, "loop": loop, "orjson": orjson}
    print(json.dumps(programs[sys.argv[1]](sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)))
