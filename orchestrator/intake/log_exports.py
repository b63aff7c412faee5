"""Answers of log stores as they are saved: documents of their own shape that become one record for each event."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import JsonValue

from orchestrator.intake.json_door import JsonFault, read_json

BATCH = b'{"resourceLogs":'
"""What a line of a file that holds batches begins with."""


def events_within(document: JsonValue) -> list[JsonValue] | None:
    """Return the events of an answer of a log store that is known by its shape; None where it is none."""
    if not isinstance(document, dict):
        return None
    for read in _READERS:
        events = list(read(document))
        if events:
            return events
    return None


def events_of_batches(data: bytes, depth: int) -> list[JsonValue] | None:
    """Return the events of lines that are batches of OpenTelemetry each, as its collector writes files.

    None where a line is anything else: then the lines are records as in any log.
    """
    events: list[JsonValue] = []
    for line in data.splitlines():
        try:
            batch = read_json(line, depth) if line.strip() else {}
        except JsonFault:
            return None
        found = list(_opentelemetry(batch)) if isinstance(batch, dict) else []
        if not found and batch != {}:
            return None
        events += found
    return events or None


def _dicts(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _elasticsearch(document: dict[str, JsonValue]) -> Iterator[JsonValue]:
    """Hits of a search, also within the answer that a console keeps."""
    within = document.get("rawResponse", document)
    hits = within.get("hits") if isinstance(within, dict) else None
    for hit in _dicts(hits.get("hits") if isinstance(hits, dict) else None):
        if isinstance(hit.get("_source"), dict):
            yield hit["_source"]


def _loki(document: dict[str, JsonValue]) -> Iterator[JsonValue]:
    """Streams: labels, and under them pairs of a time in nanoseconds and a line."""
    data = document.get("data", document)
    if not isinstance(data, dict):
        return
    for stream in _dicts(data.get("result", data.get("streams"))):
        labels, entries = stream.get("stream"), stream.get("values")
        if not isinstance(labels, dict) or not isinstance(entries, list):
            continue
        for entry in entries:
            if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
                yield {**labels, "timestamp": entry[0], "message": entry[1]}


def _datadog(document: dict[str, JsonValue]) -> Iterator[JsonValue]:
    for each in _dicts(document.get("data")):
        if each.get("type") == "log" and isinstance(each.get("attributes"), dict):
            yield each["attributes"]


def _azure(document: dict[str, JsonValue]) -> Iterator[JsonValue]:
    """Tables: names of columns, and rows of values."""
    for table in _dicts(document.get("tables")):
        names = [str(column.get("name")) for column in _dicts(table.get("columns"))]
        rows = table.get("rows")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, list) and len(row) == len(names):
                yield {name: value for name, value in zip(names, row, strict=True) if value not in (None, "")}


def _opentelemetry(document: dict[str, JsonValue]) -> Iterator[JsonValue]:
    """Records under what made them: the attributes of the resource are those of each."""
    for resource in _dicts(document.get("resourceLogs")):
        made_by = resource.get("resource")
        about = dict(_attributes(made_by.get("attributes") if isinstance(made_by, dict) else None))
        for scope in _dicts(resource.get("scopeLogs")):
            for record in _dicts(scope.get("logRecords")):
                own = {name: value for name, value in record.items() if name != "attributes"}
                yield {**about, **dict(_attributes(record.get("attributes"))), **own}


def _attributes(pairs: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    for pair in _dicts(pairs):
        name, value = pair.get("key"), pair.get("value")
        if isinstance(name, str) and isinstance(value, dict) and len(value) == 1:
            yield name, next(iter(value.values()))


_READERS: tuple[Callable[[dict[str, JsonValue]], Iterator[JsonValue]], ...] = (
    _elasticsearch,
    _loki,
    _datadog,
    _azure,
    _opentelemetry,
)
