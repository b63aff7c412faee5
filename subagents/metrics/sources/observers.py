"""What watches applications answers in JSON: Datadog's second API, Dynatrace, AppDynamics, Sentry, RRDtool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.parts import dicts, labels_of, tags_of, within


def datadog_v2(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """Datadog's `timeseries` query: one list of times, a list of values to each series."""
    held = within(answer, "data", "attributes")
    times, columns = within(held, "times"), within(held, "values")
    if isinstance(times, list) and isinstance(columns, list):
        for one, values in zip(dicts(within(held, "series")), columns, strict=False):
            if isinstance(values, list) and len(values) == len(times):
                yield Course(tags_of(one.get("group_tags")), stem, times, values)


def dynatrace(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """Dynatrace's metrics query; the dimension that is named after a service is one."""
    for metric in dicts(answer.get("result")):
        for one in dicts(metric.get("data")):
            times, values = one.get("timestamps"), one.get("values")
            if isinstance(times, list) and isinstance(values, list) and len(times) == len(values):
                labels = {_dimension(key): value for key, value in labels_of(one.get("dimensionMap")).items()}
                yield Course(labels, str(metric.get("metricId") or stem), times, values)


def _dimension(key: str) -> str:
    return "service" if key.endswith("service.name") else key


def appdynamics(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """One metric of AppDynamics' `metric-data`."""
    points = list(dicts(answer.get("metricValues")))
    if points and "startTimeInMillis" in points[0]:
        name = str(answer.get("metricPath") or answer.get("metricName") or stem)
        yield Course({}, name, [one.get("startTimeInMillis") for one in points], [one.get("value") for one in points])


def rrdtool(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What `rrdtool xport --json` writes: a start, a step, and a row of numbers to each step."""
    start, step, legend = (within(answer, "meta", key) for key in ("start", "step", "legend"))
    rows = answer.get("data")
    if isinstance(start, int) and isinstance(step, int) and isinstance(legend, list) and isinstance(rows, list):
        times: list[object] = [start + step * place for place in range(len(rows))]
        for place, name in enumerate(legend):
            values = [row[place] if isinstance(row, list) and place < len(row) else None for row in rows]
            yield Course({}, str(name) or stem, times, values)


def sentry(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What Sentry's statistics answer: one list of times, a list of values to each field of a group."""
    times = answer.get("intervals")
    for one in dicts(answer.get("groups")) if isinstance(times, list) else ():
        for name, values in one["series"].items() if isinstance(one.get("series"), dict) else ():
            if isinstance(values, list) and isinstance(times, list) and len(values) == len(times):
                yield Course(labels_of(one.get("by")), str(name) or stem, times, values)
