"""A war room on a stage: the real screen in a small app, with a view that tests feed; and what it looks like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App
from textual.filter import LineFilter
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen

from tui import seams
from tui.bindings import bindings_of
from tui.keys_in_order import KeysInOrder
from tui.screens.warroom import WarRoomScreen
from tui.session_view import SessionView
from tui.text import ExitFilter
from tui.widgets.prompt import PromptBar

SIZES = ((200, 50), (120, 36), (80, 24))


class Stage(KeysInOrder[None], inherit_bindings=False):
    """Shows one screen. It ticks when it is told to, so that nothing depends on time."""

    BINDINGS = bindings_of("everywhere")
    keys_wait = False
    """How long a key waited counts; else it was typed now, whatever the processor is busy with"""

    @property
    def key_age(self) -> float:
        return super().key_age if self.keys_wait else 0.0

    def __init__(self, screen: Screen[Any], *, guarded: bool = True) -> None:
        super().__init__()
        self._shown = screen
        self._guard = [ExitFilter()] if guarded else []
        self.heard: list[Message] = []

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._guard]

    def on_mount(self) -> None:
        self.push_screen(self._shown)

    def on_evidence_requested(self, event: seams.EvidenceRequested) -> None:
        self.heard.append(event)

    def on_review_requested(self, event: seams.ReviewRequested) -> None:
        self.heard.append(event)

    def on_why_requested(self, event: seams.WhyRequested) -> None:
        self.heard.append(event)

    def on_logs_requested(self, event: seams.LogsRequested) -> None:
        self.heard.append(event)

    def on_prompt_bar_answered(self, event: PromptBar.Answered) -> None:
        self.heard.append(event)


@asynccontextmanager
async def war_room(
    view: SessionView | None, size: tuple[int, int] = (200, 50), *, guarded: bool = True
) -> AsyncIterator[tuple[WarRoomScreen, Pilot[None]]]:
    room = WarRoomScreen("opening INC-7 …")
    async with Stage(room, guarded=guarded).run_test(size=size) as pilot:
        if view is not None:
            room.attach(view)
        await settled(pilot)
        yield room, pilot


async def settled(pilot: Pilot[None]) -> None:
    """Let what was done take effect, and paint it."""
    await pilot.pause()
    tick = getattr(pilot.app.screen, "tick", None)
    if tick is not None:
        tick()
    await pilot.pause()


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait for a condition; the test's own timeout ends a wait in vain."""
    while not condition():
        await settled(pilot)
        await asyncio.sleep(0)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def painted(app: App[Any]) -> list[str]:
    """What is on the screen, line by line, as the terminal gets it."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def shown(app: App[Any]) -> str:
    return "\n".join(line.rstrip() for line in painted(app)) + "\n"
