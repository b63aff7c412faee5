"""The app: wires sessions to screens, keeps the one ticker, and leaves the terminal as it found it."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual import on
from textual.app import SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen

from tui import position
from tui.actions import LAYERS, Context
from tui.bindings import bindings_of
from tui.leaving import Leaving, leave_all
from tui.mishap import mishap
from tui.palette import by_name
from tui.screens.prompting import PromptingScreen
from tui.screens.warroom import WarRoomScreen
from tui.seams import TakeOverRequested
from tui.showing import ShowingApp
from tui.start import Start
from tui.text import ExitFilter
from tui.widgets.prompt import PromptBar

if TYPE_CHECKING:
    from orchestrator.compose import Request, Surroundings
    from tui.live import Opened
    from tui.session_view import SessionView

_SCREENS = Path(__file__).with_name("screens")
TICK_S = 0.05
SLOW_TICK_S = 0.2
SAVE_TICKS = 20


class WarRoomApp(ShowingApp, inherit_bindings=False):
    """See the module. Its return value is the exit status."""

    TITLE = "warroom"
    BINDINGS = bindings_of("everywhere")
    PAUSE_GC_ON_SCROLL = True
    CSS_PATH = [_SCREENS / "warroom.tcss", _SCREENS / "sessions.tcss"]  # noqa: RUF012  as the framework types it
    """Those of the screens that the app can begin with: a first screen's own are not read by the framework."""

    def __init__(self, start: Start, around: Surroundings | None = None) -> None:
        super().__init__()
        self._begin_with = start
        self._around = around
        self.opened: dict[str, Opened] = {}
        """Sessions of this process, by id."""
        self._rooms: dict[str, WarRoomScreen] = {}
        self._last_room: str | None = None
        self._ticks = 0
        self._ending = False
        self._kept: dict[str, position.Position] = {}
        self._exit_filter = ExitFilter()
        self.farewell = ""
        """What is said on the terminal once it is a terminal again."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return Textual's filters, and ours behind them."""
        return [*super().get_line_filters(), self._exit_filter]

    # -- opening -----------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """Return what the first frame shows."""
        start = self._begin_with
        if start.request is None and start.session is None:
            return self._home()
        return WarRoomScreen(start.words)

    def on_mount(self) -> None:
        """Show the first frame before anything heavy is imported."""
        self.call_after_refresh(self._begin)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._signalled, number)

    def _begin(self) -> None:
        start = self._begin_with
        self.set_interval(SLOW_TICK_S if start.slow else TICK_S, self._tick, name="ticker")
        if start.request is not None:
            self._work(self._start(start.request, self.screen))
        elif start.session is not None:
            self._work(self._reopen(start.session, start.go_on, self.screen))
        self._freeze()

    def _work(self, doing: Any) -> None:
        self.run_worker(doing, group="open", exit_on_error=False, description="open a session")

    def _home(self) -> Screen[None]:
        from tui.screens.sessions import SessionsScreen

        home = SessionsScreen()
        self.install_screen(home, "sessions")
        return home

    def _freeze(self) -> None:
        """Spare what is there for good from the collector: its pauses are what typing feels."""
        gc.enable()
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

    @property
    def running(self) -> frozenset[str]:
        """Ids of the sessions that work in this process."""
        return frozenset(name for name, one in self.opened.items() if one.running)

    def open_session(self, session_id: str, *, go_on: bool = False) -> None:
        """Open a kept session, in the room it has already where it has one."""
        if session_id in self._rooms:
            room = self._rooms[session_id]
            self.show_room(session_id)
            if go_on:
                room.action_resume()
            return
        self._work(self._reopen(session_id, go_on, None))

    @on(TakeOverRequested)
    def _take_over_asked(self, event: TakeOverRequested) -> None:
        watched = self.opened.get(event.session_id)
        if watched is not None and watched.free:
            watched.free = False  # once: a second opening would find the first in its way
            self._work(self._take_over(watched))

    async def _take_over(self, watched: Opened) -> None:
        """Open what was only watched, in the room that it has."""
        name = watched.session_id
        await watched.close()
        try:
            module = await asyncio.to_thread(_live_module)
            self.opened[name] = await module.reopen(name, self.around, self._begin_with.config)
        except Exception as error:
            self._refused(self._words_for(error), None)
            return
        self._rooms[name].unsay()
        self._rooms[name].attach(self.opened[name].view)

    def start_session(self, request: Request) -> None:
        """Start a session on what was given."""
        self._work(self._start(lambda: request, None))

    async def _start(self, request: Callable[[], Request], frame: Screen[Any] | None) -> None:
        import click

        try:
            module = await asyncio.to_thread(_live_module)
            asked = request()
            self._say_here(f"looking at {', '.join(asked.inputs) or ' '.join(asked.command)} …")
            opened = await module.start(asked, self.around)
        except click.ClickException as fault:
            self._refused(fault.message, frame)
        except Exception as error:
            self._refused(self._words_for(error), frame)
        else:
            self._say_here("")
            self._admit(opened, frame)

    async def _reopen(self, session_id: str, go_on: bool, frame: Screen[Any] | None) -> None:
        try:
            module = await asyncio.to_thread(_live_module)
            opened = await module.reopen(session_id, self.around, self._begin_with.config)
        except Exception as error:
            self._refused(self._words_for(error), frame)
            return
        kept = await asyncio.to_thread(position.read, opened.directory)
        self._admit(opened, frame, kept)
        if opened.watches or ((go_on or kept.left) and not opened.why_not):
            opened.go_on()

    @staticmethod
    def _words_for(error: Exception) -> str:
        from orchestrator.journal.faults import JournalError, StateError
        from tui.session_view import ActFault

        known = isinstance(error, ActFault | JournalError | StateError)
        return str(error) if known else mishap(error)

    def _say_here(self, words: str) -> None:
        screen = self.screen
        if isinstance(screen, PromptingScreen):
            screen.tell(words, "good") if words else screen.unsay()

    def _refused(self, words: str, frame: Screen[Any] | None) -> None:
        """Say why a session could not be opened: on the terminal where that was all that was asked for."""
        if frame is not None and not self.opened:
            self.farewell = words
            self.exit(2, return_code=2)
        elif isinstance(self.screen, PromptingScreen):
            self.screen.tell(words)

    def _admit(self, opened: Opened, frame: Screen[Any] | None, kept: position.Position | None = None) -> None:
        """Give a session its room."""
        kept = kept or position.Position()
        name = opened.session_id
        self.opened[name] = opened
        room = frame if isinstance(frame, WarRoomScreen) else WarRoomScreen(place=kept.place, zoomed=kept.zoomed)
        if room is frame:
            room.restore(kept.place, zoomed=kept.zoomed)
        self._rooms[name] = room
        self.install_screen(room, f"room-{name}")
        room.attach(opened.view)
        self._kept[name] = kept
        if room is not frame:
            self.show_room(name)
        self._last_room = name
        self.call_later(self._freeze)

    # -- screens -----------------------------------------------------------------------------

    def show_room(self, session_id: str) -> None:
        """Bring a session's war room to the front."""
        self._last_room = session_id
        self._to_front(f"room-{session_id}")

    def show_last_room(self) -> None:
        """Back to the war room that was left, if there is one."""
        if self._last_room in self._rooms:
            self.show_room(str(self._last_room))

    def action_sessions(self) -> None:
        """Back to the list; what works goes on."""
        if not self.is_screen_installed("sessions"):
            self._home()
        self._to_front("sessions")

    def _to_front(self, name: str) -> None:
        """Bring an installed screen to the front; the one that the app began with stays below all others."""
        target = self.get_screen(name)
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if target is self.screen_stack[0]:
            if len(self.screen_stack) == 2:
                self.pop_screen()
        elif len(self.screen_stack) == 2:
            self.switch_screen(target)
        else:
            self.push_screen(target)

    def action_help(self) -> None:
        """Show the keys of where the person is."""
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.context_now))

    @property
    def context_now(self) -> Context:
        """Where the person is, as the registry names it."""
        own: Context | None = getattr(self.screen, "keys_of", None)
        if own is not None:
            return own
        return self._context_of(self.screen)

    @staticmethod
    def _context_of(screen: Screen[Any]) -> Context:
        name = type(screen).__module__.rpartition(".")[2]
        return cast(Context, name) if name in LAYERS else "everywhere"

    def shown_view(self) -> SessionView | None:
        """Return what is known of the session whose room was shown last."""
        return self.opened[self._last_room].view if self._last_room in self.opened else None

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every action that can be done now, by its name."""
        for found in by_name(screen, self._context_of(screen)):
            yield SystemCommand(found.title, found.help, self._runner(found.run))

    def _runner(self, action: str) -> Callable[[], Any]:
        return lambda: self.run_action(action)

    # -- the ticker --------------------------------------------------------------------------

    def _tick(self) -> None:
        if not self.is_running:
            return  # it ends: screens are taken apart
        self._ticks += 1
        tick = getattr(self.screen, "tick", None)
        if tick is not None:
            with self.batch_update():
                tick()
        if self._ticks % SAVE_TICKS == 0 and not self._ending:
            self._save_positions()

    def _save_positions(self, *, left: bool = False) -> None:
        for name, room in self._rooms.items():
            opened = self.opened.get(name)
            if opened is None:
                continue
            kept = self._kept.get(name, position.Position())
            seen = max(kept.seen, opened.view.seq) if self.screen is room else kept.seen
            now = replace(kept, place=room.place, zoomed=room.zoomed, seen=seen, left=left and opened.running)
            if now != kept:
                self._kept[name] = now
                position.write(opened.directory, now)

    # -- leaving -----------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Quit; ask first while work is running."""
        if not self.running:
            self._quit(Leaving("leave"))
            return
        while len(self.screen_stack) > 1 and not isinstance(self.screen, PromptingScreen):
            self.pop_screen()
        if isinstance(self.screen, PromptingScreen):
            first = next(one for one in self.opened.values() if one.running)
            self.screen.ask_leave(len(self.running), first.leaving)

    @on(PromptBar.Answered)
    def _answered_leave(self, event: PromptBar.Answered) -> None:
        if event.kind == "quit":
            self._quit(Leaving("stop" if event.text == "stop" else "leave"))

    def _signalled(self, number: int) -> None:
        """The terminal goes away, or somebody ends the process: that is leaving."""
        self._quit(Leaving("leave", status=128 + number, patience_s=3.0))

    def _quit(self, how: Leaving) -> None:
        self._save_positions(left=how.kind == "leave")
        self._ending = True
        self.run_worker(self._end(how), group="quit", exclusive=True, exit_on_error=False)

    async def _end(self, how: Leaving) -> None:
        if self.running:
            self._say_here("stopping …" if how.kind == "stop" else "leaving …")
        worked = tuple(self.running)
        await leave_all(tuple(self.opened.values()), how)
        if worked:
            self.farewell = f"kept: warroom open {worked[0]}"
        self.exit(how.status, return_code=how.status)

    async def forget_session(self, session_id: str) -> None:
        """Close a session of this process, before it is deleted; one that works is not."""
        from tui.session_view import ActFault

        opened = self.opened.get(session_id)
        if opened is None:
            return
        if opened.running:
            raise ActFault("it is working; stop it first (i in its war room)")
        await opened.close()
        del self.opened[session_id]
        room = self._rooms.pop(session_id)
        self.uninstall_screen(room)
        if self._last_room == session_id:
            self._last_room = None

    # -- faults ------------------------------------------------------------------------------

    def panic(self, *renderables: Any) -> None:
        """Leave: the terminal could not be read any more. What a renderable holds may be anything; none is shown."""
        if self._exception is None:
            self._signalled(signal.SIGHUP)
        else:
            self._fatal_error()

    def _fatal_error(self) -> None:
        """End with the fault's type and where its details are: values of variables are never printed."""
        error = self._exception or RuntimeError("an unknown fault")
        self.farewell = f"warroom: {mishap(error)}; sessions are kept"
        self._exit_renderables.append(Text(self.farewell))
        self._close_messages_no_wait()


def _live_module() -> Any:
    from tui import live as module

    return module
