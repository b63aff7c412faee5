"""Metrics as tables: long, wide and of a single series, each read as its first block says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from subagents.metrics.roles import unit_of
from subagents.metrics.series import Floats, Points
from subagents.metrics.sources.captures import captured_tables, is_captured
from subagents.metrics.sources.cells import NULLS, PROBE, read_numbers
from subagents.metrics.sources.courses import Course, named
from subagents.metrics.sources.doubts import merging, numbering_of
from subagents.metrics.sources.heads import Head, is_number, time_place
from subagents.metrics.sources.labelled import with_labels
from subagents.metrics.sources.naming import LABEL_NAMES, METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, VALUE_NAMES, first_of
from subagents.metrics.sources.parquet import is_parquet, parquet_tables
from subagents.metrics.sources.settling import Moments, Writing, telling_columns
from subagents.metrics.sources.table import BLOCK, Faults, Table, read_tables, stamps_of
from subagents.metrics.sources.units import TIMES

COMPARED = 50_000
"""Rows of one block, several of one series and moment, of which is found what tells them apart."""
MOST_COLUMNS = 2_000
"""Keys of records that are looked at."""
NAMED = 5
"""Most columns that one remark names."""
_LEGEND = re.compile(r"([^{}]*)\{(.*)\}")
_COUNTER = re.compile(r"\\\\([^\\]+)\\(.+)")
"""A performance counter of Windows, behind the name of its host."""
_SPELT = re.compile(r"[\w.-]+=\S+(?: [\w.-]+=\S+)*")
"""A legend that is nothing but labels, `_sourceHost=web1 metric=CPU_Total`."""
_LABEL = re.compile(r"(?<![\w.])([\w.]++)\s*[=:]\s*\"?([^\",]*)\"?")


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
    moments: Moments | None = field(default_factory=Moments)
    """None: the whole file was looked at."""
    merging: dict[str, None] = field(default_factory=dict)
    """Columns of words that vary within a series."""
    numbering: str | None = None
    """The column that numbers events, empty where rows are samples; None: not looked at yet."""

    @property
    def numbers(self) -> list[str]:
        """Return the columns whose cells are numbers."""
        return [self.value] if self.metric and self.value else self.columns

    def candidates(self, header: Sequence[str]) -> list[str]:
        """Return the columns that are nothing else yet, and may tell rows apart."""
        used = {self.time, self.metric, self.value, self.owner, *self.columns, *(self.telling or ())}
        return [column for column in header if column not in used]

    def tell(self, faults: Faults) -> None:
        """Say what the rows may be instead, once the whole file was looked at."""
        if self.numbering:
            faults.note(
                "rows look like events, not samples, so that this may be no metric: "
                f"every row has its own {self.numbering}, and their times keep no step",
                todo="leave the file out, or give counts or sums over time in its place",
            )
            return
        merged = [column for column in self.merging if column not in (self.telling or ())]
        if merged:
            faults.note(
                f"rows that differ in {', '.join(merged[:NAMED])} are never of one moment: they are read as one series",
                todo=f"if {merged[0]} says whose the numbers are, call that column service or host",
            )

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
        others = [name for name in columns if name != owner]
        open_ = [name for name in others if name not in table.labels and name not in table.plain]
        worded = {*table.labels, *(name for name in open_ if _is_words(table.text(name)))}
        words = [name for name in others if name in worded]
        numbers = [name for name in others if name not in worded]
        if not numbers:
            return cls(time, None, value, owner, words, worded=bool(owner))
        return cls(time, metric, value, owner or first_of(words, SERVICE_NAMES), numbers, worded=bool(owner or words))


def read_metric_csv(path: Path, faults: Faults, service: str = "", block: int = BLOCK) -> tuple[Points, str]:
    """Read a CSV of metrics; return its points and the layout found (`long`, `wide`, `single`, or empty)."""
    file = _File(path, faults, block, (service, path.name.split(".")[0]))
    points = file.read()
    return points, next((reading.layout for reading in file.readings.values()), "")


@dataclass
class _File:
    """One file of tables, and how each is read by its columns."""

    path: Path
    faults: Faults
    block: int
    default: tuple[str, str]
    readings: dict[tuple[str, ...], Reading] = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)

    def read(self) -> Points:
        """Return the points of every table; again, where only all of them say what tells series apart."""
        points = self._points(self.faults)
        again = Faults(self.faults.name, on_read=self.faults.on_read)
        points = self._points(again) if self._more_telling(again) else points
        for reading in self.readings.values():
            reading.tell(self.faults)
        return points

    def _points(self, faults: Faults) -> Points:
        points = Points()
        for table, reading in self._tables(faults):
            part = table, reading.time, reading.numbers
            self.writing.settle(part, lambda: ((one, of.time, of.numbers) for one, of in self._tables()))
            self._block(table, reading, faults, points).read()
        return points

    def _tables(self, faults: Faults | None = None) -> Iterator[tuple[Table, Reading]]:
        faults = faults or Faults(self.faults.name)
        for table in map(with_labels, _tables(self.path, faults, self.block)):
            time = table.head.time
            if time is None:
                faults.note(
                    f"no time column among: {', '.join(table.header[:8])}",
                    lost="the whole file",
                    todo="name the time column ts, timestamp or time",
                )
                return
            if table.header not in self.readings:
                self.readings[table.header] = Reading.of(table, time)
                if time.lower() not in TIME_NAMES and is_number(next(iter(table.text(time)), "")):
                    self.faults.note(f"the numbers of {time} are taken for times: no other column is called one")
            yield table, self.readings[table.header]

    def _block(self, table: Table, reading: Reading, faults: Faults, points: Points) -> _Block:
        return _Block(table, reading, self.writing, faults, points, self.default)

    def _more_telling(self, faults: Faults) -> bool:
        """Find the columns that tell series apart over all blocks, though not over the first; say whether there are."""
        repeated = {header: of.moments.repeated() for header, of in self.readings.items() if of.moments}
        held: dict[tuple[str, ...], list[tuple[pl.DataFrame, pl.DataFrame]]]
        held = {header: [] for header, digests in repeated.items() if len(digests)}
        for table, reading in self._tables(faults) if held else ():
            if table.header in held:
                block = self._block(table, reading, faults, Points())
                keys = block.keys(block.apart)
                rows = pl.Series(np.isin(keys.hash_rows().to_numpy(), repeated[table.header]))
                held[table.header].append((table.frame.filter(rows).head(COMPARED), keys.filter(rows).head(COMPARED)))
        more = {header: self._telling(header, parts) for header, parts in held.items()}
        for header, reading in self.readings.items():
            reading.telling = [*(reading.telling or ()), *more.get(header, ())]
            reading.merging = {} if more.get(header) else reading.merging
            reading.moments = None
        return any(more.values())

    def _telling(self, header: tuple[str, ...], parts: list[tuple[pl.DataFrame, pl.DataFrame]]) -> list[str]:
        frame, keys = (pl.concat([part[which] for part in parts]) for which in (0, 1))
        return telling_columns(frame, self.readings[header].candidates(header), keys)


def _tables(path: Path, faults: Faults, block: int) -> Iterator[Table]:
    if is_parquet(path):
        return parquet_tables(path, faults)
    return captured_tables(path, faults) if is_captured(path) else read_tables(path, faults, block)


def read_rows(rows: list[dict[str, Any]], faults: Faults, default: tuple[str, str]) -> Points:
    """Read records as a table is read: a column to each of their keys."""
    flat = [{key: _cell(value) for key, value in _flat(row)} for row in rows]
    names = tuple(dict.fromkeys(key for row in flat for key in row))[:MOST_COLUMNS]
    frame = pl.DataFrame({name: [row.get(name, "") for row in flat] for name in names})
    at = time_place([flat[0].get(name, "") for name in names])
    time = first_of(names, TIME_NAMES) or (names[at] if at is not None else None)
    points = Points()
    if time is not None:
        lines = pl.Series("line", np.arange(1, 1 + len(frame)))
        table = with_labels(Table(Head(names, ",", 0, time=time), frame, lines))
        reading, writing = Reading.of(table, time), Writing()
        writing.settle((table, time, reading.numbers), lambda: ())
        _Block(table, reading, writing, faults, points, default).read()
        reading.tell(faults)
    return points


def _flat(row: dict[str, Any], levels: int = 6) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict) and levels:
            below = "" if key in LABEL_NAMES else f"{key}."
            yield from ((below + inner, part) for inner, part in _flat(value, levels - 1))
        else:
            yield key, value


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


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
    counters = [_COUNTER.fullmatch(column) for column in columns]
    if all(counters):
        return [(one[1], one[2]) for one in counters if one]
    if all(map(_SPELT.fullmatch, columns)):
        spelt = [dict(pair.split("=", 1) for pair in column.split()) for column in columns]
        return named([Course(labels, labels.pop("metric", stem), [], []) for labels in spelt], service)
    if any(legends):
        courses = [
            Course(dict(_LABEL.findall(one[2])), one[1] or stem, [], []) if one else Course({}, column, [], [])
            for one, column in zip(legends, columns, strict=True)
        ]
        return named(courses, service)
    for mark in ("::", ":", "/", "|", "."):
        if all(mark in column.strip(mark) and column.rpartition(mark)[2].lower() not in TIMES for column in columns):
            return [(c.split(mark, 1)[0], c.split(mark, 1)[1]) for c in columns]
    if service or not all("_" in column.strip("_") for column in columns):
        return [(service, column) for column in columns]
    firsts = [column.split("_", 1)[0] for column in columns]
    shared = all(firsts.count(first) > 1 for first in firsts) and len(set(firsts)) > 1
    return [tuple(c.split("_", 1)) if shared else (service, c) for c in columns]  # type: ignore[misc]


@dataclass(frozen=True)
class _Block:
    """One table of a file, put among the points."""

    table: Table
    reading: Reading
    writing: Writing
    faults: Faults
    points: Points
    default: tuple[str, str]
    """The service, and the metric, where the table names none."""

    @cached_property
    def times(self) -> Floats:
        """Return each row's epoch seconds, NaN where it has none."""
        times = self.table.text(self.reading.time)
        return stamps_of(times, self.faults, self.writing.dates, bool(self.writing.serial))

    def read(self) -> None:
        """Add the points of every row."""
        reading, (service, stem) = self.reading, self.default
        self._bad("the time is not readable", np.isnan(self.times))
        if self.writing.commas.remark:
            self.faults.note(self.writing.commas.remark)
        if reading.layout == "long":
            self._long()
            return
        if reading.numbering is None:
            owner = [reading.owner] if reading.owner else []
            words = [*reading.candidates(self.table.header), *owner]
            reading.numbering = numbering_of(self.table, self.times, words)
        if reading.worded:
            self._wide_by_row()
        elif reading.layout == "single" and reading.value:
            self._column(reading.columns[0], (service, stem))
        else:
            for column, label in zip(reading.columns, split_names(reading.columns, service, stem), strict=True):
                self._column(column, label)

    def _bad(self, what: str, rows: Any) -> None:
        if rows.any():
            self.faults.add(what, self.table.line.filter(pl.Series(rows)).to_list())

    def _values(self, name: str) -> tuple[Floats, Any]:
        """Return numbers and which rows are usable; text, infinities are faults, empty and NaN cells are gaps."""
        plain = None if self.writing.commas.decimal else self.table.plain.get(name)
        values = self._read(name) if plain is None else plain
        infinite = np.isinf(values)
        self._bad("the value is infinite", infinite)
        return values, ~(np.isnan(values) | infinite | np.isnan(self.times))

    def _read(self, name: str) -> Floats:
        column, known = self.table.text(name), self.writing.small_m if self.table.part else {}
        values, unit = read_numbers(column, self.table.part, bool(self.writing.commas.decimal), known, unit_of(name))
        if unit not in ("", "%"):
            self.faults.note(f"numbers of {column.name} are written with a unit: read as {unit}")
        self._bad("the value is not a number", np.isnan(values) & ~column.str.to_lowercase().is_in(NULLS).to_numpy())
        return values

    def _column(self, column: str, label: tuple[str, str]) -> None:
        values, usable = self._values(column)
        if usable.any():
            self.points.add(*label, self.times[usable], values[usable])

    @cached_property
    def _rows(self) -> tuple[pl.Series, pl.Series]:
        """Return of each row whose it is, and its metric, or what the names of its columns begin with."""
        table, reading = self.table, self.reading
        named = reading.metric and (reading.layout == "long" or reading.metric != reading.owner)
        names = table.text(reading.metric or "") if named else self._same("")
        if reading.layout != "long":
            return table.text(reading.owner) if reading.owner else self._same(""), names + "_" if named else names
        if reading.metric == "_field" and "_measurement" in table.header:
            names = table.text("_measurement") + "_" + names
        return table.text(reading.owner) if reading.owner else self._same(self.default[0]), names

    def keys(self, apart: pl.Series) -> pl.DataFrame:
        """Return of each row what must differ from row to row: its series, as far as it is known, and its moment."""
        owners, names = self._rows
        told_apart = np.where(np.isnan(self.times), -1.0 - self.table.line.to_numpy(), self.times)
        return pl.DataFrame({"s": owners, "m": names, "a": apart, "t": told_apart})

    @property
    def apart(self) -> pl.Series:
        """Return what a row's metric needs besides for a series to have one value at a time: `{pod=a}`, or nothing.

        A label that says nothing is none.
        """
        if not self.reading.telling:
            return self._same("")
        said = {name: pl.col(name).str.strip_chars().replace("", None) for name in self.reading.telling}
        inner = pl.concat_str([pl.lit(f"{name}=") + said[name] for name in said], separator=",", ignore_nulls=True)
        apart = pl.when(inner == "").then(pl.lit("")).otherwise(pl.concat_str([pl.lit("{"), inner, pl.lit("}")]))
        return self.table.frame.select(apart.alias("apart"))["apart"]

    def _long(self) -> None:
        table, reading = self.table, self.reading
        values, usable = self._values(reading.value or "")
        owners, names = self._rows
        unnamed = (names == "").to_numpy()
        self._bad("the metric has no name", unnamed)
        names = names + self._telling()
        rows = pl.Series(usable & ~unnamed)
        frame = pl.DataFrame({"s": owners, "m": names, "row": np.arange(len(table))}).filter(rows)
        for (who, what), group in frame.group_by("s", "m", maintain_order=True):
            index = group["row"].to_numpy()
            self.points.add(str(who), str(what), self.times[index], values[index])

    def _wide_by_row(self) -> None:
        """Read a table of one row per moment and service, and whatever else of its words tells rows apart."""
        owners, before = self._rows
        rows = pl.DataFrame({"s": owners, "m": before, "a": self._telling(), "row": np.arange(len(self.table))})
        groups = [(key, each["row"].to_numpy()) for key, each in rows.group_by("s", "m", "a", maintain_order=True)]
        for column in self.reading.columns:
            values, usable = self._values(column)
            for (who, what, more), index in groups:
                fine = index[usable[index]]
                if len(fine):
                    self.points.add(str(who), f"{what}{column}{more}", self.times[fine], values[fine])

    def _same(self, text: str) -> pl.Series:
        return pl.repeat(text, len(self.table), eager=True, dtype=pl.String)

    def _telling(self) -> pl.Series:
        """Return `apart`, once it is known; of a large file remember the rows that other blocks may have again."""
        table, reading = self.table, self.reading
        candidates = reading.candidates(table.header)
        if reading.telling is None:
            reading.telling = telling_columns(table.frame, candidates, self.keys(self.apart))
        apart = self.apart
        words = [name for name in candidates if _is_words(table.text(name))]
        keys = self.keys(apart).drop("t").head(COMPARED)
        reading.merging |= dict.fromkeys(merging(table.frame.head(COMPARED), words, keys))
        if table.part and candidates and reading.moments is not None:
            reading.moments.parts.append(self.keys(apart).hash_rows().to_numpy())
        return apart
