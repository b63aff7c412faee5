"""Redaction beside the event loop: small bodies at once, whatever takes longer in a thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from orchestrator.hands.threads import in_thread
from orchestrator.journal.redaction import Redactor

SMALL = 4 * 1024
"""Most characters that are redacted on the event loop, each string counting for some more: below 2 ms."""
_PER_STRING = 32
_ALONE = threading.Lock()


async def redacted_json(redactor: Redactor, value: Any) -> tuple[Any, dict[str, int]]:
    """Return the JSON value without secrets, and how many were replaced, by kind."""
    if redactor.ready and _is_small(value):
        return redactor.redact_json(value)
    return await in_thread(lambda: redacted_alone(redactor, value), "redact")


def redacted_alone(redactor: Redactor, value: Any) -> tuple[Any, dict[str, int]]:
    """Return the same, called in a thread: one at a time, so that the loop waits for one of them at most."""
    with _ALONE:
        return redactor.redact_json(value)


def _is_small(value: Any) -> bool:
    room = SMALL
    level = [value]
    while level and room >= 0:
        item = level.pop()
        if isinstance(item, str):
            room -= len(item) + _PER_STRING
        elif isinstance(item, Mapping):
            room -= len(item) * _PER_STRING
            level += item.keys()
            level += item.values()
        elif isinstance(item, list | tuple):
            room -= len(item)
            level += item
    return room >= 0
