"""JSON as monitoring systems answer: which system it is, and the series that it holds."""

from __future__ import annotations

from typing import Any

from subagents.metrics.sources.clouds import azure, cloudwatch, google, searched
from subagents.metrics.sources.collectors import kubernetes, metric_stream, metricbeat, telegraf
from subagents.metrics.sources.courses import Course, merged
from subagents.metrics.sources.observers import appdynamics, datadog_v2, dynatrace, rrdtool, sentry
from subagents.metrics.sources.parts import within
from subagents.metrics.sources.servers import datadog, frames, graphite, influx, prometheus, sysstat, victoria
from subagents.metrics.sources.telemetry import telemetry

READERS = (
    *(prometheus, victoria, influx, graphite, datadog, frames, sysstat),
    *(cloudwatch, azure, google, searched, telemetry),
    *(datadog_v2, dynatrace, appdynamics, telegraf, rrdtool, sentry),
    *(metricbeat, metric_stream, kubernetes),
)
PROBED = 100
"""Answers of a list of which one must be known: the others are not looked at otherwise."""


def courses_of(tree: Any, stem: str) -> list[Course]:
    """Return the series of one answer, or of a list of answers; none where it is not such an answer.

    `stem` names series that their system left without a name: the result of an expression.
    """
    answers = tree if isinstance(tree, list) else [tree]
    found: list[Course] = []
    for place, answer in enumerate(answers):
        if place == PROBED and not found:
            break
        if isinstance(answer, dict):
            for reader in READERS:
                courses = list(reader(answer, stem))
                if courses:
                    found += courses
                    break
    return merged(found)


def is_answer(tree: object) -> bool:
    """Say whether a document is such an answer, as far as its first parts tell."""
    answers = tree[:3] if isinstance(tree, list) else [tree]
    return any(
        next(reader(answer, "value"), None) is not None
        for answer in answers
        if isinstance(answer, dict)
        for reader in READERS
    )


def failure_of(tree: Any) -> str:
    """Return what a system said instead of data, empty where it said nothing of the kind."""
    if not isinstance(tree, dict):
        return ""
    if within(tree, "data", "result") == []:
        return "no series matched it"
    refused = str(tree.get("status", "")).lower() in ("error", "fail", "failed") or "errorType" in tree
    said = tree.get("error") or tree.get("message") or tree.get("errors")
    return str(said)[:300] if refused and said else ""
