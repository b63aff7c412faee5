"""What syslog says was repeated is the same message, counted as one event; that there were more is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.params import CoverageParams
from tests.logs.both_ways import built, small_blocks, what_it_says, without_library
from tests.logs.builders import agent_for, at, call, write

__all__ = ["small_blocks"]

REFUSED = "app[17]: cannot connect to db-1: Connection refused"


def line(seconds: float, text: str) -> str:
    return f"{at(seconds):%Y-%m-%dT%H:%M:%S}+00:00 web-1 {text}"


def repeated(times: int) -> str:
    program, _, said = REFUSED.partition(": ")
    return f"{program}: message repeated {times} times: [ {said}]"


def test_repeats_are_of_the_template_that_they_repeat(tmp_path: Path) -> None:
    lines = [line(0, REFUSED), line(30, repeated(7)), line(60, "app[17]: message repeated by hand: no")]
    index = built(write(tmp_path, "syslog", lines))
    assert len(index.different) == 2 + 1, "and one for what is not grouped"
    assert sorted(index.table.group_by("template").sum()["n"].to_list()) == [1, 2]
    assert index.events == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [(repeated(7), True), ("last message repeated 2 times", True), ("message repeated by hand", False), ("ok", False)],
)
def test_that_there_were_more_is_told(tmp_path: Path, text: str, told: bool) -> None:
    spec = write(tmp_path, "syslog", [line(0, REFUSED), line(30, text)])
    coverage = call(agent_for(spec), "logs_coverage", CoverageParams()).need()
    problems = [problem.what for source in coverage.sources for problem in source.problems]
    assert any("message repeated N times" in what for what in problems) == told


def test_repeats_are_read_alike_with_the_library_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [f"app[17]: order {n} of shop {n % 7} taken in {n} ms" for n in range(600)]
    said[50::9] = [f"app[17]: message repeated {n % 5 + 2} times: [ order {n} failed]" for n in range(len(said[50::9]))]
    spec = write(tmp_path, "syslog", [line(n, text) for n, text in enumerate(said)])
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))
