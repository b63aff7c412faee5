"""Ending: what is open is closed in time, and a process that cannot end by itself is ended."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tui.live import Opened

STOP_S = 8.0
"""Longest that stopping is waited for."""


@dataclass(frozen=True)
class Leaving:
    """How to end: leave what works to go on later, or stop it."""

    kind: Literal["leave", "stop"]
    status: int = 0
    patience_s: float = STOP_S


async def leave_all(opened: Sequence[Opened], how: Leaving) -> None:
    """Close every session; after the patience is over the process ends whatever still hangs."""
    watchdog = threading.Timer(how.patience_s + 2.0, os._exit, (how.status or 1,))
    watchdog.daemon = True
    watchdog.start()
    try:
        await asyncio.wait_for(asyncio.gather(*(_end(one, how) for one in opened)), how.patience_s)
    except (TimeoutError, OSError):
        return  # the journals are whole at every moment: the next to open them goes on from there
    finally:
        if how.status == 0:
            watchdog.cancel()


async def _end(one: Opened, how: Leaving) -> None:
    if how.kind == "stop":
        await one.stop()
    await one.close()
