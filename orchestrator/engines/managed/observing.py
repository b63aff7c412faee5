"""Watching a server's session that others drive: all of it comes into the journal, nothing is ever run or answered.

It has no hands: it asks its desk for no call, sends no event, and holds a client only to read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Final

from orchestrator.engines.base import Desk, StopReason
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.managed.budgets import PricedSink
from orchestrator.engines.managed.delivered import CAUGHT_UP, Delivered
from orchestrator.engines.managed.streams import Health, Streams, Terms
from orchestrator.journal.events import MAIN_THREAD, Egress, Note
from orchestrator.journal.own_remote import RemoteSession

WATCHES: Final = "watched"
_STOPS: Final[Mapping[str, StopReason]] = {
    "end_turn": "end_turn",
    "retries_exhausted": "retries_exhausted",
    "budget_reached": "budget_reached",
    "refusal": "refusal",
}


class ObservingEngine:
    """See the module. `name` is the managed engine's: the journal is one of a managed session."""

    name = "managed"
    watches = True
    acknowledges = True

    def __init__(self, to: Endpoint, bound: RemoteSession, roles: Mapping[str, str] | None = None) -> None:
        self._to = to
        self._bound = bound
        self._roles = dict(roles or {})
        self._streams: Streams | None = None
        self._idle: StopReason | None = None
        self._caught_up = False
        self._over = asyncio.Event()
        self.shown_as = f"{WATCHES}: {bound.shown_as}"

    @property
    def health(self) -> Health | None:
        """How the connection is; None while there is none."""
        return self._streams.health if self._streams is not None else None

    async def run(self, desk: Desk) -> StopReason:
        """Follow the session until it is at rest there, is over, or the desk is cancelled."""
        from orchestrator.engines.client import make_client

        async def record(body: Egress) -> None:
            await desk.record(body, thread=MAIN_THREAD)

        self._idle, self._caught_up = None, False
        self._over.clear()
        async with make_client(self._to, record) as client:
            terms = Terms(roles=self._roles, echoed=lambda raw: False)  # nobody said anything from here
            models = {name: words.partition(" ")[0] for name, words in self._bound.models.items()}
            sink = PricedSink(desk, models)
            self._streams = Streams(client, self._bound.id, sink, desk.clock, terms)
            try:
                return await self._follow(desk, self._streams, sink)
            finally:
                self._streams = None

    async def _follow(self, desk: Desk, streams: Streams, sink: PricedSink) -> StopReason:
        following = asyncio.ensure_future(streams.run(self._take))
        stopped = asyncio.ensure_future(desk.cancel.wait())
        rests = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({following, stopped, rests}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                ending = following.result()
                await desk.record(
                    Note(text=f"the session is {ending} at the server", level="warning"), thread=MAIN_THREAD
                )
                return "end_turn"
            if stopped.done():
                return "interrupted"
            await streams.settle()
            await sink.settle()
            return self._idle or "end_turn"
        finally:
            for one in (following, stopped, rests):
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await one

    async def _take(self, one: Delivered) -> None:
        """Notice when there is nothing to watch for now; a call is on record already, and is nobody's here."""
        if one.type == CAUGHT_UP and one.primary:
            self._caught_up = True
        elif one.primary and one.type == "session.status_idle":
            self._idle = _STOPS.get(one.stop_reason)
        elif one.primary and one.type == "session.status_running":
            self._idle = None
        if self._caught_up and self._idle is not None:
            self._over.set()
