"""Exports of consoles are logs by what they hold, whatever they are called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.recognise import recognise

AT = "2026-11-26T12:00:00Z"
EVENT: dict[str, JsonValue] = {"timestamp": AT, "severity": "ERROR", "jsonPayload": {"message": "lost"}}


def role(folder: Path, name: str, text: str) -> object:
    path = folder / name
    path.write_text(text)
    return recognise(path, name, name, IntakeLimits()).role


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Date,Host,Service,Status,Message\n{AT},web-1,cart,error,lost\n", "logs"),
        (f"@timestamp,@message,@logStream\n{AT},lost,cart/1\n", "logs"),
        ("Level,Date and Time,Source,Event ID\nError,11/26/2026 12:00:00 PM,Cart,7031,lost\n", "logs"),
        (f"timestamp,level,log\n{AT},3.5,8\n{AT},3.5,8\n", "metrics"),
        (f"ts,service,metric,value\n{AT},cart,errors,8\n", "metrics"),
        (f"ts,service,metric,value,description\n{AT},cart,errors,8,of all requests\n", "metrics"),
        ("Date,Host,Message\n", None),
    ],
)
def test_a_table_is_a_log_where_it_has_messages(tmp_path: Path, text: str, expected: object) -> None:
    assert role(tmp_path, "export.csv", text) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([EVENT, EVENT], "logs"),
        ({"kind": "List", "items": [{"lastTimestamp": AT, "message": "Back-off", "type": "Warning"}]}, "logs"),
        ({"Records": [{"eventTime": AT, "eventName": "StopInstances"}]}, "logs"),
        ({"items": [{"name": "cart"}]}, None),
        ({"values": [{"hash": "7ab", "date": AT, "message": "Keep carts"}]}, None),
        ({"one": [EVENT], "two": [EVENT]}, None),
        ([], None),
    ],
)
def test_a_list_of_events_is_a_log(tmp_path: Path, document: JsonValue, expected: object) -> None:
    assert role(tmp_path, "export.json", json.dumps(document, indent=2)) == expected
