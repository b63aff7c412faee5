"""Stamps read by place are those that the expressions read; what begins alike is told alike."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from subagents.logs.native import NOT_LOOKED
from subagents.logs.sources.stamp_columns import heads_of, is_covered, moments_at
from subagents.logs.sources.stamp_reader import Seen, StampReader
from subagents.logs.sources.timestamps import Shape, find_stamp, moments, shape_of
from tests.logs.test_layouts import LAYOUTS

HINT = datetime(2026, 3, 2, tzinfo=UTC)
LINES = [line for _, line, _ in LAYOUTS if not line.startswith("{")]


@pytest.mark.parametrize("line", LINES)
def test_a_stamp_by_place_is_what_the_expression_reads(line: str) -> None:
    stamp = find_stamp(line)
    assert stamp is not None
    shape = shape_of(stamp, None)
    found = moments_at(heads_of(pl.Series([line, line])).chars, shape, HINT) if is_covered(shape) else None
    slices = pl.DataFrame({"slice": [line[stamp.start :]] * 2})
    expected = slices.select(moments(pl.col("slice"), shape, HINT)).to_series().to_list()
    assert found is None or found.tolist() == expected


def test_most_layouts_are_read_by_place() -> None:
    shapes = [shape_of(stamp, None) for line in LINES if (stamp := find_stamp(line)) is not None]
    assert sum(is_covered(shape) for shape in shapes) > len(shapes) / 2


@pytest.mark.parametrize(
    "bad", ["2026-02-29 12:00:00", "2026-13-01 12:00:00", "2026-03-01 24:00:00", "1970-01-01 00:00:00"]
)
def test_what_is_no_moment_is_left_to_the_expression(bad: str) -> None:
    good = "2026-03-01 12:00:00 INFO a"
    stamp = find_stamp(good)
    assert stamp is not None
    assert moments_at(heads_of(pl.Series([good, bad + " INFO a"])).chars, shape_of(stamp, None), HINT) is None
    reader = StampReader(HINT)
    for _ in range(2):
        times, texts = reader.read(pl.Series([good, "Mar  1 12:00:00 web x: y", bad + " INFO a", "none é 12"]))
        assert times.to_list()[0] == times.to_list()[1] == 1_772_366_400_000_000
        assert times.null_count() == 2
        assert texts.to_list() == [" INFO a", " web x: y", bad + " INFO a", "none é 12"]


def test_a_zone_or_a_digit_more_is_another_beginning() -> None:
    lines = ["2026-03-01T12:00:00 a", "2026-03-01T12:00:00Z a", "2026-03-01T12:00:00.5 a", "2026-03-01T12:00:00 b"]
    kinds = heads_of(pl.Series(lines)).kinds.tolist()
    assert kinds[0] == kinds[3]
    assert len(set(kinds)) == 3
    reader = StampReader(HINT)
    reader.read(pl.Series(lines[:1] * 3))
    for _ in range(3):
        assert reader.read(pl.Series(lines))[1].to_list() == [" a", " a", " a", " b"]


def test_what_begins_as_others_did_is_read_as_they_were_where_nothing_was_found_before() -> None:
    reader, names = StampReader(HINT), ("Info", "Error", "Critical")
    lines = pl.Series([f"{name},03/01/2026 10:59:58 PM,job" for name in names * 5])
    reader.read(lines)
    reader.read(pl.Series(["Critical,03/01/2026 10:59:58 zM,job"]))  # it has another stamp, in a column
    assert len(reader.shapes) == 2
    none = np.zeros(len(lines), np.int64)
    times, texts = reader.read(lines, Seen(none, np.full(len(lines), NOT_LOOKED), none, none, none, reader.shapes))
    assert texts.to_list() == [f"{name}, ,job" for name in names * 5]
    assert times.to_list() == [1_772_405_998_000_000] * len(lines)


def test_who_asks_while_lines_are_read_meets_all_shapes() -> None:
    reader, met = StampReader(HINT), list[int]()

    class Asking(Counter[Shape]):
        def __getitem__(self, shape: Shape) -> int:
            met.append(len(reader.shapes))
            return super().__getitem__(shape)

    lines = pl.Series(["2026-03-01 12:00:00 a", "Mar  1 12:00:00 web x: y"])
    reader.read(lines)
    reader.hits = Asking(reader.hits)
    reader.read(lines)
    assert set(met) == {2}
