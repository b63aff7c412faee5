"""Rules that blame a service, or a moment: the one that alerts, the largest change, the farthest point."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

from orchestrator.evaluate.baselines.inputs import Inputs
from orchestrator.evaluate.lines import BaselineAnswer
from orchestrator.journal.verdict import ServiceScore


def alerting_service(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the service that the alert names."""
    if not inputs.service or (inputs.candidates and inputs.service not in inputs.candidates):
        return None
    return _rank("alerting service", {inputs.service: 1.0})


def largest_relative_change(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the service one of whose series moved most, relative to its mean before the incident began."""
    return _rank("largest relative change", _by_service(inputs, _relative))


def largest_z_score(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the service one of whose series moved most, in standard deviations of its values before."""
    return _rank("largest z-score", _by_service(inputs, _deviations))


def most_error_lines(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the service that logged the most errors since the incident began."""
    known = {name: float(n) for name, n in inputs.errors.items() if name in inputs.candidates or not inputs.candidates}
    return _rank("most error lines", known)


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


def _by_service(inputs: Inputs, moved: Callable[[list[float], list[float]], float]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for (service, _), points in (inputs.series or {}).items():
        if inputs.began is None or (inputs.candidates and service not in inputs.candidates):
            continue
        before = [value for at, value in points if at < inputs.began]
        after = [value for at, value in points if at >= inputs.began]
        scores[service] = max(scores.get(service, 0.0), moved(before, after) if before and after else 0.0)
    return scores


def _relative(before: list[float], after: list[float]) -> float:
    was, now = statistics.fmean(before), statistics.fmean(after)
    return abs(now - was) / abs(was) if was else 0.0  # of nothing there is no share


def _deviations(before: list[float], after: list[float]) -> float:
    spread = statistics.pstdev(before)
    return abs(statistics.fmean(after) - statistics.fmean(before)) / spread if spread else 0.0


def _rank(name: str, scores: Mapping[str, float]) -> BaselineAnswer | None:
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    if not ranked:
        return None
    top = ranked[0][1] or 1.0
    services = tuple(ServiceScore(service=service, score=score / top) for service, score in ranked)
    return BaselineAnswer(name=name, kind="inconclusive", service=ranked[0][0], services=services)
