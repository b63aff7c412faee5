"""How things stand by recorded outputs of tools: workloads, their containers, nodes and monitors, well or amiss.

Only what states it in a field or column of its own counts: replicas wanted and ready, `ready`, a condition, a
monitor's state. What is being removed, has done its work or is scaled to nothing says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

Thing = Literal["workload", "container", "node", "monitor"]
RUNS: frozenset[Thing] = frozenset({"workload", "container"})
"""What the things are of which it depends whether users are served."""


class State(NamedTuple):
    """How one thing stands."""

    thing: Thing
    subject: str
    well: bool
    words: str
    """How, where it is amiss."""


_WANTED = ("desired", "replicas", "desired_replicas", "desiredReplicas", "desiredNumberScheduled", "spec.replicas")
_READY = ("ready", "readyReplicas", "ready_replicas", "numberReady", "status.readyReplicas", "availableReplicas")
_SHORT = ("unavailable", "unavailableReplicas", "unavailable_replicas", "numberUnavailable")
_RESTARTS = ("restart_count", "restartCount")
_REASONS = ("state.reason", "state.waiting.reason", "state.terminated.reason")
_PRESSURES = ("memory_pressure", "disk_pressure", "pid_pressure")
_MONITOR = ("overall_state", "StateValue")
_MONITOR_NAMES = ("name", "AlarmName", "labels.alertname", "alertname")
_WELL_MONITOR, _AMISS_MONITOR = frozenset({"ok", "normal"}), frozenset({"alert", "alarm", "alerting", "firing", "warn"})
_OF = ("name", "of_name", "pod_name", "of_pod_name", "metadata.name")
_DONE = frozenset({"Completed", "Succeeded", "PodCompleted"})
_POD_ROW = re.compile(
    r"^(?:[a-z0-9.-]+ +)?(?P<name>[a-z0-9.-]+) +(?P<ready>\d+)/(?P<wanted>\d+) +(?P<next>\d+|[A-Z]\S*) +\d"
)
"""Of `kubectl get`: a pod's row says its status next, that of a workload how many are of the newest version."""
_NODE_ROW = re.compile(r"^(?P<name>[a-z0-9.-]+) +(?P<state>(?:Not)?Ready)(?:,\S+)? +\S+ +\d+[a-z0-9]* +v\d")


def state_of(record: Mapping[str, str] | None, text: str) -> State | None:
    """Return what a line says of how one thing stands; None where it says nothing. `record`: its object, flat."""
    if record is None:
        return _of_row(text)
    if any(key.lower().endswith(("deletion_timestamp", "deletiontimestamp")) and record[key] for key in record):
        return None
    return _monitor(record) or _workload(record) or _container(record) or _node(record)


def _monitor(record: Mapping[str, str]) -> State | None:
    firing = record.get("state") if any(name in record for name in _MONITOR_NAMES[2:]) else None
    said = next((record[key] for key in _MONITOR if key in record), firing or "")
    if said.lower() not in _WELL_MONITOR | _AMISS_MONITOR:
        return None
    name = next((record[key] for key in _MONITOR_NAMES if record.get(key)), "")
    return State("monitor", name, said.lower() in _WELL_MONITOR, f"is in state {said}")


def _workload(record: Mapping[str, str]) -> State | None:
    wanted, ready, short = (_number(record, keys) for keys in (_WANTED, _READY, _SHORT))
    if wanted is None or not wanted or (ready is None and short is None):
        return None
    there = ready if ready is not None else wanted - (short or 0)
    return State("workload", _subject(record), there >= wanted and not short, f"has {there} of {wanted} ready")


def _container(record: Mapping[str, str]) -> State | None:
    ready = record.get("ready", "")
    if ready not in ("True", "False") or not any(key in record for key in _RESTARTS):
        return None
    reason = next((record[key] for key in _REASONS if record.get(key)), "")
    if reason in _DONE:
        return None
    return State("container", _subject(record), ready == "True", f"is not ready{': ' + reason if reason else ''}")


def _node(record: Mapping[str, str]) -> State | None:
    if record.get("type") == "Ready" and record.get("status") in ("True", "False", "Unknown"):
        reason, name = record.get("reason", ""), record.get("of_name") or _subject(record)
        if reason in _DONE:
            return None
        thing: Thing = "node" if reason.startswith(("Kubelet", "NodeStatus")) else "container"
        return State(thing, name, record["status"] == "True", f"is not ready{': ' + reason if reason else ''}")
    pressed = [key for key in _PRESSURES if key in record]
    if not pressed or record.get("ready") not in ("True", "False", "Unknown"):
        return None
    bad = ["is not ready"] if record["ready"] != "True" else []
    bad += [f"has {key.replace('_', ' ')}" for key in pressed if record[key] == "True"]
    return State("node", _subject(record), not bad, " and ".join(bad))


def _of_row(text: str) -> State | None:
    node = _NODE_ROW.match(text)
    if node is not None:
        return State("node", node["name"], node["state"] == "Ready", "is not ready")
    row = _POD_ROW.match(text)
    if row is None or not int(row["wanted"]) or row["next"] in (*_DONE, "Terminating"):
        return None
    thing: Thing = "workload" if row["next"].isdigit() else "container"
    well = row["ready"] == row["wanted"] and (thing == "workload" or row["next"] == "Running")
    status = "" if thing == "workload" or row["next"] == "Running" else f": {row['next']}"
    return State(thing, row["name"], well, f"has {row['ready']} of {row['wanted']} ready{status}")


def _subject(record: Mapping[str, str]) -> str:
    return next((record[key] for key in _OF if record.get(key)), "")


def _number(record: Mapping[str, str], keys: tuple[str, ...]) -> int | None:
    return next((int(record[key]) for key in keys if record.get(key, "").isdigit()), None)
