"""What is said to a session: the person's words and warroom's own, in order, each once.

Intended on record with its nonce, sent, and known to be heard when the server's echo was processed. What the session
does not take in its state (a call waits for a decision, the budget is reached) is kept, said, and sent when it does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.engines.base import Desk
from orchestrator.engines.managed.delivered import Delivered
from orchestrator.engines.managed.nonces import message_nonce, nonce_of, signed
from orchestrator.engines.managed.sending import NotTaken, Sender
from orchestrator.journal.events import MAIN_THREAD, Note, RemoteRequest
from orchestrator.journal.text import clean

MESSAGE: Final = "user.message"
MOST_REFUSALS: Final = 3
"""Refusals of one message in a state that takes messages, after which it is given up."""
TEXT_LIMIT: Final = 64 * 1024


@dataclass(frozen=True)
class Words:
    """Something to be said; `key` names it in this session for good."""

    key: str
    text: str
    by_person: bool = False


@dataclass
class Outbox:
    """Belongs to one run of the engine. `work` sends; the rest never waits."""

    desk: Desk
    sender: Sender
    nonce: str
    """The session's."""
    _waiting: deque[Words] = field(default_factory=deque)
    _unheard: dict[str, Words] = field(default_factory=dict)
    """Sent, and not known to be processed: by nonce."""
    _heard: set[str] = field(default_factory=set)
    _refusing: str = ""
    """Why the session takes no message now; empty: it does."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _kept_said: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """Whether all that was to be said was heard."""
        return not self._waiting and not self._unheard

    def put(self, words: Words) -> None:
        """Say it as soon as that is possible; what was said before is not said again."""
        nonce = message_nonce(self.nonce, words.key)
        if nonce in self._heard or any(one.key == words.key for one in self._waiting) or nonce in self._unheard:
            return
        if self.desk.recorded(f"said-{nonce}") is not None:
            return
        self._waiting.append(words)
        self._changed.set()

    def takes(self, refusing: str = "") -> None:
        """The session's state changed: it takes messages, or does not, for this reason."""
        self._refusing = refusing
        self._changed.set()

    def hear(self, one: Delivered) -> None:
        """A message is in the history there: ours is heard once it was processed."""
        nonce = nonce_of(one.raw)
        if nonce and one.processed:
            self._heard.add(nonce)
            self._unheard.pop(nonce, None)

    def flushed(self) -> None:
        """The server dropped what was queued: it is not waited for."""
        self._unheard.clear()

    def drop_own(self) -> None:
        """Leave out what warroom itself had to say and has not sent."""
        self._waiting = deque(one for one in self._waiting if one.by_person)

    def left(self) -> list[Words]:
        """Return what was not sent."""
        return list(self._waiting)

    def is_ours(self, nonce: str) -> bool:
        """Say whether a message there was sent from here."""
        brief = message_nonce(self.nonce, "brief")
        return bool(nonce) and (nonce == brief or self.desk.recorded(f"say-{nonce}") is not None)

    async def work(self) -> None:
        """Send what is put, in order, for ever; raises EngineError where nothing can be sent any more."""
        while True:
            while not self._waiting:
                await self._change()
            words = self._waiting[0]
            await self._say(words)
            if self._waiting and self._waiting[0] is words:
                self._waiting.popleft()

    async def _say(self, words: Words) -> None:
        nonce = message_nonce(self.nonce, words.key)
        known = self.desk.recorded(f"say-{nonce}")
        text = signed(str(clean(words.text, limit=TEXT_LIMIT)), nonce)
        wish = RemoteRequest(what="message", nonce=nonce, text=text)
        intent = known or await self.desk.record(wish, thread=MAIN_THREAD, source_id=f"say-{nonce}")
        sent = intent.body.text if isinstance(intent.body, RemoteRequest) else text
        doubtful, refused = known is not None, 0
        while True:
            await self._possible(words)
            try:
                event: Any = {"type": MESSAGE, "content": [{"type": "text", "text": sent}]}
                self._unheard[nonce] = words  # before it leaves: its echo may come first
                found = await self.sender.send(event, lambda: self._found(nonce), doubtful=doubtful)
                break
            except NotTaken as error:
                self._unheard.pop(nonce, None)
                refused += 0 if self._refusing else 1
                if refused >= MOST_REFUSALS:
                    await self._give_up(words, nonce, error)
                    return
                if not self._refusing:
                    self._refusing = "it refused a message just now"
                await self._say_kept(words, str(error))
        if nonce in self._heard:
            self._unheard.pop(nonce, None)
        done = RemoteRequest(what="message", nonce=nonce, state="sent", id=found)
        await self.desk.record(done, thread=MAIN_THREAD, source_id=f"said-{nonce}")

    async def _possible(self, words: Words) -> None:
        while self._refusing:
            await self._say_kept(words, self._refusing)
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _found(self, nonce: str) -> str | None:
        async for raw in self.sender.latest(MESSAGE):
            if nonce_of(raw) == nonce:
                if raw.get("processed_at") is not None:
                    self._heard.add(nonce)
                return str(raw.get("id") or "")
        return None

    async def _say_kept(self, words: Words, why: str) -> None:
        if words.by_person and words.key not in self._kept_said:
            self._kept_said.add(words.key)
            text = f"your message is kept and sent as soon as the session takes it: {why[:300]}"
            await self.desk.record(Note(text=text, level="warning"), thread=MAIN_THREAD)

    async def _give_up(self, words: Words, nonce: str, error: NotTaken) -> None:
        gone = RemoteRequest(what="message", nonce=nonce, state="refused")
        await self.desk.record(gone, thread=MAIN_THREAD, source_id=f"said-{nonce}")
        whose = "your message" if words.by_person else "a message of warroom's"
        text = f"{whose} was not taken by the service, although it should take one: {str(error)[:300]}"
        await self.desk.record(Note(text=text, level="error"), thread=MAIN_THREAD)
