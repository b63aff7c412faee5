"""The record of what leaves the machine: an event in a session, a line in the state directory's log outside one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import orjson

from orchestrator.hands.threads import in_thread
from orchestrator.journal.anchor import flush, sync_folder
from orchestrator.journal.events import Egress
from orchestrator.journal.outside import LOG, OLDER

Record = Callable[[Egress], Awaitable[object]]
"""Makes an event durable before it returns; raises where it cannot, and then nothing is sent."""

LOG_LIMIT = 8 << 20
"""Most bytes of the log; then it becomes the older one, of which there is one."""


def egress_log(home: Path, now: Callable[[], datetime]) -> Record:
    """Return a record for requests outside sessions: one JSON line each in `egress.log` of the state directory."""

    async def record(body: Egress) -> None:
        line = orjson.dumps({"ts": now(), **body.model_dump(mode="json")}) + b"\n"
        await in_thread(lambda: _append(home / LOG, line), "egress-log")

    return record


def _append(path: Path, line: bytes) -> None:
    handle = _opened(path, len(line))
    try:
        if os.write(handle, line) != len(line):
            raise OSError(f"{path}: no room to record what is sent, so it is not sent")
        flush(handle)
    finally:
        os.close(handle)


def _opened(path: Path, more: int) -> int:
    """Open the log for this process alone, a new one where it would grow too large; no process moves another's away."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        handle = os.open(path, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.fchmod(handle, 0o600)
            mine, there = os.fstat(handle), os.stat(path, follow_symlinks=False)
            if (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino):
                if not mine.st_size or mine.st_size + more <= LOG_LIMIT:
                    return handle
                os.rename(path, path.with_name(OLDER))
                sync_folder(path.parent)
        except FileNotFoundError:
            pass  # another process moved it away meanwhile
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
