"""What a running call has found until now, shown to whoever watches: never stored, never a result, read by no agent.

The tool tells its side (`hands.pacing`: in the worker, or in the tool's thread); the other side, on the event loop,
shows the latest a few times a second, redacted and cleaned, and nothing once the call has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.hands.pacing import FOUND_TAKEN, GAP_S, TEXT_TAKEN, Tell
from orchestrator.hands.redacting import redacted_json
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.text import CleanText, clean
from subagents.contract import Clock, Progress, ProgressUnit

QUICK_S = 0.3
"""A call that is done sooner than this shows none: it would only flicker."""
TEXT_SHOWN = 400
FOUND_SHOWN = 1_000
"""Most characters of one thing that was found."""


@dataclass(frozen=True)
class CallPreview:
    """How far a call is, as it may be shown."""

    thread: str
    call_id: str
    tool: str
    done: int
    total: int
    """Both in `unit`; 0 where it is not known."""
    text: CleanText
    at: datetime
    seconds: float
    """Since the call began."""
    unit: ProgressUnit = "bytes"
    found: tuple[tuple[str, CleanText], ...] = ()
    """The first things found: citation and text."""

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None where that is not known."""
        return min(1.0, self.done / self.total) if self.total > 0 else None


Sink = Callable[[CallPreview], None]


class Watch:
    """Shows one call's previews: the latest counts, none comes sooner than it may, none after `end`. On the loop."""

    def __init__(self, call: tuple[str, str, str], sink: Sink, redactor: Redactor, clock: Clock) -> None:
        self._call, self._sink, self._redactor, self._clock = call, sink, redactor, clock
        self._began = clock.monotonic()
        self._due = self._began + QUICK_S
        self._latest: Progress | None = None
        self._showing: asyncio.Task[None] | None = None
        self._ended = False

    def tell(self, progress: Progress) -> None:
        """Take what the tool says now; never waits."""
        if self._ended:
            return
        self._latest = progress
        if self._showing is None or self._showing.done():
            self._showing = asyncio.create_task(self._show(), name=f"preview-{self._call[1]}")

    async def _show(self) -> None:
        while self._latest is not None:
            wait = self._due - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            latest, self._latest = self._latest, None
            found = [text for _, text in latest.found[:FOUND_TAKEN]]
            words: dict[str, Any] = {"text": latest.text[:TEXT_TAKEN], "found": found}
            told, _ = await redacted_json(self._redactor, words)
            now = self._clock.monotonic()
            self._due = now + GAP_S
            self._sink(
                CallPreview(
                    *self._call,
                    done=max(0, latest.done),
                    total=max(0, latest.total),
                    text=clean(" ".join(told["text"].split()), newlines=False, limit=TEXT_SHOWN),
                    at=self._clock.now(),
                    seconds=now - self._began,
                    unit=latest.unit,
                    found=tuple(
                        (ref, clean(text, limit=FOUND_SHOWN))
                        for (ref, _), text in zip(latest.found, told["found"], strict=False)
                    ),
                )
            )

    def end(self) -> None:
        """Show no more."""
        self._ended = True
        if self._showing is not None:
            self._showing.cancel()


@dataclass
class Watching:
    """Who watches the calls of one session."""

    redactor: Redactor
    clock: Clock
    sinks: list[Sink] = field(default_factory=list)

    @contextmanager
    def call(self, thread: str, call_id: str, tool: str) -> Iterator[Tell | None]:
        """Watch one call while it runs; None where nobody does, so that its tool need not tell."""
        if not self.sinks:
            yield None
            return
        watch = Watch((thread, call_id, tool), self._shown, self.redactor, self.clock)
        try:
            yield watch.tell
        finally:
            watch.end()

    def _shown(self, preview: CallPreview) -> None:
        for sink in tuple(self.sinks):
            sink(preview)


def on_loop(tell: Tell) -> Tell:
    """Return what any thread may call to tell on the event loop that runs now."""
    loop = asyncio.get_running_loop()

    def pass_on(progress: Progress) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody watches any more
            loop.call_soon_threadsafe(tell, progress)

    return pass_on
