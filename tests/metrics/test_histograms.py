"""Counts up to a bound become quantiles: of what was counted meanwhile, over resets, with whatever labels are left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from subagents.metrics.sources.buckets import Spread
from subagents.metrics.sources.load import load
from tests.metrics.files import spec

T0 = 1772366400


def read(path: Path, result: list[object]) -> tuple[dict[str, list[float]], str]:
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))
    store = load((spec(path),))
    told = "\n".join(problem.line() for each in store.coverage for problem in each.problems)
    return {key.name: [float(v) for v in frame.values[row] if v == v] for frame, row, key in store.series()}, told


def bucket(bound: str, values: Sequence[float], name: str = "http_seconds_bucket", **labels: str) -> object:
    points = [[T0 + 60 * i, str(value)] for i, value in enumerate(values)]
    return {"metric": {"__name__": name, "service": "shop", "le": bound, **labels}, "values": points}


def test_counters_are_read_by_what_came_between_and_a_reset_begins_anew(tmp_path: Path) -> None:
    series, told = read(
        tmp_path / "m.json",
        [bucket("0.1", [50, 100, 150, 25]), bucket("0.2", [100, 200, 250, 50]), bucket("+Inf", [100, 200, 350, 50])],
    )
    assert series == {
        "http_seconds_p50": pytest.approx([0.1, 0.2, 0.1]),
        "http_seconds_p95": pytest.approx([0.19, 0.2, 0.19]),
        "http_seconds_p99": pytest.approx([0.198, 0.2, 0.198]),
        "http_seconds_count": [100.0, 200.0, 350.0, 50.0],
    }
    assert "3 series that count up to a bound (le) are read as p50, p95, p99" in told


def test_rates_are_read_by_their_own_moment(tmp_path: Path) -> None:
    name = "job:rate5m"
    series, _ = read(
        tmp_path / "m.json",
        [bucket("1", [5, 9, 1], name), bucket("2", [10, 10, 10], name), bucket("+Inf", [10, 10, 10], name)],
    )
    assert series[f"{name}_p50"] == pytest.approx([1.0, 5 / 9, 1 + 4 / 9])


def test_each_set_of_labels_is_a_histogram_and_a_count_that_is_there_stays(tmp_path: Path) -> None:
    result: list[Any] = [
        *(bucket("1", [5, 10], path=path) for path in ("/a", "/b")),
        *(bucket("+Inf", [10, 20], path=path) for path in ("/a", "/b")),
        *(bucket("", [1, 2], "http_seconds_count", path=path) for path in ("/a", "/b")),
    ]
    for one in result[4:]:
        del one["metric"]["le"]
    series, _ = read(tmp_path / "m.json", result)
    assert series["http_seconds_count{path=/a}"] == [1.0, 2.0]
    assert series["http_seconds_p50{path=/b}"] == [1.0]
    assert not [name for name in series if "le=" in name or "bucket" in name]


def test_where_nothing_came_there_is_no_quantile(tmp_path: Path) -> None:
    series, _ = read(tmp_path / "m.json", [bucket("1", [5, 5, 10]), bucket("+Inf", [5, 5, 10])])
    assert series["http_seconds_p50"] == [0.5]


@pytest.mark.parametrize(
    ("counts", "bounds", "share", "value"),
    [
        (["0", "50", "50"], [0, 10, 20], 0.5, 10.0),
        ([10, 0, 0, 10], [1, 2, 3], 0.99, 3.0),
        ([10], [], 0.5, None),
        ([0, 0], [1], 0.5, None),
        (["x"], [1], 0.5, None),
        (None, [1], 0.5, None),
        ([4, 4], [-5, 5], 0.25, -5.0),
    ],
)
def test_a_quantile_lies_evenly_within_its_bucket(
    counts: object, bounds: list[object], share: float, value: float | None
) -> None:
    found = Spread.of(counts, bounds).quantile(share)
    assert found == (value if value is None else pytest.approx(value))
