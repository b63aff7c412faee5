"""Answers of log stores, saved as they came: each of their events is one record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.recognise import Recognised, recognise
from subagents.logs.levels import ERROR
from tests.logs.builders import NOON, read, write

AT = "2026-03-01T12:00:00Z"
NANOS = "1772366400000000000"
SAID = "charge failed"
DATADOG: dict[str, JsonValue] = {"timestamp": AT, "status": "error", "service": "cart", "message": SAID}


def text(value: str) -> JsonValue:
    return {"stringValue": value}


BATCH: dict[str, JsonValue] = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": text("cart")}]},
            "scopeLogs": [
                {"logRecords": [{"timeUnixNano": NANOS, "severityNumber": 17, "body": text(SAID), "attributes": []}]}
            ],
        }
    ]
}
ANSWERS: dict[str, JsonValue] = {
    "elasticsearch": {
        "took": 4,
        "hits": {
            "total": {"value": 1},
            "hits": [
                {"_index": "logs", "_source": {"@timestamp": AT, "level": "error", "service": "cart", "message": SAID}}
            ],
        },
    },
    "loki": {
        "status": "success",
        "data": {
            "resultType": "streams",
            "result": [{"stream": {"app": "cart"}, "values": [[NANOS, f'level=error msg="{SAID}"']]}],
        },
    },
    "datadog": {"data": [{"id": "1", "type": "log", "attributes": DATADOG}], "meta": {}},
    "azure": {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [
                    {"name": name} for name in ("TimeGenerated", "ContainerName", "LogLevel", "LogMessage", "Computer")
                ],
                "rows": [[AT, "cart", "error", SAID, None]],
            }
        ]
    },
    "opentelemetry": BATCH,
}


def look(folder: Path, name: str, content: str) -> Recognised:
    path = folder / name
    path.write_text(content)
    return recognise(path, name, name, IntakeLimits())


def said(folder: Path, found: Recognised) -> list[tuple[object, ...]]:
    """Return the events of what was recognised, read as the log that becomes of it."""
    assert (found.role, found.options) == ("logs", {"form": "array"})
    assert isinstance(found.document, list)
    _, events = read(write(folder, "events.jsonl", map(json.dumps, found.document)))
    return [(each["t"], each["level"] or ERROR, each["service"], SAID in each["text"]) for each in events]


ONE = (int(NOON.timestamp() * 1e6), ERROR, "cart", True)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_a_log_store_is_a_log(tmp_path: Path, answer: JsonValue) -> None:
    assert said(tmp_path, look(tmp_path, "answer.json", json.dumps(answer, indent=2))) == [ONE]


@pytest.mark.parametrize("name", ["otel.jsonl", "otel.json", "otel.log", "otel"])
def test_each_line_may_be_a_batch_of_events(tmp_path: Path, name: str) -> None:
    assert said(tmp_path, look(tmp_path, name, f"{json.dumps(BATCH)}\n" * 3)) == [ONE] * 3


def test_batches_with_other_lines_among_them_are_the_lines_of_a_log(tmp_path: Path) -> None:
    found = look(tmp_path, "otel.jsonl", f'{json.dumps(BATCH)}\n{{"time": "{AT}", "msg": "x"}}\n')
    assert (found.role, found.options, found.document) == ("logs", {}, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"hits": {"hits": []}},
        {"hits": {"hits": [{"_index": "people", "_source": {"name": "kim"}}]}},
        {"data": [{"type": "log", "attributes": None}]},
        {"tables": [{"columns": [{"name": "TimeGenerated"}, {"name": "Value"}], "rows": [[AT, 3.5], [AT]]}]},
        {"data": {"result": [{"stream": None, "values": [[NANOS, "x"]]}, {"stream": {}, "values": 4}]}},
        {"resourceLogs": [None, {"scopeLogs": 4}]},
    ],
)
def test_what_holds_no_event_is_no_log(tmp_path: Path, answer: JsonValue) -> None:
    assert look(tmp_path, "answer.json", json.dumps(answer)).role != "logs"
