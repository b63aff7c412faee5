"""Records without a field for the severity: what their text says of it counts, as it does in any other line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.logs.index import LogIndex
from subagents.logs.levels import ERROR, INFO, UNKNOWN, WARN
from subagents.logs.model import LogsHistogram, LogsSearch
from subagents.logs.params import HistogramParams, SearchParams
from subagents.logs.sources.log_source import LogSource
from tests.logs.both_ways import built, looked_up, small_blocks, what_it_says, without_library
from tests.logs.builders import agent_for, call, iso, write

__all__ = ["small_blocks"]


def docker(second: int, said: str) -> str:
    """Return a line as Docker keeps it."""
    return json.dumps({"log": said + "\n", "stream": "stdout", "time": iso(second)})


def severities(spec: SourceSpec) -> list[tuple[int, bool]]:
    """Return the severity of each event and whether it is severe, in the order of the file."""
    table = LogIndex.build([LogSource(spec)]).table
    return table.sort("byte").select("severity", "severe").rows()


@pytest.mark.parametrize(
    "said",
    [
        "{} certificate",
        "[{}] certificate",
        "2026-03-01 12:00:00,123 {} [main] certificate",
        'level={} msg="certificate"',
        '{{"level":"{}","msg":"certificate"}}',
        '{{"msg":"{} certificate"}}',
        '{{"msg":"{} certificate","status":200}}',
    ],
)
def test_docker_keeps_what_a_program_says_of_its_severity(tmp_path: Path, said: str) -> None:
    lines = [docker(second, said.format(word)) for second, word in enumerate(("INFO", "WARN", "ERROR"))]
    assert severities(write(tmp_path, "x.log", lines)) == [(INFO, False), (WARN, False), (ERROR, True)]


def test_a_severity_in_a_word_with_digits_is_read_before_those_are_masked(tmp_path: Path) -> None:
    spec = write(tmp_path, "x.log", [docker(each, f"{'IE'[each]}0301 12:00:00.1 7 a.go:3] got it") for each in (0, 1)])
    assert severities(spec) == [(INFO, False), (ERROR, True)]


@pytest.mark.parametrize(
    ("record", "severity", "is_severe"),
    [
        ({"msg": "ERROR disk"}, ERROR, True),
        ({"msg": "the disk is gone"}, UNKNOWN, False),
        ({"msg": "cannot reach the disk"}, UNKNOWN, True),
        ({"msg": "ERROR disk", "level": "info"}, INFO, False),
        ({"msg": "ERROR disk", "level": "loud"}, ERROR, True),
        ({"msg": "ERROR disk", "level": None}, ERROR, True),
        ({"MESSAGE": "ERROR disk", "PRIORITY": "6"}, ERROR, True),
        ({"msg": "disk", "status": 200}, INFO, False),
        ({"msg": "disk", "status": 429}, WARN, False),
        ({"msg": "disk", "status": 503}, ERROR, True),
        ({"msg": "WARN disk", "status": 503}, WARN, False),
        ({"msg": "INFO disk", "status": 503}, ERROR, True),
    ],
)
def test_a_field_decides_and_then_the_text(
    tmp_path: Path, record: dict[str, object], severity: int, is_severe: bool
) -> None:
    spec = write(tmp_path, "x.log", [json.dumps({"time": iso(0), **record})])
    assert severities(spec) == [(severity, is_severe)]


def test_a_severity_beside_an_object_without_one_stays(tmp_path: Path) -> None:
    header, text = "Time,Level,Message", '"{""msg"":""disk""}"'
    assert severities(write(tmp_path, "x.csv", [header, f"{iso(0)},Error,{text}"]))[-1] == (ERROR, True)


def test_histogram_and_search_agree(tmp_path: Path) -> None:
    agent = agent_for(write(tmp_path, "x.log", [docker(0, "INFO certificate"), docker(1, "ERROR certificate")]))
    counted = call(agent, "logs_histogram", HistogramParams(level="error")).data
    found = call(agent, "logs_search", SearchParams(level="error")).data
    assert isinstance(counted, LogsHistogram)
    assert isinstance(found, LogsSearch)
    assert sum(each.total for each in counted.series) == found.matches == 1


def test_a_trace_in_the_text_is_one_without_a_severity_too(tmp_path: Path) -> None:
    said = 'Traceback (most recent call last):\n  File "/srv/app/x.py", line 3, in f\nKeyError: "sku"'
    index = LogIndex.build([LogSource(write(tmp_path, "x.log", [json.dumps({"ts": iso(0), "msg": said})]))])
    assert [group.trace.exception for group in index.stacks.groups.values()] == ["KeyError"]


@pytest.mark.needs("compiled")
def test_lines_that_are_looked_up_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("INFO", "ERROR", "E0301 12:00:00.5 7 a.go:3]", "level=warn", "")
    lines = [docker(each, f"{words[each % 5]} certificate {each}") for each in range(1_500)]
    spec = write(tmp_path, "x.log", lines)
    index = built(spec)
    assert looked_up(spec)[0] > 500
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
    assert set(index.table["severity"]) == {INFO, ERROR, WARN, UNKNOWN}
