"""Running the app on a terminal: nothing else may write there meanwhile, and what is to be said comes after."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app import WarRoomApp
    from tui.start import Start


def fits_terminal() -> bool:
    """Say whether there is a person's terminal here that a full screen can be drawn on."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(one is not None and one.isatty() for one in streams) and os.environ.get("TERM", "dumb") != "dumb"


def launch(start: Start, *, mouse: bool = True) -> int:
    """Run the app to its end and return the exit status."""
    gc.disable()  # until the first frame stands: the app collects and freezes then
    from tui.app import WarRoomApp
    from tui.commands.faults import narrate

    app = WarRoomApp(start)
    threading.Thread(target=_tell_hangup, name="terminal-watch", daemon=True).start()
    try:
        with _quiet_stderr():
            app.run(mouse=mouse)
    finally:
        gc.enable()  # where no frame ever stood
        _stop_reading(app)
    if app.farewell:
        narrate(app.farewell if app.farewell.startswith("warroom: ") else f"warroom: {app.farewell}")
    return app.return_code or 0


def _tell_hangup() -> None:
    """Signal ourselves once the terminal is gone: the system tells the leader alone, and `make` tells nobody."""
    gone = select.poll()
    gone.register(0, 0)
    gone.poll()
    os.kill(os.getpid(), signal.SIGHUP)


def _stop_reading(app: WarRoomApp) -> None:
    """End the driver's thread that reads keys: where the terminal is gone it can be left behind, and spins for ever."""
    ends = getattr(app._driver, "exit_event", None)
    if ends is not None:
        ends.set()


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep file descriptor 2 for nobody: the app draws on a copy of it, what else writes there draws nothing."""
    drawn = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    before = sys.__stderr__
    terminal = os.fdopen(drawn, "w", encoding="utf-8", errors="replace", closefd=True)
    sys.__stderr__ = terminal  # type: ignore[misc]  # where Textual's driver draws
    os.dup2(null, 2)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            terminal.flush()
        os.dup2(drawn, 2)
        sys.__stderr__ = before  # type: ignore[misc]
        os.close(null)
        with suppress(OSError, ValueError):
            terminal.close()
