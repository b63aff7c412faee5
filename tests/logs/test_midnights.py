"""Stamps that say no day, in a file that passes midnight."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.logs.sources.timestamps import microseconds, moment
from tests.logs.both_ways import built, small_blocks, what_it_says, without_library
from tests.logs.builders import read, write

__all__ = ["small_blocks"]

WRITTEN = datetime(2026, 4, 15, 0, 30, tzinfo=UTC)


def written(folder: Path, lines: Sequence[str], at: datetime = WRITTEN, name: str = "worker.log") -> SourceSpec:
    spec = write(folder, name, lines)
    os.utime(spec.path, (at.timestamp(), at.timestamp()))
    return spec


def times(spec: SourceSpec) -> list[str]:
    return [f"{moment(event['t']):%d %H:%M:%S}" for event in read(spec)[1]]


def test_what_stands_before_midnight_is_of_the_day_before(tmp_path: Path) -> None:
    spec = written(tmp_path, ["23:59:58 one", "00:00:01 two", "  its rest", "00:29:59 three"])
    assert times(spec) == ["14 23:59:58", "15 00:00:01", "15 00:29:59"]
    source, _ = read(spec)
    assert any("and 1 midnight before it counted back" in each.what for each in source.coverage().problems)


def test_each_midnight_counts(tmp_path: Path) -> None:
    spec = written(tmp_path, ["22:00:00 a", "04:00:00 b", "16:00:00 c", "03:00:00 d", "00:10:00 e"])
    assert times(spec) == ["13 22:00:00", "14 04:00:00", "14 16:00:00", "15 03:00:00", "15 00:10:00"]


def test_a_line_that_is_late_at_midnight_stays_on_its_day(tmp_path: Path) -> None:
    spec = written(tmp_path, ["23:59:59 a", "00:00:00 b", "23:59:58 late", "00:00:02 c"])
    assert times(spec) == ["14 23:59:59", "15 00:00:00", "14 23:59:58", "15 00:00:02"]


def test_a_file_closed_just_after_midnight_holds_the_day_before(tmp_path: Path) -> None:
    spec = written(tmp_path, ["23:58:00 a", "23:59:59 b"], datetime(2026, 4, 15, 0, 0, 4, tzinfo=UTC))
    assert times(spec) == ["14 23:58:00", "14 23:59:59"]


def test_a_clock_that_is_set_back_an_hour_passes_no_midnight(tmp_path: Path) -> None:
    assert times(written(tmp_path, ["02:59:59 a", "02:00:00 b"])) == ["15 02:59:59", "15 02:00:00"]


def test_where_some_stamps_say_their_day_nothing_is_moved(tmp_path: Path) -> None:
    spec = written(tmp_path, ["2026-04-14T23:59:58Z a", "23:59:59 b", "00:00:01 c", "2026-04-15T00:00:02Z d"])
    assert times(spec) == ["14 23:59:58", "15 23:59:59", "15 00:00:01", "15 00:00:02"]


def test_a_pass_over_a_file_as_it_was_takes_no_day_from_who_reads_again_meanwhile(tmp_path: Path) -> None:
    spec = written(tmp_path, ["23:59:58 one", "00:00:01 two"])
    source, _ = read(spec)
    again = source.frames()
    assert moment(source.reread(0, 1).events["t"][0]).day == 14
    next(again)
    assert moment(source.reread(0, 1).events["t"][0]).day == 14


def test_a_file_that_grew_over_midnight_ends_on_its_new_date(tmp_path: Path) -> None:
    spec = written(tmp_path, ["23:59:58 a"], WRITTEN - timedelta(minutes=31))
    source, before = read(spec)
    written(tmp_path, ["23:59:58 a", "00:00:01 b"])
    after = [moment(event) for frame in source.frames() for event in frame.events["t"].to_list()]
    assert moment(before[0]["t"]) == after[0] == WRITTEN - timedelta(seconds=1802)
    assert after[1] == WRITTEN - timedelta(seconds=1799)


def long_lines() -> list[str]:
    """Two days of one event a minute, one of ten with a line of its own below it."""
    found = []
    for number in range(2880):
        at = WRITTEN - timedelta(minutes=2879 - number)
        found.append(f"{at:%H:%M:%S} INFO job {number * 7919 % 99991} of queue {number % 7} done")
        if not number % 10:
            found.append("\tat its end")
    return found


def test_however_a_file_is_read_it_passes_midnight_at_the_same_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = written(tmp_path, long_lines())
    said = what_it_says(built(spec))
    assert said == what_it_says(without_library(spec, monkeypatch))
    (span,) = {coverage.span for coverage in said["coverage"]}
    assert (span.start, span.end) == (WRITTEN - timedelta(minutes=2879), WRITTEN + timedelta(microseconds=1))


def test_an_event_that_is_read_again_has_the_same_time(tmp_path: Path) -> None:
    spec = written(tmp_path, ["23:59:58 a", "00:00:01 b", "12:00:00 c", "00:00:03 d"])
    source, events = read(spec)
    again = [source.reread(event["start"], 1).events["t"][0] for event in events]
    assert again == [event["t"] for event in events]
    later = [event for frame in source.frames(events[-1]["start"]) for event in frame.events["t"].to_list()]
    assert later[-1] == microseconds(WRITTEN - timedelta(seconds=1797))


@pytest.mark.parametrize("name", ["worker-2026-04-13.log", "worker.log.20260413", "worker.2026_04_13.2.txt"])
def test_the_day_in_a_files_name_counts_more_than_a_later_date(tmp_path: Path, name: str) -> None:
    spec = written(tmp_path, ["23:59:58 one", "00:00:01 two", "12:00:00 three"], WRITTEN, name)
    assert times(spec) == ["12 23:59:58", "13 00:00:01", "13 12:00:00"]
    said = [each.what for each in read(spec)[0].coverage().problems]
    assert any("the day is taken from the file's name, and 1 midnight" in each for each in said)


def test_a_file_that_was_written_before_the_day_in_its_name_is_of_its_date(tmp_path: Path) -> None:
    closed = datetime(2026, 4, 15, 0, 0, 4, tzinfo=UTC)
    spec = written(tmp_path, ["23:58:00 a", "23:59:59 b"], closed, "worker.log-20260415")
    assert times(spec) == ["14 23:58:00", "14 23:59:59"]


@pytest.mark.parametrize("name", ["worker-2026-13-41.log", "worker-12026041399.log", "worker-2026-04.log"])
def test_digits_in_a_name_that_are_no_day_say_none(tmp_path: Path, name: str) -> None:
    assert times(written(tmp_path, ["12:00:00 a"], WRITTEN, name)) == ["15 12:00:00"]
