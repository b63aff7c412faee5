"""One clock for all files: what does not agree is told, nothing is moved, and no time is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from subagents.logs.model import LogsCoverage, LogsHistogram
from subagents.logs.params import CoverageParams, HistogramParams
from subagents.logs.sources.backwards import Backwards
from tests.logs.builders import agent_for, call, iso, read, write

HOUR = 3600


def told(folder: Path, files: dict[str, list[str]]) -> str:
    """Return what the coverage of some files says is wrong with their clocks."""
    data = call(
        agent_for(*(write(folder, name, lines) for name, lines in files.items())), "logs_coverage", CoverageParams()
    ).data
    assert isinstance(data, LogsCoverage)
    return " | ".join(problem.line() for problem in data.skew)


def lines(start: float, end: float, step: float = 60) -> list[str]:
    """Return a line a minute."""
    return [f"{iso(start + step * n)} INFO tick {n}" for n in range(int((end - start) / step))]


def test_a_file_of_another_zone_is_told_also_where_it_overlaps(tmp_path: Path) -> None:
    found = told(tmp_path, {"a.log": lines(0, 6 * HOUR), "b.log": lines(2 * HOUR, 8 * HOUR)})
    assert "b.log: its times lie 2 h after the others" in found
    assert "it was not shifted" in found


def test_parts_of_one_rotated_log_are_no_skew(tmp_path: Path) -> None:
    assert told(tmp_path, {"a.log.1": lines(0, HOUR), "a.log": lines(HOUR, 2 * HOUR)}) == ""
    assert told(tmp_path, {"a-2026-03-01.log": lines(0, HOUR), "a-2026-03-02.log": lines(HOUR, 2 * HOUR)}) == ""


def test_files_that_end_at_odd_times_are_no_skew(tmp_path: Path) -> None:
    assert told(tmp_path, {"a.log": lines(0, 6 * HOUR), "b.log": lines(2 * HOUR + 700, 6 * HOUR)}) == ""


def test_a_host_whose_clock_differs_is_named_and_its_lines_stay_where_they_are(tmp_path: Path) -> None:
    text = []
    for minute in range(20):
        text.append(f"{iso(60 * minute)} web-1 cart[1]: ok {minute}")
        text.append(f"{iso(60 * minute - 2 * HOUR)} web-2 cart[1]: ok {minute}")
    source, events = read(write(tmp_path, "syslog", text))
    problem = next(each for each in source.coverage().problems if "behind" in each.what)
    assert problem.where == "syslog:2"
    assert problem.count == 20
    assert "by up to 2 h 0 min, all of web-2" in problem.what
    assert [event["raw"] for event in events] == text


@pytest.mark.parametrize("leading", [1, 3])
def test_a_host_whose_clock_differs_is_named_where_the_file_begins_with_it(tmp_path: Path, leading: int) -> None:
    text = [f"{iso(n - 2 * HOUR)} web-2 cart[1]: early {n}" for n in range(leading)]
    for minute in range(20):
        text.append(f"{iso(60 * minute)} web-1 cart[1]: ok {minute}")
        text.append(f"{iso(60 * minute - 2 * HOUR + 5)} web-2 cart[1]: ok {minute}")
    source, _ = read(write(tmp_path, "syslog", text))
    problem = next(each for each in source.coverage().problems if "behind" in each.what)
    assert (problem.what.endswith(", all of web-2"), problem.count) == (True, 20)


def test_a_host_that_a_file_begins_with_is_named_wherever_blocks_end() -> None:
    names = ["web-1", "web-2"]
    times, hosts = np.array([0, 1, 2, 300, 3, 301, 4]) * 1_000_000, np.array([1, 1, 1, 0, 1, 0, 1])
    for cut in range(len(times)):
        found = Backwards()
        for part in (slice(0, cut), slice(cut, None)):
            found.add(times[part], np.arange(7)[part], hosts[part], lambda rows: [names[row] for row in rows])
        (problem,) = found.problems("syslog")
        assert (problem.what.endswith(", all of web-2"), problem.count) == (True, 2)


def test_one_host_whose_clock_is_set_back_is_not_named_by_what_others_do(tmp_path: Path) -> None:
    text = [f"{iso(60 * n)} web-1 cart[1]: ok {n}" for n in range(9)]
    text += [f"{iso(600 + 60 * n)} web-{n % 2 + 1} cart[1]: ok {n}" for n in range(8)]
    text += [f"{iso(60 * n)} web-1 cart[1]: set back {n}" for n in range(3)]
    source, _ = read(write(tmp_path, "syslog", text))
    problem = next(each for each in source.coverage().problems if "behind" in each.what)
    assert "all of" not in problem.what


def test_lines_that_threads_mixed_are_not_told(tmp_path: Path) -> None:
    source, _ = read(write(tmp_path, "x.log", [f"{iso(n + 30 * (n % 2))} INFO a" for n in range(50)]))
    assert not [each for each in source.coverage().problems if "behind" in each.what]


@pytest.mark.parametrize(
    "stamp",
    ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
     "2026-02-30T12:00:00Z", "2026-13-01T12:00:00Z", "2026-03-01T25:61:61Z"],
)  # fmt: skip
def test_a_moment_that_is_none_is_kept_as_text_and_told(tmp_path: Path, stamp: str) -> None:
    source, events = read(write(tmp_path, "x.log", [f"{iso(0)} INFO a", f"{stamp} ERROR b", f"{iso(9)} INFO c"]))
    assert [event["own"] for event in events] == [True, False, True]
    assert stamp in events[1]["raw"]
    assert any("without a time stamp" in each.what for each in source.coverage().problems)


def test_the_hour_that_a_summer_time_repeats_keeps_its_order_and_offsets(tmp_path: Path) -> None:
    text = ["2026-10-25T02:30:00+02:00 INFO first", "2026-10-25T02:30:00+01:00 INFO an hour later"]
    spec = write(tmp_path, "x.log", text)
    data = call(agent_for(spec), "logs_histogram", HistogramParams(bucket_seconds=1800)).data
    assert isinstance(data, LogsHistogram)
    assert data.series[0].counts[0] == data.series[0].counts[-1] == 1
    assert len(data.series[0].counts) == 3


def test_a_file_that_has_the_newest_first_has_no_late_events(tmp_path: Path) -> None:
    newest_first = [f"{iso(-20 * n - n % 5)} INFO tick {n}" for n in range(400)]
    source, events = read(write(tmp_path, "export.log", newest_first))
    assert len(events) == 400
    assert not any("behind those before them" in each.what for each in source.coverage().problems)


def test_a_file_that_was_put_together_of_two_has_late_events(tmp_path: Path) -> None:
    source, _ = read(write(tmp_path, "both.log", lines(0, HOUR) + lines(0, HOUR)))
    assert any("behind those before them" in each.what for each in source.coverage().problems)
