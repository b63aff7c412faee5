"""What collectors write as JSON, a measurement to a record: Telegraf, Metricbeat, CloudWatch's streams, Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.naming import Labels
from subagents.metrics.sources.parts import dicts, labels_of, within
from subagents.metrics.sources.units import factor

_ABOUT = {"@metadata", "@timestamp", "agent", "ecs", "event", "metricset", "fields", "tags"}
"""What Metricbeat says of itself."""
_IDS = {"pid", "ppid", "pgid"}
"""What is a number, and no measurement: it tells processes of one name apart."""
MOST_LEVELS = 8
_STREAMED = {"max": "_Maximum", "min": "_Minimum", "sum": "_Sum", "count": "_SampleCount"}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(\w{0,2})")


def telegraf(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """One measurement of Telegraf's JSON, or a batch of them."""
    for one in dicts(answer.get("metrics")) if "metrics" in answer else [answer]:
        fields, labels = one.get("fields"), labels_of(one.get("tags"))
        if isinstance(fields, dict) and "timestamp" in one and isinstance(one.get("name"), str):
            for key, value in fields.items():
                if isinstance(value, int | float):
                    yield Course(labels, f"{one['name']}_{key}", [one["timestamp"]], [value])


def metricbeat(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """One event of Metricbeat: every number by its path, its shares as per cent, what is named in it as labels."""
    if isinstance(within(answer, "metricset", "name"), str) and "@timestamp" in answer:
        numbers, labels = dict[str, float](), dict[str, str]()
        _walked({key: part for key, part in answer.items() if key not in _ABOUT}, (), numbers, labels)
        for name, number in numbers.items():
            yield Course(labels, name, [answer["@timestamp"]], [number])


def _walked(tree: dict[str, Any], path: tuple[str, ...], numbers: dict[str, float], labels: Labels) -> None:
    for key, part in tree.items():
        if isinstance(part, dict) and len(path) < MOST_LEVELS:
            _walked(part, (*path, key), numbers, labels)
        elif isinstance(part, str) and key == "name" and path:
            labels[path[-1]] = part
        elif isinstance(part, int | float) and not isinstance(part, bool):
            if key in _IDS:
                labels[key] = str(part)
            else:
                numbers[".".join((*path, key))] = part * 100 if key == "pct" else part


def metric_stream(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """One record of a CloudWatch metric stream: its statistics, and the average."""
    held = answer.get("value")
    if "metric_stream_name" in answer and isinstance(held, dict):
        name, labels = str(answer.get("metric_name") or stem), labels_of(answer.get("dimensions"))
        numbers = {key: number for key, number in held.items() if isinstance(number, int | float)}
        if numbers.get("count") and "sum" in numbers:
            yield Course(labels, f"{name}_Average", [answer.get("timestamp")], [numbers["sum"] / numbers["count"]])
        for key, number in numbers.items():
            yield Course(labels, name + _STREAMED.get(key, f"_{key}"), [answer.get("timestamp")], [number])


def kubernetes(answer: dict[str, Any], stem: str) -> Iterator[Course]:
    """What Kubernetes' metrics API answers: the usage of pods' containers, or of nodes, at one moment."""
    items = dicts(answer["items"]) if isinstance(answer.get("items"), list) else [answer]
    for item in items if str(answer.get("apiVersion", "")).startswith("metrics.k8s.io") else ():
        name, space = within(item, "metadata", "name"), within(item, "metadata", "namespace")
        for one in dicts(item["containers"]) if "containers" in item else [item]:
            labels = {"namespace": space, "pod": name, "container": one.get("name")} if "containers" in item else {}
            usage = one.get("usage")
            for key, written in usage.items() if isinstance(usage, dict) else ():
                yield Course(labels_of(labels or {"host": name}), key, [item.get("timestamp")], [_quantity(written)])


def _quantity(written: Any) -> float | None:
    """Return a number of Kubernetes, `250m`, `512Mi` or `1234567n`, as a plain one."""
    found = _QUANTITY.fullmatch(written) if isinstance(written, str) else None
    scale = factor(found[2]) if found else None
    return None if found is None or scale is None else float(found[1]) * scale
