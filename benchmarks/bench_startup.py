"""Start-up: `warroom --help` beside an interpreter that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

RUNS = 15
LIMIT = 5.0


def fastest(command: Sequence[str]) -> tuple[float, float]:
    """Return the fastest and the median wall time in seconds; the first, cold run is thrown away."""
    taken = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begun)
    return min(taken[1:]), statistics.median(taken[1:])


def main() -> None:
    """Print wall times and their ratio to the empty interpreter's."""
    empty = fastest([sys.executable, "-c", "pass"])
    print(f"{'empty interpreter':<24} {empty[0] * 1000:7.1f} ms (median {empty[1] * 1000:.1f})")
    click = fastest([sys.executable, "-c", "import click"])
    print(f"{'import click':<24} {click[0] * 1000:7.1f} ms  {click[0] / empty[0]:.1f}x")
    for arguments in (["--help"], ["--version"], ["run", "--help"], ["report", "--help"]):
        best, median = fastest([sys.executable, "-P", "-m", "tui.cli", *arguments])
        ratio = best / empty[0]
        limit = f"  (limit {LIMIT:.0f}x: {'met' if ratio <= LIMIT else 'MISSED'})" if arguments == ["--help"] else ""
        name = "warroom " + " ".join(arguments)
        print(f"{name:<24} {best * 1000:7.1f} ms  {ratio:.1f}x{limit}  (median {median * 1000:.1f})")


if __name__ == "__main__":
    main()
