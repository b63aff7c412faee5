"""Short ways to make sources, changes and findings for the tests of the deploys specialist."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from subagents import quantities
from subagents.contract import Alert, Brief, Fact, Finding, Incident, SourceSpec, ToolContext, Window
from tests.fakes import FakeClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Return a moment relative to noon."""
    return NOON + timedelta(minutes=minutes)


def stamp(minutes: float) -> str:
    return at(minutes).isoformat()


def source(path: Path, kind: Any, content: object, **options: str) -> SourceSpec:
    """Write a JSON source (or raw text or bytes) and return its spec."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return SourceSpec(id=path.stem, kind=kind, path=str(path), origin=path.name, options=options)


def sha(number: int) -> str:
    return f"{number:040x}"


def commit(number: int, minutes: float, message: str, files: list[str], diff: str | None = None) -> dict[str, object]:
    row: dict[str, object] = {"sha": sha(number), "author": "ada", "timestamp": stamp(minutes), "message": message}
    return row | {"files_changed": files, "diff": diff}


def deploy(number: int, minutes: float, service: str, version: str = "") -> dict[str, object]:
    return {
        "timestamp": stamp(minutes),
        "service": service,
        "commit_sha": sha(number),
        "version": version or f"v{number}",
    }


def symptom(service: str, claim: str, minutes: float = 0, terms: tuple[str, ...] = ()) -> Finding:
    """Return a finding of the metrics specialist with its onset."""
    cited = f"metric:m/{service}/x@2026-03-01T11:00:00Z..2026-03-01T13:00:00Z"
    return Finding(
        agent="metrics",
        claim=claim,
        topic="symptom",
        services=(service,),
        at=at(minutes),
        terms=terms,
        facts=(Fact(quantity=quantities.ONSET, value=stamp(minutes), citation=cited),),
    )


def errors(service: str, claim: str, minutes: float = 0, terms: tuple[str, ...] = ()) -> Finding:
    return Finding(agent="logs", claim=claim, topic="errors", services=(service,), at=at(minutes), terms=terms)


def brief(specs: list[SourceSpec], service: str = "orders", text: str = "") -> Brief:
    incident = Incident(
        id="INC-1", title=f"{service} is failing", service=service, window=Window(start=at(-120), end=at(60)),
        alert=Alert(title=f"{service} is failing", service=service, summary=text, fired_at=at(5)),
    )  # fmt: skip
    return Brief(incident=incident, sources=tuple(specs))


def context(*findings: Finding) -> ToolContext:
    return ToolContext(key="k", clock=FakeClock(), findings=findings)
