"""Events counted by key, source, service, severity and time; parts of blocks put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.names import NONE

if TYPE_CHECKING:
    import polars as pl

    from subagents.logs.sources.parts import Part

BUCKET_SECONDS = 10
STEP = BUCKET_SECONDS * 1_000_000
MERGE_BY = ("key", "source", "service", "level", "bucket")
_MOST_PACKED = 1 << 62


def counted(part: Part, numbers: Any, place: int) -> pl.DataFrame:
    """Return the counts of a block's events, whose keys are `numbers` (numpy), in as few bytes as hold them.

    `n`, and of the first event `byte` and `lines`; `t0` and `t1` are µs after the bucket's start. Service, level and
    bucket are NONE where there is none (see `given`). Rows are in the order of their buckets.
    """
    import numpy as np
    import polars as pl

    times = part.times
    buckets = times // STEP
    after = (times - buckets * STEP).astype(np.int32)
    order, ranked = in_order(_packed([buckets, numbers, part.services, part.levels]))
    begins = np.ones(len(order), bool)
    np.not_equal(ranked[1:], ranked[:-1], out=begins[1:])
    heads = np.flatnonzero(begins)
    first, after = order[heads], after[order]
    return pl.DataFrame(
        {
            "key": numbers[first].astype(np.uint32),
            "source": np.full(len(first), place, np.uint16),
            "service": part.services[first],
            "level": part.levels[first],
            "bucket": buckets[first].astype(np.int32),
            "n": np.diff(heads, append=len(order)).astype(np.uint32),
            "byte": part.starts[first],
            "lines": part.lines[first].astype(np.uint32),
            "t0": np.minimum.reduceat(after, heads),
            "t1": np.maximum.reduceat(after, heads),
        }
    )


def given(name: str) -> pl.Expr:
    """Return the expression for a column of counts that is null where there is none."""
    import polars as pl

    return pl.when(pl.col(name) != NONE).then(name)


def in_order(packed: Any) -> tuple[Any, Any]:
    """Return the order that sorts numbers, equal ones as they stand, and the sorted numbers."""
    import numpy as np

    width = len(packed).bit_length()
    if int(packed.max(initial=0)) >> (63 - width):
        order = np.argsort(packed, kind="stable")
        return order, packed[order]
    both = (packed << width) | np.arange(len(packed))  # values alone are sorted three times as fast as places
    both.sort()
    return both & ((1 << width) - 1), both >> width


def _packed(columns: Sequence[Any]) -> Any:
    """Return one number for each row that is the same where all columns are."""
    import numpy as np

    packed, size = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        low = int(column.min())
        width = int(column.max()) - low + 1
        numbers = column.astype(np.int64) - low
        if size * width > _MOST_PACKED:
            known, packed = np.unique(packed, return_inverse=True)
            other, numbers = np.unique(numbers, return_inverse=True)
            size, width = len(known), len(other)
        packed = packed * width + numbers
        size *= width
    return packed


def together(parts: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Add up what parts share: blocks of a file mostly hold times of their own, which stay as they are.

    Each part is in the order of source and bucket, what has no time first.
    """
    import numpy as np
    import polars as pl

    if len(parts) < 2:
        return parts
    runs = [_runs(part) for part in parts]
    moments, counts = np.unique(np.concatenate([found for found, _ in runs]), return_counts=True)
    shared = moments[counts > 1]
    if not len(shared):
        return parts
    alone, both = [], []
    for found, sizes in runs:
        part, is_shared = parts.pop(0), np.isin(found, shared)
        if is_shared.any():
            rows = pl.Series(np.repeat(is_shared, sizes))
            both.append(part.filter(rows))
            part = part.filter(~rows)
        if part.height:
            alone.append(part)
    added = (
        pl.concat(both)
        .group_by(*MERGE_BY, maintain_order=True)
        .agg(pl.col("n").sum(), pl.col("byte", "lines").first(), pl.col("t0").min(), pl.col("t1").max())
        .sort("source", "bucket", maintain_order=True)
    )
    return [*alone, added.select(both[0].columns)]


def _runs(part: pl.DataFrame) -> tuple[Any, Any]:
    """Return the moments of a part, each a source and a bucket in one number, and how many rows each has."""
    import numpy as np

    buckets = part["bucket"].to_numpy().astype(np.int64)
    moments = (part["source"].to_numpy().astype(np.int64) << 32) + buckets
    begins = np.flatnonzero(np.diff(moments, prepend=moments[:1] - 1))
    return moments[begins], np.diff(begins, append=len(moments))
