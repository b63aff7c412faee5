"""The app with a defect: a handler that fails while it holds a secret. Run as a process of its own."""

from __future__ import annotations

from tui import app as module
from tui.launch import launch
from tui.start import Start


class Crashing(module.WarRoomApp):
    """Fails when `x` is pressed."""

    def key_x(self) -> None:
        password = "correct-horse-" + "battery-staple"
        raise LookupError(password)


if __name__ == "__main__":
    module.WarRoomApp = Crashing  # type: ignore[misc]
    raise SystemExit(launch(Start()))
