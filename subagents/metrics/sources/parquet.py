"""Parquet as the tables that CSV gives: every column as text, a bounded number of rows at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from subagents.files import PARQUET_MAGIC
from subagents.metrics.sources.heads import PROBED, head_of
from subagents.metrics.sources.table import Faults, Table

ROWS = 500_000
"""Rows that are read at once."""
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What polars raises for bytes that are no Parquet; the second is no `Exception`."""


def is_parquet(path: Path) -> bool:
    """Say whether a file is one, by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def first_lines(path: Path) -> list[str]:
    """Return header and first rows as lines of CSV; none where the file cannot be read."""
    try:
        return _lines(_scan(path).head(PROBED).collect())
    except _BROKEN:
        return []


def parquet_tables(path: Path, faults: Faults) -> Iterator[Table]:
    """Yield the file's rows, `line` their number; columns of more than one value a row, or of bytes, are left out.

    What cannot be read is a fault.
    """
    try:
        scan = _scan(path)
        left_out = sorted(set(pl.read_parquet_schema(path)) - set(scan.collect_schema().names()))
        if left_out:
            names = ", ".join(left_out[:8])
            faults.note(f"columns that hold lists, records or bytes are not read: {names}", lost="those")
        size, start = path.stat().st_size, 0
        count = int(scan.select(pl.len()).collect().item())
        while start < count:
            frame = scan.slice(start, ROWS).collect()
            head = head_of(_lines(frame.head(PROBED)))
            if head is None:
                return
            rows = pl.Series("line", np.arange(start + 1, start + 1 + len(frame)))
            yield Table(head, frame.rename(dict(zip(frame.columns, head.names, strict=True))), rows, part=count > ROWS)
            start += ROWS
            faults.on_read(size * min(start, count) // count)
    except _BROKEN as error:
        why = " ".join(str(error).split())[:120]
        faults.note(f"the Parquet file cannot be read ({why})", lost="the rest of the file", todo="export it again")


def _scan(path: Path) -> pl.LazyFrame:
    """Return the columns that hold one value a row, as text."""
    schema = pl.read_parquet_schema(path)
    flat = [name for name, kind in schema.items() if not (kind.is_nested() or kind == pl.Binary)]
    return pl.scan_parquet(path).select(pl.col(flat).cast(pl.String, strict=False))


def _lines(frame: pl.DataFrame) -> list[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(frame.columns)
    writer.writerows(frame.rows())
    return out.getvalue().splitlines()
