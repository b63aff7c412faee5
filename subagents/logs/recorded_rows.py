"""How things stand by rows of tables and lines of text that tools print: `kubectl get`, `describe`, `docker ps`."""

from __future__ import annotations

import re

from subagents.logs.states import DONE, State, of_replicas

_NAME = r"^(?:[a-z0-9.-]+ +)?(?:[a-z][a-z0-9.]*/)?(?P<name>(?!\d+ )[a-z0-9][a-z0-9.-]*) +"
"""The namespace, where all are listed, and the kind, as `kubectl get all` puts it before the name."""
_AGE = r"(?:\d+(?:y|d|h|m|s)(?:\d+[dhms])?|<invalid>)"
_READY = r"(?P<ready>\d+)/(?P<wanted>\d+)"
_POD_ROW = re.compile(
    rf"{_NAME}{_READY} +(?P<status>[A-Z]\S*) +(?P<restarts>\d+)(?: +\((?P<ago>\S+) ago\))? +{_AGE}(?: |$)"
)
_DEPLOYMENT_ROW = re.compile(rf"{_NAME}{_READY} +\d+ +\d+ +{_AGE}(?: |$)")
_STATEFUL_ROW = re.compile(rf"{_NAME}{_READY} +{_AGE}(?:$| +[^\d\s]\S*(?: |$))")
"""Of a job the second column is how long it took, with its age behind it."""
_COUNTS_ROW = re.compile(
    rf"{_NAME}(?P<wanted>\d+) +\d+ +(?P<third>\d+)(?: +\d+ +(?P<available>\d+) +\S+)? +{_AGE}(?: |$)"
)
"""Of replica sets: wanted, there, ready; of daemon sets the newest and the available follow, and a selector."""
_NODE_ROW = re.compile(
    rf"^(?:node/)?(?P<name>[a-z0-9.-]+) +(?P<state>NotReady|Ready|Unknown)(?:,\S+)? +\S+ +{_AGE} +v\d"
)
_DESCRIBED = re.compile(r"^Replicas: +(?P<wanted>\d+) desired .*\| (?P<ready>\d+) available")
_DOUBTFUL = re.compile(
    r"\(unhealthy\)|\bExited \([1-9]|^\s*Active: (?:failed|inactive)|\bloaded +failed\b|\bHTTP/[\d.]+ 5\d\d\b"
    r"|^\s*Ready: +False|^(?:\S+ +){1,2}(?:Pending|Lost|Failed|Degraded|Unknown|Unhealthy)\b"
    r"|\b(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC)\b|\blevel=\"?(?:error|fatal|critical)\b"
    r"|\b(?:FEHLER|ERREUR)\b|(?<!\b0 )\b[Ff]ailed\b(?! *[:=]? *0)|\w(?:Exception|Error)\b"
    r"|^[EF]\d{4} \d\d:|^panic:|^Traceback "
)
"""Of rows and lines that say nothing exactly, and of logs with no time."""
_SOON = re.compile(r"^(?:\d+s|[1-5]?\dm)")
"""Less than an hour."""


def state_of_row(text: str) -> State | None:
    """Return what a line says of how one thing stands; None where it says nothing."""
    text = text.rstrip().replace("\t", "   ")
    found = _of_node(text) or _of_pod(text) or _of_workload(text)
    if found is not None:
        return found
    return State("object", "", None, "") if _DOUBTFUL.search(text) is not None else None


def _of_node(text: str) -> State | None:
    row = _NODE_ROW.match(text)
    return State("node", row["name"], row["state"] == "Ready", "is not ready") if row is not None else None


def _of_pod(text: str) -> State | None:
    row = _POD_ROW.match(text)
    if row is None or row["status"] in DONE or not int(row["wanted"]):
        return None
    told = f"has {row['ready']} of {row['wanted']} ready"
    if row["status"] != "Running":
        return State("container", row["name"], False, f"{told}: {row['status']}")
    if row["ready"] != row["wanted"]:
        return State("container", row["name"], False, told)
    again = int(row["restarts"]) > 0 and (row["ago"] is None or _SOON.match(row["ago"]) is not None)
    return State("container", row["name"], None if again else True, told)


def _of_workload(text: str) -> State | None:
    row = _DEPLOYMENT_ROW.match(text) or _STATEFUL_ROW.match(text)
    if row is not None:
        return of_replicas(row["name"], int(row["ready"]), int(row["wanted"]))
    if (counts := _COUNTS_ROW.match(text)) is not None:
        ready = min(int(counts["third"]), int(counts["available"] or counts["third"]))
        return of_replicas(counts["name"], ready, int(counts["wanted"]))
    described = _DESCRIBED.match(text)
    return of_replicas("", int(described["ready"]), int(described["wanted"])) if described is not None else None
