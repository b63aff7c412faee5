"""From an entry to bytes that can be stored, or a refusal that says why."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import orjson
import pydantic_core

from orchestrator.journal.events import Body
from orchestrator.journal.faults import BodyRefused
from subagents.contract import Clock

BODY_LIMIT = 1 << 20
"""Most bytes of a stored body; what is larger belongs in a blob."""

DEPTH_LIMIT = 64
NAME_LIMIT = 1024
_LONG_NUMBER = re.compile(rb"[0-9]{300}")
"""Most characters of a thread, stream or source id."""


@dataclass(frozen=True)
class Entry:
    """What to append: a body, whose stream it belongs to, and the engine's own id for it, if it has one."""

    body: Body
    thread: str
    stream: str = "local"
    source_id: str | None = None
    processed: bool = True


@dataclass(frozen=True)
class Draft:
    """An entry that is ready to be stored: stamped, encoded, within the limits."""

    entry: Entry
    ts: str
    mono: float
    body: bytes


def draft(entry: Entry, clock: Clock) -> Draft:
    """Stamp and encode an entry; raises BodyRefused."""
    for name, value in (("thread", entry.thread), ("stream", entry.stream), ("source id", entry.source_id or "")):
        if len(value) > NAME_LIMIT or not _is_text(value):
            raise BodyRefused(f"{entry.body.type}: its {name} is longer than {NAME_LIMIT} characters or not text")
    moment = clock.now().astimezone(UTC)
    return Draft(entry, moment.isoformat(timespec="microseconds"), float(clock.monotonic()), encode(entry.body))


def encode(body: Body) -> bytes:
    """Return the body as JSON bytes; raises BodyRefused for what would not come back as it went in."""
    try:
        raw = pydantic_core.to_json(body)
    except (ValueError, RecursionError) as error:
        reason = "nested deeper than" if "depth" in str(error) or "recursion" in str(error) else "not text or not JSON"
        limit = f" {DEPTH_LIMIT} levels" if reason.startswith("nested") else ""
        raise BodyRefused(f"{body.type}: it is {reason}{limit}; it was not stored") from error
    if len(raw) > BODY_LIMIT:
        raise BodyRefused(f"{body.type}: {len(raw)} bytes are more than {BODY_LIMIT}; store the rest as a blob")
    if raw.count(b"{") + raw.count(b"[") > DEPTH_LIMIT and _depth(orjson.loads(raw)) > DEPTH_LIMIT:
        raise BodyRefused(f"{body.type}: it is nested deeper than {DEPTH_LIMIT} levels; it was not stored")
    if b"null" in raw and _has_nonfinite(body.model_dump()):  # the encoder turns NaN into null without a word
        raise BodyRefused(f"{body.type}: it holds a number that is not finite; it was not stored")
    if _LONG_NUMBER.search(raw) is not None and not _reads_back(raw):
        raise BodyRefused(f"{body.type}: it holds a number that is too large to read back; it was not stored")
    return raw


def _reads_back(raw: bytes) -> bool:
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        inner: list[Any] = []
        for item in level:
            children = item.values() if isinstance(item, dict) else item
            inner += [child for child in children if isinstance(child, dict | list)]
        level = inner
    return depth


def _has_nonfinite(value: Any) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            if not math.isfinite(item):
                return True
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(item)
    return False
