"""Small logs that the tests write themselves."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

from subagents.contract import Alert, Brief, Incident, Params, SourceSpec, ToolContext, ToolResult, Window
from subagents.logs.agent import build
from subagents.logs.sources.log_source import LogSource
from subagents.specialist import Agent
from tests.fakes import FakeClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return noon plus some seconds."""
    return NOON + timedelta(seconds=seconds)


def iso(seconds: float) -> str:
    """Return such a time as a log writes it."""
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at(seconds).microsecond // 1000:03d}Z"


def write(folder: Path, name: str, data: bytes | str | Iterable[str]) -> SourceSpec:
    """Write a file (gzipped where the name says so) and return its spec."""
    if not isinstance(data, bytes | str):
        data = "".join(line + "\n" for line in data)
    raw = data.encode() if isinstance(data, str) else data
    path = folder / name
    if name.endswith(".zst"):
        path.write_bytes(zstandard.ZstdCompressor().compress(raw))
    else:
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return SourceSpec(id=name, kind="logs", path=str(path), origin=name)


def read(spec: SourceSpec) -> tuple[LogSource, list[dict[str, Any]]]:
    """Read a source to its end; return it and its events."""
    source = LogSource(spec)
    return source, [row for frame in source.frames() for row in frame.events.iter_rows(named=True)]


def call(agent: Agent, name: str, params: Params) -> ToolResult[Any]:
    """Run a tool as hands would."""
    tool = next(tool for tool in agent.tools if tool.name == name)
    result = tool.run(params, ToolContext(key="t", clock=FakeClock()))
    assert isinstance(result, ToolResult)
    return result


def agent_for(*specs: SourceSpec) -> Agent:
    """Return the logs agent over some sources."""
    return build(specs)


def brief(
    specs: Sequence[SourceSpec],
    started: datetime | None = None,
    fired: datetime | None = None,
    end: datetime | None = None,
) -> Brief:
    """Return a brief about an incident of these sources."""
    window = Window(start=NOON, end=end) if end is not None else None
    alert = Alert(title="errors", fired_at=fired) if fired is not None else None
    return Brief(
        incident=Incident(id="INC-1", title="errors", started_at=started, alert=alert, window=window),
        sources=tuple(specs),
    )


def incident_log() -> list[str]:
    """An hour of a service: from minute 40 a new error, a bursting warning, and one message that stops."""
    lines = []
    for second in range(0, 3600, 2):
        lines.append(f"{iso(second)} INFO  [main] orders - order {second * 7919 % 99991} accepted for user={second}")
        if second < 2400:
            lines.append(f"{iso(second)} INFO  [main] orders - mail sent to user{second}@example.org")
        if second % 300 == 0 or (second >= 2400 and second % 4 == 0):
            lines.append(f"{iso(second)} WARN  [pool] orders - slow query took {second % 977} ms")
        if second >= 2400 and second % 10 == 0:
            lines.append(
                f"{iso(second)} ERROR [main] orders - dial tcp 10.1.2.3:5432: connect: connection refused "
                "host=ledger-db.internal"
            )
    return lines
