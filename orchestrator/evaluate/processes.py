"""Ends a process with all that it started, also what has left its process group."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def kill_tree(pid: int) -> None:
    """Kill a process of ours and its descendants; those that are gone are no fault."""
    members = [pid, *_descendants(pid)]
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for member in members:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(member, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Return them, nearest first; none where there is no /proc (the process group is all that is known there)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, level = [], [pid]
    while level:
        level = [child for one in level for child in children.get(one, [])]
        found += level
    return found
