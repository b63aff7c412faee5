"""The record of what leaves the machine: an event in a session, a line in the state directory's log outside one."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import orjson

from orchestrator.hands.threads import in_thread
from orchestrator.journal.anchor import flush
from orchestrator.journal.events import Egress

Record = Callable[[Egress], Awaitable[object]]
"""Makes an event durable before it returns; raises where it cannot, and then nothing is sent."""

LOG = "egress.log"


def egress_log(home: Path, now: Callable[[], datetime]) -> Record:
    """Return a record for requests outside sessions: one JSON line each in `egress.log` of the state directory."""

    async def record(body: Egress) -> None:
        line = orjson.dumps({"ts": now(), **body.model_dump(mode="json")}) + b"\n"
        await in_thread(lambda: _append(home / LOG, line), "egress-log")

    return record


def _append(path: Path, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(path, flags, 0o600)
    try:
        os.fchmod(handle, 0o600)
        if os.write(handle, line) != len(line):
            raise OSError(f"{path}: no room to record what is sent, so it is not sent")
        flush(handle)
    finally:
        os.close(handle)
