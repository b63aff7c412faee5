"""What servers of metrics answer in JSON: Prometheus and its kin, InfluxDB, Graphite, Datadog, Grafana; sysstat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.parts import columns_of, dicts, labels_of, tags_of, within


def prometheus(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """A matrix, a vector or a scalar, of Prometheus, Thanos, Mimir or VictoriaMetrics; or Loki's metric queries."""
    data = answer.get("data", answer)
    if within(data, "resultType") == "scalar":
        yield Course({}, stem, *columns_of([within(data, "result")]))
    for one in dicts(data.get("result") if isinstance(data, dict) else None):
        labels = labels_of(one.get("metric"))
        points = one.get("values", [one["value"]] if isinstance(one.get("value"), list) else None)
        if isinstance(one.get("metric"), dict) and isinstance(points, list):
            yield Course(labels, labels.pop("__name__", "") or stem, *columns_of(points))


def victoria(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """One line of VictoriaMetrics' export: a series with its times and its values apart."""
    times, values, labels = answer.get("timestamps"), answer.get("values"), labels_of(answer.get("metric"))
    if isinstance(times, list) and isinstance(values, list) and len(times) == len(values) and labels:
        yield Course(labels, labels.pop("__name__", "") or stem, times, values)


def influx(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What InfluxQL answers."""
    for result in dicts(answer.get("results")):
        for one in dicts(result.get("series")):
            columns, rows = one.get("columns"), one.get("values")
            if not isinstance(columns, list) or "time" not in columns or not isinstance(rows, list):
                continue
            at, labels = columns.index("time"), labels_of(one.get("tags"))
            full = [row for row in rows if isinstance(row, list) and len(row) == len(columns)]
            for place, column in enumerate(columns):
                if place != at:
                    held = [row for row in full if row[place] is not None]
                    name = f"{one.get('name') or stem}_{column}"
                    yield Course(labels, name, [row[at] for row in held], [row[place] for row in held])


def datadog(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What Datadog's query answers, tags as labels."""
    for one in dicts(answer.get("series")):
        labels = tags_of(one.get("tag_set") or str(one.get("scope", "")).split(","))
        if isinstance(one.get("pointlist"), list):
            yield Course(labels, str(one.get("metric") or stem), *columns_of(one["pointlist"]))


def graphite(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """One target of Graphite's render."""
    points = answer.get("datapoints")
    if isinstance(answer.get("target"), str) and isinstance(points, list):
        yield Course(labels_of(answer.get("tags")), answer["target"] or stem, *columns_of(points, time=1, number=0))


def frames(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """Data frames of Grafana: a field of times, and the fields of numbers beside it."""
    results = answer.get("results")
    for result in results.values() if isinstance(results, dict) else ():
        for frame in dicts(within(result, "frames")):
            fields, columns = list(dicts(within(frame, "schema", "fields"))), within(frame, "data", "values")
            if not isinstance(columns, list) or len(columns) != len(fields):
                continue
            times = next((c for f, c in zip(fields, columns, strict=True) if f.get("type") == "time"), None)
            for field, column in zip(fields, columns, strict=True):
                if field.get("type") == "number" and isinstance(times, list) and isinstance(column, list):
                    labels = labels_of(field.get("labels"))
                    name = labels.pop("__name__", "") or within(frame, "schema", "name") or field.get("name")
                    if len(times) == len(column):
                        yield Course(labels, str(name or stem), times, column)


def sysstat(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What `sadf -j` writes: kinds of statistics a moment, some of them a list over devices."""
    for host in dicts(within(answer, "sysstat", "hosts")):
        found: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[list[object], list[object]]] = defaultdict(
            lambda: ([], [])
        )
        for moment in dicts(host.get("statistics")):
            at = moment.get("timestamp")
            if not isinstance(at, dict):
                continue
            when = f"{at.get('date')}T{at.get('time')}{'Z' if at.get('utc') else ''}"
            for kind, held in moment.items():
                for one in [held] if isinstance(held, dict) and kind != "timestamp" else list(dicts(held)):
                    words = tuple((k, v) for k, v in one.items() if isinstance(v, str))
                    for key, value in one.items():
                        if isinstance(value, int | float):
                            times, values = found[f"{kind}_{key}", words]
                            times.append(when)
                            values.append(value)
        for (name, words), points in found.items():
            yield Course({"host": str(host.get("nodename") or ""), **dict(words)}, name, *points)
