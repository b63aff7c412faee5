"""Change points of a thousand series: CPU seconds, F1 on a fresh seed, clean series flagged; ruptures beside it."""

from __future__ import annotations

import importlib
import secrets
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from subagents.metrics.onset import find_changes
from tests.metrics.known import Known, Marks, many, score

Finder = Callable[[NDArray[np.float64]], list[list[int]]]
SERIES, POINTS, LONG_SERIES, LONG_POINTS, RUNS = 1000, 1440, 200, 10_080, 5
RIVAL_SERIES = 64
"""The contender is so much slower that it gets a part of the series; its time is scaled."""


def ours(values: NDArray[np.float64]) -> list[list[int]]:
    """Find changes the way warroom does."""
    found: list[list[int]] = [[] for _ in values]
    for change in find_changes(values):
        found[change.row].append(change.index)
    return found


def kernel(values: NDArray[np.float64]) -> list[list[int]]:
    """Find changes with ruptures' KernelCPD (linear), penalty 3 log n on standardised series."""
    ruptures = importlib.import_module("ruptures")
    found = []
    for row in values:
        scaled = (row - np.median(row)) / (1.4826 * np.median(np.abs(row - np.median(row))) + 1e-9)
        ends = ruptures.KernelCPD(kernel="linear").fit(scaled).predict(pen=3 * np.log(len(row)))
        found.append([int(end) for end in ends[:-1]])
    return found


def cpu(run: Finder, values: NDArray[np.float64], times: int) -> tuple[float, list[list[int]]]:
    """Return the median CPU seconds of some runs and the last result."""
    spent, found = [], []
    for _ in range(times):
        start = time.process_time()
        found = run(values)
        spent.append(time.process_time() - start)
    return statistics.median(spent), found


def show(name: str, seconds: float, marks: Marks) -> None:
    print(
        f"{name:32} {seconds:8.2f} cpu s   F1 {marks.f1:.3f} (P {marks.precision:.3f} R {marks.recall:.3f})   "
        f"clean flagged {100 * marks.clean_flagged:.1f} %"
    )


def main() -> None:
    """Run ours, and ruptures where it is installed, on the same fresh series."""
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    series: list[Known] = many(SERIES, POINTS, seed)
    values = np.stack([item.values for item in series])
    seconds, found = cpu(ours, values, RUNS)
    marks = score(series, found)
    show(f"warroom {SERIES} x {POINTS}", seconds, marks)
    for shape, text in marks.by_shape.items():
        print(f"    {shape:8} {text}")
    longer = many(LONG_SERIES, LONG_POINTS, seed + 1)
    long_seconds, long_found = cpu(ours, np.stack([item.values for item in longer]), 3)
    show(f"warroom {LONG_SERIES} x {LONG_POINTS}", long_seconds, score(longer, long_found))
    try:
        importlib.import_module("ruptures")
    except ImportError:
        print("ruptures is not installed here: KernelCPD skipped (pip install ruptures into the bench environment)")
    else:
        part = series[:RIVAL_SERIES]
        rival, rival_found = cpu(kernel, values[:RIVAL_SERIES], 1)
        show(f"ruptures KernelCPD {RIVAL_SERIES} x {POINTS}", rival, score(part, rival_found))
        print(f"ratio per series: {rival / RIVAL_SERIES / (seconds / SERIES):.0f}x")
    fine = seconds <= 0.5 and marks.f1 >= 0.88 and marks.clean_flagged <= 0.02
    print("bars: F1 >= 0.88, clean <= 2 %, <= 0.5 cpu s:", "met" if fine else "NOT met")


if __name__ == "__main__":
    main()
