"""Which column or label is the time, the value, the metric's name, the service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Labels: TypeAlias = dict[str, str]

TIME_NAMES = (
    *("ts", "timestamp", "time", "datetime", "date", "@timestamp", "t", "epoch", "_time", "timestamps"),
    *("clock", "begintimeseconds", "timegenerated"),
)
VALUE_NAMES = ("value", "val", "v", "_value", "metric_value")
METRIC_NAMES = ("metric", "name", "metric_name", "series", "__name__", "_field", "metricname", "itemid", "sf_metric")
LABEL_NAMES = ("labels", "tags", "dimensions", "attributes")
"""What holds the labels of a record."""
SERVICE_NAMES = (
    *("service", "service_name", "service.name", "svc", "app", "job", "component", "resource"),
    *("deployment", "workload", "container", "host", "host.name", "hostname", "instance", "pod"),
    *("approlename", "cloud_rolename", "facet"),
)


def first_of(names: Iterable[str], wanted: tuple[str, ...]) -> str | None:
    """Return the one that bears the first of these names, whatever the case."""
    lower = {name.lower(): name for name in names}
    return next((lower[name] for name in wanted if name in lower), None)
