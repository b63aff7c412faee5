"""Recorded incidents, where they are at hand: no crash, every line accounted for, every citation opens."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from subagents.contract import Alert, Brief, Incident, SourceSpec, Window
from subagents.logs.agent import build
from subagents.logs.log_set import LogSet
from subagents.logs.model import LogsCoverage
from subagents.logs.params import CoverageParams
from subagents.logs.resolver import LogResolver
from subagents.verifying import Recomputed
from tests.fakes import FakeClock, run_procedure
from tests.logs.builders import call
from tests.thinned import thinned

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "cases"
FOLDERS = [*sorted(CASES.glob("rootcausebench/*"))[:6], *sorted(CASES.glob("nezha-tt/*"))[:4]]

pytestmark = pytest.mark.skipif(not FOLDERS, reason="shared/cases is not beside this repository")


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


@pytest.mark.parametrize("folder", thinned(FOLDERS, 4), ids=[folder.name for folder in FOLDERS])
async def test_a_recorded_incident_is_read_whole(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    path = folder / case["files"]["logs"]
    spec = SourceSpec(id=path.name, kind="logs", path=str(path), origin=path.name)
    alert = case["alert"]
    window = Window(start=_at(case["window"]["start"]), end=_at(case["window"]["end"]))
    incident = Incident(
        id=case["id"],
        title=alert["summary"],
        window=window,
        started_at=_at(alert.get("incident_start")),
        alert=Alert(summary=alert["summary"], fired_at=_at(alert.get("alert_at"))),
    )
    agent = build([spec])
    bench, summary = await run_procedure(agent, Brief(incident=incident, sources=(spec,)))
    assert [result.text for _, _, result in bench.calls if result.outcome != "ok"] == []
    coverage = call(agent, "logs_coverage", CoverageParams()).data
    assert isinstance(coverage, LogsCoverage)
    assert coverage.lines == gzip.decompress(path.read_bytes()).count(b"\n")
    assert coverage.events == coverage.lines
    assert 1 <= len(bench.reported) <= 12
    assert agent.resolver is not None
    cited = {each.ref: each for _, _, result in bench.calls for each in result.citations}
    for ref in {ref for finding in bench.reported for ref in finding.citations[:1]}:
        assert agent.resolver.resolve(ref).digest == cited[ref].digest
    known = LogResolver(LogSet([spec]), FakeClock())
    for fact in (fact for finding in bench.reported for fact in finding.facts):
        assert known.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit), fact
    assert summary.window is not None
