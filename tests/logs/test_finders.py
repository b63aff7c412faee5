"""What the compiled first stage looks for is found in the lines that show it, with the same time."""

from __future__ import annotations

from collections import defaultdict

import polars as pl
import pytest

from subagents.logs.native import NO_TIME
from subagents.logs.sources.finders import finder_of
from subagents.logs.sources.stamp_reader import StampReader
from subagents.logs.sources.timestamps import Shape, find_stamp, shape_of
from subagents.logs.sources.zones import HOURS
from tests.logs.builders import NOON
from tests.logs.compiled import classes_by
from tests.logs.corpus import FOLDER

pytestmark = pytest.mark.needs("compiled")


def test_what_is_looked_for_is_found_in_all_layouts() -> None:
    classes, missed, lines_of = classes_by([]), list[str](), defaultdict[Shape, list[str]](list)
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_text().partition("====\n")[0].splitlines():
            stamp = find_stamp(line)
            if stamp is not None and line.isascii() and "\x1b" not in line and line.lstrip()[:1] != "{":
                lines_of[shape_of(stamp, None)].append(line)
    finders = {shape: finder for shape in lines_of if (finder := finder_of(shape, NOON)) is not None}
    for shape, finder in finders.items():
        lines = lines_of[shape]
        classes.find_by([finder], 0)
        times = StampReader(NOON, [shape]).read(pl.Series(lines))[0].fill_null(NO_TIME)
        data = "\n".join([*lines, ""]).encode()
        found = classes.stamps(data, len(data), len(lines))[0].tolist()
        missed += [line for line, one, other in zip(lines, found, times, strict=True) if one != other]
    assert sum(len(lines_of[shape]) for shape in finders) > 600
    assert missed == []


@pytest.mark.parametrize("stamp", ["2026-03-01 12:00:00", "2026-03-01 12:00:00.123", "Mar 01, 2026 02:00:00"])
def test_a_stamp_without_a_zone_ends_where_the_expression_says(stamp: str) -> None:
    names = ("Z", "UTC", "GMT", *HOURS, "AM", "PM", "CST", "INFO", "UT", "G", "")
    ends = [f" {name}{behind}" for name in names for behind in ("", " x", "X", "x", "_", "5", "-", "]", ":")]
    lines = [stamp + end for end in (*ends, " +01", " +0100", " - x", ":", ",5", "-5", "Z", "+01", "T")]
    own = find_stamp(lines[-1])
    assert own is not None
    shape = shape_of(own, None)
    finder = finder_of(shape, NOON)
    assert finder is not None
    found = classes_by([finder]).stamps(data := "\n".join([*lines, ""]).encode(), len(data), len(lines))[0]
    by_expression = shape.found_in(pl.Series(lines)).to_list()
    assert [line for line, one, other in zip(lines, found != NO_TIME, by_expression, strict=True) if one != other] == []
    assert {line[len(stamp) :] for line in lines} - {
        line[len(stamp) :] for line, is_one in zip(lines, by_expression, strict=True) if is_one
    } >= {f" {name} x" for name in HOURS}
