"""What the person says and does while a session works, in the words that its coordinator gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from orchestrator.engines.base import Desk, Interrupt, Message, SourceAdded
from orchestrator.engines.managed.beginning import is_told
from orchestrator.engines.managed.brief import coverage_text
from orchestrator.engines.managed.outbox import Words
from orchestrator.journal.events import MAIN_THREAD


@dataclass
class Person:
    """Who sits in front of this session."""

    desk: Desk
    _stopped_all: bool = False

    async def listen(self, say: Callable[[Words], None], stop: Callable[[str], Awaitable[None]]) -> None:
        """Take up what comes, for ever: a message, a source, the interrupt of one thread."""
        while True:
            incoming = await self.desk.inbox.get()
            if isinstance(incoming, Message):
                if not is_told(self.desk, incoming):
                    say(words_of(self.desk, incoming))
            elif isinstance(incoming, SourceAdded):
                say(words_on(self.desk, incoming))
            elif incoming.thread is None:
                self._stopped_all = True
            else:
                await stop(incoming.thread)

    def stopped_all(self) -> bool:
        """Say whether they interrupted everything, rather than left."""
        left = self.desk.inbox.drain()
        return self._stopped_all or any(isinstance(one, Interrupt) and one.thread is None for one in left)


def words_of(desk: Desk, message: Message) -> Words:
    """Return a message as it is sent: what is for one specialist goes through the coordinator."""
    to = f"for {message.to}: " if message.to and message.to != MAIN_THREAD else ""
    key = message.id or f"said-{desk.clock.now().isoformat()}"
    return Words(key, f"{to}{message.text}", by_person=True)


def words_on(desk: Desk, added: SourceAdded) -> Words:
    """Return what the coordinator is told of a source that came late."""
    spec = added.spec
    covered = [one for one in desk.brief.coverage if one.source == spec.id]
    text = f"The person attached a new source while you work: {spec.id} ({spec.kind})."
    return Words(f"source-{spec.id}", f"{text} Your specialists' tools read it from now on.\n{coverage_text(covered)}")
