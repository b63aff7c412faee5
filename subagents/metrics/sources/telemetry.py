"""OpenTelemetry's metrics in JSON: gauges and sums; of histograms and summaries count, sum and quantiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from subagents.metrics.sources.buckets import Spread
from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.naming import Labels
from subagents.metrics.sources.parts import dicts, within

_KINDS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
_DELTA = (1, "1", "AGGREGATION_TEMPORALITY_DELTA")
_LabelSet = tuple[tuple[str, str], ...]


def telemetry(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What an OTLP exporter sends or a collector writes to a file."""
    for resource in dicts(answer.get("resourceMetrics")):
        owner = _attributes(within(resource, "resource", "attributes"))
        for scope in dicts(resource.get("scopeMetrics")):
            for metric in dicts(scope.get("metrics")):
                yield from _metric(metric, owner, stem)


def _metric(metric: dict[str, Any], owner: Labels, stem: str) -> Iterator[Course]:
    name = str(metric.get("name") or stem)
    held: dict[str, Any] = next((metric[kind] for kind in _KINDS if isinstance(metric.get(kind), dict)), {})
    grouped: dict[tuple[str, _LabelSet], tuple[list[object], list[object]]] = defaultdict(lambda: ([], []))
    for point in dicts(held.get("dataPoints")):
        labels = owner | _attributes(point.get("attributes"))
        for suffix, more, value in _values(point, delta=held.get("aggregationTemporality") in _DELTA):
            times, values = grouped[name + suffix, tuple(sorted((labels | more).items()))]
            times.append(point.get("timeUnixNano"))
            values.append(value)
    for (full, label_set), points in grouped.items():
        yield Course(dict(label_set), full, *points)


def _values(point: dict[str, Any], delta: bool) -> Iterator[tuple[str, Labels, object]]:
    """Yield suffix, labels and value of what one point holds: buckets that go on counting as Prometheus has them."""
    for key, suffix in (("asDouble", ""), ("asInt", ""), ("count", "_count"), ("sum", "_sum")):
        if key in point:
            yield suffix, {}, point[key]
    for one in dicts(point.get("quantileValues")):
        share = one.get("quantile", 0)
        if isinstance(share, int | float):
            yield f"_p{100 * share:g}", {}, one.get("value")
    bounds = point.get("explicitBounds")
    if isinstance(bounds, list):
        spread = Spread.of(point.get("bucketCounts"), bounds)
        if delta:
            yield from ((suffix, {}, value) for suffix, value in spread.quantiles())
        else:
            for bound, count in zip(spread.bounds, spread.up_to, strict=True):
                yield "_bucket", {"le": "+Inf" if bound == float("inf") else f"{bound:g}"}, count


def _attributes(value: Any) -> Labels:
    found: Labels = {}
    for one in dicts(value):
        inner = one.get("value")
        text = next(iter(inner.values()), "") if isinstance(inner, dict) else inner
        if one.get("key") and isinstance(text, str | int | float):
            found[str(one["key"])] = str(text)
    return found
