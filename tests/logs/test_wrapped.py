"""Exports whose records hold each event in a field, as it was logged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.logs.levels import ERROR, INFO
from subagents.logs.sources.timestamps import microseconds
from tests.logs.both_ways import built, small_blocks, what_it_says, without_library
from tests.logs.builders import at, iso, read, write

__all__ = ["small_blocks"]


def hit(second: int, level: str, said: str) -> dict[str, object]:
    event = {"@timestamp": iso(second), "log.level": level, "service": {"name": "orders"}, "message": said}
    return {"_index": "logs-1", "_id": str(second), "_source": event}


def result(second: int, level: str, said: str) -> dict[str, object]:
    raw = f"{at(second):%Y-%m-%d %H:%M:%S} {level.upper()} {said}"
    event = {"_time": f"{at(second):%Y-%m-%d %H:%M:%S}.000 UTC", "service": "orders", "_raw": raw}
    return {"preview": False, "offset": second, "result": event}


def row(second: int, level: str, said: str) -> dict[str, object]:
    return {"TimeGenerated": iso(second), "ContainerName": "orders", "LogLevel": level, "LogMessage": said}


FORMS = pytest.mark.parametrize("form", [hit, result, row], ids=lambda form: form.__name__)
Form = Callable[[int, str, str], dict[str, object]]


@FORMS
def test_what_is_within_is_read(tmp_path: Path, form: Form) -> None:
    records = [form(0, "info", "order placed"), form(60, "error", "order failed")]
    _, events = read(write(tmp_path, "export.jsonl", map(json.dumps, records)))
    assert [each["t"] for each in events] == [microseconds(at(0)), microseconds(at(60))]
    assert {each["service"] for each in events} == {"orders"}
    assert "order failed" in events[1]["text"]
    index = built(write(tmp_path, "export.jsonl", map(json.dumps, records)))
    assert sorted(index.table["severity"].to_list()) == [INFO, ERROR]


@FORMS
def test_both_ways_say_the_same(tmp_path: Path, form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        form(
            second,
            "error" if second % 7 == 0 else "info",
            f"order {second} {'failed' if second % 7 == 0 else 'placed'}",
        )
        for second in range(1200)
    ]
    spec = write(tmp_path, "export.jsonl", map(json.dumps, records))
    index = built(spec)
    assert index.events == 1200
    assert index.coverage[0].understood == 1200
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))


def test_a_field_of_that_name_in_a_programs_own_record_is_left_where_it_is(tmp_path: Path) -> None:
    record = {"time": iso(0), "level": "error", "msg": "charge failed", "result": {"message": "declined", "code": 5}}
    _, events = read(write(tmp_path, "app.jsonl", [json.dumps(record)]))
    assert [(each["t"], each["text"]) for each in events] == [(microseconds(at(0)), "charge failed")]


def test_a_line_that_holds_none_stays_as_it_is(tmp_path: Path) -> None:
    lines = [json.dumps(hit(0, "info", "a")), '{"_index": "x", "_source": null, "message": "odd"}', "not JSON"]
    _, events = read(write(tmp_path, "export.jsonl", lines))
    assert [each["text"] for each in events] == ["a", "odd", "not JSON"]
