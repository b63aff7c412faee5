"""How things stand by recorded outputs of tools: workloads, their containers, nodes and monitors, well or amiss.

Only what states it in a field or column of its own counts: replicas wanted and ready, `ready`, a condition, a
monitor's state. What is being removed, has done its work or is scaled to nothing says nothing. What may be amiss is
not told, and neither is it, then, that all is well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from subagents.logs.recorded_rows import state_of_row
from subagents.logs.states import DONE, State, Thing, of_replicas

_WANTED = (
    "desired", "replicas", "desired_replicas", "desiredReplicas", "desiredNumberScheduled", "desiredCount",
    "desired_count", "spec.replicas",
)  # fmt: skip
_READY = (
    "ready", "readyReplicas", "ready_replicas", "numberReady", "status.readyReplicas", "availableReplicas",
    "runningCount", "running_count", "running",
)  # fmt: skip
_SHORT = ("unavailable", "unavailableReplicas", "unavailable_replicas", "numberUnavailable")
_OBSERVED = ("observedGeneration", "status.observedGeneration")
"""Kubernetes leaves counts out of a status that are 0."""
_RESTARTS = ("restart_count", "restartCount", "restarts")
_REASONS = ("state.reason", "state.waiting.reason", "state.terminated.reason")
_RATIO = re.compile(r"(\d+)/(\d+)")
_OF_PODS = frozenset({"", "ContainersNotReady", "ReadinessGatesNotReady", "PodFailed", "UnknownContainerStatuses"})
_CONDITIONS: Mapping[str, tuple[Thing, str]] = {
    "Available": ("workload", "False"),
    "Progressing": ("workload", "False"),
    "ReplicaFailure": ("workload", "True"),
    "PodScheduled": ("container", "False"),
    "MemoryPressure": ("node", "True"),
    "DiskPressure": ("node", "True"),
    "PIDPressure": ("node", "True"),
    "NetworkUnavailable": ("node", "True"),
}
"""Conditions that say when something is amiss, and never that it is well; whose they are, and their status then."""
_PRESSURES = ("memory_pressure", "disk_pressure", "pid_pressure")
_MONITOR = ("overall_state", "StateValue")
_ALERT = ("state", "status", "status.state")
_ALERT_NAMES = ("labels.alertname", "alertname")
_MONITOR_NAMES = ("name", "AlarmName", *_ALERT_NAMES, "title")
_WELL_MONITOR = frozenset({"ok", "normal"})
_AMISS_MONITOR = frozenset({"alert", "alarm", "alerting", "firing", "warn", "active", "triggered"})
_ANYWHERE = frozenset({"alarm", "alerting", "firing", "triggered"})
"""States that only monitors and what they raise are in."""
_ALWAYS = frozenset({"watchdog", "deadmansswitch", "infoinhibitor"})
"""Alerts that fire to show that alerts arrive."""
_OF = ("name", "of_name", "pod_name", "of_pod_name", "metadata.name", "serviceName")
_STATING = frozenset({"status", "state", "health", "phase", "overall_state", "statevalue", "indicator", "healthstatus"})
_DOUBTFUL = frozenset({
    "alert", "alerting", "critical", "degraded", "degraded_performance", "down", "error", "failed", "failing",
    "insufficient_data", "major", "major_outage", "no data", "nodata", "no_data", "offline", "outage",
    "partial_outage", "pending", "red", "unavailable", "unhealthy", "unknown", "warn",
})  # fmt: skip
_CODES = frozenset({"status_code", "statuscode", "http_code", "http_status"})
_LEVELS = frozenset({"error", "fatal", "critical"})
_MEASURED = re.compile(r'"values?": ?\[\[?\d')
"""Numbers as Prometheus answers a query: nobody judges them here."""
_REMOVED = ("deletion_timestamp", "deletiontimestamp")


def state_of(record: Mapping[str, str] | None, text: str) -> State | None:
    """Return what a line says of how one thing stands; None where it says nothing. `record`: its object, flat."""
    if record is None:
        return State("object", "", None, "") if text.startswith("{") else state_of_row(text)  # cut, or no JSON
    if any(key.lower().endswith(_REMOVED) and record[key] for key in record):
        return None
    return _monitor(record) or _workload(record) or _container(record) or _node(record) or _doubt(record, text)


def _monitor(record: Mapping[str, str]) -> State | None:
    named = any(record.get(key) for key in _ALERT_NAMES)
    said = next((record[key] for key in _MONITOR if key in record), "")
    if not said:
        said = next((record[key] for key in _ALERT if key in record and (named or record[key] in _ANYWHERE)), "")
    if not said and named and "startsAt" in record:
        said = "active"  # as Alertmanager lists them, whose states are objects of their own
    name = next((record[key] for key in _MONITOR_NAMES if record.get(key)), "")
    if said.lower() not in _WELL_MONITOR | _AMISS_MONITOR or not (name or named):
        return None
    if name.casefold() in _ALWAYS or record.get("labels.severity") == "none":
        return None
    return State("monitor", name, said.lower() in _WELL_MONITOR, f"is in state {said}")


def _workload(record: Mapping[str, str]) -> State | None:
    wanted, ready, short = (_number(record, keys) for keys in (_WANTED, _READY, _SHORT))
    observed = any(key in record for key in _OBSERVED)
    if wanted is None and observed and short:
        return State("workload", _subject(record), False, f"has {short} unavailable")
    if wanted is None or (ready is None and short is None and not observed):
        return None
    there = ready if ready is not None else wanted - short if short is not None else 0
    return of_replicas(_subject(record), min(there, wanted - (short or 0)), wanted)


def _container(record: Mapping[str, str]) -> State | None:
    ready = record.get("ready", "")
    again = next((record[key] for key in _RESTARTS if key in record), None)
    reason = next((record[key] for key in _REASONS if record.get(key)), "")
    status = record.get("phase") or record.get("status", "")
    if again is None or {reason, status} & DONE:
        return None
    if (ratio := _RATIO.fullmatch(ready)) is not None:
        ready = str(int(ratio[1]) >= int(ratio[2]))
        reason = reason or (status if status != "Running" else "")
    if ready not in ("True", "False"):
        return None
    well = False if ready == "False" else True if again == "0" else None
    return State("container", _subject(record), well, f"is not ready{': ' + reason if reason else ''}")


def _node(record: Mapping[str, str]) -> State | None:
    if record.get("status") in ("True", "False", "Unknown"):
        return _condition(record)
    pressed = [key for key in _PRESSURES if key in record]
    if not pressed or record.get("ready") not in ("True", "False", "Unknown"):
        return None
    bad = ["is not ready"] if record["ready"] != "True" else []
    bad += [f"has {key.replace('_', ' ')}" for key in pressed if record[key] == "True"]
    return State("node", _subject(record), not bad, " and ".join(bad))


def _condition(record: Mapping[str, str]) -> State | None:
    kind, status, reason = record.get("type", ""), record["status"], record.get("reason", "")
    name, because = record.get("of_name") or _subject(record), f": {reason}" if reason else ""
    if kind == "Ready" and reason not in DONE:
        if reason.startswith(("Kubelet", "NodeStatus")):
            return State("node", name, status == "True", f"is not ready{because}")
        if reason in _OF_PODS:
            return State("container", name, status == "True", f"is not ready{because}")
        return State("object", name, False, f"is not ready{because}") if status == "False" else None
    thing, amiss = _CONDITIONS.get(kind, ("object", ""))
    return State(thing, name, False, f"says {kind} {status}{because}") if status == amiss else None


def _doubt(record: Mapping[str, str], text: str) -> State | None:
    """Return a state of which nobody knows whether it is well, where one of the fields may say that it is not."""
    if _MEASURED.search(text) is not None:
        return State("object", _subject(record), None, "")
    for key, value in record.items():
        last = key.removeprefix("of_").rpartition(".")[2].lower()
        said = value.strip().lower()
        server = last in _CODES and len(said) == 3 and said.startswith("5")
        if server or (last in _STATING and said in _DOUBTFUL) or (last == "level" and said in _LEVELS):
            return State("object", _subject(record), None, "")
    return None


def _subject(record: Mapping[str, str]) -> str:
    return next((record[key] for key in _OF if record.get(key)), "")


def _number(record: Mapping[str, str], keys: tuple[str, ...]) -> int | None:
    return next((int(record[key]) for key in keys if record.get(key, "").isdigit()), None)
