"""Which column or label is the time, the value, the metric's name, the service."""

from __future__ import annotations

import re
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
FAILED = re.compile(
    r"(code|status\w*)=5(\d\d|xx)|(status|result|outcome)=(server_?)?(error|fail)"
    r"|grpc_?(code|status)=(unknown|deadline_?exceeded|resource_?exhausted|internal|unavailable|data_?loss)",
    re.IGNORECASE,
)
"""Labels of requests that failed."""
_QUOTED = re.compile(r"([\w.:-]+)\s*=\s*\"((?:[^\"\\]|\\.)*)\"(?:,\s*|\s*(?=\}))?")
"""A label as Prometheus writes it, and what parts it from the next."""


def plain_labels(name: str) -> str:
    """Return a name that holds labels as Prometheus writes them, `a{le="1", code="500"}`, as series are called here.

    Tables hold such names as they were copied: in quotes neither a bucket's bound nor a failed request is known as one.
    """
    bare, brace, labels = name.partition("{")
    if '="' not in labels.replace(" ", ""):
        return name
    rest, more, apart = labels.rpartition("}{")  # what told the rows apart besides
    inner = ",".join(f"{key}={value}" for key, value in _QUOTED.findall(rest or labels))
    return f"{bare}{brace}{inner}{',' if more else ''}{apart if more else '}'}"


def first_of(names: Iterable[str], wanted: tuple[str, ...]) -> str | None:
    """Return the one that bears the first of these names, whatever the case."""
    lower = {name.lower(): name for name in names}
    return next((lower[name] for name in wanted if name in lower), None)
