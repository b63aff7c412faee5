"""The app: wires sessions to screens, keeps the one ticker, and leaves the terminal as it found it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import App, SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen

from tui import seams
from tui.bindings import bindings_of
from tui.screens.warroom import WarRoomScreen
from tui.text import ExitFilter

if TYPE_CHECKING:
    from orchestrator.compose import Request, Surroundings
    from tui.live import Opened

TICK_S = 0.05


@dataclass(frozen=True)
class Start:
    """What the app opens with: a request, a kept session, or (neither) the list of sessions."""

    request: Request | None = None
    session: str | None = None
    config: Path | None = None
    words: str = "opening …"


class WarRoomApp(App[int], inherit_bindings=False):
    """See the module."""

    TITLE = "warroom"
    BINDINGS = bindings_of("everywhere")
    ENABLE_COMMAND_PALETTE = True
    PAUSE_GC_ON_SCROLL = True

    def __init__(self, start: Start, around: Surroundings | None = None) -> None:
        super().__init__()
        self._start = start
        self._around = around
        self.opened: dict[str, Opened] = {}
        """Sessions of this process, by id."""
        self._exit_filter = ExitFilter()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters, and ours behind them."""
        return [*super().get_line_filters(), self._exit_filter]

    def on_mount(self) -> None:
        """Show the first frame before anything heavy is imported."""
        self.room = WarRoomScreen(self._start.words)
        self.push_screen(self.room)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.set_interval(TICK_S, self._tick, name="ticker")
        self.run_worker(self._open(), group="open", exit_on_error=False)

    def _tick(self) -> None:
        screen = self.screen
        if isinstance(screen, WarRoomScreen):
            with self.batch_update():
                screen.tick()

    async def _open(self) -> None:
        live = await asyncio.to_thread(_import_live)
        around = self.around
        from tui.session_view import ActFault

        try:
            if self._start.request is not None:
                opened: Opened = await live.start(self._start.request, around)
            else:
                opened = await live.reopen(self._start.session, around)
        except ActFault as fault:
            self.room.tell(str(fault))
            return
        self.opened[opened.session_id] = opened
        self.room.attach(opened.view)
        gc.collect()
        gc.freeze()
        gc.set_threshold(5_000, 20, 100)

    @property
    def around(self) -> Surroundings:
        """What sessions take from the machine."""
        if self._around is None:
            from orchestrator.compose import Surroundings

            self._around = Surroundings.of_process(attended=True)
        return self._around

    async def action_leave(self) -> None:
        """Quit."""
        for one in self.opened.values():
            await one.close()
        self.exit(0)


def _import_live() -> Any:
    from tui import live

    return live
