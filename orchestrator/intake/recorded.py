"""Recorded outputs of tools (`evidence.json`: tool name -> output) as logs and metrics that specialists read.

Text is kept line by line as it was. Of structured output, parallel lists of times and values become metric
points, and every other object becomes one JSON line, with the names of what it is part of; an object inside
a list is a line of its own. Pages from the web and documentation are not observations and are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

TIMES = (
    "ts", "timestamp", "@timestamp", "time", "date", "last_time", "lastTimestamp", "last_seen", "eventTime",
    "first_time", "firstTimestamp",
)  # fmt: skip
_NAMES = ("name", "namespace", "pod_name", "id", "involved_object", "deletion_timestamp", "deletionTimestamp")
_MESSAGES = ("message", "msg", "log", "text", "body")
_LEVELS = {"warning": "warn", "warn": "warn", "error": "error", "critical": "fatal", "fatal": "fatal", "info": "info"}
_DOCUMENTATION = re.compile(r"web ?page|runbook|documentation|wiki|readme|search_web|web_search", re.IGNORECASE)
_DEEPEST = 24


@dataclass
class Recorded:
    """What one tool gave."""

    tool: str
    text: str | None = None
    records: list[JsonValue] = field(default_factory=list)
    points: list[JsonValue] = field(default_factory=list)
    left_out: str = ""
    """Why nothing of it is used."""


def read_recorded(document: JsonValue) -> list[Recorded]:
    """Return the outputs in a document, tool by tool; an empty list where it holds none."""
    if not isinstance(document, dict):
        return []
    return [_read(tool, output) for tool, output in document.items()]


def _read(tool: str, output: JsonValue) -> Recorded:
    found = Recorded(tool)
    if _DOCUMENTATION.search(tool.replace("_", " ")) or _DOCUMENTATION.search(tool):
        found.left_out = "a page of documentation says nothing of how this system is"
        return found
    parsed = _parsed(output) if isinstance(output, str) else output
    if isinstance(parsed, str):
        found.text = parsed if parsed.strip() else None
    elif isinstance(parsed, dict | list):
        service = _instance(parsed)
        for record in _objects(parsed, {}):
            series = _points(record, service)
            if series:
                found.points += series
            elif _tells(record):
                found.records.append(_line(record))
    if found.text is None and not found.records and not found.points:
        found.left_out = "the output is empty"
    return found


def _parsed(text: str) -> JsonValue:
    if text.lstrip()[:1] in ("{", "["):
        try:
            value: JsonValue = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return value if isinstance(value, dict | list) else text
    return text


def _objects(value: JsonValue, context: Mapping[str, JsonValue], depth: int = 0) -> Iterator[dict[str, JsonValue]]:
    """Yield every object that stands alone or in a list, with the names of what holds it."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from _objects(item, context, depth + 1)
        return
    if not isinstance(value, dict):
        return
    own, inner = _split(value, depth)
    yield {**{f"of_{key}": name for key, name in context.items() if key not in own}, **own}
    about = value.get("metadata")
    named = {**about, **own} if isinstance(about, dict) else own  # Kubernetes keeps an object's name beside its state
    names = {**context, **{key: named[key] for key in _NAMES if isinstance(named.get(key), str)}}
    for item in inner:
        yield from _objects(item, names, depth + 1)


def _split(value: dict[str, JsonValue], depth: int) -> tuple[dict[str, JsonValue], list[JsonValue]]:
    """Return an object without its lists of objects and without text of many lines, and these."""
    own: dict[str, JsonValue] = {}
    inner: list[JsonValue] = []
    for key, item in value.items():
        if (isinstance(item, list) and any(isinstance(each, dict | list) for each in item)) or (
            isinstance(item, dict) and not _is_state(key, item) and (depth < 1 or any(map(_is_nested, item.values())))
        ):
            inner.append(item)
        elif isinstance(item, str) and "\n" in item.strip():
            inner.extend({"message": line} for line in item.splitlines() if line.strip())
        else:
            own[key] = item
    return own, inner


def _is_nested(value: JsonValue) -> bool:
    return isinstance(value, list | dict)


def _is_state(key: str, value: dict[str, JsonValue]) -> bool:
    """Say whether it is how a container stands, which tells whether it has failed or has done its work."""
    inner = list(value.values())
    return (
        key == "state"
        and len(inner) == 1
        and isinstance(inner[0], dict)
        and not any(map(_is_nested, inner[0].values()))
    )


def _tells(record: Mapping[str, JsonValue]) -> bool:
    own = {key for key, value in record.items() if not key.startswith("of_") and value not in (None, "", [], {})}
    return bool(own) and not own <= {"Name", "Value"}


def _line(record: dict[str, JsonValue]) -> dict[str, JsonValue]:
    at = next((record[key] for key in TIMES if isinstance(record.get(key), str)), None)
    if at is None or not any(isinstance(record.get(key), str) for key in _MESSAGES):
        return record
    kind = next((str(record[key]).lower() for key in ("level", "severity", "status", "type") if key in record), "")
    line = {"ts": at, **record}
    if kind in _LEVELS and "level" not in record:
        line["level"] = _LEVELS[kind]
    return line


def _points(record: Mapping[str, JsonValue], service: str) -> list[JsonValue]:
    times, values = record.get("timestamps"), record.get("values")
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values) or not times:
        return []
    name = next((str(record[k]) for k in ("metric_name", "metric", "label", "name", "id") if record.get(k)), "value")
    where = _instance(dict(record)) or service
    return [
        {"ts": at, "service": where, "metric": name, "value": value}
        for at, value in zip(times, values, strict=True)
        if isinstance(value, int | float)
    ]


def _instance(value: JsonValue) -> str:
    """Return the thing that measurements are of: a dimension's value, or an identifier."""
    if isinstance(value, list):
        return next((found for item in value if (found := _instance(item))), "")
    if not isinstance(value, dict):
        return ""
    if {"Name", "Value"} <= value.keys():
        return str(value["Value"])
    named = next((str(item) for key, item in value.items() if key.lower().endswith("instance_identifier")), "")
    return named or next((found for item in value.values() if (found := _instance(item))), "")
