"""Rules that blame a service, or a moment: the one that alerts, the largest change, the farthest point."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from datetime import datetime

from orchestrator.evaluate.baselines.inputs import Inputs
from orchestrator.evaluate.lines import BaselineAnswer
from orchestrator.journal.verdict import ServiceScore

_FLOOR = 1e-9


def alerting_service(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the service that the alert names."""
    if not inputs.service or (inputs.candidates and inputs.service not in inputs.candidates):
        return None
    return _rank("alerting service", {inputs.service: 1.0})


def largest_relative_change(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the service one of whose series moved most, relative to its mean before the incident began."""
    if inputs.series is None or inputs.began is None:
        return None
    scores: dict[str, float] = {}
    for (service, _), points in inputs.series.items():
        if inputs.candidates and service not in inputs.candidates:
            continue
        scores[service] = max(scores.get(service, 0.0), _moved(points, inputs.began))
    return _rank("largest relative change", scores)


def largest_deviation(inputs: Inputs) -> BaselineAnswer | None:
    """Of a case that is one series: say that it broke where it is farthest from its median."""
    if inputs.series is None or set(inputs.series) != {("", "")}:
        return None
    points = inputs.series["", ""]
    middle = statistics.median(value for _, value in points)
    at, _ = max(points, key=lambda point: abs(point[1] - middle))
    return BaselineAnswer(name="farthest from median", kind="inconclusive", onset=at)


def always_an_incident(inputs: Inputs) -> BaselineAnswer | None:
    """Say that there is an incident, whatever the data."""
    if not inputs.has_incident_folder or inputs.commits or inputs.series is not None:
        return None
    return BaselineAnswer(name="always an incident", kind="inconclusive")


def _moved(points: list[tuple[datetime, float]], began: datetime) -> float:
    before = [value for at, value in points if at < began]
    after = [value for at, value in points if at >= began]
    if not before or not after:
        return 0.0
    was, now = statistics.fmean(before), statistics.fmean(after)
    return abs(now - was) / max(abs(was), _FLOOR) if was or now else 0.0


def _rank(name: str, scores: Mapping[str, float]) -> BaselineAnswer | None:
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    if not ranked:
        return None
    top = ranked[0][1] or 1.0
    services = tuple(ServiceScore(service=service, score=score / top) for service, score in ranked)
    return BaselineAnswer(name=name, kind="inconclusive", service=ranked[0][0], services=services)
