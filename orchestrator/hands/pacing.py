"""The tool's side of telling how far it is: quick to import, for it is in every worker."""

from __future__ import annotations

import threading
from collections.abc import Callable

from subagents.contract import Clock, Progress

GAP_S = 0.25
"""Least time between two tellings of a call."""
COST = 4
"""A telling that took some time is followed by this many times as much without one: words cost no scan much."""
TEXT_TAKEN = 4_000
"""Most characters of a telling; far more than are shown, so that no cut leaves half a secret unseen by redaction."""
FOUND_TAKEN = 30
"""Most things found that are taken from a telling."""

Tell = Callable[[Progress], None]


class Paced:
    """Lets a tool tell as often as it likes: it is asked for words only when some are due. Any thread may call it."""

    def __init__(self, tell: Tell, clock: Clock) -> None:
        self._tell, self._clock = tell, clock
        self._due = clock.monotonic()
        self._lock = threading.Lock()

    def __call__(self, made: Callable[[], Progress]) -> None:
        """Implements `subagents.contract.Telling`."""
        began = self._clock.monotonic()
        if began < self._due or not self._lock.acquire(blocking=False):
            return
        try:
            self._tell(made())
            told = self._clock.monotonic()
            self._due = told + max(GAP_S, (told - began) * COST)
        finally:
            self._lock.release()
