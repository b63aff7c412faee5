"""When trouble begins in the logs: the split of the error counts that best tells a quiet rate from a loud one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.contract import Window
from subagents.logs.compare import bucket_range, covered_buckets
from subagents.logs.counts import BUCKET_SECONDS, STEP
from subagents.logs.index import LogIndex
from subagents.logs.levels import WARN

if TYPE_CHECKING:
    import polars as pl

LEAST_RATIO = 8.0
"""Nats; at this a rise by chance in a thousand buckets is about one in a few hundred series."""
LEAST_FACTOR = 2.0
LEAST_BUCKETS = 3
"""A rise that lasts less, at the end of the logs, is not yet one."""


@dataclass(frozen=True)
class Demand:
    """How clear a rise must be."""

    what: str
    factor: float
    ratio: float


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


def find_rise(index: LogIndex, window: Window, earliest: int | None = None) -> Rise | None:
    """Return where severe events (or else warnings too) rise for good in a window; None where they do not.

    `earliest` (µs) is the first moment that counts as an onset. Time without any log counts as no time.
    """
    import polars as pl

    first, end = bucket_range(window)
    rows = index.table.filter((pl.col("bucket") >= first) & (pl.col("bucket") < end))
    buckets = covered_buckets(rows, first, end)
    least = first if earliest is None else earliest // STEP
    for what, wanted, strict in (
        ("errors rise", pl.col("severe"), 1.0),
        ("errors and warnings rise", pl.col("severe") | (pl.col("severity") >= WARN), 2.0),
    ):
        found = _split(rows.filter(wanted), buckets, least, Demand(what, LEAST_FACTOR * strict, LEAST_RATIO * strict))
        if found is not None:
            return found
    return None


def _split(rows: pl.DataFrame, buckets: Any, least: int, demand: Demand) -> Rise | None:
    import numpy as np
    import polars as pl

    size = len(buckets)
    if not rows.height or size < 3:
        return None
    counts = np.zeros(size)
    per_bucket = rows.group_by("bucket").agg(pl.col("n").sum())
    counts[np.searchsorted(buckets, per_bucket["bucket"].to_numpy())] = per_bucket["n"].to_numpy()
    left = np.cumsum(counts)[:-1]
    right = counts.sum() - left
    at = np.arange(1, size)
    total = counts.sum() / size
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(left > 0, left * np.log(left / at / total), 0.0)
        ratio += np.where(right > 0, right * np.log(right / (size - at) / total), 0.0)
    rising = (right / (size - at) >= demand.factor * left / at) & (buckets[1:] >= least) & (size - at >= LEAST_BUCKETS)
    ratio = np.where(rising, ratio, 0.0)
    best = int(np.argmax(ratio))
    if ratio[best] < demand.ratio:
        return None
    after = rows.filter(pl.col("bucket") >= int(buckets[best + 1])).sort("t0")
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
        what=demand.what,
    )
