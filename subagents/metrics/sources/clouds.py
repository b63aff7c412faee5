"""What the clouds' monitoring and searches answer in JSON: CloudWatch, Azure Monitor, Google Cloud, Elasticsearch."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from subagents.metrics.sources.buckets import Spread
from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.naming import Labels
from subagents.metrics.sources.parts import dicts, labels_of, within
from subagents.metrics.sources.stamps import epoch_seconds

_STATISTICS = ("Average", "Sum", "Maximum", "Minimum", "SampleCount")
_RESOURCE = re.compile(r"/([^/]+)/providers/microsoft\.insights/", re.IGNORECASE)
MOST_LEVELS = 6
"""Aggregations within aggregations that are followed."""


def cloudwatch(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What `get-metric-data` and `get-metric-statistics` answer."""
    for one in dicts(answer.get("MetricDataResults")):
        stamps, values = one.get("Timestamps"), one.get("Values")
        if isinstance(stamps, list) and isinstance(values, list):
            count = min(len(stamps), len(values))
            yield Course({}, str(one.get("Label") or one.get("Id") or stem), stamps[:count], values[:count])
    points = [one for one in dicts(answer.get("Datapoints")) if "Timestamp" in one]
    label = str(answer.get("Label") or stem)
    kinds = [k for k in _STATISTICS if any(k in one for one in points)]
    for kind in kinds:
        held = [one for one in points if kind in one]
        name = label if len(kinds) == 1 else f"{label}_{kind}"
        yield Course({}, name, [one["Timestamp"] for one in held], [one[kind] for one in held])


def azure(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What Azure Monitor's metrics answer: the resource is the service, each aggregation a series."""
    for metric in dicts(answer.get("value")):
        name = within(metric, "name", "value")
        resource = _RESOURCE.search(str(metric.get("id", "")))
        for one in dicts(metric.get("timeseries")):
            labels = {str(within(m, "name", "value")): str(m.get("value")) for m in dicts(one.get("metadatavalues"))}
            if resource is not None:
                labels = {"service": resource[1], **labels}
            points = [point for point in dicts(one.get("data")) if "timeStamp" in point]
            kinds = list(dict.fromkeys(key for point in points for key in point if key != "timeStamp"))
            for kind in kinds:
                held = [point for point in points if kind in point]
                full = f"{name or stem}_{kind}" if len(kinds) > 1 else str(name or stem)
                yield Course(labels, full, [point["timeStamp"] for point in held], [point[kind] for point in held])


def google(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What Google Cloud's `timeSeries.list` answers; of distributions count, mean and quantiles."""
    for one in dicts(answer.get("timeSeries")):
        labels = _google_labels(one)
        name = str(within(one, "metric", "type") or stem)
        times: dict[str, list[object]] = defaultdict(list)
        values: dict[str, list[object]] = defaultdict(list)
        for point in dicts(one.get("points")):
            for suffix, value in _google_values(point.get("value")):
                times[suffix].append(within(point, "interval", "endTime"))
                values[suffix].append(value)
        for suffix in values:
            yield Course(labels, name + suffix, times[suffix], values[suffix])


def _google_labels(one: dict[str, Any]) -> Labels:
    found = labels_of(within(one, "metric", "labels"))
    for key, value in labels_of(within(one, "resource", "labels")).items():
        found[key if key not in found else f"resource_{key}"] = value
    return found


def _google_values(value: Any) -> Iterator[tuple[str, object]]:
    for key, held in value.items() if isinstance(value, dict) else ():
        if key != "distributionValue":
            yield "", held
        elif isinstance(held, dict):
            yield "_count", held.get("count", 0)
            if "mean" in held:
                yield "_mean", held["mean"]
            yield from Spread.of(held.get("bucketCounts"), _google_bounds(held.get("bucketOptions"))).quantiles()


def _google_bounds(options: Any) -> list[object]:
    explicit = within(options, "explicitBuckets", "bounds")
    if isinstance(explicit, list):
        return explicit
    linear, growing = within(options, "linearBuckets"), within(options, "exponentialBuckets")
    try:
        if linear is not None:
            low, width = float(linear.get("offset", 0)), float(linear["width"])
            return [low + width * place for place in range(int(linear["numFiniteBuckets"]) + 1)]
        if growing is not None:
            scale, factor = float(growing["scale"]), float(growing["growthFactor"])
            return [scale * factor**place for place in range(int(growing["numFiniteBuckets"]) + 1)]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        pass
    return []


def searched(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """Aggregations of Elasticsearch or OpenSearch: buckets over time, what encloses them as labels."""
    found: dict[tuple[tuple[tuple[str, str], ...], str], tuple[list[object], list[object]]] = {}
    for labels, name, when, value in _aggregated(answer.get("aggregations"), (), MOST_LEVELS):
        times, values = found.setdefault((labels, name), ([], []))
        times.append(when)
        values.append(value)
    for (labels, name), points in found.items():
        yield Course(_named_by_value(labels), name or stem, *points)


def _named_by_value(labels: tuple[tuple[str, str], ...]) -> Labels:
    """Return labels as they are called, `by_service` as `service`."""
    return {re.sub(r"^(by|per|group_by)[_-]", "", key): value for key, value in labels}


def _aggregated(
    tree: Any, labels: tuple[tuple[str, str], ...], levels: int
) -> Iterator[tuple[tuple[tuple[str, str], ...], str, object, object]]:
    for name, held in tree.items() if isinstance(tree, dict) and levels else ():
        for bucket in dicts(within(held, "buckets")):
            inner = {key: part for key, part in bucket.items() if isinstance(part, dict)}
            key = bucket.get("key")
            if "key_as_string" in bucket and isinstance(key, int | float) and epoch_seconds(key) is not None:
                yield labels, f"{name}_count", key, bucket.get("doc_count")
                for what, part in inner.items():
                    if "value" in part:
                        yield labels, what, key, part["value"]
                    for kind, number in _percentiles(part.get("values")):
                        yield labels, f"{what}_{kind}", key, number
            else:
                yield from _aggregated(inner, (*labels, (name, str(key))), levels - 1)


def _percentiles(values: Any) -> Iterator[tuple[object, object]]:
    """Yield names and numbers, keyed or as a list."""
    if isinstance(values, dict):
        yield from values.items()
    yield from ((one.get("key"), one.get("value")) for one in dicts(values))
