"""Metric files: long, wide and single-series CSV, and JSON as rows or service -> metric -> points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from subagents.files import read_all
from subagents.metrics.series import Floats, Points
from subagents.metrics.sources.stamps import stamp_of
from subagents.metrics.sources.table import Faults, Table, numbers_of, read_table, stamps_of

TIME_NAMES = ("ts", "timestamp", "time", "datetime", "date", "@timestamp", "t", "epoch", "_time")
VALUE_NAMES = ("value", "val", "v", "_value")
METRIC_NAMES = ("metric", "name", "metric_name", "series", "__name__", "_field")
SERVICE_NAMES = ("service", "service_name", "svc", "app", "job", "component", "resource", "host", "instance", "pod")
NULLS = ("", "nan", "null", "none", "na", "n/a", "-")


def pick(header: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    """Return the header's column that bears the first of these names, whatever the case."""
    lower = {column.lower(): column for column in header}
    return next((lower[name] for name in names if name in lower), None)


def read_metric_csv(path: Path, faults: Faults, service: str = "") -> tuple[Points, str]:
    """Read a CSV of metrics; return its points and the layout found (`long`, `wide`, `single`, or empty)."""
    points = Points()
    table = read_table(path, faults)
    if table is None:
        return points, ""
    time = pick(table.header, TIME_NAMES)
    if time is None:
        faults.note(
            f"no time column among: {', '.join(table.header[:8])}",
            lost="the whole file",
            todo="name the time column ts, timestamp or time",
        )
        return points, ""
    metric, value = pick(table.header, METRIC_NAMES), pick(table.header, VALUE_NAMES)
    times = stamps_of(table.text(time), faults)
    faults.add("the time is not readable", table.line.filter(pl.Series(np.isnan(times))).to_list())
    if metric and value:
        owner = pick(tuple(h for h in table.header if h != metric), SERVICE_NAMES)
        _long(table, (owner, metric, value), times, faults, points, service)
        return points, "long"
    columns = [name for name in table.header if name != time]
    owner = pick(tuple(columns), SERVICE_NAMES[:3])
    if owner:
        _wide_by_service(table, owner, [c for c in columns if c != owner], times, faults, points)
        return points, "wide"
    stem = path.name.split(".")[0]
    if len(columns) == 1:
        _column(table, columns[0], times, faults, points, (service, stem if value else columns[0]))
        return points, "single"
    for column, label in zip(columns, split_names(columns, service), strict=True):
        _column(table, column, times, faults, points, label)
    return points, "wide"


def split_names(columns: list[str], service: str = "") -> list[tuple[str, str]]:
    """Return (service, metric) of wide column names: `service:metric`, `service/metric`, or `service_metric`.

    `service_metric` is split only where at least two columns share the part before the first underscore.
    """
    for mark in ("::", ":", "/", "|", "."):
        if all(mark in column.strip(mark) for column in columns):
            return [(c.split(mark, 1)[0], c.split(mark, 1)[1]) for c in columns]
    if service or not all("_" in column.strip("_") for column in columns):
        return [(service, column) for column in columns]
    firsts = [column.split("_", 1)[0] for column in columns]
    shared = all(firsts.count(first) > 1 for first in firsts) and len(set(firsts)) > 1
    return [tuple(c.split("_", 1)) if shared else (service, c) for c in columns]  # type: ignore[misc]


def _values(column: pl.Series, line: pl.Series, times: Floats, faults: Faults) -> tuple[Floats, Any]:
    """Return numbers and which rows are usable; text, infinities are faults, empty and NaN cells are gaps."""
    values = numbers_of(column)
    missing = np.isnan(values)
    gap = column.str.to_lowercase().is_in(NULLS).to_numpy()
    faults.add("the value is not a number", line.filter(pl.Series(missing & ~gap)).to_list())
    infinite = np.isinf(values)
    faults.add("the value is infinite", line.filter(pl.Series(infinite)).to_list())
    return values, ~(missing | infinite | np.isnan(times))


def _column(table: Table, column: str, times: Floats, faults: Faults, points: Points, label: tuple[str, str]) -> None:
    values, usable = _values(table.text(column), table.line, times, faults)
    if usable.any():
        points.add(*label, times[usable], values[usable])


def _long(
    table: Table,
    columns: tuple[str | None, str, str],
    times: Floats,
    faults: Faults,
    points: Points,
    service: str,
) -> None:
    owner, metric, value = columns
    values, usable = _values(table.text(value), table.line, times, faults)
    names = table.text(metric)
    unnamed = (names == "").to_numpy()
    faults.add("the metric has no name", table.line.filter(pl.Series(unnamed)).to_list())
    usable &= ~unnamed
    owners = table.text(owner) if owner else pl.repeat(service, len(table), eager=True, dtype=pl.String)
    frame = pl.DataFrame({"s": owners, "m": names, "row": np.arange(len(table))}).filter(pl.Series(usable))
    for (who, what), rows in frame.group_by("s", "m", maintain_order=True):
        index = rows["row"].to_numpy()
        points.add(str(who), str(what), times[index], values[index])


def _wide_by_service(
    table: Table, owner: str, columns: list[str], times: Floats, faults: Faults, points: Points
) -> None:
    owners = table.text(owner)
    for column in columns:
        values, usable = _values(table.text(column), table.line, times, faults)
        for who in owners.unique(maintain_order=True).to_list():
            rows = usable & (owners == who).to_numpy()
            if rows.any():
                points.add(str(who), column, times[rows], values[rows])


def read_metric_json(path: Path, faults: Faults, service: str = "") -> tuple[Points, str]:
    """Read metrics.json: a list of rows, JSON lines, or service -> metric -> points."""
    raw, problem = read_all(path, faults.name)
    if problem is not None:
        faults.problems.append(problem)
    tree, layout = decode_json(raw, faults)
    if isinstance(tree, dict) and isinstance(tree.get("data"), list | dict):
        tree = tree["data"].get("result", tree["data"]) if isinstance(tree["data"], dict) else tree["data"]
    points, bad = Points(), 0
    gathered: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for who, what, when, value in _walk(tree, service):
        stamp, number = stamp_of(when), _number(value)
        if number is not None and np.isnan(number) and stamp is not None:
            continue
        if stamp is None or number is None or not np.isfinite(number) or not what:
            bad += 1
            continue
        times, values = gathered.setdefault((who, what), ([], []))
        times.append(stamp)
        values.append(number)
    if bad:
        faults.note("points without a readable time, name or number", lost=f"{bad} point(s)", count=bad)
    for (who, what), (times, values) in gathered.items():
        points.add(who, what, np.array(times), np.array(values))
    return points, layout if gathered else ""


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
    what = str(_first(labels, METRIC_NAMES[:1] + METRIC_NAMES[1:]) or "")
    if labels is not row:  # Prometheus: {"metric": {labels}, "values": [[t, v], …]}
        what = str(labels.get("__name__", "")) or what
    series = row.get("values", row.get("points", row.get("datapoints")))
    if series is None:
        yield who, what, _first(row, TIME_NAMES), _first(row, VALUE_NAMES)
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
