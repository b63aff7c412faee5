"""Requests whose status stands in a pair: those that failed are errors, and are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.index import LogIndex
from subagents.logs.levels import DEBUG, ERROR, FATAL, INFO, WARN
from subagents.logs.sources.log_source import LogSource
from tests.logs.builders import iso, read, write


@pytest.mark.parametrize(
    ("line", "suffix", "level"),
    [
        ("level=info msg=done method=GET path=/a status=503 took=3ms", " status=503", ERROR),
        ("at=info method=GET path=/a dyno=web.1 service=30000ms status=503 bytes=0", " status=503", ERROR),
        ('INFO request {"method": "GET", "status": 500, "path": "/a"}', " status=500", ERROR),
        ("INFO HTTP status: 502 for /a", " status=502", ERROR),
        ("done http.status_code=504 uri=/a", " status=504", ERROR),
        ('done response_status="500"', " status=500", ERROR),
        ("level=warn msg=done status=503", " status=503", WARN),
        ("level=debug msg=done status=503", " status=503", DEBUG),
        ("level=fatal msg=done status=503", " status=503", FATAL),
        ("level=info msg=done status=404", " status=404", INFO),
        ("level=info msg=done status=200", " status=200", INFO),
        ("level=info msg=done status=5032", None, INFO),
        ("level=info msg=done status=580", None, INFO),
        ("level=info msg=done statuses=503", None, INFO),
        ("level=info msg=done status=ok", None, INFO),
        ("INFO GET /carts/7 503 12ms", " status=503", ERROR),
        ("INFO GET /carts/7 503 12.5 ms - 17", " status=503", ERROR),
        ("INFO POST /carts/7 HTTP/1.1 500 in 7ms", " status=500", ERROR),
        ("INFO POST /carts/7 -> 502 (7 ms)", " status=502", ERROR),
        ('INFO GET "/carts" 200 OK', " status=200", INFO),
        ("INFO GET /carts: 503", " status=503", ERROR),
        ("WARN GET /carts 503 12ms", " status=503", WARN),
        ("INFO GET /carts 503 items", None, INFO),
        ("INFO budget /carts 503 12ms", None, INFO),
    ],
)
def test_a_status_in_a_pair_counts_where_it_is_one(tmp_path: Path, line: str, suffix: str | None, level: int) -> None:
    spec = write(tmp_path, "app.log", [f"{iso(n)} {line}" for n in range(3)])
    _, events = read(spec)
    assert {event["suffix"] for event in events} == {suffix}
    index = LogIndex.build([LogSource(spec)])
    assert index.table["severity"].to_list() == [level]


def test_the_status_is_told_once_and_by_itself(tmp_path: Path) -> None:
    lines = [f"{iso(n)} level=info path=/a/{n} status={200 if n % 3 else 503} took={n}ms" for n in range(90)]
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    assert sorted(key.strip() for key in index.keys[1:]) == [
        "level=info path=* took=* status=200",
        "level=info path=* took=* status=503",
    ]


def test_a_status_behind_a_path_is_told_once(tmp_path: Path) -> None:
    lines = [f"{iso(n)} INFO GET /carts/{n} {200 if n % 3 else 503} in {n}ms" for n in range(90)]
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    assert sorted(key.strip() for key in index.keys[1:]) == [
        "INFO GET * in * status=200",
        "INFO GET * in * status=503",
    ]


def test_statuses_are_found_behind_many_other_lines(tmp_path: Path) -> None:
    lines = [f"{iso(n / 100)} starting step {n}" for n in range(3000)]
    _, events = read(write(tmp_path, "app.log", [*lines, f"{iso(40)} INFO done status=503"]))
    assert events[-1]["level"] == ERROR
