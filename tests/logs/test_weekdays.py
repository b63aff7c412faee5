"""Weekdays beside a date are of the stamp: no message begins or ends with the day, with the library or without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest

from subagents.contract import SourceSpec, Window
from subagents.logs.compare import compare, spans_of
from subagents.logs.index import LogIndex
from subagents.logs.native import NO_TIME
from subagents.logs.sources import stamp_reader
from subagents.logs.sources.finders import finder_of
from subagents.logs.sources.stamp_reader import StampReader
from subagents.logs.sources.timestamps import Shape, find_stamp, moment, shape_of
from tests.logs.both_ways import built, looked_up, small_blocks, what_it_says, without_library
from tests.logs.builders import NOON, read, write
from tests.logs.compiled import classes_by
from tests.thinned import thinned

__all__ = ["small_blocks"]
MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)
"""A Thursday: weekdays that are written out are of other widths on each side of it."""
MESSAGES = (
    "connection from 10.0.0.{} closed by the peer",
    "TLS: soft reset sec={}",
    "Sun rises for shard {}",
    "the Mon job {} is done",
    "monday-job {} waits",
)
LAYOUTS = {
    "ctime": "%a %b %e %H:%M:%S %Y",
    "apache": "[%a %b %d %H:%M:%S.%f %Y] [core:error] [pid 1]",
    "in brackets behind names": "INFO worker-{name} [%a %b %d %H:%M:%S %Y]",
    "behind a level": "WARN %a %b %e %H:%M:%S %Y",
    "date(1)": "%a %b %e %H:%M:%S UTC %Y",
    "no year": "%a %b %e %H:%M:%S web sshd[17]:",
    "no year, no zero": "%a %b %-d %H:%M:%S",
    "mail": "%a, %d %b %Y %H:%M:%S GMT",
    "journalctl": "%a %Y-%m-%d %H:%M:%S UTC web cart[9]:",
    "ISO with a comma": "%a, %Y-%m-%dT%H:%M:%S.%fZ",
    "ISO, within": "%Y-%m-%d %a %H:%M:%S",
    "written out": "%A %Y-%m-%d %H:%M:%S",
    "written out, within": "%Y-%m-%d %A, %H:%M:%S",
    "batch file": "%a %m/%d/%Y %H:%M:%S.10",
    "month, day, year": "%a %b %d, %Y %I:%M:%S %p",
    "no zeros": "%a %Y-%-m-%-d %-H:%M:%S",
}


def two_days(layout: str, each: int) -> Iterator[str]:
    """The same messages as often on both sides of midnight, at each of which an hour has passed."""
    for number in range(2 * each):
        stamp = (MIDNIGHT + timedelta(seconds=(number - each) * 3600 / each)).strftime(layout)
        yield f"{stamp.format(name='abc'[: number % 3 + 1])} {MESSAGES[number % 5].format(number % 250)}"


def changes(index: LogIndex) -> set[str]:
    hour = timedelta(hours=1)
    spans = spans_of(index, Window(start=MIDNIGHT, end=MIDNIGHT + hour), Window(start=MIDNIGHT - hour, end=MIDNIGHT))
    return {found.change for found in compare(index, spans)}


@pytest.mark.parametrize("layout", thinned(LAYOUTS.values(), 3), ids=list(LAYOUTS))
def test_at_midnight_nothing_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    spec = write(tmp_path, "app.log", two_days(layout, 300))
    index = without_library(spec, monkeypatch)
    assert changes(index) == {"steady"}
    assert index.coverage[0].understood == 600
    assert not [key for key in index.keys if "Wed" in key or "Thu" in key]
    assert what_it_says(built(spec)) == what_it_says(index)


@pytest.mark.needs("compiled")
@pytest.mark.parametrize("layout", [LAYOUTS[name] for name in ("ctime", "apache", "journalctl", "mail")])
def test_most_of_such_lines_are_looked_up(tmp_path: Path, layout: str) -> None:
    few, every = looked_up(write(tmp_path, "app.log", two_days(layout, 600)))
    assert few > every * 0.5


@pytest.mark.parametrize(
    ("line", "when", "text"),
    [
        ("Sun Mar  1 20:00:00 2026 Sun rises", "2026-03-01T20:00:00", " Sun rises"),
        ("[Sun Mar 01 20:00:00.123456 2026] [core:error] x", "2026-03-01T20:00:00.123456", "[ ] [core:error] x"),
        ("Sun Mar  1 20:00:00 text", "2026-03-01T20:00:00", " text"),
        ("Sun Mar 1 20:00:00 text", "2026-03-01T20:00:00", " text"),
        ("Mon Mar  1 20:00:00 2026 the weekday is wrong", "2026-03-01T20:00:00", " the weekday is wrong"),
        ("2026-03-01 Mon 20:00:00 here too", "2026-03-01T20:00:00", " here too"),
        ("INFO Sun Mar  1 20:00:00 2026 text", "2026-03-01T20:00:00", "INFO   text"),
        ("2026-03-01 20:00:00 Sun rises", "2026-03-01T20:00:00", " Sun rises"),
        ("2026-03-01 20:00:00 Sun Mar  1 is gone", "2026-03-01T20:00:00", " Sun Mar  1 is gone"),
        ("2026-03-01 20:00:00 monday-job", "2026-03-01T20:00:00", " monday-job"),
        ("So Mar  1 20:00:00 2026 no name of ours", "2026-03-01T20:00:00", "So   no name of ours"),
        ("Foo Mar  1 20:00:00 2026 a host", "2026-03-01T20:00:00", "Foo   a host"),
        ("eclipse-Sun Mar  1 20:00:00 2026 a host", "2026-03-01T20:00:00", "eclipse-Sun   a host"),
        ("xWednesday, 2026-03-01 20:00:00 a name", "2026-03-01T20:00:00", "xWednesday,   a name"),
        ("today 2026-03-01 20:00:00 x", "2026-03-01T20:00:00", "today   x"),
        ("2026-W09-7T20:00:00 a week is no date", None, "2026-W09-7T20:00:00 a week is no date"),
        ("2026-03-01 Foo 20:00:00 x", None, "2026-03-01 Foo 20:00:00 x"),
        ("Sun 20:00:00 no date, so no weekday of one", None, "Sun 20:00:00 no date, so no weekday of one"),
    ],
)
def test_what_is_of_the_stamp_and_what_of_the_message(line: str, when: str | None, text: str) -> None:
    for _ in range(2):
        reader = StampReader(NOON + timedelta(days=1))
        reader.read(pl.Series(["Sun Mar  1 20:00:00 2026 known", "Mon, 2026-03-02 20:00:00 known"]))
        for _ in range(2):  # the second time by how the line begins
            times, texts = reader.read(pl.Series([line]))
            assert texts.to_list() == [text]
            found = times.item()
            assert (found and moment(found).isoformat().removesuffix("+00:00")) == when


@pytest.mark.parametrize(("host", "day"), [("Sam ", "Sun "), ("Sam, ", "Sun, "), ("Wandering ", "Wednesday ")])
def test_a_line_that_begins_as_those_without_a_weekday_may_have_one(host: str, day: str) -> None:
    reader = StampReader(NOON + timedelta(days=1))
    lines = [f"{before}2026-03-01 20:00:00 text" for before in (host, day)]
    for _ in range(2):  # how lines begin is kept of those that are not all alike, once there is a shape
        reader.read(pl.Series([lines[0], "no stamp"]))
    assert len(reader.routes) == 1
    for _ in range(2):
        times, texts = reader.read(pl.Series(lines))
        assert texts.to_list() == [f"{host}  text", " text"]
        assert times[0] == times[1]
        assert len(reader.routes) == 1, "they begin otherwise"


def test_lines_of_which_only_some_have_a_weekday(tmp_path: Path) -> None:
    lines = ["Sun Mar  1 12:00:00 2026 INFO a", "Mar  1 12:00:01 2026 INFO a", "web Mar  1 12:00:02 2026 INFO a"]
    source, events = read(write(tmp_path, "app.log", lines * 50))
    assert {event["text"].strip() for event in events[0::3] + events[1::3]} == {"INFO a"}
    assert {event["text"] for event in events[2::3]} == {"web   INFO a"}
    assert sum(problem.count for problem in source.coverage().problems if "of their own" in problem.what) == 0
    assert source.coverage().layout == "asctime, no zone; asctime with weekday, no zone"


BEFORE = ("", "[", "x ", "INFO ", "[core] ", "time=", "Foo ", "worker-a [")
DAYS = (
    "",
    "Sun ",
    "Mon, ",
    "Wednesday, ",
    "Foo ",
    "Sunxay ",
    "today ",
    "Sun,",
    "Thursdan ",
    "x-Sun ",
    "/Sun, ",
    "1Sun ",
)
DATES = (
    "Mar  1 20:00:00 2026",
    "Mar  1 20:00:00",
    "Mar 1 20:00:00",
    "2026-03-01 20:00:00",
    "2026-03-01T20:00:00.123Z",
    "01 Mar 2026 20:00:00 GMT",
    "03/13/2026 20:00:00.12",
    "2026-03-01 Sun 20:00:00",
    "2026-03-01 Sunday, 20:00:00",
    "2026-03-01 Foo 20:00:00",
    "2026-3-1 2:0:0",
)
LINES = [f"{before}{day}{date} text" for before in BEFORE for day in DAYS for date in DATES]


def shapes() -> list[Shape]:
    """Return what lines show, in a fixed column and behind an anchor."""
    stamps = [(line, stamp) for line in LINES if (stamp := find_stamp(line)) is not None]
    found = {shape_of(stamp, before): None for line, stamp in stamps for before in (None, line[: stamp.start])}
    return Random(5).sample(sorted(found, key=lambda shape: (shape.pattern, shape.start)), 120)


@pytest.mark.needs("compiled")
@pytest.mark.parametrize("part", thinned(range(3), 3))
def test_a_shape_is_found_in_the_same_lines_by_place_and_by_expression(
    monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(stamp_reader, "MAX_SHAPES", 1)
    lines, classes, hits = pl.Series(LINES), classes_by([]), 0
    for shape in shapes()[part::3]:
        finder = finder_of(shape, NOON)
        if finder is None:
            continue
        reader = StampReader(NOON, [shape])
        reader.read(lines)
        times, texts = reader.read(lines)
        classes.find_by([finder], 0)
        found, _, places = classes.stamps(data := "\n".join([*LINES, ""]).encode(), len(data), len(LINES))
        rows = np.flatnonzero(found != NO_TIME)
        assert found[rows].tolist() == times[rows].to_list(), shape
        assert times.null_count() == len(LINES) - len(rows), shape
        for row, (_, begin, behind) in zip(rows.tolist(), places[rows].tolist(), strict=True):
            assert texts[row] == (f"{LINES[row][:begin]} " if begin else "") + LINES[row][behind:], shape
        hits += len(rows)
    assert hits > 100


FORMS = (
    ("%a %b %e %H:%M:%S %Y", "%b %e %H:%M:%S %Y", "Foo %b %e %H:%M:%S %Y", "w-%S [%a %b %d %H:%M:%S %Y]"),
    ("%a %b %e %H:%M:%S", "%b %e %H:%M:%S", "web %b %e %H:%M:%S", "w-1 %a %b %e %H:%M:%S"),
    ("%A, %Y-%m-%d %H:%M:%S", "INFO %Y-%m-%d %H:%M:%S", "INFO %a %Y-%m-%d %H:%M:%S", "%Y-%m-%d %a %H:%M:%S"),
)


def mixed(forms: tuple[str, ...]) -> Iterator[str]:
    """Some lines have a weekday, some a word in its place."""
    rng, when = Random(5), NOON
    for number in range(600):
        when += timedelta(seconds=rng.randrange(300))
        stamp = when.strftime(rng.choice(forms) if rng.random() < 0.3 else forms[number // 150])
        if rng.random() < 0.02:
            place = rng.randrange(4)
            stamp = stamp[:place] + rng.choice("abSM,-1") + stamp[place + 1 :]
        yield f"{stamp} {rng.choice(MESSAGES).format(rng.randrange(10 ** rng.randrange(1, 5)))}"


@pytest.mark.needs("compiled")
@pytest.mark.parametrize("forms", FORMS)
def test_nothing_comes_out_otherwise_without_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forms: tuple[str, ...]
) -> None:
    spec: SourceSpec = write(tmp_path, "app.log", mixed(forms))
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))
