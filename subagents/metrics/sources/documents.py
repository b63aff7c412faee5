"""Metrics as JSON documents: rows, JSON lines, service -> metric -> points, or the answer of a monitoring system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from subagents.files import read_all
from subagents.metrics.series import Points
from subagents.metrics.sources.courses import Course, named
from subagents.metrics.sources.exports import courses_of, failure_of
from subagents.metrics.sources.gathering import gather
from subagents.metrics.sources.naming import LABEL_NAMES, METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, VALUE_NAMES, first_of
from subagents.metrics.sources.nested import courses_within, holds_points
from subagents.metrics.sources.parts import rows_within
from subagents.metrics.sources.points import read_rows
from subagents.metrics.sources.stamps import stamp_of
from subagents.metrics.sources.table import Faults

EVERY = 4096
"""Records between two that are told of: most of the time nobody asks."""
MOST_ROWS = 5_000_000
"""Records of one document that are read; more than fit its largest size."""


def read_metric_json(path: Path, faults: Faults, service: str = "") -> tuple[Points, str]:
    """Read metrics.json: a list of rows, JSON lines, or service -> metric -> points."""
    raw, problem = read_all(path, faults.name)
    if problem is not None:
        faults.problems.append(problem)
    tree, layout = decode_json(raw, faults)
    failure = failure_of(tree)
    if failure:
        faults.note(f"holds a query's failure instead of data: {failure}", lost="the whole file", todo="ask again")
    stem = faults.name.rsplit("/", 1)[-1].split(".")[0]
    answered = courses_of(tree, stem)
    if answered:
        return gather(answered, named(answered, service), faults, range(len(raw))), "answer of a monitoring system"
    owner = first_of(tree, SERVICE_NAMES) if isinstance(tree, dict) else None
    service = tree[owner] if owner is not None and isinstance(tree[owner], str) else service
    walked = len(raw) // 2
    found = _unwrapped(tree) if not _labelled(tree) else []
    courses, labels = _grouped(_told(found, faults, walked), service)
    told = len(faults.problems)
    points = gather(courses, labels, faults, range(walked, len(raw)))
    one_list = not points.labels and not holds_points(tree, least=2)
    rows = list(islice(rows_within(tree), MOST_ROWS)) if one_list else []
    if rows:
        del faults.problems[told:]
        points = read_rows(rows, faults, (service, stem))
    if not points.labels and layout and not failure and (courses := courses_within(tree, stem)):
        del faults.problems[told:]
        points = gather(courses, named(courses, service), faults, range(walked, len(raw)))
    if not points.labels and layout and not failure:
        faults.note(
            "no series in a form that is known",
            lost="the whole file",
            todo="give rows of ts, service, metric and value, service -> metric -> points, or what Prometheus, "
            "Grafana, InfluxDB, Graphite, CloudWatch, Azure, Google Cloud, Datadog or OpenTelemetry answer",
        )
    return points, layout if points.labels else ""


def decode_json(raw: bytes, faults: Faults) -> tuple[Any, str]:
    """Decode a JSON document or JSON lines; bad lines are faults."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(raw), "json"
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        whole = str(error)
    rows, bad = [], []
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            try:
                rows.append(msgspec.json.decode(line))
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                bad.append(number)
    rows = [row for row in rows if isinstance(row, dict)]
    if not rows:
        faults.note(f"not JSON ({whole})", lost="the whole file", todo="repair the file and attach it again")
        return [], ""
    faults.add("the line is not JSON", bad)
    return rows, "json lines"


def _unwrapped(tree: Any) -> Any:
    """Return what a document wraps, where it wraps something."""
    for key in ("data", "metrics"):
        if isinstance(tree, dict) and isinstance(tree.get(key), list | dict):
            tree = tree[key].get("result", tree[key]) if isinstance(tree[key], dict) else tree[key]
    return tree


def _told(tree: Any, faults: Faults, size: int) -> Any:
    """Return a document whose records tell, as they are taken, how far it is in so many bytes."""

    def records(rows: list[Any]) -> Iterator[Any]:
        for place, row in enumerate(rows):
            if place % EVERY == 0:
                faults.on_read(size * place // len(rows))
            yield row

    return records(tree) if isinstance(tree, list) else tree


def _labelled(tree: Any) -> bool:
    """Say whether a document is a list of records with labels of their own."""
    first = tree[0] if isinstance(tree, list) and tree else None
    return isinstance(first, dict) and any(isinstance(first.get(key), dict) for key in LABEL_NAMES)


def _grouped(tree: Any, service: str) -> tuple[list[Course], list[tuple[str, str]]]:
    """Return the series of a tree whose points may lie anywhere, and what each is called."""
    gathered: dict[tuple[str, str], tuple[list[object], list[object]]] = {}
    for who, what, when, value in _walk(tree, service):
        times, values = gathered.setdefault((who, what), ([], []))
        times.append(when)
        values.append(value)
    return [Course({}, what, *points) for (_, what), points in gathered.items()], list(gathered)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if name in row), None)


def _walk(tree: Any, service: str) -> Iterator[tuple[str, str, object, object]]:
    """Yield (service, metric, time, value) of every point found in a tree."""
    if isinstance(tree, dict):
        for name, inner in tree.items():
            if isinstance(inner, dict) and inner and stamp_of(next(iter(inner))) is not None:
                yield from _points(service, name, inner)
            elif isinstance(inner, dict):
                for metric, series in inner.items():
                    yield from _points(name, metric, series)
            elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and _first(inner[0], METRIC_NAMES):
                yield from _walk(inner, service)
            else:
                yield from _points(service, name, inner)
    elif isinstance(tree, Iterable):
        for row in tree:
            if isinstance(row, dict):
                yield from _row(row, service)


def _row(row: dict[str, Any], service: str) -> Iterator[tuple[str, str, object, object]]:
    labels = row["metric"] if isinstance(row.get("metric"), dict) else row
    who = str(_first(labels, SERVICE_NAMES) or service)
    what = str(_first(labels, METRIC_NAMES) or "")
    if labels is not row:  # Prometheus: {"metric": {labels}, "values": [[t, v], …]}
        what = str(labels.get("__name__", "")) or what
    series = row.get("values", row.get("points", row.get("datapoints")))
    if series is None:
        when = _first(row, TIME_NAMES)
        if what or _first(row, VALUE_NAMES) is not None:
            yield who, what, when, _first(row, VALUE_NAMES)
        else:  # one row per moment, a metric to a key
            numbers = ((k, v) for k, v in row.items() if isinstance(v, int | float) and k not in TIME_NAMES)
            yield from ((who, name, when, number) for name, number in numbers)
    else:
        yield from _points(who, what, series)


def _points(who: str, what: str, series: Any) -> Iterator[tuple[str, str, object, object]]:
    if isinstance(series, dict):
        inner = series.get("points", series.get("values"))
        pairs = inner if isinstance(inner, list) else [[when, value] for when, value in series.items()]
    else:
        pairs = series if isinstance(series, list) else []
    for point in pairs:
        if isinstance(point, list) and len(point) >= 2:
            yield who, what, point[0], point[1]
        elif isinstance(point, dict):
            yield who, what, _first(point, TIME_NAMES), _first(point, VALUE_NAMES)
        else:
            yield who, what, None, None
