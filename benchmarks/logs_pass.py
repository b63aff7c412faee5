"""warroom's whole pass over one log file, in a process of its own: `python -m benchmarks.logs_pass FILE KIND`.

Mask, merge, counts by time, the last tenth against the rest (new, burst, vanished, rare), traces by frames: as a
worker that stands ready does it. How long it takes one to get ready is told apart: the others' clocks begin after their
imports too. The last line of the output is a JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

SHOWN = 10


def main(path: str, kind: str) -> None:
    """Print what the pass found and when."""
    started = time.perf_counter()
    from orchestrator.hands.worker import warm

    warm()
    from subagents.contract import SourceSpec, Window
    from subagents.logs.compare import compare, spans_of
    from subagents.logs.index import LogIndex, ReadSoFar
    from subagents.logs.sources.log_source import LogSource

    ready, first = time.perf_counter() - started, 0.0

    def told(so_far: ReadSoFar) -> None:
        nonlocal first
        if not first:
            so_far.index.severe_so_far()
            first = time.monotonic()

    began = time.perf_counter()
    index = LogIndex.build([LogSource(SourceSpec(id="bench", kind="logs", path=path))], on_block=told)
    read = time.perf_counter()
    from benchmarks.corpora import answers

    truth, between = answers(kind), time.perf_counter() - read  # no part of the pass
    spans = spans_of(index, Window(start=truth.change, end=truth.end), Window(start=truth.start, end=truth.change))
    compared = compare(index, spans)
    report = {
        "seconds": time.perf_counter() - began - between,
        "ready": ready,
        "first": first,
        "lines": index.lines,
        "events": index.events,
        "dated": sum(each.understood for each in index.coverage),
        "keys": len(index.keys),
        "templates": len({(each.level, each.text) for each in index.templates}),
        "ungrouped": index.ungrouped,
        "traces": index.stacks.traces,
        "trace_groups": len(index.stacks.groups),
        "top": [(each.change, each.count, each.text, index.examples[each.key].text) for each in compared[:SHOWN]],
        "size": Path(path).stat().st_size,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
