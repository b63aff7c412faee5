"""ruptures' KernelCPD (linear) on series of a file; prints its CPU seconds and what it found. Runs in `.venv-bench`."""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

import numpy as np

ruptures: Any = importlib.import_module("ruptures")


PENALTIES = (3.0, 10.0, 30.0, 100.0)
"""Times log n: its users choose one; all are tried here, and the best counts."""


def changes(row: Any, penalty: float) -> list[int]:
    """Return the changes of one standardised series."""
    scaled = (row - np.median(row)) / (1.4826 * np.median(np.abs(row - np.median(row))) + 1e-9)
    ends = ruptures.KernelCPD(kernel="linear").fit(scaled).predict(pen=penalty * np.log(len(row)))
    return [int(end) for end in ends[:-1]]


def tried(values: Any, penalty: float) -> dict[str, Any]:
    """Return CPU seconds and changes with one penalty."""
    start = time.process_time()
    found = [changes(row, penalty) for row in values]
    return {"penalty": penalty, "seconds": time.process_time() - start, "found": found}


if __name__ == "__main__":
    series = np.load(sys.argv[1])
    changes(series[0], PENALTIES[0])
    print(json.dumps({"tried": [tried(series, penalty) for penalty in PENALTIES]}))
