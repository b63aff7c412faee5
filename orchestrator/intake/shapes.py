"""What a JSON document or a table is, by its shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

from pydantic import JsonValue

from orchestrator.intake.alerts import looks_like_alert, payload_kind
from orchestrator.intake.manifest import looks_like_case, looks_like_manifest
from subagents.contract import SourceKind
from subagents.metrics.sources.exports import is_answer
from subagents.metrics.sources.heads import head_of, is_number, numbers_below, only_words_below
from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, first_of
from subagents.metrics.sources.nested import holds_points
from subagents.metrics.sources.parts import rows_within
from subagents.metrics.sources.stamps import stamp_of

Role = SourceKind | Literal["alert", "manifest", "case"]

TIME_KEYS = ("ts", "timestamp", "time", "datetime", "date", "@timestamp")
_COMMIT_KEYS = {"sha", "commit", "commit_sha", "id", "hash"}
_WRAPPERS: dict[str, SourceKind] = {
    "commits": "commits",
    "deploys": "deploys",
    "deployments": "deploys",
    "releases": "deploys",
    "flags": "flags",
    "feature_flags": "flags",
    "spans": "spans",
    "traces": "spans",
    "resourceSpans": "spans",
    "metrics": "metrics",
    "series": "metrics",
}


def table_role(lines: Sequence[str]) -> tuple[Role | None, dict[str, str]]:
    """Return what a CSV file is by its first lines; `series` is `single` where it holds one unnamed metric."""
    head = head_of(lines)
    if head is None:
        return None, {}
    columns = [name.lower() for name in head.names]
    called = not head.unnamed and any(name in TIME_KEYS or name == "_time" for name in columns)
    told = "value" in columns if head.unnamed else numbers_below(head, lines, only=True)
    timed = called or (head.time is not None and told)
    if "caller" in columns and ("callee" in columns or "service" in columns):
        return ("trace_edges" if timed else "topology"), {}
    if timed and "value" in columns:
        return "metrics", {} if "metric" in columns or "name" in columns else {"series": "single"}
    if timed and len(columns) > 1 and not {"message", "msg"} & set(columns) and not only_words_below(head, lines):
        return "metrics", {"series": "wide"}
    return None, {}


def document_role(document: JsonValue) -> Role | None:
    """Return what a JSON document is by its shape alone."""
    if looks_like_case(document):
        return "case"
    if payload_kind(document) is not None:
        return "alert"
    if isinstance(document, list):
        role = "alert" if looks_like_alert(document) else records_role(document)
        return role or ("metrics" if is_answer(document) else None)
    if not isinstance(document, dict):
        return None
    if looks_like_manifest(document):
        return "manifest"
    wrapped = next((kind for key, kind in _WRAPPERS.items() if isinstance(document.get(key), list)), None)
    if wrapped is not None:
        return wrapped
    if looks_like_alert(document):
        return "alert"
    if _is_nested_metrics(document) or is_answer(document):
        return "metrics"
    rows = list(islice(rows_within(document), 50))
    if rows and records_role(rows) not in (None, "metrics"):
        return None
    return "metrics" if (rows and all(map(_is_sampled, rows))) or holds_points(document) else None


def records_role(records: Sequence[JsonValue]) -> Role | None:
    """Return what a list of records is, by the keys that most of the first ones share."""
    sample = [record for record in records[:50] if isinstance(record, dict)]
    if not sample or len(sample) * 2 < len(records[:50]):
        return None
    return next((role for role, test in _TESTS if sum(map(test, sample)) * 2 > len(sample)), None)


def _has(record: Mapping[str, JsonValue], *groups: Iterable[str]) -> bool:
    return all(any(key in record for key in group) for group in groups)


def _is_span(record: Mapping[str, JsonValue]) -> bool:
    return _has(record, ("trace_id", "traceId", "traceID"), ("span_id", "spanId", "spanID"))


def _is_metric(record: Mapping[str, JsonValue]) -> bool:
    return _has(record, TIME_KEYS, ("metric", "name"), ("value",)) or _has(record, ("metric",), ("points", "values"))


def _is_sampled(record: Mapping[str, JsonValue]) -> bool:
    """Say whether a record has a time and numbers, and no other words than whose they are, and of what."""
    time = first_of(record, TIME_NAMES)
    numbers = [key for key, value in record.items() if key != time and _is_number(value)]
    named = {time, *(name for name in record if name.lower() in (*SERVICE_NAMES, *METRIC_NAMES))}
    words = [key for key, value in record.items() if isinstance(value, str) and key not in (*named, *numbers)]
    late = time is not None and isinstance(record[time], int | float) and stamp_of(record[time]) is None
    return time is not None and not late and bool(numbers) and not words


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and is_number(value))


def _is_flag(record: Mapping[str, JsonValue]) -> bool:
    return _has(record, ("flag", "flag_key", "feature", "feature_flag"))


def _is_commit(record: Mapping[str, JsonValue]) -> bool:
    return _has(record, _COMMIT_KEYS, ("message", "subject", "files", "files_changed", "diff", "author")) and not _has(
        record, ("service",), ("version", "environment", "env")
    )


def _is_deploy(record: Mapping[str, JsonValue]) -> bool:
    when = (*TIME_KEYS, "deployed_at", "started_at", "finished_at", "created_at", "at")
    what = ("version", "commit_sha", "commit", "sha", "image", "tag", "revision", "release", "deploy_id")
    return _has(record, when, what, ("service", "app", "environment", "env", "deployed_at", "deploy_id"))


def has_message(record: Mapping[str, JsonValue]) -> bool:
    """Say whether a record holds a text for people, as those of logs do."""
    fields = record.get("fields")
    return _has(record, ("message", "msg", "log", "line", "body", "@message")) or (
        isinstance(fields, dict) and "message" in fields
    )


_TESTS: tuple[tuple[Role, Callable[[Mapping[str, JsonValue]], bool]], ...] = (
    ("spans", _is_span),
    ("metrics", _is_metric),
    ("flags", _is_flag),
    ("deploys", _is_deploy),
    ("logs", lambda record: has_message(record) and _has(record, TIME_KEYS) and not _is_commit(record)),
    ("commits", _is_commit),
)


def _is_nested_metrics(document: Mapping[str, JsonValue]) -> bool:
    """Service -> metric -> points."""
    inner = [value for value in list(document.values())[:20] if isinstance(value, dict)]
    if inner and len(inner) == len(document) and all(map(_is_course, inner)):
        return True
    if not inner or len(inner) < len(document) / 2:
        return False
    series = [points for value in inner for points in list(value.values())[:20]]
    return bool(series) and all(isinstance(points, list | dict) and _is_points(points) for points in series)


def _is_course(points: Mapping[str, JsonValue]) -> bool:
    when = next(iter(points), None)
    return when is not None and stamp_of(when) is not None and (points[when] is None or _is_number(points[when]))


def _is_points(points: JsonValue) -> bool:
    if isinstance(points, list) and points:
        first = points[0]
        return (isinstance(first, list) and len(first) == 2) or (isinstance(first, dict) and "value" in first)
    return isinstance(points, dict) and "values" in points
