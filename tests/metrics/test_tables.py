"""Tables of metrics: read in blocks as if whole, and what their cells and names mean settled once for a file."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

from subagents.files import BoundedReader, open_bounded
from subagents.metrics.sources import table
from subagents.metrics.sources.points import read_metric_csv
from subagents.metrics.sources.stamps import parse_stamp
from subagents.metrics.sources.table import Faults
from tests.metrics.files import problems, read, stamp, values


@pytest.mark.parametrize("block", [40, 64, 1000])
def test_a_large_file_is_read_in_blocks_as_if_it_were_whole(tmp_path: Path, block: int) -> None:
    rows = [f"2026-03-01T12:{i:02}:00Z,{s},queue_depth,{v}" for i in range(16) for s, v in (("a", i), ("b", f"{i} k"))]
    rows[9], rows[25] = "2026-03-01T12:04:00Z,b,queue_depth,soon", "2026-03-01T12:12:00Z,b"
    path = tmp_path / "metrics.csv"
    path.write_text("\n".join(["ts,service,metric,value", *rows]))
    told, faults = Faults("metrics.csv"), Faults("metrics.csv")
    points, layout = read_metric_csv(path, faults, block=block)
    whole, same = read_metric_csv(path, told)
    assert layout == same == "long"
    one, other = ([(*label, t.tolist(), v.tolist()) for label, t, v in p.whole()] for p in (points, whole))
    assert one == other
    assert len(one) == 2
    assert faults.lines == told.lines == {"the value is not a number": [11], "a row does not have 4 fields": [27]}
    assert faults.counts == told.counts


def test_a_byte_order_mark_hides_no_preamble_from_later_blocks(tmp_path: Path) -> None:
    rows = [f"2026-03-01T12:{i:02}:00Z;{i}" for i in range(40)]
    path = tmp_path / "panel.csv"
    path.write_text("\n".join(["\ufeffsep=;", "Time;checkout", *rows]), encoding="utf-8")
    in_blocks, whole = (read_metric_csv(path, Faults("panel.csv"), block=block)[0].whole() for block in (300, 1 << 20))
    one, other = ([(*label, t.tolist(), v.tolist()) for label, t, v in read] for read in (in_blocks, whole))
    assert one == other
    assert len(one[0][-1]) == 40


def test_units_mean_the_same_in_every_block(tmp_path: Path) -> None:
    rows = [
        f"2026-03-01T12:{i:02}:00Z,{1000 + i} ms" if i < 20 else f"2026-03-01T12:{i:02}:00Z,1.5 s" for i in range(40)
    ]
    path = tmp_path / "wait.csv"
    path.write_text("\n".join(["ts,value", *rows]))
    points, _ = read_metric_csv(path, Faults("wait.csv"), block=100)
    ((_, _, found),) = points.whole()
    assert found.min() == pytest.approx(1.0)
    assert found.max() == pytest.approx(1.5)


def in_blocks(path: Path, block: int) -> tuple[list[tuple[str, str, list[float], list[float]]], str]:
    faults = Faults(path.name)
    points, _ = read_metric_csv(path, faults, block=block)
    return [(*label, t.tolist(), v.tolist()) for label, t, v in points.whole()], "\n".join(
        p.line() for p in faults.all()
    )


@pytest.mark.parametrize(
    ("dates", "day", "said"),
    [
        (["01/03/2026", "02/03/2026", "13/03/2026"], "2026-03-01", ""),
        (["03/01/2026", "03/02/2026", "03/13/2026"], "2026-03-01", ""),
        (["01/03/2026", "02/03/2026", "03/03/2026"], "2026-03-01", "day first: so they lie closest together"),
        (["03/01/2026"] * 3, "2026-03-01", "month first"),
        (["01.03.2026"] * 3, "2026-03-01", ""),
    ],
    ids=["a later day", "a later month", "nothing but their distance", "nothing", "points"],
)
def test_which_comes_first_in_a_date_is_settled_for_the_whole_file(
    tmp_path: Path, dates: list[str], day: str, said: str
) -> None:
    rows = [f"{date} 12:{i:02}:00,{i}" for date in dates for i in range(20)]
    path = tmp_path / "queue.csv"
    path.write_text("\n".join(["time,queue", *rows]))
    whole, told = in_blocks(path, 1 << 20)
    assert in_blocks(path, 150) == (whole, told), "no block is read another way than the whole"
    ((_, _, times, values),) = whole
    assert len(values) == len(rows)
    assert times[0] == parse_stamp(f"{day} 12:00:00")
    assert ("no day above 12 says otherwise" in told) is bool(said)
    assert said in told


def test_a_date_that_contradicts_those_before_it_is_told_by_its_line(tmp_path: Path) -> None:
    rows = [*(f"13/03/2026 12:{i:02}:00,{i}" for i in range(20)), "03/14/2026 12:00:00,7"]
    path = tmp_path / "queue.csv"
    path.write_text("\n".join(["time,queue", *rows]))
    whole, problems = in_blocks(path, 150)
    assert len(whole[0][-1]) == 20
    assert "queue.csv:22: the time is not readable; lost: 1 row" in problems


@pytest.mark.parametrize(
    ("cells", "mark", "first", "said"),
    [
        (["1,234"] * 20 + ["2,5"], ";", 1.234, ""),
        (["1,234"] * 20 + ["2.000,5"], ";", 1.234, ""),
        (['"1,234"'] * 20 + ['"1,234,567"'], ",", 1234.0, ""),
        (["1,234"] * 20, ";", 1.234, "decimals, as `;` parts the cells"),
        (['"1,234"'] * 20, ",", 1234.0, "thousands"),
        (["1.234"] * 20 + ["2,5"], ";", 1234.0, ""),
    ],
)
def test_what_a_comma_stands_before_is_settled_for_the_whole_file(
    tmp_path: Path, cells: list[str], mark: str, first: float, said: str
) -> None:
    rows = [f"2026-03-01T12:{i:02}:00Z{mark}{cell}" for i, cell in enumerate(cells)]
    path = tmp_path / "queue.csv"
    path.write_text("\n".join([f"time{mark}queue", *rows]))
    whole, told = in_blocks(path, 1 << 20)
    assert in_blocks(path, 100) == (whole, told)
    assert whole[0][-1][0] == first
    assert len(whole[0][-1]) == len(cells)
    assert ("no other number says" in told) is bool(said)
    assert said in told


def test_a_header_of_any_length_is_read_whole(tmp_path: Path) -> None:
    names = [f"requests_of_the_path_{'which_has_a_long_name_' * 12}number_{i}" for i in range(400)]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join(["ts", *names]), *(f"{1772366400 + 60 * i}" + ",1" * 400 for i in range(3))]))
    (frame,) = read(path).frames
    assert len(frame.keys) == 400


def test_tables_one_after_the_other_are_each_read_by_their_own_header(tmp_path: Path) -> None:
    first = ["ts,cpu", *(f"{1772366400 + 60 * i},{i}" for i in range(3))]
    again = ["", "ts,cpu", "1772366580,3", ""]
    other = ["# from here on memory", "ts,service,mem", *(f"{1772366400 + 60 * i},web,{i + 10}" for i in range(3))]
    path = tmp_path / "several.csv"
    path.write_text("\n".join([*first, *again, *other]))
    store = read(path)
    assert values(store, "", "cpu") == [0.0, 1.0, 2.0, 3.0]
    assert values(store, "web", "mem")[:3] == [10.0, 11.0, 12.0]
    assert problems(store) == ""


def test_many_remarks_hide_no_header(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("# a remark\n" * 120 + "ts,cpu\n1772366400,1\n1772366460,2\n")
    assert values(read(path), "", "cpu") == [1.0, 2.0]


def test_lines_that_end_as_they_did_on_old_machines(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"ts,cpu\r1772366400,1\r1772366460,2\r")
    assert values(read(path), "", "cpu") == [1.0, 2.0]


def test_a_second_table_of_a_large_file_leaves_the_first_its_dates(tmp_path: Path) -> None:
    path = tmp_path / "queues.csv"
    first = [f"0{1 + i % 9}/03/2026 12:00,{i}" for i in range(9)]
    second = [f"1{1 + i % 8}/03/2026 12:00,{i}" for i in range(9)]
    path.write_text("\n".join(["Date,mail", *first, "", "Time,orders", *second]))
    whole, told = in_blocks(path, 1 << 20)
    assert in_blocks(path, 100) == (whole, told)
    assert [(name, len(values)) for _, name, _, values in whole] == [("mail", 9), ("orders", 9)]


@pytest.mark.parametrize(("service", "metric"), [("team:shop", "latency"), ("shop", "job:latency"), ("app=shop", "up")])
def test_names_that_look_like_labels_are_names(tmp_path: Path, service: str, metric: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(
        "\n".join(["ts,service,metric,value", *(f"2026-03-01T12:0{i}:00Z,{service},{metric},{i}" for i in range(5))])
    )
    assert [(s, m) for s, m, _, _ in in_blocks(path, 1 << 20)[0]] == [(service, metric)]


def test_labels_are_no_measurements_be_they_numbers(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    rows = [f'2026-03-01T12:0{i}:00Z,"app=shop,code={code}",{i}' for i in range(5) for code in (200, 500)]
    path.write_text("\n".join(["ts,labels,value", *rows]))
    assert [(s, m) for s, m, _, _ in in_blocks(path, 1 << 20)[0]] == [
        ("shop", "value{code=200}"),
        ("shop", "value{code=500}"),
    ]


@pytest.mark.parametrize(("name", "said"), [("begun", True), ("epoch", False)])
def test_numbers_that_nobody_calls_times_are_told(tmp_path: Path, name: str, said: bool) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"{name},cpu\n" + "".join(f"{1772366400 + 60 * i},{i}\n" for i in range(5)))
    store = read(path)
    assert values(store, "", "cpu") == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert ("the numbers of begun are taken for times" in problems(store)) is said


def _one_by_one() -> list[str]:
    return [
        f"2026-03-01T12:{i:02}:00Z,shop,latency,{pod},{v + i}" for pod, v in (("a", 0), ("b", 100)) for i in range(16)
    ]


def _late() -> list[str]:
    rows = [f"2026-03-01T12:{i:02}:00Z,shop,latency,a,{i}" for i in range(16)]
    return [
        row
        for i, row in enumerate(rows)
        for row in ([row, row.replace(f",a,{i}", f",b,{100 + i}")] if i > 11 else [row])
    ]


@pytest.mark.parametrize("rows", [_one_by_one(), _late()], ids=["one series after the other", "one that begins late"])
@pytest.mark.parametrize(
    "head", ["ts,service,metric,pod,value", "ts,service,kind,pod,latency_ms"], ids=["long", "wide"]
)
def test_a_label_that_varies_in_later_blocks_only_tells_series_apart(
    tmp_path: Path, rows: list[str], head: str
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("\n".join([head, *rows]))
    whole, told = in_blocks(path, 1 << 20)
    assert in_blocks(path, 200) == (whole, told)
    assert [(name[-7:], values[-1]) for _, name, _, values in whole] == [("{pod=a}", 15.0), ("{pod=b}", 115.0)]


def test_rows_that_nothing_tells_apart_stay_one_series(tmp_path: Path) -> None:
    rows = [f"2026-03-01T12:{i:02}:00Z,shop,latency,a,{i}" for _ in range(2) for i in range(16)]
    path = tmp_path / "metrics.csv"
    path.write_text("\n".join(["ts,service,metric,pod,value", *rows]))
    whole, _ = in_blocks(path, 200)
    assert [(name, len(values)) for _, name, _, values in whole] == [("latency", 32)]


def test_however_many_headers_leave_dates_open_a_file_is_looked_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [f"time,queue_{n}\n" + "".join(f"03/01/2026 12:{i:02}:00,{i}\n" for i in range(8)) for n in range(12)]
    path = tmp_path / "queues.csv"
    path.write_text("\n".join(tables))
    opened: list[str] = []

    def counted(path: Path, where: str) -> tuple[IO[bytes], BoundedReader]:
        opened.append(where)
        return open_bounded(path, where)

    monkeypatch.setattr(table, "open_bounded", counted)
    whole, told = in_blocks(path, 300)
    assert len(opened) == 2
    assert len(whole) == 12
    assert "month first" in told


def test_dates_mean_the_same_in_all_tables_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "queues.csv"
    path.write_text("time,queue\n01/03/2026 12:00:00,1\n\ntime,backlog\n31/03/2026 12:00:00,2\n")
    whole, told = in_blocks(path, 1 << 20)
    assert whole[0][2] == [parse_stamp("2026-03-01 12:00:00")]
    assert "no day above 12" not in told


def test_a_small_m_means_the_same_in_every_block(tmp_path: Path) -> None:
    path = tmp_path / "pods.csv"
    cells = ["1m"] * 20 + ["30s"] * 20 + ["2m"] * 20
    path.write_text("\n".join(["time,age", *(f"2026-03-01T12:{i:02}:00Z,{cell}" for i, cell in enumerate(cells))]))
    ((_, _, _, found),), _ = in_blocks(path, 2000)
    assert found == [60.0] * 20 + [30.0] * 20 + [120.0] * 20
    ((_, _, _, found),), told = in_blocks(path, 200)
    assert found[0] * 2 == found[-1]
    assert "whatever it stands for" in told


def test_a_label_that_says_nothing_is_none(tmp_path: Path) -> None:
    rows = ["ts,service,metric,code,value"]
    for n in range(3):
        rows += [f"{stamp(n)},web,requests,200,5", f"{stamp(n)},web,requests,500,1", f"{stamp(n)},web,cpu,,3"]
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    names = {key.name for _, _, key in read(tmp_path / "m.csv").series()}
    assert names == {"requests{code=200}", "requests{code=500}", "cpu"}
