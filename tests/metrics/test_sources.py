"""Readers: every layout, every time stamp, and what is odd is counted by file and line, never fatal."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zstandard

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.recognise import recognise
from subagents.metrics.series import SeriesKey
from subagents.metrics.sources import load as loading
from subagents.metrics.sources.load import load
from subagents.metrics.sources.points import split_names
from subagents.metrics.sources.stamps import parse_stamp, stamp_of
from tests.metrics.files import problems, read, spec, values

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000+00:00",
        "2026-03-01 12:00:00",
        "2026-03-01T14:00:00+02:00",
        "1772366400",
        "1772366400.0",
        "1772366400000",
        "1772366400000000",
        "1772366400000000000",
    ],
)
def test_one_moment_in_every_spelling(text: str) -> None:
    assert parse_stamp(text) == T0
    assert stamp_of(text) == T0


@pytest.mark.parametrize("text", ["", "yesterday", "12:00", "nan", "inf", "20140214", "-5", "1e400"])
def test_what_is_no_moment_is_none(text: str) -> None:
    assert parse_stamp(text) is None


def test_long_csv_plain_gz_and_zst_are_the_same(tmp_path: Path) -> None:
    text = "ts,service,metric,value\n2026-03-01T12:00:00Z,cart,rps,5\n2026-03-01T12:01:00Z,cart,rps,6\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "a.csv.zst").write_bytes(zstandard.compress(text.encode()))
    for name in ("a.csv", "a.csv.gz", "a.csv.zst"):
        assert values(read(tmp_path / name), "cart", "rps") == [5.0, 6.0]


@pytest.mark.parametrize("time", ["ts", "timestamp", "time", "Time", "@timestamp"])
def test_time_column_names(tmp_path: Path, time: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"{time},service,metric,value\n1772366400,a,rps,1\n1772366460,a,rps,2\n")
    assert values(read(path), "a", "rps") == [1.0, 2.0]


def test_wide_csv_with_services_in_the_names(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("time,cart_rps,cart_latency_ms,web_rps,web_latency_ms\n1772366400,1,2,3,4\n1772366460,5,6,7,8\n")
    store = read(path)
    assert values(store, "cart", "latency_ms") == [2.0, 6.0]
    assert values(store, "web", "rps") == [3.0, 7.0]


def test_wide_names_are_split_only_where_they_say_so() -> None:
    assert split_names(["cart:rps", "web:rps"]) == [("cart", "rps"), ("web", "rps")]
    assert split_names(["cpu_pct", "latency_ms"]) == [("", "cpu_pct"), ("", "latency_ms")]
    assert split_names(["cart_rps", "cart_errors"], "shop") == [("shop", "cart_rps"), ("shop", "cart_errors")]


def test_wide_csv_with_a_service_column(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("ts,service,rps,latency_ms\n1772366400,a,1,10\n1772366400,b,2,20\n1772366460,a,3,30\n")
    store = read(path)
    assert values(store, "a", "latency_ms") == [10.0, 30.0]
    assert values(store, "b", "rps")[0] == 2.0


def test_a_single_series_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ambient_temperature.csv"
    path.write_text("timestamp,value\n2026-03-01 12:00:00,20.5\n2026-03-01 12:05:00,20.7\n")
    store = read(path)
    assert values(store, "", "ambient_temperature") == [20.5, 20.7]
    assert "taken as UTC" in problems(store)


ROWS = [
    {"ts": "2026-03-01T12:00:00Z", "service": "a", "metric": "rps", "value": 1},
    {"ts": 1772366460, "service": "a", "metric": "rps", "value": 2.5},
]
NESTED_PAIRS = {"a": {"rps": [[1772366400, 1], [1772366460000, 2.5]]}}
NESTED_DICTS = {"a": {"rps": [{"ts": "2026-03-01T12:00:00Z", "value": 1}, {"timestamp": 1772366460, "value": "2.5"}]}}
PROMETHEUS = {
    "data": {
        "result": [{"metric": {"__name__": "rps", "service": "a"}, "values": [[1772366400, "1"], [1772366460, "2.5"]]}]
    }
}


@pytest.mark.parametrize("tree", [ROWS, NESTED_PAIRS, NESTED_DICTS, PROMETHEUS])
def test_json_layouts(tmp_path: Path, tree: object) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(tree))
    assert values(read(path), "a", "rps") == [1.0, 2.5]


def test_json_lines_keep_what_is_good(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n{broken\n" + json.dumps(ROWS[1]) + "\n")
    store = read(path)
    assert values(store, "a", "rps") == [1.0, 2.5]
    assert "metrics.jsonl:2" in problems(store)


def test_bad_rows_are_counted_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    lines = [
        "ts,service,metric,value",
        "2026-03-01T12:00:00Z,a,rps,1",
        "not a time,a,rps,2",
        "2026-03-01T12:01:00Z,a,rps,fast",
        "2026-03-01T12:02:00Z,a,rps,inf",
        "2026-03-01T12:03:00Z,a,rps,NaN",
        "2026-03-01T12:04:00Z,a,,4",
        "2026-03-01T12:05:00Z,a",
        "",
        "2026-03-01T12:06:00Z,a,rps,7",
    ]
    path.write_text("\n".join(lines) + "\n")
    store = read(path)
    assert values(store, "a", "rps") == [1.0, 7.0]
    told = problems(store)
    for where in ("m.csv:3", "m.csv:4", "m.csv:5", "m.csv:7", "m.csv:8"):
        assert where in told, told
    assert store.coverage[0].dropped == 5
    assert "m.csv:6" not in told, "NaN is a gap, not a fault"


@pytest.mark.parametrize(
    ("row", "told"), [("1772366460,a", True), ("1772366460,a,rps,2,9", True), ("1772366460,a,rps,", False)]
)
def test_a_row_of_another_length_is_named(tmp_path: Path, row: str, told: bool) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"ts,service,metric,value\n1772366400,a,rps,1\n{row}\n1772366520,a,rps,3\n")
    store = read(path)
    assert values(store, "a", "rps") == [1.0, 3.0]
    assert ("m.csv:3" in problems(store)) is told


@pytest.mark.parametrize("unclosed", [1, 30])
def test_a_quote_that_nobody_closes_spoils_its_own_line_only(tmp_path: Path, unclosed: int) -> None:
    good = [f"2026-03-01T12:{minute:02}:00Z,web,rps,{minute}" for minute in range(5)]
    two_lines = '2026-03-01T12:00:00Z,"we\nb",rps,7'
    path = tmp_path / "metrics.csv"
    broken = ['2026-03-01T12:00:30Z,"web,rps,1'] * unclosed
    path.write_text("\n".join(["ts,service,metric,value", two_lines, *broken, *good]))
    store = read(path)
    assert values(store, "web", "rps") == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert any(key.service.startswith("we") and key.service != "web" for _, _, key in store.series())
    assert "metrics.csv:4: a row does not have 4 fields" in problems(store)
    assert f"lost: {unclosed} row" in problems(store)


def test_unsorted_and_duplicate_points(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "ts,service,metric,value\n1772366520,a,rps,3\n1772366400,a,rps,1\n1772366460,a,rps,9\n1772366460,a,rps,2\n"
    )
    store = read(path)
    assert values(store, "a", "rps") == [1.0, 2.0, 3.0]
    assert "more than one value at one time" in problems(store)


def test_series_of_two_steps_get_a_grid_each(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    rows = [f"{1772366400 + 60 * i},a,rps,{i}" for i in range(30)]
    rows += [f"{1772366407 + 300 * i},a,slow,{i}" for i in range(6)]
    path.write_text("ts,service,metric,value\n" + "\n".join(rows) + "\n")
    store = read(path)
    assert sorted(frame.step for frame in store.frames) == [60.0, 300.0]
    assert all(np.isfinite(frame.values).all() for frame in store.frames)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b,c\n1,2,3\n", "no time column"),
        (b"\x1f\x8bbroken", "damaged"),
        (b"ts,service,metric,value\n", "no usable point"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    store = read(path)
    assert told in problems(store)
    assert store.frames == []


def test_odd_bytes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(
        b"\xef\xbb\xbfts,service,metric,value\r\n1772366400,caf\xff,rps,1\r\n"
        b'1772366460,"a ""b"", c",rps,2\r\n1772366520,x\0y,rps,3'
    )
    store = read(path)
    assert {key.service for _, _, key in store.series()} == {"caf\ufffd", 'a "b", c', "xy"}


def test_a_missing_file_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    good = tmp_path / "m.csv"
    good.write_text("ts,service,metric,value\n1772366400,a,rps,1\n1772366460,a,rps,2\n")
    store = load((spec(tmp_path / "gone.csv"), spec(good)))
    assert "cannot be opened" in problems(store)
    assert len(list(store.series())) == 1


def test_a_file_that_cannot_be_understood_takes_no_other_source_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("unforeseen")

    monkeypatch.setattr(loading, "read_topology", fails)
    (tmp_path / "topology.csv").write_text("caller,callee\na,b\n")
    (tmp_path / "metrics.csv").write_text("ts,service,metric,value\n2026-03-01T12:00:00Z,web,rps,1\n")
    store = load((spec(tmp_path / "topology.csv", "topology"), spec(tmp_path / "metrics.csv", "metrics")))
    assert "topology.csv: could not be understood (KeyError); lost: the whole file" in problems(store)
    assert values(store, "web", "rps") == [1.0]


@pytest.mark.parametrize("content", ["1.5", "null", '"x"', "[1, null, [2]]", '{"spans": 3}'])
def test_spans_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "spans.json").write_text(content)
    store = load((spec(tmp_path / "spans.json", "spans"),))
    assert "could not be understood" not in problems(store)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("ts,service,metric,value\n1772366400,a,rps,1\n1772366460,a,rps,2\n")
    assert values(read(path), "a", "rps") == [1.0, 2.0]
    path.write_text("ts,service,metric,value\n1772366400,a,rps,1\n1772366460,a,rps,2\n1772366520,a,rps,44\n")
    assert values(read(path), "a", "rps") == [1.0, 2.0, 44.0]


def test_topology_adds_up_and_names_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "topology.csv"
    path.write_text("caller,callee,calls\nweb,cart,3\nweb,cart,4\nweb,web,9\ncart,,1\n")
    store = read(path, "topology")
    assert [(e.caller, e.callee, e.calls) for e in store.edges] == [("web", "cart", 7.0)]
    assert "topology.csv:5" in problems(store)


EDGES = """ts,caller,service,operation,count,p50_ms,p95_ms,max_ms
2026-03-01T12:00:00Z,web,cart,shop.Cart/Get,10,2,3,4
2026-03-01T12:00:00Z,web,web,shop.Cart/Get,10,252,260,270
2026-03-01T12:01:00Z,web,cart,/shop.Cart/Get,10,2,3,4
2026-03-01T12:01:00Z,web,web,shop.Cart/Get,10,5,6,7
2026-03-01T12:00:00Z,,web,GET /,10,300,310,320
2026-03-01T12:00:00Z,cart,cart,HTTP GET,10,40,50,900
2026-03-01T12:00:00Z,cart,db,query,10,1,2,30
soon,web,cart,shop.Cart/Get,10,2,3,4
"""


def test_trace_edges_become_series_edges_hops_and_waits(tmp_path: Path) -> None:
    path = tmp_path / "trace_edges.csv"
    path.write_text(EDGES)
    store = read(path, "trace_edges")
    assert values(store, "cart", "calls_from_web") == [10.0, 10.0]
    assert values(store, "cart", "p95_ms_from_web") == [3.0, 3.0]
    hop = store.hops[0]
    assert (hop.caller, hop.callee, hop.gap_ms.tolist()) == ("web", "cart", [250.0, 3.0])
    wait = store.waits[0]
    assert (wait.caller, wait.worst_ms.tolist(), dict(wait.shares)) == ("cart", [870.0], {"db": 1.0})
    assert {(e.caller, e.callee) for e in store.edges} == {("web", "cart"), ("cart", "db")}
    assert "trace_edges.csv:9" in problems(store)
    assert store.find(SeriesKey("trace_edges.csv", "cart", "wait_ms_from_web")) is not None


def test_spans_give_edges_and_keep_errors(tmp_path: Path) -> None:
    path = tmp_path / "spans.json"
    spans = [
        {"trace_id": "t", "span_id": "1", "parent_id": None, "service": "web", "name": "GET /", "start": 1772366400},
        {
            "traceId": "t",
            "spanId": "2",
            "parentId": "1",
            "service": "cart",
            "name": "get",
            "start": "soon",
            "error": "x",
        },
        {"trace_id": "t", "span_id": "3", "parent_id": "2", "service": "cart", "name": "q", "peer.service": "db"},
        "rubbish",
    ]
    path.write_text(json.dumps(spans))
    store = read(path, "spans")
    assert {(e.caller, e.callee) for e in store.edges} == {("web", "cart")}
    assert [s.failed for s in store.spans["spans.json"]] == [False, True, False]
    assert "without a readable start" in problems(store)


def test_json_is_read_as_such_whatever_it_is_called(tmp_path: Path) -> None:
    answer = {"data": {"result": [{"metric": {"__name__": "up", "service": "web"}, "values": [[T0, "1"]]}]}}
    rows = [{"ts": T0 + 60 * i, "service": "web", "metric": "up", "value": i} for i in range(3)]
    for name, text, expected in (
        ("answer.txt", json.dumps(answer), [1.0]),
        ("rows.log.1", "\n".join(map(json.dumps, rows)), [0.0, 1.0, 2.0]),
    ):
        path = tmp_path / name
        path.write_text(text)
        assert recognise(path, name, name, IntakeLimits()).role == "metrics"
        assert values(read(path), "web", "up") == expected
