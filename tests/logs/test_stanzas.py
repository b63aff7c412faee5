"""Slow logs: a record says its statement, and nothing of how it went."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.levels import INFO
from subagents.logs.model import LogsPatterns
from subagents.logs.params import PatternsParams
from tests.logs.both_ways import built, small_blocks, what_it_says, without_library
from tests.logs.builders import agent_for, at, call, iso, read, write

__all__ = ["small_blocks"]


def record(second: int, *statement: str) -> list[str]:
    stamp = iso(second).replace("Z", "000Z")
    return [
        f"# Time: {stamp}",
        "# User@Host: app[app] @  [10.0.0.7]  Id: 812",
        "# Query_time: 9.123456  Lock_time: 0.000012 Rows_sent: 1  Rows_examined: 8120000",
        *statement,
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (["SET timestamp=1772366400;", "SELECT 1;"], "SELECT 1;"),
        (["use shop;", "SET timestamp=1772366400;", "SELECT *", "  FROM orders", "WHERE id = 7;"],
         "SELECT * FROM orders WHERE id = 7;"),
        (["SET timestamp=1772366400;", "SELECT id FROM jobs WHERE status=500 OR error = 'failed';"],
         "SELECT id FROM jobs WHERE status=500 OR error = 'failed';"),
        (["SELECT 1;", "# User@Host: app[app] @  [10.0.0.8]  Id: 9", "SELECT 2;"], "SELECT 1;"),
    ],
    ids=["one line", "several", "words of trouble", "two records under one time"],
)  # fmt: skip
def test_a_record_says_its_statement(tmp_path: Path, statement: list[str], expected: str) -> None:
    _, events = read(write(tmp_path, "slow.log", [*record(0, *statement), *record(9, "SELECT 3;")]))
    assert [(event["text"], event["level"], event["suffix"]) for event in events] == [
        (expected, INFO, None),
        ("SELECT 3;", INFO, None),
    ]
    assert events[0]["lines"] == 3 + len(statement)


def test_a_record_without_a_statement_stays_as_it_is(tmp_path: Path) -> None:
    lines = [*record(0, "# administrator command: Quit;"), *record(9, "SELECT 3;")]
    _, events = read(write(tmp_path, "slow.log", lines))
    assert events[0]["text"].strip() == "# Time:"
    assert (events[0]["lines"], events[0]["level"]) == (4, None)


def slow_log() -> list[str]:
    """An hour of a slow log; from minute 40 on a statement that was not there before."""
    lines = []
    for second in range(0, 3600, 10):
        lines += record(second, "SELECT * FROM customers", f"WHERE email LIKE '%{second * 7919 % 9973}%';")
        if second >= 2400:
            lines += record(second, "SELECT p.* FROM products p", f"LEFT JOIN promo_rules r WHERE p.id = {second};")
    return lines


def test_a_statement_never_seen_before_is_new(tmp_path: Path) -> None:
    asked = PatternsParams(start=at(2400).isoformat())
    data = call(agent_for(write(tmp_path, "slow.log", slow_log())), "logs_patterns", asked).data
    assert isinstance(data, LogsPatterns)
    assert (data.new, data.steady) == (1, 1)
    assert (data.patterns[0].change, data.patterns[0].count) == ("new", 120)
    assert "LEFT JOIN promo_rules" in data.patterns[0].template


def test_however_a_slow_log_is_read_it_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = write(tmp_path, "slow.log", slow_log())
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))
