"""The benchmarks' own environment: what warroom is compared with never enters `.venv`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def bench_python() -> Path | None:
    """Return the Python of `.venv-bench`, made where needed; None where that fails, which is said on stderr."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".installed"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    for command in ([sys.executable, "-m", "venv", str(FOLDER)], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{FOLDER.name} cannot be made: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return None
    stamp.write_text(wanted, encoding="utf-8")
    return python
