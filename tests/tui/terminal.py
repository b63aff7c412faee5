"""A real terminal: tmux on a socket of its own, with a shell in it."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 90.0
"""Ends a wait in vain; a wait for what comes ends when it is there, however loaded the machine is."""


class Terminal:
    """Keys go in, what is on the screen comes out. Every wait is for a condition."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def tmux(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", "/dev/null", *arguments],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        return ran.stdout

    def type(self, line: str) -> None:
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")

    def keys(self, *names: str) -> None:
        for name in names:
            self.tmux("send-keys", name)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def flag(self, name: str) -> str:
        return self.tmux("display-message", "-p", f"#{{{name}}}").strip()

    def until(self, condition: Callable[[str], bool]) -> str:
        """Return the screen once it is as wanted; fail with it as it is after the patience is over."""
        ends = time.monotonic() + PATIENCE_S
        while True:
            seen = self.screen()
            if condition(seen):
                return seen
            assert time.monotonic() < ends, f"never seen; last:\n{seen}"
            time.sleep(0.05)

    def shows(self, text: str) -> str:
        return self.shows_all(text)

    def shows_all(self, *texts: str) -> str:
        """Return the screen once it shows all of them: a frame reaches the terminal in pieces."""
        return self.until(lambda seen: all(text in seen for text in texts))


@contextmanager
def terminal(place: Path, size: tuple[int, int], **env: str) -> Iterator[Terminal]:
    """A shell in a terminal of that size, with its prompt on the screen."""
    made = Terminal(place / "tmux")
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    wanted = {**kept, "HOME": str(place), "PS1": "ready$ ", "TZ": "UTC", "WARROOM_HOME": str(place / "state"), **env}
    shell = shlex.join(["env", "-i", "TERM=screen-256color", *(f"{k}={v}" for k, v in wanted.items()), "sh"])
    made.tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), shell)
    try:
        made.shows("ready$")
        yield made
    finally:
        made.tmux("kill-server")
