"""A contender of a benchmark: a command in a process of its own, with what it used and what it said."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Contender:
    """A program to be measured. One that reports prints a JSON object as the last line of its output."""

    name: str
    command: tuple[str, ...]
    reports: bool = False


@dataclass(frozen=True)
class Run:
    """One run: seconds of wall clock and CPU (its children's too), peak resident MB, and its report."""

    seconds: float
    cpu: float
    rss: float
    began: float
    """On CLOCK_MONOTONIC, as processes of one machine share it."""
    report: dict[str, Any] = field(default_factory=dict)


def run(contender: Contender, environment: dict[str, str]) -> Run:
    """Run it once to its end; raise RuntimeError with what it said where it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        contender.command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        output = process.stdout.read()
        said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{contender.name} ended with {process.returncode}: {said.decode(errors='replace')[-600:]}")
    report = json.loads(output.splitlines()[-1]) if contender.reports else {}
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, began, report)


def interleaved(contenders: Sequence[Contender], rounds: int, environment: dict[str, str]) -> dict[str, list[Run]]:
    """Run all of them in turn, `rounds` times, so that what else the machine does meets each alike."""
    runs: dict[str, list[Run]] = {each.name: [] for each in contenders}
    for _ in range(rounds):
        for each in contenders:
            runs[each.name].append(run(each, environment))
    return runs


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
