"""What a journal holds of a server's session, as one value: the same after any cut, duplicate or other order.

    assert state_hash(cut.events(), session_id) == state_hash(uncut.events(), session_id)

It says which events of which stream are there, what they are, and which were processed; not when they came, nor which
of two copies is the one that counts here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.engines.managed.delivered import stream_of
from orchestrator.engines.managed.merge import SAID
from orchestrator.engines.managed.translate import translated
from orchestrator.journal.events import Event, Mirrored, ThreadCreated, UnknownBody


def state_of(events: Iterable[Event], session_id: str) -> dict[str, Any]:
    """Fold a journal to what of the server's session it holds: threads by role, and each stream's events by id."""
    found: dict[str, dict[str, Any]] = {}
    roles: dict[str, str] = {}
    threads: dict[str, str] = {}
    streams: set[str] = set()
    for event in events:
        body = event.body
        if event.source_id is None or (event.stream != session_id and event.stream not in streams):
            continue
        if not event.processed and event.source_id.startswith(SAID):
            continue  # without an id it cannot be known as the same when it comes processed
        if isinstance(body, ThreadCreated) and body.remote_id:
            roles[body.remote_id] = body.agent_name
            threads[body.session_thread_id] = body.remote_id
            streams.add(stream_of(body.remote_id))
            continue
        stream = found.setdefault(event.stream, {})
        if event.processed or event.source_id not in stream:
            stream[event.source_id] = [event.processed, _said(event, threads)]
    return {"threads": roles, "streams": found}


def state_hash(events: Iterable[Event], session_id: str) -> str:
    """Return SHA-256 hex of `state_of`."""
    return hashlib.sha256(_canonical(state_of(events, session_id)).encode()).hexdigest()


def _said(event: Event, threads: Mapping[str, str]) -> str:
    """Return what an event says, in the same words whether it was kept whole or translated."""
    body: Any = event.body
    if isinstance(body, Mirrored):
        body = translated(body.event)
        body = body.event if isinstance(body, Mirrored) else body
    said = dict(body) if isinstance(body, Mapping) else body.model_dump(mode="json")
    if not isinstance(body, UnknownBody) and "session_thread_id" in said:
        thread = said["session_thread_id"]
        said["session_thread_id"] = threads.get(str(thread), thread)
    return hashlib.sha256(_canonical(said).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
