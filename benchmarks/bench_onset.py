"""Change points of a thousand series: CPU seconds, F1 on fresh seeds, clean series flagged; ruptures beside it."""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contender import Contender, run
from benchmarks.environment import bench_python
from benchmarks.hard_series import HARDER, harder
from subagents.metrics.onset import find_changes
from tests.metrics.known import Known, Marks, many, score

SEEDS, SERIES, POINTS, LONG_POINTS, RUNS = 5, 1000, 1440, 10_080, 5
F1_BAR, CLEAN_BAR, CPU_BAR, LONG_CPU_BAR, RATIO_BAR = 0.88, 0.02, 0.5, 4.0, 10.0
RIVAL_SERIES = 64
"""The contender is so much slower that it gets a part of the series; its time is scaled."""


def stacked(series: Sequence[Known]) -> NDArray[np.float64]:
    """Return the series as rows."""
    return np.stack([item.values for item in series])


def places(values: NDArray[np.float64]) -> list[list[int]]:
    """Find changes the way warroom does."""
    found: list[list[int]] = [[] for _ in values]
    for change in find_changes(values):
        found[change.row].append(change.index)
    return found


def cpu(values: NDArray[np.float64], times: int) -> tuple[float, list[list[int]]]:
    """Return the median CPU seconds of some runs and the last result."""
    spent, found = [], []
    for _ in range(times):
        start = time.process_time()
        found = places(values)
        spent.append(time.process_time() - start)
    return statistics.median(spent), found


def show(name: str, seconds: float | None, marks: Marks) -> None:
    """Print one line."""
    spent = f"{seconds:8.2f} cpu s" if seconds is not None else " " * 14
    print(
        f"{name:32}{spent}   F1 {marks.f1:.3f} (P {marks.precision:.3f} R {marks.recall:.3f})   "
        f"clean flagged {100 * marks.clean_flagged:.1f} %",
        flush=True,
    )


def fresh_seeds(first: int) -> tuple[list[Marks], float]:
    """Measure on some seeds that nobody has seen; return the marks and the median CPU seconds."""
    marks, spent = [], []
    for seed in range(first, first + SEEDS):
        series = many(SERIES, POINTS, seed)
        seconds, found = cpu(stacked(series), RUNS)
        marks.append(score(series, found))
        spent.append(seconds)
        show(f"warroom {SERIES} x {POINTS}, seed {seed}", seconds, marks[-1])
        for shape, text in marks[-1].by_shape.items() if seed == first else ():
            print(f"    {shape:8} {text}")
    return marks, statistics.median(spent)


def rival(first: int) -> float | None:
    """Run the contender in its own environment on the first series; return its CPU seconds, None without it."""
    python = bench_python()
    if python is None:
        return None
    part = many(SERIES, POINTS, first)[:RIVAL_SERIES]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.npy"
        np.save(path, stacked(part))
        command = (str(python), str(Path(__file__).with_name("kernel_cpd.py")), str(path))
        tried = run(Contender("ruptures", command, reports=True), {}).report["tried"]
    best = max(tried, key=lambda one: score(part, one["found"]).f1)
    seconds = statistics.median(float(one["seconds"]) for one in tried)
    show(f"KernelCPD {RIVAL_SERIES} x {POINTS}, {best['penalty']:.0f} log n", seconds, score(part, best["found"]))
    return seconds


def main() -> None:
    """Run ours on fresh seeds, on long and on harder series, and ruptures beside it."""
    first = secrets.randbelow(10**6)
    marks, seconds = fresh_seeds(first)
    longer = many(SERIES, LONG_POINTS, first + SEEDS)
    long_seconds, long_found = cpu(stacked(longer), 1)
    show(f"warroom {SERIES} x {LONG_POINTS}", long_seconds, score(longer, long_found))
    spent = rival(first)
    ratio = spent / RIVAL_SERIES / (seconds / SERIES) if spent is not None else None
    print(f"KernelCPD needs {ratio:.0f}x the CPU of warroom" if ratio is not None else "KernelCPD was not measured")
    fine = all(mark.f1 >= F1_BAR and mark.clean_flagged <= CLEAN_BAR for mark in marks)
    fine = fine and seconds <= CPU_BAR and long_seconds <= LONG_CPU_BAR and (ratio is None or ratio >= RATIO_BAR)
    print(
        f"bars: F1 >= {F1_BAR}, clean <= {100 * CLEAN_BAR:.0f} %, <= {CPU_BAR} and {LONG_CPU_BAR} cpu s, "
        f"{RATIO_BAR:.0f}x KernelCPD: {'met' if fine else 'NOT met'}"
    )
    print("harder series, for information:")
    series = many(SERIES, POINTS, first)
    for variant in HARDER:
        hard = harder(series, variant, first)
        show(f"    {variant}", None, score(hard, places(stacked(hard))))


if __name__ == "__main__":
    main()
