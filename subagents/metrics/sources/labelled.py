"""Cells that hold labels, `service:shop,env:prod` or `host=web1,region=eu`: a column for each, as other tables have."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from subagents.metrics.sources.cells import PROBE
from subagents.metrics.sources.columns import OVER
from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, first_of
from subagents.metrics.sources.table import Table

_LABEL = r"\"?[A-Za-z_][\w.-]*\"?[:=] ?\"?[^,:={}\"]*\"?"
_LABELS = re.compile(rf"\{{?{_LABEL}(?:, ?{_LABEL})*\}}?")
_ONE = re.compile(r"([A-Za-z_][\w.-]*)\"?[:=] ?\"?([^,\"]*)")
MOST_LABELS = 64


def with_labels(table: Table) -> Table:
    """Return the table, every column of labels replaced by as many columns as it has labels.

    What is called a metric or a service is one, though it reads `job:latency`.
    """
    if table.header[:2] == ("hostname", "interval"):
        table = _of_sysstat(table)
    table = _with_dates(table)
    for column in table.header:
        if column == table.head.time or column.lower() in (*METRIC_NAMES, *SERVICE_NAMES):
            continue
        sample = [cell for cell in table.frame[column].head(PROBE).fill_null("").to_list() if cell]
        if sample and all(map(_LABELS.fullmatch, sample)):
            table = _apart(table, column, table.text(column))
    return table


def _of_sysstat(table: Table) -> Table:
    """Return what `sadf -d` wrote as sar shows it: which CPU is no measurement, nor is the interval."""
    over = [name for name in table.header if name in OVER]
    group = "".join(OVER[name] for name in over)
    kept = {"hostname", *over, table.head.time}
    words = [pl.concat_str(pl.lit(f"{name} "), pl.col(name).replace("-1", "all")).alias(name) for name in over]
    frame = table.frame.drop("interval").with_columns(words)
    frame = frame.rename({name: group + name for name in frame.columns if name not in kept} | {"hostname": "host"})
    return replace(table, head=replace(table.head, names=tuple(frame.columns)), frame=frame)


def _with_dates(table: Table) -> Table:
    """Return a table whose date and clock are two columns with both in one."""
    date, time = first_of(table.header, ("date", "day")), first_of(table.header, ("time", "clock"))
    if date is None or time is None or not len(table):
        return table
    clocks = table.text(time)
    if not clocks.head(PROBE).str.contains(r"^\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?$").all():
        return table
    frame = table.frame.with_columns((table.text(date) + " " + clocks).alias(time)).drop(date)
    return replace(table, head=replace(table.head, names=tuple(frame.columns), time=time), frame=frame)


def _apart(table: Table, column: str, cells: pl.Series) -> Table:
    parsed = {cell: dict(_ONE.findall(cell.strip("{} "))) for cell in cells.unique(maintain_order=True).to_list()}
    keys = list(dict.fromkeys(key for labels in parsed.values() for key in labels))[:MOST_LABELS]
    keys = [key for key in keys if key not in table.header]
    added = [
        cells.replace_strict(list(parsed), [one.get(key, "") for one in parsed.values()], return_dtype=pl.String).alias(
            key
        )
        for key in keys
    ]
    frame = table.frame.drop(column).with_columns(added)
    head = replace(table.head, names=tuple(frame.columns))
    return replace(table, head=head, frame=frame, labels=(*table.labels, *keys))
