"""First frame: from starting `warroom` on a terminal to the first painted text, beside `import textual.app`."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 9
LIMIT = 1.5
_PAINTED = re.compile(rb"warroom|opening")


def import_seconds() -> float:
    """Return the wall time of an interpreter that imports Textual's app and nothing else."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", "import textual.app"], check=True)
    return time.perf_counter() - begun


def frame_seconds(arguments: list[str], state: str) -> float:
    """Return the wall time until the first words are on a terminal of 200x50."""
    begun = time.perf_counter()
    child, terminal = pty.fork()
    if not child:
        env = {**os.environ, "WARROOM_HOME": state, "TERM": "xterm-256color", "COLUMNS": "200", "LINES": "50"}
        os.execve(sys.executable, [sys.executable, "-P", "-m", "tui.cli", *arguments], env)  # noqa: S606
    seen = b""
    try:
        while _PAINTED.search(seen.partition(b"\x1b[?1049h")[2]) is None:
            ready, _, _ = select.select([terminal], [], [], 20.0)
            if not ready:
                raise TimeoutError(f"no frame within 20 s: {seen[-300:]!r}")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - begun
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def main() -> None:
    """Print medians and the fastest, and the ratio of the medians (the first, cold run is thrown away)."""
    with tempfile.TemporaryDirectory() as state:
        folder = Path(state) / "incident"
        folder.mkdir()
        (folder / "app.log").write_text("2026-03-01T12:00:00Z ERROR nothing\n")
        ratios: dict[str, list[float]] = {}
        base = []
        for run in range(RUNS + 1):
            imported = import_seconds()
            for name, arguments in (("warroom", []), ("warroom run PATH", ["run", str(folder)])):
                taken = frame_seconds(arguments, f"{state}/home")
                if run:
                    ratios.setdefault(name, []).append(taken)
            if run:
                base.append(imported)
        print(f"{'import textual.app':<24} {statistics.median(base) * 1000:7.1f} ms  (fastest {min(base) * 1000:.1f})")
        for name, times in ratios.items():
            ratio = statistics.median(times) / statistics.median(base)
            met = "met" if ratio <= LIMIT else "MISSED"
            print(
                f"{name:<24} {statistics.median(times) * 1000:7.1f} ms  {ratio:.2f}x  "
                f"(limit {LIMIT}x: {met}; fastest {min(times) * 1000:.1f}, {min(times) / min(base):.2f}x)"
            )


if __name__ == "__main__":
    main()
