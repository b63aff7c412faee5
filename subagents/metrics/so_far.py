"""What is told while series are measured: how many, of how many, and to what end."""

from __future__ import annotations

from collections.abc import Callable

from subagents.contract import Progress, Telling
from subagents.metrics.series import Store

EVERY = 64
"""Series between two that are told of: most of the time nobody asks."""


def nobody(done: int) -> None:
    """Listen to nothing."""


class SoFar:
    """Tells how many series of a store one pass over them has come to."""

    def __init__(self, store: Store, progress: Telling) -> None:
        self._series = sum(len(frame.keys) for frame in store.frames)
        self._services = len(store.services())
        self._progress = progress

    def measuring(self, what: str) -> Callable[[int], None]:
        """Return what is told how many series are done; `what` says what they are looked at for."""
        words = f"on {self._services:,} services: {what}"

        def done(count: int) -> None:
            self._progress(lambda: Progress(done=count, total=self._series, unit="series", text=words))

        done(0)
        return done
