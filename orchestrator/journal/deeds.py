"""The record of what happened to whole sessions, which their own journals cannot tell any more: `audit.log`.

One JSON line for each session that was deleted or archived, in the state directory, mode 0600.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from orchestrator.journal.anchor import flush

LOG: Final = "audit.log"


def record_deed(home: Path, at: datetime, did: str, about: Mapping[str, object]) -> None:
    """Append one line, durably; raises OSError where it cannot."""
    line = orjson.dumps({"ts": at, "did": did, **{key: one for key, one in about.items() if one not in ("", None)}})
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(home / LOG, flags, 0o600)
    try:
        os.fchmod(handle, 0o600)
        if os.write(handle, line + b"\n") != len(line) + 1:
            raise OSError(f"{home / LOG}: no room to record what was done")
        flush(handle)
    finally:
        os.close(handle)
