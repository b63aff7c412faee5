"""Exports that are logs though their names do not say so: tables with a message, lists of records with one."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from pydantic import JsonValue

from orchestrator.intake.log_exports import events_within
from orchestrator.intake.peek import begins_with_time
from subagents.logs.sources.json_fields import ROLES, pick
from subagents.metrics.sources.heads import is_number

_LOOKED_AT = 20
"""Records that tell what the others are."""
_SENTENCE = re.compile(r"[^\W\d_]{2,}:? +\w")
"""Words that no name of a service or a metric has."""


def is_log_table(lines: Sequence[str]) -> bool:
    """Say whether the first of a table's lines names the columns of a log."""
    from subagents.logs.sources.tables import columns_of

    if len(lines) < 2:
        return False
    delimiter, places = columns_of(lines[0])
    first = next(csv.reader(lines[1:], delimiter=delimiter), []) if places else []
    return max(places.values(), default=len(first)) < len(first) and not is_number(first[places["message"]])


def is_log_of_rows(lines: Sequence[str]) -> bool:
    """Say whether a table without names of columns is a log: its rows begin with a time, and most say something.

    Databases log so, and their rows may hold texts of several lines. Rows of measurements hold names and numbers.
    """
    if not lines or not begins_with_time(lines[0].lstrip("\ufeff").encode()):
        return False
    rows = [next(csv.reader([line]), []) for line in lines[:_LOOKED_AT] if begins_with_time(line.encode())]
    return sum(any(_SENTENCE.search(cell) for cell in row[1:]) for row in rows) * 2 > len(rows)


def log_records(document: JsonValue) -> list[JsonValue] | None:
    """Return the records of a document that is a list of events, or holds them; None where it is none."""
    within = events_within(document)
    if within is not None:
        document = within
    elif isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list) and value]
        document = lists[0] if len(lists) == 1 else None
    if not isinstance(document, list) or not document:
        return None
    some = document[:_LOOKED_AT]
    return document if sum(map(_is_event, some)) * 2 > len(some) else None


def _is_event(record: JsonValue) -> bool:
    if not isinstance(record, dict) or pick(record, ROLES["time"]) is None:
        return False
    says = isinstance(pick(record, ROLES["message"]), str)
    return (
        says
        or "eventName" in record
        or isinstance(record.get("jsonPayload"), dict)
        or isinstance(pick(record, ROLES["level"]), str)
    )
