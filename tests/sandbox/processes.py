"""Looking for processes by a mark in their command line, without waiting longer than needed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable


def marked(mark: str) -> list[int]:
    """Return the processes of this machine whose arguments hold the mark; not this one."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if mark.encode() in file.read():
                        found.append(int(name))
            except OSError:
                continue
    return found


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until the condition holds; False where it does not in time."""
    limit = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > limit:
            return False
        pause.wait(0.01)
    return True
