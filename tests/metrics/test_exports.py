"""Metrics as monitoring systems and dashboards export them: answers in JSON, tables with legends, units and labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.recognise import recognise
from subagents.metrics.sources import exports
from subagents.metrics.sources.cells import read_numbers
from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.load import load
from tests.metrics.files import problems, spec

T0 = 1772366400
AT = [T0, T0 + 60, T0 + 120]

EXPORTS = Path(__file__).parent / "exports"


def read(path: Path, content: object) -> tuple[dict[tuple[str, str], list[float]], str]:
    """Write a file and return its series' points by service and name, and its problems as lines."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    store = load((spec(path),))
    series = {
        (key.service, key.name): [float(v) for v in frame.values[row] if v == v] for frame, row, key in store.series()
    }
    assert all(float(t) in AT for frame in store.frames for t in frame.times)
    return series, problems(store)


def prometheus(*series: tuple[dict[str, str], list[str]]) -> object:
    result = [
        {"metric": labels, "values": [[t, v] for t, v in zip(AT, values, strict=True)]} for labels, values in series
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def test_labels_that_tell_series_apart_are_part_of_their_names(tmp_path: Path) -> None:
    shop = {"__name__": "http_requests_total", "job": "shop", "env": "prod"}
    series, problems = read(
        tmp_path / "answer.json",
        prometheus(
            ({**shop, "code": "500"}, ["0", "1", "2"]),
            ({**shop, "code": "200"}, ["10", "NaN", "+Inf"]),
            ({"__name__": "up", "job": "shop"}, ["1", "1", "0"]),
        ),
    )
    assert series == {
        ("shop", "http_requests_total{code=500}"): [0.0, 1.0, 2.0],
        ("shop", "http_requests_total{code=200}"): [10.0],
        ("shop", "up"): [1.0, 1.0, 0.0],
    }
    assert "infinite" in problems


def test_the_result_of_an_expression_is_named_after_its_file(tmp_path: Path) -> None:
    series, _ = read(tmp_path / "error_ratio.json", prometheus(({"service": "shop"}, ["0.1", "0.2", "0.3"])))
    assert series == {("shop", "error_ratio"): [0.1, 0.2, 0.3]}


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ({"status": "error", "errorType": "bad_data", "error": "parse error"}, "parse error"),
        ({"status": "success", "data": {"resultType": "matrix", "result": []}}, "no series matched it"),
    ],
)
def test_a_query_without_data_is_told_once(tmp_path: Path, tree: object, why: str) -> None:
    series, problems = read(tmp_path / "a.json", tree)
    assert series == {}
    assert f"holds a query's failure instead of data: {why}" in problems
    assert problems.count("lost: the whole file") == 1


@pytest.mark.parametrize(
    ("tree", "key"),
    [
        ([{"target": "shop.p99", "datapoints": [[1.5, AT[0]], [None, AT[1]], [2.5, AT[2]]]}], ("", "shop.p99")),
        (
            {
                "results": [
                    {
                        "series": [
                            {
                                "name": "cpu",
                                "tags": {"host": "web1"},
                                "columns": ["time", "mean"],
                                "values": [[AT[0] * 1000, 1.5], [AT[1] * 1000, None], [AT[2] * 1000, 2.5]],
                            }
                        ]
                    }
                ]
            },
            ("web1", "cpu_mean"),
        ),
        (
            {
                "MetricDataResults": [
                    {
                        "Label": "CPUUtilization",
                        "Timestamps": ["2026-03-01T12:02:00Z", "2026-03-01T12:00:00Z"],
                        "Values": [2.5, 1.5],
                    }
                ]
            },
            ("", "CPUUtilization"),
        ),
        (
            {
                "Label": "Latency",
                "Datapoints": [
                    {"Timestamp": "2026-03-01T12:02:00Z", "Average": 2.5, "Unit": "Seconds"},
                    {"Timestamp": "2026-03-01T12:00:00Z", "Average": 1.5, "Unit": "Seconds"},
                ],
            },
            ("", "Latency"),
        ),
        (
            {
                "series": [
                    {
                        "metric": "system.cpu.idle",
                        "tag_set": ["service:shop"],
                        "pointlist": [[AT[0] * 1000.0, 1.5], [AT[2] * 1000.0, 2.5]],
                    }
                ]
            },
            ("shop", "system.cpu.idle"),
        ),
        (
            {
                "resourceMetrics": [
                    {
                        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                        "scopeMetrics": [
                            {
                                "metrics": [
                                    {
                                        "name": "queue",
                                        "gauge": {
                                            "dataPoints": [
                                                {"timeUnixNano": f"{AT[0]}000000000", "asDouble": 1.5},
                                                {"timeUnixNano": f"{AT[2]}000000000", "asDouble": 2.5},
                                            ]
                                        },
                                    }
                                ]
                            }
                        ],
                    }
                ]
            },
            ("shop", "queue"),
        ),
    ],
    ids=["graphite", "influx", "cloudwatch", "cloudwatch statistics", "datadog", "otlp"],
)
def test_answers_of_other_systems(tmp_path: Path, tree: object, key: tuple[str, str]) -> None:
    assert read(tmp_path / "answer.json", tree)[0] == {key: [1.5, 2.5]}


def test_rows_with_a_metric_to_a_key(tmp_path: Path) -> None:
    rows = [{"ts": t, "service": "shop", "cpu": 1 + i, "mem": 2.5} for i, t in enumerate(AT)]
    series, _ = read(tmp_path / "m.json", rows)
    assert series == {("shop", "cpu"): [1.0, 2.0, 3.0], ("shop", "mem"): [2.5, 2.5, 2.5]}


def test_json_that_holds_no_series_says_so(tmp_path: Path) -> None:
    series, problems = read(tmp_path / "m.json", {"hello": "world"})
    assert series == {}
    assert problems


def test_annotated_csv_of_influxdb(tmp_path: Path) -> None:
    head = (
        "#group,false,false,true,false,false,true,true\n#datatype,string,long,dateTime:RFC3339,double,string,string,s\n"
    )
    columns = ",result,table,_time,_value,_field,_measurement,host\n"
    first, second = ",,0,2026-03-01T12:00:00Z,1.5,used,mem,web1\n", ",,1,2026-03-01T12:01:00Z,2.5,used,mem,web1\n"
    series, problems = read(tmp_path / "m.csv", head + columns + first + "\n" + head + columns + second)
    assert series == {("web1", "mem_used"): [1.5, 2.5]}
    assert not problems


def test_words_in_a_wide_table_are_labels(tmp_path: Path) -> None:
    rows = [f"cpu,zone={z},{t}000000000,{t - T0 + n}" for t in AT for n, z in enumerate("ab")]
    series, _ = read(tmp_path / "m.csv", "\n".join(["name,tags,time,mean", *rows]))
    assert series == {
        ("", "cpu_mean{zone=a}"): [0.0, 60.0, 120.0],
        ("", "cpu_mean{zone=b}"): [1.0, 61.0, 121.0],
    }


def test_legends_of_a_dashboard_are_taken_apart(tmp_path: Path) -> None:
    legends = [f'"http_requests_total{{service=""shop"", code=""{code}""}}"' for code in (500, 200)]
    rows = [f"{t}000,{i},{10 * i}" for i, t in enumerate(AT)]
    series, _ = read(tmp_path / "m.csv", "\n".join(["sep=,", "Time," + ",".join(legends), *rows]))
    assert series == {
        ("shop", "http_requests_total{code=500}"): [0.0, 1.0, 2.0],
        ("shop", "http_requests_total{code=200}"): [0.0, 10.0, 20.0],
    }


def test_a_pod_column_tells_rows_apart_where_the_metric_alone_does_not(tmp_path: Path) -> None:
    rows = [f"{t},shop,{pod},cpu,{n},note {i}{n}" for i, t in enumerate(AT) for n, pod in enumerate(("p-1", "p-2"))]
    series, problems = read(tmp_path / "m.csv", "\n".join(["ts,service,pod,metric,value,remark", *rows]))
    assert series == {("shop", "cpu{pod=p-1}"): [0.0, 0.0, 0.0], ("shop", "cpu{pod=p-2}"): [1.0, 1.0, 1.0]}
    assert not problems
    alone = [f"{t},shop,p-1,cpu,1" for t in AT]
    series, _ = read(tmp_path / "n.csv", "\n".join(["ts,service,pod,metric,value", *alone]))
    assert set(series) == {("shop", "cpu")}, "a label that tells nothing apart is left out"


@pytest.mark.parametrize(
    ("cells", "numbers", "unit"),
    [
        (["1,234", "12,345,678", "7"], [1234.0, 12345678.0, 7.0], ""),
        (["1.234,5", "0,5", "7"], [1234.5, 0.5, 7.0], ""),
        (["12 ms", "13ms", "0"], [12.0, 13.0, 0.0], "ms"),
        (["12 ms", "1.5 s", "2 min"], [0.012, 1.5, 120.0], "s"),
        (["5 MiB", "5 MiB"], [5.0, 5.0], "MiB"),
        (["1 KiB", "1 MiB"], [1024.0, 1048576.0], "bytes"),
        (["3.2K", "1 M", "250m"], [3200.0, 1e6, 0.25], "plain numbers"),
        (["250m", "1", "1500m"], [0.25, 1.0, 1.5], "plain numbers"),
        (["250m", "512Mi"], [0.25, 536870912.0], "bytes and plain numbers"),
        (["1m", "30s"], [60.0, 30.0], "s"),
        (["950k", "1.2m"], [950e3, 1.2e6], "plain numbers"),
        (["1m", "2m", "0"], [1.0, 2.0, 0.0], "m, whatever it stands for"),
        (["1.5 Mb/s", "800 kb/s"], [1.5e6, 8e5], "bits"),
        (["1.5 MB/s", "800 kB/s"], [1.5e6, 8e5], "bytes"),
        (["1 Mibit/s", "1 kbps"], [1048576.0, 1000.0], "bits"),
        (["1 mb", "512 kb"], [1e6, 512e3], "bytes"),
        (["99.5%", "12 %"], [99.5, 12.0], "%"),
        (["true", "FALSE"], [1.0, 0.0], ""),
        (["12 req/s"], [None], ""),
        (["ok", "12 apples", "1,2,3", "1.2.3", "--", ""], [None] * 6, ""),
    ],
)
def test_numbers_as_dashboards_write_them(cells: list[str], numbers: list[float | None], unit: str) -> None:
    found, told = read_numbers(pl.Series("v", cells))
    assert [None if v != v else pytest.approx(v) for v in found.tolist()] == numbers
    assert told == unit or all(v is None for v in numbers)


@pytest.mark.parametrize(
    ("name", "numbers"), [("cpu", [0.25, 0.5]), ("CPU(cores)", [0.25, 0.5]), ("age", [250.0, 500.0])]
)
def test_a_small_m_behind_numbers_of_cpus_is_a_thousandth(name: str, numbers: list[float]) -> None:
    assert read_numbers(pl.Series(name, ["250m", "500m"]))[0].tolist() == numbers


def test_however_many_numbers_have_a_unit_all_are_read() -> None:
    found, unit = read_numbers(pl.Series("v", [f"{i / 8} ms" for i in range(250_000)]))
    assert unit == "ms"
    assert found[-1] == 249_999 / 8


@pytest.mark.parametrize(
    ("stamps", "remark"),
    [
        (("2026/03/01 12:00:00", "2026/03/01 12:01:00", "2026/03/01 12:02"), ""),
        (("01/03/2026 12:00:00", "01/03/2026 12:01:00", "13/03/2026 12:02:00"), "left out"),
        (("03/01/2026 12:00:00 PM", "03/01/2026 12:01:00 PM", "03/01/2026 12:02:00 PM"), "month first"),
        (("Sun Mar  1 12:00:00 2026", "Sun Mar  1 12:01:00 2026", "01 Mar 2026 12:02:00"), ""),
        (("2026-03-01 12:00:00 UTC", "2026-03-01T12:01:00Z[UTC]", "2026-03-01T12:02:00.000000000Z"), ""),
    ],
)
def test_times_by_the_calendar(tmp_path: Path, stamps: tuple[str, str, str], remark: str) -> None:
    rows = [f'"{stamp}",{i}' for i, stamp in enumerate(stamps)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["time,queue", *rows]))
    store = load((spec(path),))
    (frame,) = store.frames
    assert [float(t) for t in frame.times[:2]] == AT[:2]
    told = problems(store)
    if remark == "left out":
        assert float(frame.times[2]) == AT[2] + 12 * 86_400, "a day above 12 says which comes first"
        assert "month first" not in told
    else:
        assert float(frame.times[2]) == AT[2]
        assert remark in told


@pytest.mark.parametrize(
    ("name", "content", "role"),
    [
        ("query.json", json.dumps(prometheus(({"job": "shop"}, ["1", "2", "3"]))), "metrics"),
        ("panel.json", '[{"target": "shop.p99", "datapoints": [[1.5, 1772366400]]}]', "metrics"),
        (
            "export.csv",
            "#group,false\n#datatype,string\n,result,table,_time,_value,_field\n,,0,2026-03-01,1,used\n",
            "metrics",
        ),
        ("panel.csv", "sep=;\nTime;checkout\n2026-03-01 12:00:00;5\n", "metrics"),
        ("loki.json", '{"data": {"result": [{"stream": {"app": "shop"}, "values": [["1", "GET /"]]}]}}', "logs"),
    ],
)
def test_exports_are_recognised_by_their_shape(tmp_path: Path, name: str, content: str, role: str | None) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert recognise(path, name, name, IntakeLimits()).role == role


BUCKETS = [{"key_as_string": "x", "key": 1000 * t, "wait": {"values": [{"key": "95.0", "value": 1.5}]}} for t in AT]
FAILED = {"buckets": [{"key_as_string": "true", "key": 1, "over_time": {"buckets": BUCKETS}}]}


@pytest.mark.parametrize("tree", [{"over_time": {"buckets": BUCKETS}}, {"failed": FAILED}])
def test_percentiles_of_a_search_may_be_a_list(tmp_path: Path, tree: object) -> None:
    series, _ = read(tmp_path / "a.json", {"aggregations": tree})
    assert series["", "wait_95.0"] == [1.5, 1.5, 1.5]


def _points(**kind: object) -> object:
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [kind]}]}]}


@pytest.mark.parametrize(
    "answer",
    [
        {"series": [{"metric": "up", "tag_set": 1, "pointlist": []}]},
        {"data": {"attributes": {"times": AT, "values": [AT], "series": [{"group_tags": 7}]}}},
        {"data": {"resultType": "scalar"}},
        {"data": {"result": [{"metric": {"a": "b"}, "value": [[1, 2], "1"]}]}},
        _points(summary={"dataPoints": [{"quantileValues": [{"quantile": "x", "value": 1}]}]}),
        _points(
            histogram={"aggregationTemporality": 1, "dataPoints": [{"bucketCounts": ["NaN", 1], "explicitBounds": [1]}]}
        ),
    ],
)
def test_parts_of_another_kind_than_a_system_writes_break_nothing(tmp_path: Path, answer: object) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(answer))
    recognise(path, path.name, path.name, IntakeLimits())
    assert "could not be understood" not in problems(load((spec(path),)))


def test_rows_are_not_held_against_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def asks(answer: dict[str, object], stem: str) -> Iterator[Course]:
        asked.append(answer)
        return iter(())

    monkeypatch.setattr(exports, "READERS", (asks,))
    assert exports.courses_of([{"ts": T0, "value": i} for i in range(5 * exports.PROBED)], "value") == []
    assert len(asked) == exports.PROBED


@pytest.mark.parametrize(("free", "name"), [(812_345, "memory_free_kib"), (7_933, "memory_free")])
def test_sizes_of_vmstat_that_may_be_mebibytes_have_no_unit(tmp_path: Path, free: int, name: str) -> None:
    path = tmp_path / "vmstat.txt"
    shown = (EXPORTS / "vmstat.txt").read_text().replace("812345", str(free))
    path.write_text(shown if free > 10_000 else shown.replace("456789", "4460").replace("20480", "20"))
    store = load((spec(path),))
    assert [v for f, r, key in store.series() if key.name == name for v in f.values[r]] == [free] * 3
    told = problems(store)
    assert ("vmstat -S M" in told) is (name == "memory_free")


@pytest.mark.parametrize(
    ("name", "cells", "numbers"),
    [
        ("MEMORY(bytes)", ["1Mi", "2Mi"], [1048576.0, 2097152.0]),
        ("latency_ms", ["1.5 s", "12 ms", "7"], [1500.0, 12.0, 7.0]),
        ("wait_seconds", ["12 ms", "24 ms"], [0.012, 0.024]),
        ("heap_mib", ["1 GiB", "512 MiB"], [1024.0, 512.0]),
        ("latency", ["12 ms", "24 ms"], [12.0, 24.0]),
    ],
)
def test_cells_are_of_the_unit_that_their_column_says(
    tmp_path: Path, name: str, cells: list[str], numbers: list[float]
) -> None:
    path = tmp_path / "m.csv"
    path.write_text("\n".join([f"time,{name}", *(f"2026-03-01T12:0{i}:00Z,{cell}" for i, cell in enumerate(cells))]))
    (frame,) = load((spec(path),)).frames
    assert frame.values[0].tolist() == pytest.approx(numbers)
