"""Events counted by key, service, severity and 10 s, beside counting them one by one."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from subagents.logs.counts import STEP, counted, given, in_order, together
from subagents.logs.sources.names import NONE
from subagents.logs.sources.parts import Part
from subagents.logs.sources.runs import NO_PRINTINGS


def part_of(rng: Random, count: int, *, spread: int) -> Part:
    """Return events whose times go back and forth, some without time, service or severity."""
    times = [NONE if rng.random() < 0.1 else rng.randrange(spread) for _ in range(count)]

    def some(most: int) -> Any:
        return np.array([rng.randrange(NONE, most) for _ in range(count)])

    starts = np.cumsum([rng.randrange(1, 200) for _ in range(count)])
    nothing = cast(Any, None)
    return Part(
        frame=nothing,
        placed=nothing,
        starts=starts,
        lines=some(4) + 2,
        numbers=nothing,
        times=np.array(times),
        own=nothing,
        levels=some(7).astype(np.int8),
        services=some(3).astype(np.int32),
        hosts=nothing,
        classes=nothing,
        block_lines=count,
        runs=nothing,
        printings=NO_PRINTINGS,
    )


def one_by_one(part: Part, keys: Any, place: int) -> dict[tuple[Any, ...], list[Any]]:
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row, key in enumerate(keys.tolist()):
        time, service, level = int(part.times[row]), int(part.services[row]), int(part.levels[row])
        bucket, after = divmod(time, STEP) if time != NONE else (None, None)
        group = (key, place, service if service != NONE else None, level if level != NONE else None, bucket)
        known = found.setdefault(group, [0, int(part.starts[row]), int(part.lines[row]), after, after])
        known[0] += 1
        if after is not None:
            known[3:] = min(known[3], after), max(known[4], after)
    return found


@pytest.mark.parametrize(("count", "spread"), [(1, STEP), (500, 3 * STEP), (900, 1 << 50)])
def test_counts_are_those_of_counting_one_by_one(count: int, spread: int) -> None:
    rng = Random(count)
    part, keys = part_of(rng, count, spread=spread), np.array([rng.randrange(12) for _ in range(count)])
    rows = counted(part, keys, 5).with_columns(given(name) for name in ("service", "level", "bucket"))
    rows = rows.with_columns(pl.when(pl.col("bucket").is_not_null()).then(pl.col("t0", "t1")))
    rows = rows.select("key", "source", "service", "level", "bucket", "n", "byte", "lines", "t0", "t1")
    assert {row[:5]: list(row[5:]) for row in rows.iter_rows()} == one_by_one(part, keys, 5)


@pytest.mark.parametrize("shift", [0, 59])
def test_equal_numbers_keep_their_order_however_large(shift: int) -> None:
    values = np.array([3, 1, 3, 0, 1, 3]) << shift
    order, ranked = in_order(values)
    assert order.tolist() == [3, 1, 4, 0, 2, 5]
    assert (ranked == values[order]).all()


@pytest.mark.parametrize("spread", [2 * STEP, 400 * STEP])
def test_parts_put_together_count_what_they_counted_apart(spread: int) -> None:
    rng, by, parts = Random(spread), ["key", "source", "service", "level", "bucket"], list[pl.DataFrame]()
    for place in (0, 0, 1, 1, 0):
        part = part_of(rng, 60, spread=spread)
        parts.append(counted(part, np.array([rng.randrange(4) for _ in range(60)]), place))
    wanted = (
        pl.concat(parts)
        .group_by(by, maintain_order=True)
        .agg(pl.col("n").sum(), pl.col("byte", "lines").first(), pl.col("t0").min(), pl.col("t1").max())
    )
    found = together([*together(parts[:3]), *parts[3:]])
    assert_frame_equal(pl.concat(found), wanted, check_row_order=False, check_column_order=False)
    for each in found:
        assert each.select("source", "bucket").equals(each.select("source", "bucket").sort("source", "bucket"))


def test_parts_that_share_nothing_stay_as_they_are() -> None:
    rng = Random(1)
    parts = [counted(part_of(rng, 9, spread=STEP), np.arange(9), place) for place in range(3)]
    assert all(one is other for one, other in zip(together(list(parts)), parts, strict=True))
