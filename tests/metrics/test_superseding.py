"""An export made again holds what an older one held: it is analysed once, and what cites the older one opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.metrics.model import HELD_AGAIN
from subagents.metrics.series import SeriesKey
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
        ([*ONE[:3], 4.0, 5.0], 0, ["old.csv", "new.csv"]),
        ([4.0, 5.0, 6.0], 4, ["old.csv", "new.csv"]),
        ([*ONE[1:], 4.0, 5.0], 1, ["old.csv", "new.csv"]),
    ],
    ids=["the same: the first stays", "another value", "only what came later", "without its beginning"],
)
def test_what_does_not_hold_all_of_it_takes_no_place(
    tmp_path: Path, newer: list[float], first: int, kept: list[str]
) -> None:
    specs = (export(tmp_path / "old.csv", {"errors": ONE}), export(tmp_path / "new.csv", {"errors": newer}, first))
    assert [key.source for _, _, key in load(specs).series()] == kept
