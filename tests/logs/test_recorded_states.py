"""How things stand by recorded outputs: what states it in a field or column of its own, well or amiss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from subagents.contract import Alert, Fact, Finding, Incident, ToolError
from subagents.logs.agent import build
from subagents.logs.counted import AMISS, WELL
from subagents.logs.recorded import findings
from subagents.logs.recorded_states import state_of
from subagents.logs.resolver import LogResolver
from subagents.logs.sources.json_fields import flatten
from subagents.logs.states import State
from subagents.quantities import COUNT
from tests.fakes import run_procedure
from tests.logs.builders import at, brief, iso, write
from tests.logs.test_recorded import recording, shown

WEB = {"name": "web", "desired": 3, "ready": 3, "available": 3, "unavailable": 0}
POD = {"name": "web", "ready": True, "restart_count": 0, "state": {"running": True}}
NODE = {"name": "n-1", "ready": "True", "memory_pressure": "False", "disk_pressure": "False"}
MONITOR = {"name": "errors of web", "query": "avg(last_5m):errors > 1", "overall_state": "OK"}


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (WEB, ("workload", "web", True, "has 3 of 3 ready")),
        ({**WEB, "ready": 1, "unavailable": 2}, ("workload", "web", False, "has 1 of 3 ready")),
        ({"replicas": 4, "unavailableReplicas": 1}, ("workload", "", False, "has 3 of 4 ready")),
        ({"desiredNumberScheduled": 2, "numberReady": 2}, ("workload", "", True, "has 2 of 2 ready")),
        ({"name": "job", "desired": 0, "ready": 0}, None),
        (POD, ("container", "web", True, "is not ready")),
        (
            {"name": "web", "ready": False, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            ("container", "web", False, "is not ready: CrashLoopBackOff"),
        ),
        ({**POD, "ready": False, "state": {"terminated": {"reason": "Completed"}}}, None),
        ({**POD, "ready": False, "of_deletion_timestamp": "2026-03-01T11:00:00Z"}, None),
        (NODE, ("node", "n-1", True, "")),
        ({**NODE, "disk_pressure": "True"}, ("node", "n-1", False, "has disk pressure")),
        ({**NODE, "ready": "Unknown"}, ("node", "n-1", False, "is not ready")),
        (
            {"of_name": "n-1", "type": "Ready", "status": "False", "reason": "KubeletNotReady"},
            ("node", "n-1", False, "is not ready: KubeletNotReady"),
        ),
        (
            {"of_name": "web-1", "type": "Ready", "status": "False", "reason": "ContainersNotReady"},
            ("container", "web-1", False, "is not ready: ContainersNotReady"),
        ),
        ({"of_name": "job-1", "type": "Ready", "status": "False", "reason": "PodCompleted"}, None),
        (MONITOR, ("monitor", "errors of web", True, "is in state OK")),
        ({**MONITOR, "overall_state": "Alert"}, ("monitor", "errors of web", False, "is in state Alert")),
        ({**MONITOR, "overall_state": "No Data"}, ("object", "errors of web", None, "")),
        ({"AlarmName": "cpu", "StateValue": "ALARM"}, ("monitor", "cpu", False, "is in state ALARM")),
        (
            {"state": "firing", "labels": {"alertname": "Slow"}},
            ("monitor", "Slow", False, "is in state firing"),
        ),
        ({"labels": {"alertname": "Watchdog", "severity": "none"}, "state": "firing"}, None),
        ({"labels": {"alertname": "Slow"}, "startsAt": iso(0)}, ("monitor", "Slow", False, "is in state active")),
        ({"labels": {"alertname": "Slow"}, "startsAt": iso(0), "status": "resolved"}, None),
        ({"name": "Slow", "type": "alerting", "state": "firing"}, ("monitor", "Slow", False, "is in state firing")),
        ({"name": "Slow", "dashboardId": 2, "state": "alerting"}, ("monitor", "Slow", False, "is in state alerting")),
        ({"AlarmName": "cpu", "StateValue": "INSUFFICIENT_DATA"}, ("object", "", None, "")),
        ({"observedGeneration": 3, "unavailableReplicas": 3}, ("workload", "", False, "has 3 unavailable")),
        ({"observedGeneration": 1, "replicas": 3}, ("workload", "", False, "has 0 of 3 ready")),
        ({"desiredCount": 3, "runningCount": 1}, ("workload", "", False, "has 1 of 3 ready")),
        ({**POD, "restart_count": 41}, ("container", "web", None, "is not ready")),
        ({"name": "web", "ready": "0/1", "restarts": 0}, ("container", "web", False, "is not ready")),
        (
            {"of_name": "web", "type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"},
            ("workload", "web", False, "says Available False: MinimumReplicasUnavailable"),
        ),
        ({"type": "DiskPressure", "status": "True"}, ("node", "", False, "says DiskPressure True")),
        ({"type": "DiskPressure", "status": "False"}, None),
        ({"of_name": "cert", "type": "Ready", "status": "True", "reason": "Ready"}, None),
        ({"name": "web", "phase": "Pending"}, ("object", "web", None, "")),
        ({"name": "api", "health": {"status": "Degraded"}}, ("object", "api", None, "")),
        ({"url": "http://web", "status_code": 503}, ("object", "", None, "")),
        ({"level": "error", "message": "no"}, ("object", "", None, "")),
        ({"name": "web", "state": "ok"}, None),
        ({"name": "web", "phase": "Running", "ready": True}, None),
    ],
)
def test_what_an_object_says(record: dict[str, Any], state: State | None) -> None:
    assert state_of(flatten(record), "") == state


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ("web-7d9c8b5f6   1/1   Running   0   5d", ("container", "web-7d9c8b5f6", True, "has 1 of 1 ready")),
        ("shop   web-1   0/1   CrashLoopBackOff   6 (2m ago)   10m",
         ("container", "web-1", False, "has 0 of 1 ready: CrashLoopBackOff")),
        ("web-1   0/1   Completed   0   5d", None),
        ("web-1   0/1   Terminating   0   5d", None),
        ("web   1/3   3   1   5d", ("workload", "web", False, "has 1 of 3 ready")),
        ("n-1   Ready   <none>   5d   v1.28.3", ("node", "n-1", True, "is not ready")),
        ("n-1   NotReady,SchedulingDisabled   <none>   5d   v1.28.3", ("node", "n-1", False, "is not ready")),
        ("web-1   1/1   Running   57 (10s ago)   2h", ("container", "web-1", None, "has 1 of 1 ready")),
        ("web-1   1/1   Running   3 (5d ago)   9d   10.0.0.1   n-1   <none>   <none>",
         ("container", "web-1", True, "has 1 of 1 ready")),
        ("shop   deployment.apps/web   1/3   3   1   5d", ("workload", "web", False, "has 1 of 3 ready")),
        ("db   0/3   5d   postgres   postgres:15", ("workload", "db", False, "has 0 of 3 ready")),
        ("web-7d9c8b5f6   3   3   1   5d", ("workload", "web-7d9c8b5f6", False, "has 1 of 3 ready")),
        ("logd   3   3   2   3   2   <none>   5d", ("workload", "logd", False, "has 2 of 3 ready")),
        ("Replicas:   3 desired | 3 updated | 3 total | 1 available | 2 unavailable",
         ("workload", "", False, "has 1 of 3 ready")),
        ("backup   0/1   10m   10m", None),
        ("data-db-0   Pending   standard   5m", ("object", "", None, "")),
        ("3f2a   shop/web:1   Up 5 minutes (unhealthy)   web", ("object", "", None, "")),
        ("ERROR order 12 failed", ("object", "", None, "")),
        ("order 12 failed: no answer", ("object", "", None, "")),
        ("FEHLER: keine Verbindung", ("object", "", None, "")),
        ("3 passed, 0 failed", None),
        ("INFO 0 errors, 3 pending", None),
        ("NAME   READY   STATUS   RESTARTS   AGE", None),
        ("read 3/4 of the pages", None),
    ],
)  # fmt: skip
def test_what_a_row_says(row: str, state: State | None) -> None:
    assert state_of(None, row) == state


def test_numbers_that_nobody_judges_are_not_well() -> None:
    answered = {"metric": {"service": "web"}, "value": [1772366400, "0.42"]}
    assert state_of(flatten(answered), json.dumps(answered)) == State("object", "", None, "")


def healths(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.topic == "health" and finding.facts]


async def test_two_kinds_of_things_that_are_well_are_told_and_can_be_counted_again(tmp_path: Path) -> None:
    specs = [recording(tmp_path, "deployments", [WEB]), recording(tmp_path, "monitors", [MONITOR, MONITOR])]
    agent = build(specs)
    bench, _ = await run_procedure(agent, brief(specs))
    (health,) = healths(bench.reported)
    assert "3 states, of workloads and monitors" in health.claim
    resolver = agent.resolver
    assert isinstance(resolver, LogResolver)
    (fact,) = health.facts
    found = resolver.recompute(fact)
    assert found is not None
    assert (found.value, found.unit) == (3, WELL)
    with pytest.raises(ToolError, match="tells of no states amiss"):
        resolver.recompute(Fact(quantity=COUNT, value=3, unit=AMISS, citation=fact.citation))


@pytest.mark.parametrize(
    "more",
    [
        [{**MONITOR, "overall_state": "Alert"}],
        [{"name": "events", "message": "Back-off restarting failed container"}],
        [{"ts": iso(0), "level": "error", "message": "charge failed for 7 customers"}],
    ],
    ids=["a monitor alerts", "a known failure", "an error is logged"],
)
async def test_nothing_is_well_where_anything_is_amiss(tmp_path: Path, more: list[dict[str, Any]]) -> None:
    specs = [recording(tmp_path, "states", [WEB, NODE, MONITOR]), recording(tmp_path, "more", more)]
    bench, _ = await run_procedure(build(specs), brief(specs))
    assert healths(bench.reported) == []


def test_one_kind_of_things_that_are_well_proves_nothing(tmp_path: Path) -> None:
    assert healths(findings(shown(recording(tmp_path, "nodes", [NODE, NODE])))) == []
    assert healths(findings(shown(recording(tmp_path, "monitors", [MONITOR])))) == []


@pytest.mark.parametrize(
    ("more", "service", "fired", "unsure"),
    [
        ("ERROR order 12 failed\n", "web", 0.0, "a line may say otherwise: ERROR order 12 failed"),
        ("", "cart", 0.0, "none of them is of cart"),
        (f"{iso(0)} INFO listening\n", "web", 86_400.0, "they were recorded until 2026-03-01 12:00 UTC"),
        (f"{iso(0)} INFO listening\n", "web", 600.0, ""),
    ],
    ids=["an undated error", "of another service", "long before the alert", "just before it"],
)
def test_all_is_well_only_with_what_the_alert_is_about(
    tmp_path: Path, more: str, service: str, fired: float, unsure: str
) -> None:
    data = shown(recording(tmp_path, "states", [WEB, NODE, MONITOR]), recording(tmp_path, "more", more))
    alert = Alert(fired_at=at(fired))
    incident = Incident(id="i", title="x", service=service, alert=alert)
    told = findings(data, incident=incident)
    assert [finding.topic for finding in told] == ["health"]
    assert unsure in told[0].claim
    assert bool(healths(told)) is not bool(unsure)


async def test_undated_logs_beside_states_are_not_well(tmp_path: Path) -> None:
    specs = [recording(tmp_path, "states", [WEB, MONITOR]), write(tmp_path, "app.log", "ERROR no order\n" * 9)]
    bench, _ = await run_procedure(build(specs), brief(specs))
    assert healths(bench.reported) == []


def test_what_is_amiss_is_told_with_where_it_says_so(tmp_path: Path) -> None:
    short = {**WEB, "ready": 1, "unavailable": 2}
    (told,) = findings(shown(recording(tmp_path, "states", [short, NODE, {**MONITOR, "overall_state": "Alert"}])))
    assert told.topic == "errors"
    assert told.claim == (
        "By recorded outputs: workload web has 1 of 3 ready, monitor errors of web is in state Alert."
    )
    assert len(told.citations) == 2
    assert [(fact.value, fact.unit) for fact in told.facts] == [(2, AMISS)]


async def test_an_object_with_no_time_of_its_own_is_not_of_the_time_of_the_one_before(tmp_path: Path) -> None:
    pod = {"name": "web-1", "start_time": "2026-02-20T08:00:00Z", "ts": iso(0)}
    old = {"of_deletion_timestamp": iso(60), "ready": False, "restart_count": 2, "message": "CrashLoopBackOff"}
    specs = [recording(tmp_path, "pods", [pod, old]), recording(tmp_path, "states", [WEB, MONITOR])]
    bench, _ = await run_procedure(build(specs), brief(specs))
    assert len(healths(bench.reported)) == 1
