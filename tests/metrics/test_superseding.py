"""An export made again holds what an older one held: it is analysed once, and what cites the older one opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.metrics.model import HELD_AGAIN
from subagents.metrics.series import SeriesKey, Store
from subagents.metrics.sources.load import load


def export(path: Path, values: dict[str, list[float]], first: int = 0) -> SourceSpec:
    lines = ["ts,service,metric,value"]
    for name, held in values.items():
        lines += [f"2026-03-01T08:{first + at:02}:00Z,shop,{name},{value}" for at, value in enumerate(held)]
    path.write_text("\n".join(lines) + "\n")
    return SourceSpec(id=path.name, kind="metrics", path=str(path))


ONE = [0.0, 1.0, 2.0, 3.0]


def test_the_longer_one_is_analysed_and_the_older_one_is_still_opened(tmp_path: Path) -> None:
    specs = (
        export(tmp_path / "old.csv", {"errors": ONE, "other": ONE}),
        export(tmp_path / "new.csv", {"errors": [*ONE, 9.0]}),
    )
    store = load(specs)
    assert [key for _, _, key in store.series()] == [
        SeriesKey("old.csv", "shop", "other"),
        SeriesKey("new.csv", "shop", "errors"),
    ]
    assert store.find(SeriesKey("old.csv", "shop", "errors")) is not None
    (said,) = store.coverage[0].problems
    assert f"1 {HELD_AGAIN} new.csv" in said.line()


@pytest.mark.parametrize(
    ("newer", "first", "kept"),
    [
        (ONE, 0, ["old.csv"]),
        ([0.0, 1.5, 2.0, 3.0, 5.0], 0, ["old.csv", "new.csv"]),
        ([1.0, 2.5, 3.0, 4.0], 1, ["old.csv", "new.csv"]),
        (ONE[1:3], 1, ["old.csv", "new.csv"]),
    ],
    ids=["the same: the first stays", "another value", "another value, and later", "a part of it"],
)
def test_what_does_not_hold_all_of_it_takes_no_place(
    tmp_path: Path, newer: list[float], first: int, kept: list[str]
) -> None:
    specs = (export(tmp_path / "old.csv", {"errors": ONE}), export(tmp_path / "new.csv", {"errors": newer}, first))
    assert [key.source for _, _, key in load(specs).series()] == kept


def points(store: Store, source: str, name: str = "errors") -> list[tuple[int, float]]:
    """Return the minutes and values of a series, as a citation of that source would open it."""
    found = store.find(SeriesKey(source, "shop", name))
    assert found is not None
    frame, row = found
    minutes = [round((at - frame.times[0]) / 60) for at in frame.times]
    return [(at, value) for at, value in zip(minutes, frame.values[row].tolist(), strict=True) if value == value]


@pytest.mark.parametrize(
    ("newer", "first", "whole"),
    [
        ([9.0, 8.0, 7.0], 4, [*ONE, 9.0, 8.0, 7.0]),
        ([9.0], 8, [*ONE, 9.0]),
        ([*ONE[1:], 9.0, 8.0], 1, [*ONE, 9.0, 8.0]),
        ([3.5, 9.0, 8.0], 3, [*ONE, 9.0, 8.0]),
        ([*ONE[:3], 3.5, 9.0], 0, [*ONE, 9.0]),
    ],
    ids=["only what came later", "one point, after a gap", "without its beginning", "the last not over", "all again"],
)
def test_what_goes_on_where_another_ends_is_one_with_it(
    tmp_path: Path, newer: list[float], first: int, whole: list[float]
) -> None:
    old = export(tmp_path / "old.csv", {"errors": ONE, "other": ONE})
    new = export(tmp_path / "new.csv", {"errors": newer, "fresh": newer}, first)
    for specs in ((old, new), (new, old)):
        store = load(specs)
        assert {(key.source, key.name) for _, _, key in store.series()} == {
            ("old.csv", "errors"), ("old.csv", "other"), ("new.csv", "fresh")
        }  # fmt: skip
        assert [value for _, value in points(store, "old.csv")] == whole
        assert [value for _, value in points(store, "old.csv", "other")] == ONE
        assert [value for _, value in points(store, "new.csv")] == newer, "what cites it opens"
        problems = {one.source: one.problems for one in store.coverage}
        assert problems["old.csv"] == ()
        assert "1 series of it go on where old.csv ends" in problems["new.csv"][0].line()


def test_three_files_in_a_row_are_one_and_another_step_is_another_series(tmp_path: Path) -> None:
    parts = [export(tmp_path / f"{at}.csv", {"errors": [float(at), at + 0.5]}, 2 * at) for at in range(3)]
    store = load((parts[2], parts[0], parts[1]))
    assert points(store, "0.csv") == [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5), (4, 2.0), (5, 2.5)]
    coarse = tmp_path / "coarse.csv"
    coarse.write_text(
        "ts,service,metric,value\n"
        + "".join(f"2026-03-01T09:{minute:02}:00Z,shop,errors,1\n" for minute in range(0, 60, 10))
    )
    spec = SourceSpec(id="coarse.csv", kind="metrics", path=str(coarse))
    fine = export(tmp_path / "old.csv", {"errors": ONE})
    assert len(list(load((fine, spec)).series())) == 2


def test_points_between_those_of_another_are_no_continuation(tmp_path: Path) -> None:
    lines = ["ts,service,metric,value"]
    lines += [f"2026-03-01T08:{minute:02}:30Z,shop,errors,{minute}" for minute in range(2, 8)]
    (tmp_path / "b.csv").write_text("\n".join(lines) + "\n")
    between = SourceSpec(id="b.csv", kind="metrics", path=str(tmp_path / "b.csv"))
    assert len(list(load((export(tmp_path / "a.csv", {"errors": ONE}), between)).series())) == 2
