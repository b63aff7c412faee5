"""What recorded outputs show: failures that hold, not what is well, over, or only written about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from subagents.contract import Finding, SourceSpec
from subagents.logs.agent import build
from subagents.logs.params import RecordedParams
from subagents.logs.recorded_model import LogsRecorded
from tests.fakes import FakeWorkbench, run_procedure
from tests.logs.builders import brief, call, iso, write


def recording(folder: Path, tool: str, lines: str | list[dict[str, Any]]) -> SourceSpec:
    text = lines if isinstance(lines, str) else "".join(json.dumps(line) + "\n" for line in lines)
    return write(folder, f"{tool}.txt", text).model_copy(update={"options": {"recorded": tool}})


def shown(*specs: SourceSpec) -> LogsRecorded:
    data = call(build(specs), "logs_recorded", RecordedParams()).data
    assert isinstance(data, LogsRecorded)
    return data


def names(*specs: SourceSpec) -> list[str]:
    return [sign.name for sign in shown(*specs).signs if sign.current]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("    Reason:       OOMKilled", "out of memory"),
        ('Failed to pull image "shop/web:v9": manifest unknown', "image not pulled"),
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "not schedulable"),
        ("Liveness probe failed: HTTP probe failed with statuscode: 500", "probe failing"),
        ("pod has unbound immediate PersistentVolumeClaims", "volume missing"),
        ("x509: certificate has expired or is not yet valid", "certificate expired"),
        ("DB instance ran out of storage space.", "disk full"),
    ],
)
def test_wording_is_recognised_in_text(tmp_path: Path, line: str, name: str) -> None:
    data = shown(recording(tmp_path, "describe", f"Name: web\n{line}\nmore\n"))
    assert [(sign.name, sign.outputs, sign.citation) for sign in data.signs] == [
        (name, ("describe",), "log:describe.txt@10+1")
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"name": "node-1", "out of memory": "False"},
        {"name": "latency", "message": "connection refused by upstream", "overall_state": "OK"},
        {"name": "old", "reason": "CrashLoopBackOff", "of_deletion_timestamp": "2026-03-01T11:00:00Z"},
    ],
)
def test_what_is_well_or_being_removed_shows_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    assert names(recording(tmp_path, "state", [record])) == []


def test_a_dated_record_well_before_the_rest_may_be_over(tmp_path: Path) -> None:
    old = {"ts": iso(0), "message": "0/2 nodes are available: 2 Insufficient cpu"}
    later = {"ts": iso(600), "message": "listening"}
    spec = recording(tmp_path, "events", [old, later])
    assert [(sign.name, sign.current) for sign in shown(spec).signs] == [("not schedulable", False)]
    assert names(recording(tmp_path, "events2", [old])) == ["not schedulable"]


async def _reported(*specs: SourceSpec) -> tuple[FakeWorkbench, list[Finding]]:
    bench, _ = await run_procedure(build(specs), brief(list(specs)))
    return bench, bench.reported


async def test_findings_cite_what_the_tool_returned(tmp_path: Path) -> None:
    bench, findings = await _reported(recording(tmp_path, "describe", "Reason: OOMKilled\n"))
    cited = {item.ref for _, _, result in bench.calls for item in result.citations}
    assert {finding.topic for finding in findings} == {"mechanism", "errors"}
    assert all(set(finding.citations) <= cited and finding.citations for finding in findings)
    (mechanism,) = [finding for finding in findings if finding.topic == "mechanism"]
    assert (mechanism.stance, mechanism.about.kind if mechanism.about else None) == ("for", "resource")


async def test_healthy_outputs_are_no_incident_and_no_proof_of_health(tmp_path: Path) -> None:
    _, findings = await _reported(recording(tmp_path, "pods", [{"name": "web", "phase": "Running", "ready": True}]))
    assert [finding.topic for finding in findings] == ["health"]
    assert findings[0].facts == (), "nothing was measured"


async def test_what_may_be_over_is_no_symptom(tmp_path: Path) -> None:
    old = {"ts": iso(0), "message": "Back-off restarting failed container"}
    _, findings = await _reported(recording(tmp_path, "events", [old, {"ts": iso(900), "message": "Started"}]))
    recorded = [finding for finding in findings if "events shows" in finding.claim]
    assert [finding.topic for finding in recorded] == ["consequence"]
    assert "may be over" in recorded[0].claim
    assert not [finding for finding in findings if finding.topic == "errors"]
