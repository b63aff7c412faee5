"""Time spent in all becomes a mean beside its count; what a process spends on its own stays; labels in quotes count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from subagents.metrics.roles import traits_of
from tests.metrics.files import problems, read, stamp, values

NAME = "http_server_requests_seconds"


def long(path: Path, series: Mapping[str, Sequence[float]]) -> Path:
    rows = [
        f'{stamp(at)},shop,"{name.replace(chr(34), chr(34) * 2)}",{value}'
        for name, column in series.items()
        for at, value in enumerate(column)
    ]
    path.write_text("\n".join(["ts,service,metric,value", *rows]))
    return path


def test_what_calls_took_in_all_is_read_as_their_mean(tmp_path: Path) -> None:
    series = {f"{NAME}_sum": [10, 12, 15, 15, 1], f"{NAME}_count": [100, 120, 130, 130, 4]}
    store = read(long(tmp_path / "metrics.csv", series))
    assert [v for v in values(store, "shop", f"{NAME}_mean") if v == v] == pytest.approx([0.1, 0.3])
    assert traits_of(f"{NAME}_mean").role == "latency"
    assert "1 series of time spent in all (_sum) are read as means" in problems(store)


def test_rates_are_divided_by_their_own_moment(tmp_path: Path) -> None:
    series = {f"{NAME}_sum": [2, 9, 8, 10, 9], f"{NAME}_count": [20, 18, 20, 20, 30]}
    store = read(long(tmp_path / "metrics.csv", series))
    assert values(store, "shop", f"{NAME}_mean") == pytest.approx([0.1, 0.5, 0.4, 0.5, 0.3])


def test_time_that_is_a_process_own_or_has_no_count_stays_a_total(tmp_path: Path) -> None:
    series = {"jvm_gc_pause_seconds_sum": [1, 2, 3], "jvm_gc_pause_seconds_count": [1, 2, 3], f"{NAME}_sum": [1, 2, 3]}
    store = read(long(tmp_path / "metrics.csv", series))
    assert {key.name for _, _, key in store.series()} == series.keys()


def test_labels_in_quotes_are_those_that_other_files_name_without(tmp_path: Path) -> None:
    bounds = {
        'h_seconds_bucket{code="500", le="0.1"}': [0, 5, 10],
        'h_seconds_bucket{code="500", le="+Inf"}': [0, 10, 20],
    }
    store = read(long(tmp_path / "metrics.csv", bounds))
    assert {key.name for _, _, key in store.series()} == {
        *(f"h_seconds_{part}{{code=500}}" for part in ("p50", "p95", "p99", "count"))
    }
    assert traits_of("h_seconds_count{code=500}").role == "error_count"
    assert traits_of("h_seconds_p95{code=500}").role == "other"


def test_failures_alone_in_a_file_are_no_traffic(tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    rows = [f"{stamp(at)},{at}" for at in range(9)]
    path.write_text("\n".join(['Time,"http_requests_total{service=""shop"", code=""503""}"', *rows]))
    (key,) = (key for _, _, key in read(path).series())
    assert (key.service, traits_of(key.name).role) == ("shop", "error_count")
