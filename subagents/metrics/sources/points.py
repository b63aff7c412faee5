"""Metric files: long, wide and single-series CSV, and JSON as rows or service -> metric -> points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from subagents.files import read_all
from subagents.metrics.series import Floats, Points
from subagents.metrics.sources.cells import NULLS, PROBE, read_numbers
from subagents.metrics.sources.exports import Course, courses_of, failure_of, named
from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, VALUE_NAMES, first_of
from subagents.metrics.sources.stamps import stamp_of
from subagents.metrics.sources.table import BLOCK, Faults, Table, read_tables, stamps_of

_LEGEND = re.compile(r"([^{}]*)\{(.*)\}")
_LABEL = re.compile(r"([\w.]+)\s*[=:]\s*\"?([^\",]*)\"?")


@dataclass
class Reading:
    """How a table is read, decided on its first block: which column is what. A `metric` without `value` is a prefix."""

    time: str
    metric: str | None
    value: str | None
    owner: str | None
    columns: list[str]
    """Those of a wide table that hold numbers."""
    worded: bool
    telling: list[str] | None = None
    """Columns that tell rows of one metric and moment apart; None: not looked for yet."""

    @property
    def layout(self) -> str:
        """Return `long`, `wide` or `single`."""
        single = not self.worded and len(self.columns) == 1
        return "long" if self.metric and self.value else "single" if single else "wide"

    @classmethod
    def of(cls, table: Table, time: str) -> Reading:
        """Decide from the header, and from whether columns hold words or numbers."""
        metric, value = first_of(table.header, METRIC_NAMES), first_of(table.header, VALUE_NAMES)
        if metric and value:
            owner = first_of(tuple(h for h in table.header if h != metric), SERVICE_NAMES)
            return cls(time, metric, value, owner, [], worded=False)
        columns = [name for name in table.header if name != time]
        owner = first_of(columns, SERVICE_NAMES[:3])
        words = [name for name in columns if name != owner and _is_words(table.text(name))]
        numbers = [name for name in columns if name != owner and name not in words]
        if not numbers:
            return cls(time, None, value, owner, words, worded=bool(owner))
        return cls(time, metric, value, owner or first_of(words, SERVICE_NAMES), numbers, worded=bool(owner or words))


def read_metric_csv(path: Path, faults: Faults, service: str = "", block: int = BLOCK) -> tuple[Points, str]:
    """Read a CSV of metrics; return its points and the layout found (`long`, `wide`, `single`, or empty)."""
    points, reading = Points(), None
    stem = path.name.split(".")[0]
    for table in read_tables(path, faults, block):
        if reading is None:
            time = first_of(table.header, TIME_NAMES)
            if time is None:
                faults.note(
                    f"no time column among: {', '.join(table.header[:8])}",
                    lost="the whole file",
                    todo="name the time column ts, timestamp or time",
                )
                break
            reading = Reading.of(table, time)
        _read_block(table, reading, faults, points, (service, stem))
    return points, reading.layout if reading is not None else ""


def _read_block(table: Table, reading: Reading, faults: Faults, points: Points, default: tuple[str, str]) -> None:
    service, stem = default
    times = stamps_of(table.text(reading.time), faults)
    faults.add("the time is not readable", table.line.filter(pl.Series(np.isnan(times))).to_list())
    if reading.layout == "long":
        _long(table, reading, times, faults, points, service)
    elif reading.worded:
        _wide_by_row(table, reading, times, faults, points)
    elif reading.layout == "single":
        name = stem if reading.value else reading.columns[0]
        _column(table, reading.columns[0], times, faults, points, (service, name))
    else:
        for column, label in zip(reading.columns, split_names(reading.columns, service, stem), strict=True):
            _column(table, column, times, faults, points, label)


def _is_words(column: pl.Series) -> bool:
    """Say whether a column holds words rather than numbers, as far as its first cells go."""
    sample = column.filter(~column.str.to_lowercase().is_in(NULLS)).head(PROBE)
    return bool(len(sample)) and bool(np.isnan(read_numbers(sample)[0]).all())


def split_names(columns: list[str], service: str = "", stem: str = "value") -> list[tuple[str, str]]:
    """Return (service, metric) of wide column names: `service:metric`, `service/metric`, or `service_metric`.

    Legends of dashboards, `metric{service="shop", code="500"}`, are taken apart too.

    `service_metric` is split only where at least two columns share the part before the first underscore.
    """
    legends = [_LEGEND.fullmatch(column.strip()) for column in columns]
    if all(legends):
        courses = [Course(dict(_LABEL.findall(one[2])), one[1] or stem, []) for one in legends if one]
        return [(who, what) for who, what, _ in named(courses, service)]
    for mark in ("::", ":", "/", "|", "."):
        if all(mark in column.strip(mark) for column in columns):
            return [(c.split(mark, 1)[0], c.split(mark, 1)[1]) for c in columns]
    if service or not all("_" in column.strip("_") for column in columns):
        return [(service, column) for column in columns]
    firsts = [column.split("_", 1)[0] for column in columns]
    shared = all(firsts.count(first) > 1 for first in firsts) and len(set(firsts)) > 1
    return [tuple(c.split("_", 1)) if shared else (service, c) for c in columns]  # type: ignore[misc]


def _values(table: Table, name: str, times: Floats, faults: Faults) -> tuple[Floats, Any]:
    """Return numbers and which rows are usable; text, infinities are faults, empty and NaN cells are gaps."""
    column, line = table.text(name), table.line
    values, unit = read_numbers(column, base=table.part)
    if unit not in ("", "%"):
        faults.note(f"numbers of {column.name} are written with a unit: read as {unit}")
    missing = np.isnan(values)
    gap = column.str.to_lowercase().is_in(NULLS).to_numpy()
    faults.add("the value is not a number", line.filter(pl.Series(missing & ~gap)).to_list())
    infinite = np.isinf(values)
    faults.add("the value is infinite", line.filter(pl.Series(infinite)).to_list())
    return values, ~(missing | infinite | np.isnan(times))


def _column(table: Table, column: str, times: Floats, faults: Faults, points: Points, label: tuple[str, str]) -> None:
    values, usable = _values(table, column, times, faults)
    if usable.any():
        points.add(*label, times[usable], values[usable])


def _long(
    table: Table,
    reading: Reading,
    times: Floats,
    faults: Faults,
    points: Points,
    service: str,
) -> None:
    owner, metric, value = reading.owner, reading.metric or "", reading.value or ""
    values, usable = _values(table, value, times, faults)
    names = table.text(metric)
    if metric == "_field" and "_measurement" in table.header:
        names = table.text("_measurement") + "_" + names
    unnamed = (names == "").to_numpy()
    faults.add("the metric has no name", table.line.filter(pl.Series(unnamed)).to_list())
    usable &= ~unnamed
    owners = table.text(owner) if owner else pl.repeat(service, len(table), eager=True, dtype=pl.String)
    names = names + _apart(table, reading, pl.DataFrame({"s": owners, "m": names, "t": _told_apart(times)}))
    frame = pl.DataFrame({"s": owners, "m": names, "row": np.arange(len(table))}).filter(pl.Series(usable))
    for (who, what), rows in frame.group_by("s", "m", maintain_order=True):
        index = rows["row"].to_numpy()
        points.add(str(who), str(what), times[index], values[index])


def _wide_by_row(
    table: Table,
    reading: Reading,
    times: Floats,
    faults: Faults,
    points: Points,
) -> None:
    """Read a table of one row per moment and service, and whatever else of its words tells rows apart."""
    owner, metric = reading.owner, reading.metric
    nothing = pl.repeat("", len(table), eager=True, dtype=pl.String)
    owners = table.text(owner) if owner else nothing
    before = table.text(metric) + "_" if metric and metric != owner else nothing
    apart = _apart(table, reading, pl.DataFrame({"s": owners, "m": before, "t": _told_apart(times)}))
    rows = pl.DataFrame({"s": owners, "m": before, "a": apart, "row": np.arange(len(table))})
    groups = [(key, each["row"].to_numpy()) for key, each in rows.group_by("s", "m", "a", maintain_order=True)]
    for column in reading.columns:
        values, usable = _values(table, column, times, faults)
        for (who, what, more), index in groups:
            fine = index[usable[index]]
            if len(fine):
                points.add(str(who), f"{what}{column}{more}", times[fine], values[fine])


def _told_apart(times: Floats) -> Floats:
    """Return the times, with those that cannot be read made distinct."""
    return np.where(np.isnan(times), -1.0 - np.arange(len(times)), times)


def _apart(table: Table, reading: Reading, keys: pl.DataFrame) -> pl.Series:
    """Return what each row's metric needs besides, so that a series has one value at a time: `{pod=a}`, or nothing."""
    if reading.telling is None:
        reading.telling = _telling(table, reading, keys)
    if not reading.telling:
        return pl.repeat("", len(table), eager=True, dtype=pl.String)
    parts = [pl.lit(f"{c}=") + pl.col(c).fill_null("").str.strip_chars() for c in reading.telling]
    inner = pl.concat_str(parts, separator=",")
    return table.frame.select(pl.concat_str([pl.lit("{"), inner, pl.lit("}")]).alias("apart"))["apart"]


def _telling(table: Table, reading: Reading, keys: pl.DataFrame) -> list[str]:
    """Return the columns, from left to right, that tell rows apart and hold the same for several rows."""
    used = {reading.time, reading.metric, reading.value, reading.owner, *reading.columns}
    left = len(keys) - keys.n_unique()
    telling: list[str] = []
    for column in table.header:
        if not left:
            break
        if column in used or table.frame[column].n_unique() * 2 > max(4, len(table)):
            continue
        more = keys.with_columns(table.text(column).alias(f"by {column}"))
        fewer = len(more) - more.n_unique()
        if fewer < left:
            keys, left = more, fewer
            telling.append(column)
    return telling


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
