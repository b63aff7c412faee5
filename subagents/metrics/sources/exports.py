"""JSON as monitoring systems answer: Prometheus, InfluxDB, Graphite, CloudWatch, Datadog, OpenTelemetry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from subagents.metrics.sources.naming import SERVICE_NAMES, Labels, first_of


@dataclass(frozen=True)
class Course:
    """One series as an answer holds it: its labels, its name, and its points as they are written."""

    labels: Labels
    name: str
    points: list[tuple[object, object]]


def courses_of(tree: Any, stem: str) -> list[Course]:
    """Return the series of one answer, or of a list of answers; none where it is not such an answer.

    `stem` names series that their system left without a name: the result of an expression.
    """
    answers = tree if isinstance(tree, list) else [tree]
    found: list[Course] = []
    for answer in answers:
        if isinstance(answer, dict):
            for reader in READERS:
                courses = list(reader(answer, stem))
                if courses:
                    found += courses
                    break
    return found


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
    refused = str(tree.get("status", "")).lower() in ("error", "fail", "failed") or "errorType" in tree
    said = tree.get("error") or tree.get("message") or tree.get("errors")
    return str(said)[:300] if refused and said else ""


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _labels(value: Any) -> Labels:
    return {str(k): str(v) for k, v in value.items() if v not in (None, "")} if isinstance(value, dict) else {}


def _pairs(value: Any, time: int = 0, number: int = 1) -> list[tuple[object, object]]:
    rows = value if isinstance(value, list) else []
    return [(row[time], row[number]) for row in rows if isinstance(row, list) and len(row) >= 2]


def _prometheus(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """A matrix or a vector, of Prometheus, Thanos, Mimir or VictoriaMetrics; or Loki's metric queries."""
    data = answer.get("data", answer)
    for one in _dicts(data.get("result") if isinstance(data, dict) else None):
        labels = _labels(one.get("metric"))
        points = one.get("values", [one["value"]] if isinstance(one.get("value"), list) else None)
        if isinstance(one.get("metric"), dict) and isinstance(points, list):
            yield Course(labels, labels.pop("__name__", "") or stem, _pairs(points))


def _influx(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    for result in _dicts(answer.get("results")):
        for one in _dicts(result.get("series")):
            columns, rows = one.get("columns"), one.get("values")
            if not isinstance(columns, list) or "time" not in columns or not isinstance(rows, list):
                continue
            at, labels = columns.index("time"), _labels(one.get("tags"))
            for place, column in enumerate(columns):
                if place != at:
                    full = [row for row in rows if isinstance(row, list) and len(row) == len(columns)]
                    name = f"{one.get('name') or stem}_{column}"
                    yield Course(labels, name, [(row[at], row[place]) for row in full if row[place] is not None])


def _cloudwatch(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    for one in _dicts(answer.get("MetricDataResults")):
        stamps, values = one.get("Timestamps"), one.get("Values")
        if isinstance(stamps, list) and isinstance(values, list):
            name = str(one.get("Label") or one.get("Id") or stem)
            yield Course({}, name, list(zip(stamps, values, strict=False)))
    points = [one for one in _dicts(answer.get("Datapoints")) if "Timestamp" in one]
    label = str(answer.get("Label") or stem)
    kinds = [k for k in ("Average", "Sum", "Maximum", "Minimum", "SampleCount") if any(k in one for one in points)]
    for kind in kinds:
        name = label if len(kinds) == 1 else f"{label}_{kind}"
        yield Course({}, name, [(one["Timestamp"], one[kind]) for one in points if kind in one])


def _datadog(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    for one in _dicts(answer.get("series")):
        tags = one.get("tag_set") or str(one.get("scope", "")).split(",")
        labels = dict(tag.split(":", 1) for tag in tags if isinstance(tag, str) and ":" in tag)
        if isinstance(one.get("pointlist"), list):
            yield Course(labels, str(one.get("metric") or stem), _pairs(one["pointlist"]))


def _graphite(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    points = answer.get("datapoints")
    if isinstance(answer.get("target"), str) and isinstance(points, list):
        yield Course(_labels(answer.get("tags")), answer["target"] or stem, _pairs(points, time=1, number=0))


def _telemetry(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """OTLP/JSON: gauges and sums; of histograms their count and sum."""
    for resource in _dicts(answer.get("resourceMetrics")):
        inner = resource.get("resource")
        owner = _attributes(inner.get("attributes") if isinstance(inner, dict) else None)
        for scope in _dicts(resource.get("scopeMetrics")):
            for metric in _dicts(scope.get("metrics")):
                yield from _telemetry_metric(metric, owner, stem)


def _telemetry_metric(metric: dict[str, Any], owner: Labels, stem: str) -> Iterator[Course]:
    name = str(metric.get("name") or stem)
    held: dict[str, Any] = next(
        (metric[k] for k in ("gauge", "sum", "histogram", "summary") if isinstance(metric.get(k), dict)), {}
    )
    grouped: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[object, object]]] = defaultdict(list)
    for point in _dicts(held.get("dataPoints")):
        labels = tuple(sorted((owner | _attributes(point.get("attributes"))).items()))
        for key, suffix in (("asDouble", ""), ("asInt", ""), ("count", "_count"), ("sum", "_sum")):
            if key in point:
                grouped[name + suffix, labels].append((point.get("timeUnixNano"), point[key]))
    for (full, labels), points in grouped.items():
        yield Course(dict(labels), full, points)


def _attributes(value: Any) -> Labels:
    found: Labels = {}
    for one in _dicts(value):
        inner = one.get("value")
        text = next(iter(inner.values()), "") if isinstance(inner, dict) else inner
        if one.get("key") and isinstance(text, str | int | float):
            found[str(one["key"])] = str(text)
    return found


READERS = (_prometheus, _influx, _cloudwatch, _datadog, _telemetry, _graphite)


def named(courses: Iterable[Course], service: str) -> list[tuple[str, str, list[tuple[object, object]]]]:
    """Return (service, name, points); labels that tell series of one service and name apart become part of the name."""
    listed = [(_owner(course, service), course) for course in courses]
    values: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    sizes = Counter(owner for owner, _ in listed)
    for owner, course in listed:
        for key, value in course.labels.items():
            values[owner][key].add(value)
    counts = Counter((owner, key) for owner, course in listed for key in course.labels)
    found = []
    for owner, course in listed:
        telling = (k for k in sorted(course.labels) if len(values[owner][k]) > 1 or counts[owner, k] < sizes[owner])
        inner = ",".join(f"{k}={course.labels[k]}" for k in telling)
        found.append((owner[0], f"{owner[1]}{{{inner}}}" if inner else owner[1], course.points))
    return found


def _owner(course: Course, service: str) -> tuple[str, str]:
    owner = first_of(course.labels, SERVICE_NAMES)
    return course.labels[owner] if owner else service, course.name
