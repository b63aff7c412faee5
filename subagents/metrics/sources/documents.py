"""Metrics as JSON documents: rows, JSON lines, service -> metric -> points, or the answer of a monitoring system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from subagents.files import read_all
from subagents.metrics.series import Points
from subagents.metrics.sources.exports import courses_of, failure_of, named
from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, VALUE_NAMES
from subagents.metrics.sources.stamps import stamp_of
from subagents.metrics.sources.table import Faults


def read_metric_json(path: Path, faults: Faults, service: str = "") -> tuple[Points, str]:
    """Read metrics.json: a list of rows, JSON lines, or service -> metric -> points."""
    raw, problem = read_all(path, faults.name)
    if problem is not None:
        faults.problems.append(problem)
    tree, layout = decode_json(raw, faults)
    if failure := failure_of(tree):
        faults.note(f"holds a failed query instead of data: {failure}", lost="the whole file", todo="ask again")
    courses = courses_of(tree, faults.name.rsplit("/", 1)[-1].split(".")[0])
    if courses:
        triples = ((who, what, *point) for who, what, pairs in named(courses, service) for point in pairs)
        return _gathered(triples, faults), "answer of a monitoring system"
    if isinstance(tree, dict) and isinstance(tree.get("data"), list | dict):
        tree = tree["data"].get("result", tree["data"]) if isinstance(tree["data"], dict) else tree["data"]
    points = _gathered(_walk(tree, service), faults)
    return points, layout if points.labels else ""


def _gathered(quads: Iterable[tuple[str, str, object, object]], faults: Faults) -> Points:
    points, bad, infinite = Points(), 0, 0
    gathered: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for who, what, when, value in quads:
        stamp, number = stamp_of(when), _number(value)
        if number is not None and np.isnan(number) and stamp is not None:
            continue
        if stamp is None or number is None or not what:
            bad += 1
            continue
        if not np.isfinite(number):
            infinite += 1
            continue
        times, values = gathered.setdefault((who, what), ([], []))
        times.append(stamp)
        values.append(number)
    if bad:
        faults.note("points without a readable time, name or number", lost=f"{bad} point(s)", count=bad)
    if infinite:
        faults.note("the value is infinite", lost=f"{infinite} point(s)", count=infinite)
    for (who, what), (times, values) in gathered.items():
        points.add(who, what, np.array(times), np.array(values))
    return points


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


def _number(value: object) -> float | None:
    if value is None:
        return float("nan")
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float | str):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return None
    return None


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if name in row), None)


def _walk(tree: Any, service: str) -> Iterator[tuple[str, str, object, object]]:
    """Yield (service, metric, time, value) of every point found in a tree."""
    if isinstance(tree, list):
        for row in tree:
            if isinstance(row, dict):
                yield from _row(row, service)
    elif isinstance(tree, dict):
        for name, inner in tree.items():
            if isinstance(inner, dict):
                for metric, series in inner.items():
                    yield from _points(name, metric, series)
            else:
                yield from _points(service, name, inner)


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
