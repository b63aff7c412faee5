"""`python -m orchestrator.demo.recorder [FOLDER]`: make the bundled incident again, and say what was recorded."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from orchestrator.demo.recorder.record import at, make


def main() -> None:
    """Record into FOLDER, by default where the bundled data is."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.demo.recorder", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "data")
    given = parser.parse_args()
    began = time.monotonic()
    recording = make(given.folder)
    fired = recording.alarm.fired_at or 0.0
    lines = ", ".join(f"{name} {count}" for name, count in recording.world.lines.items())
    size = sum(path.stat().st_size for path in given.folder.iterdir() if path.is_file())
    print(f"{sum(recording.world.lines.values())} log lines ({lines}), {len(recording.rows)} samples")
    print(f"the alert fired at {at(fired)} with {recording.alarm.value}; {size / 1e6:.1f} MB in {given.folder}")
    print(f"recorded in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
