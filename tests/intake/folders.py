"""Small incidents that these tests are made of."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from orchestrator.intake.intake import take_in
from orchestrator.intake.model import Intake, IntakeOptions
from subagents.clock import SystemClock
from subagents.contract import SourceSpec

LOG = b"2026-03-01T12:00:00Z ERROR pool exhausted\n2026-03-01T12:00:01Z INFO retrying\n"
JSON_LOG = b'{"ts":"2026-03-01T12:00:00Z","level":"error","message":"pool exhausted"}\n' * 3
METRICS = b"ts,service,metric,value\n2026-03-01T12:00:00Z,cart,error_ratio,0.2\n"
DIFF = b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"


def write(folder: Path, files: dict[str, bytes | str | Any]) -> Path:
    """Write files below a folder; what is neither bytes nor text is written as JSON; `.gz` is compressed."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = (
            content
            if isinstance(content, bytes)
            else (content if isinstance(content, str) else json.dumps(content)).encode()
        )
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return folder


def write_raw(folder: Path, name: bytes, content: bytes) -> None:
    """Write a file whose name need not be UTF-8."""
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(content)


def git_init(path: Path, *more: str) -> Path:
    subprocess.run(["git", "-c", "init.defaultBranch=main", "init", "-q", *more, str(path)], check=True)
    return path


def real_paths(found: Intake) -> list[str]:
    return [os.path.realpath(s.path) for s in found.specs]


def content(source: SourceSpec) -> bytes:
    return Path(source.path).read_bytes()


def kinds(found: Intake) -> dict[str, str]:
    return {spec.id: spec.kind for spec in found.specs}


def spec(found: Intake, number: str) -> SourceSpec:
    return next(s for s in found.specs if s.id == number)


def lines(found: Intake) -> str:
    return "\n".join(problem.line() for problem in found.problems)


async def take(
    *inputs: Path | str,
    spool: Path,
    options: IntakeOptions | None = None,
    stdin: BinaryIO | None = None,
    command: Sequence[str] | None = None,
    repo: str | None = None,
) -> Intake:
    return await take_in(
        [str(given) for given in inputs],
        repo=repo,
        command=command,
        stdin=stdin,
        spool=spool,
        clock=SystemClock(),
        config=options or IntakeOptions(),
    )
