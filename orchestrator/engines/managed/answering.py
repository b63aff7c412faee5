"""Which calls can still take a result, as a session's own stream tells it, and which copies of a call are one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.engines.managed.delivered import CALL, RESULT, part_of, stream_of, text_of
from orchestrator.journal.events import Event, Mirrored, ThreadCreated

_WAITS = "requires_action"


class OpenCalls:
    """Fed the events of the primary stream in order; one that comes twice changes nothing."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._settled: set[str] = set()

    @property
    def ids(self) -> frozenset[str]:
        """The calls that can take a result."""
        return frozenset(self._waiting)

    def learn(self, raw: Mapping[str, Any]) -> None:
        """Take one event into account."""
        kind = raw.get("type")
        if kind == CALL:
            if (call := text_of(raw, "id")) and call not in self._settled:
                self._waiting[call] = text_of(raw, "session_thread_id")
        elif kind == RESULT:
            self._settle({text_of(raw, "custom_tool_use_id")})
        elif kind in ("session.status_terminated", "session.deleted"):
            self._settle(set(self._waiting))
        elif kind == "session.status_idle":
            if _why(raw) != _WAITS:  # it outranks every other reason, so nothing is pending
                self._settle(set(self._waiting))
        elif kind == "session.thread_status_terminated" or (
            kind == "session.thread_status_idle" and _why(raw) not in (_WAITS, "")
        ):
            thread = text_of(raw, "session_thread_id")
            self._settle({call for call, owner in self._waiting.items() if thread and owner == thread})

    def _settle(self, calls: set[str]) -> None:
        self._settled |= calls
        for call in calls:
            self._waiting.pop(call, None)


def _why(raw: Mapping[str, Any]) -> str:
    return text_of(part_of(raw, "stop_reason"), "type")


def pairs(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """Return, for each thread's own copy of a call (stream, id), the id of the copy on the session's stream.

    They pair by id; where a server gives the copies ids of their own, by tool, arguments and thread, in order.
    """
    own: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    crossed: dict[tuple[str, str], list[str]] = defaultdict(list)
    threads: dict[str, str] = {}
    for event in events:
        body = event.body
        if isinstance(body, ThreadCreated) and body.remote_id:
            threads[stream_of(body.remote_id)] = body.remote_id
        if isinstance(body, Mirrored) and body.kind == CALL and event.source_id:
            if event.stream in threads:
                own[event.stream].append((event.stream, event.source_id, _asked(body.event)))
            elif thread := text_of(body.event, "session_thread_id"):
                crossed[thread, _asked(body.event)].append(event.source_id)
    found: dict[tuple[str, str], str] = {}
    for stream, copies in own.items():
        for _, copy, asked in copies:
            there = crossed[threads[stream], asked]
            if there:
                found[stream, copy] = there.pop(there.index(copy) if copy in there else 0)
    return found


def _asked(raw: Mapping[str, Any]) -> str:
    return json.dumps([raw.get("name"), raw.get("input")], sort_keys=True, default=str)
