"""Sending to a session, once: what is in doubt is looked for in its history before it is sent again.

    stored = await sender.send({"type": "user.message", ...}, found)   # NotTaken where the session refuses it

The SDK repeats nothing here. A refusal that passes (429, 5xx) is waited for, a lost network for as long as it takes.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.base import EngineError
from orchestrator.engines.faults import in_doubt
from orchestrator.engines.managed.delivered import text_of
from orchestrator.engines.managed.retrying import Random, delay, fault_of, gives_up
from orchestrator.engines.managed.sources import PrimarySource
from subagents.contract import Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

SEND_S = 30.0
"""Seconds until a send without an answer is in doubt."""
PAGE: Final = 200
LOOKED_AT: Final = 2000
"""Most events that are looked through for one that is in doubt."""
Found = Callable[[], Awaitable[str | None]]
"""Looks whether it is there already: its id there (empty: it is there, and has none), or None."""


class NotTaken(Exception):
    """The session does not take it in its state, or not in its form (400); the message is what the API said."""


@dataclass(frozen=True)
class Sender:
    """Sends to one session."""

    client: AsyncAnthropic
    session_id: str
    clock: Clock
    random: Random = random.random

    async def send(self, event: Mapping[str, Any], found: Found, *, doubtful: bool = False) -> str:
        """Return the server's id of what was sent, or was there already.

        `doubtful`: an earlier process may have sent it. Raises NotTaken, EngineError where it never can be sent.
        """
        attempts = refusals = 0
        while True:
            try:
                if doubtful and (there := await found()) is not None:
                    return there
                doubtful = False
                return await self._once(event)
            except Exception as error:
                if self._is_state(error):
                    raise NotTaken(str(error)) from error
                doubtful = doubtful or in_doubt(error)
                attempts += 1
                refusals = await self.recover(error, attempts, refusals)

    async def recover(self, error: Exception, attempts: int, refusals: int) -> int:
        """Wait until it is worth trying again and return the refusals in a row; raises EngineError where it is not."""
        fault = fault_of(error, self.clock.now())
        refusals = refusals + 1 if fault.refusal else 0
        if why := gives_up(fault, refusals):
            raise EngineError(f"the session cannot be reached any more: {why}") from error
        await self.clock.sleep(delay(fault, attempts, self.random))
        return refusals

    async def history(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the session's own events, oldest first; raises what a read raises."""
        source, cursor = PrimarySource(self.client, self.session_id), None
        while True:
            page = await source.page(cursor, 1000)
            for raw in page.events:
                yield raw
            if page.next is None or page.next == cursor:
                return
            cursor = page.next

    async def latest(self, kind: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the session's own events of a type, newest first, as many as matter; raises what a read raises."""
        events = self.client.with_options(max_retries=0).beta.sessions.events
        kinds: Any = [kind]
        looked = 0
        async for one in events.list(self.session_id, types=kinds, order="desc", limit=PAGE):
            yield one.to_dict(mode="json", warnings=False)
            looked += 1
            if looked >= LOOKED_AT:
                return

    async def _once(self, event: Mapping[str, Any]) -> str:
        one: Any = dict(event)
        events = self.client.with_options(max_retries=0).beta.sessions.events
        answer = await events.send(self.session_id, events=[one], timeout=SEND_S)
        stored = answer.data or []
        return text_of(stored[0].to_dict(mode="json", warnings=False), "id") if stored else ""

    @staticmethod
    def _is_state(error: Exception) -> bool:
        import anthropic

        return isinstance(error, anthropic.BadRequestError | anthropic.UnprocessableEntityError)
