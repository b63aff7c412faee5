"""Run every benchmark, or those named: `python -m benchmarks [NAME…]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    """Run `main()` of each `benchmarks.bench_*` module whose name is asked for."""
    found = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name.startswith("bench_")]
    for name in found:
        if names and name.removeprefix("bench_") not in names:
            continue
        print(f"== {name.removeprefix('bench_')}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
