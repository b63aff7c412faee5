"""Keys one after the other: none is given to what has the focus before all that the one before it does is done.

The framework gives each key to what has the focus as it comes, though the one before may still be on its way to the
binding that moves the focus: of `m` and a text that come at once, a part would be typed into the prompt and a part be
taken for keys of the room.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any, Generic, TypeVar

from textual import events
from textual._time import get_time
from textual.app import App
from textual.command import CommandPalette
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from tui.widgets.prompt import ChoiceLine

PATIENCE_S = 0.25
"""So long keys wait for one of which no word comes back, as what had it went away."""

Result = TypeVar("Result")
Typed = events.Key | events.Paste


class KeyDone(Message):
    """Goes the way of a key, behind it: as it comes to the app, the key has done what it does."""

    def __init__(self, key: Typed) -> None:
        self.key = key
        super().__init__()


class KeysInOrder(App[Result], Generic[Result], inherit_bindings=False):
    """An app that keeps keys, and what is pasted, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._coming = deque[Typed]()
        """The first is being worked on, the others wait for it."""
        self._patience: Timer | None = None

    @property
    def key_age(self) -> float:
        """Seconds since the key was typed that is being worked on; 0 where none is."""
        return max(0.0, get_time() - self._coming[0].time) if self._coming else 0.0

    async def on_event(self, event: events.Event) -> None:
        """Have keys wait for those before them; all else is done as it comes."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        else:
            self._coming.append(event)
            if len(self._coming) == 1:
                await self._go_on()
            else:
                self._wait()

    async def _go_on(self) -> None:
        """Do keys until one is on its way whose work may decide what the next one does."""
        while self._coming:
            key, goes_to = self._coming[0], self.focused or self.screen
            if await self._is_bound(key):
                self.call_later(self._next, key)  # a focus that it asked for comes before
                return
            await super().on_event(key)
            decides = not (isinstance(goes_to, Input) and isinstance(key, events.Key) and key.is_printable)
            if decides and key.is_forwarded and goes_to.post_message(KeyDone(key)):
                if len(self._coming) > 1:
                    self._wait()
                return
            self._coming.popleft()

    async def _is_bound(self, key: Typed) -> bool:
        """Do at once what a key is bound to, where what has the focus takes no keys of its own; say whether it was."""
        if isinstance(self.focused, Input | ChoiceLine) or not isinstance(key, events.Key):
            return False
        return await self._check_bindings(key.key)

    def _wait(self) -> None:
        """Wait for word of the key that is on its way, but not for long."""
        if self._patience is None:
            self._patience = self.set_timer(PATIENCE_S, partial(self._next, self._coming[0]))

    async def _next(self, done: Typed) -> None:
        """Go on with the key behind one that is done, or of which no word came."""
        if not (self._coming and self._coming[0] is done):
            return
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self._coming.popleft()
        await self._go_on()

    async def on_key_done(self, message: KeyDone) -> None:
        """Go on with the next key; behind an enter in the palette only when the command that it chose was run."""
        key = message.key
        chooses = isinstance(self.screen, CommandPalette) and isinstance(key, events.Key) and key.key == "enter"
        if not chooses:
            await self._next(key)
        elif self._coming:
            self._wait()

    def on_command_palette_closed(self) -> None:
        """Go on when the command was run that was chosen: it waits behind this message, and its focus behind it."""
        if self._coming:
            self.call_later(self.call_later, self._next, self._coming[0])


def key_age(app: App[Any]) -> float:
    """Return the seconds since the key was typed that an app is working on."""
    return app.key_age if isinstance(app, KeysInOrder) else 0.0
