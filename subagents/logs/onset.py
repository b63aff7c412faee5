"""When trouble begins in the logs: the split of the error counts that best tells a quiet rate from a loud one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subagents.contract import Window
from subagents.logs.compare import bucket_range
from subagents.logs.index import BUCKET_SECONDS, LogIndex
from subagents.logs.levels import WARN

if TYPE_CHECKING:
    import polars as pl

LEAST_RATIO = 8.0
"""Nats; at this a rise by chance in a thousand buckets is about one in a few hundred series."""
LEAST_FACTOR = 2.0


@dataclass(frozen=True)
class Rise:
    """A rise of severe events."""

    at: int
    """µs of the first severe event after the split."""
    source: int
    byte: int
    lines: int
    before_per_minute: float
    after_per_minute: float
    what: str


def find_rise(index: LogIndex, window: Window) -> Rise | None:
    """Return where severe events (or else warnings too) rise for good in a window; None where they do not."""
    import polars as pl

    first, end = bucket_range(window)
    rows = index.table.filter((pl.col("bucket") >= first) & (pl.col("bucket") < end))
    for what, wanted in (
        ("errors", pl.col("severe")),
        ("errors and warnings", pl.col("severe") | (pl.col("severity") >= WARN)),
    ):
        found = _split(rows.filter(wanted), first, end, what)
        if found is not None:
            return found
    return None


def _split(rows: pl.DataFrame, first: int, end: int, what: str) -> Rise | None:
    import numpy as np
    import polars as pl

    if not rows.height or end - first < 3:
        return None
    counts = np.zeros(end - first)
    per_bucket = rows.group_by("bucket").agg(pl.col("n").sum())
    counts[per_bucket["bucket"].to_numpy() - first] = per_bucket["n"].to_numpy()
    size = len(counts)
    left = np.cumsum(counts)[:-1]
    right = counts.sum() - left
    at = np.arange(1, size)
    total = counts.sum() / size
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(left > 0, left * np.log(left / at / total), 0.0)
        ratio += np.where(right > 0, right * np.log(right / (size - at) / total), 0.0)
        rising = right / (size - at) >= LEAST_FACTOR * left / at
    ratio = np.where(rising, ratio, 0.0)
    best = int(np.argmax(ratio))
    if ratio[best] < LEAST_RATIO or math.isnan(float(ratio[best])):
        return None
    after = rows.filter(pl.col("bucket") >= first + best + 1).sort("t0")
    if not after.height:
        return None
    row = after.row(0, named=True)
    per_minute = 60 / BUCKET_SECONDS
    return Rise(
        at=row["t0"],
        source=row["source"],
        byte=row["byte"],
        lines=row["lines"],
        before_per_minute=round(float(left[best] / at[best]) * per_minute, 3),
        after_per_minute=round(float(right[best] / (size - at[best])) * per_minute, 3),
        what=what,
    )
