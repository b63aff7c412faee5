"""Incidents written by hand, investigated whole in this process: files in, a verdict out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.engines.offline.engine import OfflineEngine
from orchestrator.journal.events import VerdictReached
from orchestrator.journal.verdict import Verdict
from subagents.contract import Alert, Brief, Incident, SourceKind, SourceSpec
from subagents.roster import build
from tests.engines.desks import FakeDesk

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
MINUTES, BROKEN = 60, 40
SERVICE = "pay"
WOBBLE = (0.3, -0.8, 0.5, 1.0, -0.4, -1.0, 0.7, 0.1, -0.6, 0.9)


def minute(at: float) -> datetime:
    return START + timedelta(minutes=at)


def stamp(at: float) -> str:
    return minute(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def level(before: float, after: float | None = None, since: float = BROKEN) -> list[float]:
    """Return a series by the minute that goes from one level to another."""
    late = before if after is None else after
    return [(before if i < since else late) * (1 + 0.02 * WOBBLE[(i * 7 + 3) % 10]) for i in range(MINUTES)]


@dataclass(frozen=True)
class Story:
    """What happened: lines that begin with the trouble, series, changes."""

    lines: Sequence[str] = ()
    """Error lines of the service, in turn, every five seconds from `since` on."""
    since: float = BROKEN
    every: float = 5.0
    early: Sequence[tuple[float, str]] = ()
    """Further lines of the service."""
    other_lines: Mapping[str, Sequence[tuple[float, str]]] = field(default_factory=dict)
    series: Mapping[tuple[str, str], Sequence[float]] = field(default_factory=dict)
    commits: Sequence[Mapping[str, object]] = ()
    deploys: Sequence[Mapping[str, object]] = ()
    edges: Sequence[tuple[str, str]] = ()
    spans: Sequence[Mapping[str, object]] = ()
    flags: Sequence[Mapping[str, object]] = ()


INNOCENT = {
    "sha": "1d" * 20,
    "author": "Noor",
    "timestamp": stamp(-200),
    "message": "Explain the rounding rules in the handbook",
    "files_changed": ["docs/rounding.md"],
    "diff": "--- a/docs/rounding.md\n+++ b/docs/rounding.md\n@@ -1 +1 @@\n-Half up.\n+Half to even.\n",
}
EARLIER = {"id": "d1", "service": SERVICE, "timestamp": stamp(-180), "commit_sha": "1d" * 20, "version": "v41"}


def write(folder: Path, story: Story) -> list[SourceSpec]:
    """Write a story's files; return their specs."""
    specs: list[SourceSpec] = []

    def keep(name: str, kind: SourceKind, text: str, **options: str) -> None:
        (folder / name).write_text(text)
        specs.append(SourceSpec(id=name, kind=kind, path=str(folder / name), origin=name, options=options))

    calm = [(i / 6, f"INFO handled request {i * 37 % 991} in {20 + i % 7} ms") for i in range(MINUTES * 6)]
    if story.lines:
        count = int((MINUTES - story.since) * 60 / story.every)
        bad = [(story.since + i * story.every / 60, story.lines[i % len(story.lines)]) for i in range(count)]
        keep("pay.log", "logs", _log([*calm, *bad, *story.early]), service=SERVICE)
    for service, lines in story.other_lines.items():
        own = [(i / 6 + 0.01, f"INFO served page {i % 13}") for i in range(MINUTES * 6)]
        keep(f"{service}.log", "logs", _log([*own, *lines]), service=service)
    series = {(SERVICE, "http_5xx_ratio"): level(0.002, 0.3), **story.series}
    rows = [f"{stamp(i)},{s},{m},{v:.6g}" for (s, m), values in series.items() for i, v in enumerate(values)]
    keep("metrics.csv", "metrics", "\n".join(["ts,service,metric,value", *rows]) + "\n")
    keep("commits.json", "commits", json.dumps([INNOCENT, *story.commits]))
    keep("deploys.json", "deploys", json.dumps([EARLIER, *story.deploys]))
    if story.flags:
        keep("flags.json", "flags", json.dumps(story.flags))
    if story.edges:
        keep("topology.csv", "topology", "caller,callee\n" + "\n".join(",".join(edge) for edge in story.edges) + "\n")
    if story.spans:
        keep("spans.json", "spans", json.dumps(story.spans))
    return specs


def _log(lines: Sequence[tuple[float, str]]) -> str:
    dated = sorted(lines, key=lambda one: one[0])
    return "".join(f"{minute(at).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z {text}\n" for at, text in dated)


async def investigated(folder: Path, story: Story, title: str = "pay answers with errors") -> Verdict:
    """Return the verdict of a story."""
    return (await desk_of(folder, story, title))[1]


async def desk_of(folder: Path, story: Story, title: str = "pay answers with errors") -> tuple[FakeDesk, Verdict]:
    """Return the desk after an investigation, and its verdict as concluded."""
    specs = write(folder, story)
    alert = Alert(title=title, service=SERVICE, metric="http_5xx_ratio", fired_at=minute(BROKEN + 4))
    brief = Brief(incident=Incident(id="inc", title=title, service=SERVICE, alert=alert), sources=tuple(specs))
    desk = FakeDesk(build(specs), brief)
    await OfflineEngine().run(desk)
    made = [event.body.verdict for event in desk.events if isinstance(event.body, VerdictReached)]
    return desk, made[-1]
