"""What recorders and people capture of hosts, pods and containers; and what of it is not read, in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from orchestrator.intake.intake import take_in
from subagents.metrics.roles import traits_of
from subagents.metrics.sources import gathering
from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.forms import unread_form
from subagents.metrics.sources.nested import holds_points
from subagents.metrics.sources.snapshots import is_moment
from subagents.metrics.sources.stamps import DateOrder, naive, parse_by_calendar, parse_stamp, parse_unique
from subagents.metrics.sources.table import Faults
from tests.fakes import FakeClock
from tests.metrics.files import problems, read, values

NOON = 1772366400.0
DSTAT = """"Dstat 0.7.3 CSV output"
"Author:","Dag Wieers",,,,"URL:","http://dag.wieers.com/home-made/dstat/"
"Host:","web1",,,,"User:","root"
"Cmdline:","dstat -tc 60",,,,"Date:","{date}"

"system","total cpu usage",
"time","usr","idl"
"""


def times(path: Path) -> list[float]:
    return [float(t) for frame in read(path).frames for t in frame.times]


def test_dstat_says_the_year_once_and_days_go_on_into_the_next(tmp_path: Path) -> None:
    path = tmp_path / "dstat.csv"
    path.write_text(DSTAT.format(date="31 Dec 2025 23:59:00 UTC") + "31-12 23:59:00,1,99\n01-01 00:00:00,2,98\n1,2\n")
    store = read(path)
    assert times(path) == [parse_stamp("2025-12-31T23:59:00Z"), parse_stamp("2026-01-01T00:00:00Z")]
    assert values(store, "web1", "total cpu usage idle") == [99.0, 98.0]
    assert "dstat.csv:10: the line is not one of dstat; lost: 1 row" in problems(store)


def test_what_stands_before_any_time_of_nmon_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "web.nmon"
    path.write_text(
        "AAA,progname,nmon\nCPU_ALL,CPU Total,User%,Idle%\nCPU_ALL,T0001,1,99\n"
        "ZZZZ,T0002,12:00:00,01-MAR-2026\nCPU_ALL,T0002,2,98\nCPU_ALL,T0003,2,98,7,7\nTOP,1234,T0002,5\n"
    )
    store = read(path)
    assert values(store, "", "CPU_ALL User%") == [2.0]
    assert times(path) == [NOON]
    assert "web.nmon:3: the line is not one of nmon (also lines 6) (x2)" in problems(store)


@pytest.mark.parametrize(
    ("name", "role", "bad"),
    [
        ("total cpu usage usr", "saturation", "up"),
        ("total cpu usage idle", "saturation", "down"),
        ("CPU_ALL IOwait%", "saturation", "up"),
        ("%wait", "saturation", "up"),
        ("MEM free", "memory", "down"),
        ("MEM USAGE", "memory", "up"),
        ("memory available", "memory", "down"),
        ("disk Use%", "saturation", "up"),
        ("disk Avail", "saturation", "down"),
        ("CPU(cores)", "saturation", "up"),
        ("read_wait", "latency", "up"),
    ],
)
def test_what_they_call_things_is_known(name: str, role: str, bad: str) -> None:
    traits = traits_of(name)
    assert (traits.role, traits.bad) == (role, bad)


@pytest.mark.parametrize(
    "moments",
    [
        ("Sun Mar  1 12:00:00 UTC 2026", "Sun Mar  1 12:01:00 UTC 2026"),
        ("Sun Mar  1 01:00:00 PM CET 2026", "Sun Mar  1 01:01:00 PM CET 2026"),
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:01:00+00:00"),
        ("1772366400", "1772366460"),
    ],
)
def test_tables_of_usage_are_of_the_moment_above_them(tmp_path: Path, moments: tuple[str, str]) -> None:
    path = tmp_path / "top.txt"
    rows = "POD         NAME      CPU(cores)   MEMORY(bytes)\nshop-1      shop      250m         1Gi\n"
    path.write_text("".join(f"{moment}\n{rows}\nshop-1  shop  2\n" for moment in moments))
    store = read(path)
    assert times(path) == [NOON, NOON + 60]
    assert values(store, "shop", "CPU(cores)") == [0.25, 0.25]
    assert "top.txt:5: a row does not fit its header (also lines 10) (x2)" in problems(store)


def test_a_process_is_one_series_whatever_cpu_it_runs_on(tmp_path: Path) -> None:
    path = tmp_path / "pidstat.txt"
    rows = [f"12:0{i}:00     1000      1234    {i}.50    0.00   {i}  java" for i in range(4)]
    header = "# Time        UID       PID    %usr %wait   CPU  Command"
    path.write_text("\n".join(["Linux 5.15.0 (web1)  03/21/2026  _x86_64_ (4 CPU)", "", header, *rows]))
    store = read(path)
    assert values(store, "web1", "%usr") == [0.5, 1.5, 2.5, 3.5]
    path.write_text(path.read_text().replace("12:0", "177236640").replace(":00  ", "  "))
    assert times(path) == [1772366400.0, 1772366401.0, 1772366402.0, 1772366403.0]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("top.txt", "top - 12:00:00 up 10 days,  load average: 1.50, 0.80\nTasks: 210 total\n", "top says no date"),
        ("rrd.txt", '<?xml version="1.0"?>\n<xport>\n<meta><start>1</start></meta>\n</xport>\n', "XML are not read"),
        ("aws.txt", "Datapoints:\n- Average: 1.5\n  Timestamp: '2026-03-01T12:00:00+00:00'\n", "YAML are not read"),
        (
            "pods.txt",
            "NAME    CPU(cores)   MEMORY(bytes)\nshop    250m         1Gi\n",
            "numbers of one moment, and no time",
        ),
    ],
)
def test_forms_that_are_not_read_say_what_to_do_instead(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    taken = asyncio.run(take_in([str(path)], spool=tmp_path / "spool", clock=FakeClock()))
    assert [one.kind for one in taken.specs] == ["logs"]
    assert f"{told}: read as a log" in "\n".join(problem.line() for problem in taken.problems)
    store = read(path)
    assert not store.frames
    assert told in problems(store)
    assert "lost: the whole file" in problems(store)


@pytest.mark.parametrize(
    "text", ["TIME\tCPU\tMEM\n12:00\t1\t2\n", "HOST   CPU   LAST\nweb1   5     2026-03-01T12:00:00Z\n"]
)
def test_tables_of_usage_with_times_of_their_own_are_no_snapshots(text: str) -> None:
    assert unread_form(text) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("46082.5", NOON), ("46082,50069444", NOON + 60), ("45000", None), ("46082.5 ", NOON)],
)
def test_days_of_a_spreadsheet_have_decimals(tmp_path: Path, written: str, seconds: float | None) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(f"Time;p99\n{written};1.5\n")
    assert times(path) == ([] if seconds is None else [pytest.approx(seconds, abs=0.01)])


def test_seconds_that_only_begin_among_spreadsheets_days_are_none(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("t,p99\n" + "".join(f"{72_000.5 + 100 * i},1.5\n" for i in range(40)))
    assert times(path) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3/1/2026 12:00:00 PM - 12:01:00 PM", NOON),
        ("2026-03-01 12:00:00 CET", NOON - 3600),
        ("Sun 01 Mar 2026 12:00:00 PM UTC", NOON),
        ("2026-03-01 12:00:00 XYZ", None),
    ],
)
def test_ranges_count_from_their_beginning_and_zones_may_be_letters(text: str, seconds: float | None) -> None:
    known = parse_unique([text])
    parse_by_calendar(known, DateOrder())
    assert known[text] == seconds
    assert naive(text) is ("-" in text and text[-1] in "MZ")


@pytest.mark.parametrize(
    "document",
    [
        {"orders": [{"time": "2026-03-01T12:00:00Z", "total": 5, "city": "Bern"}] * 2, "page": 1},
        {"jobs": [{"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T12:01:00Z"}] * 2},
        {"result": [{"from": "a", "to": "b", "weight": 5}] * 2},
        {"last": [{"time": "2026-03-01T12:00:00Z", "value": 5}]},
        {"entries": [{"timestamp": "2026-03-01T12:00:00Z", "status": 500, "text": "no answer"}] * 2},
    ],
)
def test_records_of_times_and_words_are_no_metrics(document: dict[str, object]) -> None:
    assert not holds_points(document)


def test_what_encloses_points_says_of_what_they_are(tmp_path: Path) -> None:
    points = [{"at": {"x": 1}, "timestamp": "2026-03-01T12:00:00Z", "value": v} for v in (1.5, 2.5)]
    points[1]["timestamp"] = "2026-03-01T12:01:00Z"
    held = [{"name": "cpu", "dimensions": {"host": host}, "points of it": points} for host in ("web1", "web2")]
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"data": {"found": held, "count": 2}, "status": "ok"}))
    store = read(path)
    assert values(store, "web1", "cpu") == values(store, "web2", "cpu") == [1.5, 2.5]


def test_points_of_which_only_keys_tell_what_they_are_stay_apart(tmp_path: Path) -> None:
    pairs = {key: [[NOON, one], [NOON + 60, 2 * one]] for key, one in (("p50", 1.0), ("p99", 5.0))}
    rows = {
        host: [{"time": NOON + 60 * i, "cpu": load, "at": {"x": 1}} for i in (0, 1)]
        for host, load in (("a", 3), ("b", 4))
    }
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"found": {"of": {"it": pairs}}}))
    store = read(path)
    assert (values(store, "", "p50"), values(store, "", "p99")) == ([1.0, 2.0], [5.0, 10.0])
    path.write_text(json.dumps({"found": {"of": {"it": {**rows, "about": 1}}}}))
    store = read(path)
    assert (values(store, "", "cpu{in=a}"), values(store, "", "cpu{in=b}")) == ([3.0, 3.0], [4.0, 4.0])


def test_series_that_are_left_out_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subagents.metrics.series.MAX_GRID_CELLS", 6)
    path = tmp_path / "wide.csv"
    path.write_text("ts,a,b,c\n1772366400,1,2,3\n1772366460,1,2,3\n1772366520,1,2,3\n")
    store = read(path)
    assert [key.name for _, _, key in store.series()] == ["a", "b"]
    assert "more series and moments than are held at once; lost: 1 series" in problems(store)


def test_a_time_is_read_once_for_all_series_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def parse(texts: Iterable[str]) -> dict[str, float | None]:
        asked.extend(texts)
        return {text: NOON for text in texts}

    monkeypatch.setattr(gathering, "parse_unique", parse)
    courses = [Course({}, name, ["01-MAR-2026 12:00:00"], [1.0]) for name in ("a", "b", "c")]
    points = gathering.gather(courses, [("", one.name) for one in courses], Faults("x"), range(1))
    assert asked == ["01-MAR-2026 12:00:00"]
    assert [list(times) for times in points.times] == [[NOON]] * 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Sun Mar  1 12:00:00 UTC 2026", True),
        ("1 March 2026 12:00", True),
        ("March 1, 2026 12:00", True),
        ("1772366400", True),
        ("25/03/2026 12:00:00", True),
        ("web1  250m  512Mi", False),
        ("mon-1  250m  512Mi", False),
        ("Swap: 1 2 3", False),
    ],
)
def test_a_line_is_a_moment_or_not(line: str, said: bool) -> None:
    assert is_moment(line) is said
