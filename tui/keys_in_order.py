"""Keys one after the other: none is given to what has the focus before all that the one before it does is done.

The framework gives each key to what has the focus as it comes, though the one before may still be on its way to the
binding that moves the focus: of `m` and a text that come at once, a part would be typed into the prompt and a part be
taken for keys of the room.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from textual import events
from textual.app import App
from textual.message import Message
from textual.timer import Timer

PATIENCE_S = 0.25
"""So long keys wait for one of which no word comes back, as what had it went away."""

Result = TypeVar("Result")


class KeyDone(Message):
    """Goes the way of a key, behind it: as it comes to the app, the key has done what it does."""

    def __init__(self, key: events.InputEvent | events.Paste) -> None:
        self.key = key
        super().__init__()


class KeysInOrder(App[Result], Generic[Result], inherit_bindings=False):
    """An app that keeps keys, and what is pasted, in order."""

    _coming: deque[events.InputEvent | events.Paste]
    """The first is being worked on, the others wait for it."""
    _patience: Timer | None = None

    def __init__(self) -> None:
        super().__init__()
        self._coming = deque()

    async def on_event(self, event: events.Event) -> None:
        """Have keys wait for those before them; all else is done as it comes."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._coming.append(event)
        if len(self._coming) == 1:
            await self._go_on()
        elif self._patience is None:
            self._patience = self.set_timer(PATIENCE_S, self._next)

    async def _go_on(self) -> None:
        """Give out keys until one is on its way."""
        while self._coming:
            key, goes_to = self._coming[0], self.focused or self.screen
            await super().on_event(key)
            if key.is_forwarded and goes_to.post_message(KeyDone(key)):
                return
            self._coming.popleft()

    async def _next(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        if self._coming:
            self._coming.popleft()
        await self._go_on()

    async def on_key_done(self, done: KeyDone) -> None:
        """Go on with the next key."""
        if self._coming and self._coming[0] is done.key:
            await self._next()
