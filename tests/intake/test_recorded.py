"""Recorded outputs of tools become logs and metrics that specialists read; nothing of them is lost in silence."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import JsonValue

from orchestrator.intake.recorded import read_recorded
from tests.intake.folders import content, kinds, spec, take, write

EVENTS = {
    "warning_events": [
        {"reason": "BackOff", "message": "restarting", "type": "Warning", "last_time": "2026-03-01T12:00:00Z"},
    ]
}
PODS: JsonValue = {
    "pods": [
        {
            "name": "web-1",
            "containers": [{"ready": False, "state": {"waiting": True, "reason": "ImagePullBackOff"}}],
            "conditions": [{"type": "Ready", "status": "False"}],
        }
    ]
}
SERIES = {
    "results": [
        {
            "metric_name": "CPU",
            "dimensions": [{"Name": "Instance", "Value": "db-1"}],
            "timestamps": ["2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z"],
            "values": [1.5, 90],
        }
    ]
}


async def test_each_output_is_a_source_and_text_keeps_its_bytes(tmp_path: Path) -> None:
    text = "Name: web\n  Reason: OOMKilled\r\n"
    folder = write(
        tmp_path / "case",
        {"evidence.json.gz": {"describe": text, "events": EVENTS, "cloud": SERIES, "fetch_webpage": "OOMKilled means"}},
    )
    found = await take(folder, spool=tmp_path / "spool")
    assert kinds(found) == {"evidence/describe": "logs", "evidence/events": "logs", "evidence/metrics": "metrics"}
    described = spec(found, "evidence/describe")
    assert content(described) == text.encode()
    assert described.options == {"recorded": "describe"}
    assert described.origin.endswith("evidence.json.gz: describe")
    event = json.loads(content(spec(found, "evidence/events")))
    assert (event["ts"], event["level"], event["message"]) == ("2026-03-01T12:00:00Z", "warn", "restarting")
    assert json.loads(content(spec(found, "evidence/metrics"))) == [
        {"ts": "2026-03-01T12:00:00Z", "service": "db-1", "metric": "CPU", "value": 1.5},
        {"ts": "2026-03-01T12:01:00Z", "service": "db-1", "metric": "CPU", "value": 90},
    ]
    assert [name for name in found.unused if name.endswith("fetch_webpage")]
    assert any("documentation" in problem.what for problem in found.problems)


def test_objects_in_lists_are_lines_of_their_own_with_the_names_of_what_holds_them() -> None:
    (pods,) = read_recorded({"pods": PODS})
    assert pods.records[1] == {
        "of_name": "web-1",
        "ready": False,
        "state": {"waiting": True, "reason": "ImagePullBackOff"},
    }
    assert pods.records[2] == {"of_name": "web-1", "type": "Ready", "status": "False"}


def test_what_kubernetes_keeps_beside_a_state_names_it() -> None:
    done: dict[str, JsonValue] = {
        "name": "c",
        "ready": False,
        "state": {"terminated": {"reason": "Completed", "exitCode": 0}},
    }
    pod: JsonValue = {
        "metadata": {"name": "job-1", "deletionTimestamp": "2026-03-01T12:00:00Z", "labels": {"app": "job"}},
        "status": {"phase": "Succeeded", "containerStatuses": [done]},
    }
    (pods,) = read_recorded({"pods": {"items": [pod]}})
    named: dict[str, JsonValue] = {"of_deletionTimestamp": "2026-03-01T12:00:00Z"}
    assert {"of_name": "job-1", "phase": "Succeeded", **named} in pods.records
    assert {**done, **named} in pods.records


def test_states_of_many_are_lines_of_their_own() -> None:
    groups: JsonValue = {"items": [{"id": "1", "state": {"groups": {"a": {"status": "Alert"}}}}]}
    (found,) = read_recorded({"monitor": groups})
    assert found.records == [{"id": "1"}, {"of_id": "1", "a": {"status": "Alert"}}]


def test_text_inside_a_record_is_read_line_by_line() -> None:
    (logs,) = read_recorded({"logs": {"pod_name": "web-1", "logs": "first line\nsecond line\n"}})
    assert [record["message"] for record in logs.records[1:] if isinstance(record, dict)] == [
        "first line",
        "second line",
    ]


def test_what_is_no_map_of_outputs_or_empty_is_said() -> None:
    assert read_recorded(["a"]) == []
    assert [output.left_out for output in read_recorded({"a": "", "b": {}, "c": None, "d": 4})] == [
        "the output is empty"
    ] * 4


async def test_broken_json_is_a_clear_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "case", {"evidence.json": '{"a": "b"', "app.log": "2026-03-01T12:00:00Z ERROR x\n"})
    found = await take(folder, spool=tmp_path / "spool")
    assert kinds(found) == {"app.log": "logs"}
    assert any("no recorded outputs" in problem.what for problem in found.problems)


def test_depth_has_an_end() -> None:
    deep: JsonValue = {"message": "x"}
    for _ in range(200):
        deep = {"a": [deep]}
    (output,) = read_recorded({"deep": deep})
    assert len(output.records) <= 24 or output.left_out
