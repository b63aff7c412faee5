"""The managed engine: one Managed Agents session, driven from its desk."""

from __future__ import annotations

from orchestrator.engines.base import Desk, StopReason
from orchestrator.engines.client import make_client
from orchestrator.engines.managed.access import Access
from orchestrator.engines.managed.beginning import begin
from orchestrator.engines.managed.budgets import OVERSHOOT
from orchestrator.engines.managed.conduct import Conduct, Setting
from orchestrator.engines.managed.observing import ObservingEngine
from orchestrator.engines.managed.outbox import Words
from orchestrator.engines.managed.streams import Health
from orchestrator.journal.events import MAIN_THREAD, Egress


class ManagedEngine:
    """Lets Claude Managed Agents decide, and carries out here what they ask for.

    Where the hands are somebody else's (`attached`, `lost`), it watches.
    """

    name = "managed"
    acknowledges = True
    hears_again = True
    overshoot = OVERSHOOT

    def __init__(self, access: Access) -> None:
        self._access = access
        self._kept: list[Words] = []
        self._conduct: Conduct | None = None
        self.shown_as = access.shown_as
        self.why = ""
        """Why the last run ended and what to do next, in a line for people; empty where there is nothing to say."""

    @property
    def health(self) -> Health | None:
        """How the connection is; None while there is none."""
        return None if self._conduct is None else self._conduct.health

    async def run(self, desk: Desk) -> StopReason:
        """Work until there is a verdict, or until stopped; raises EngineError where it cannot go on."""

        async def record(body: Egress) -> object:
            return await desk.record(body, thread=MAIN_THREAD)

        self.why = ""
        if desk.remote is not None and not desk.remote.hands:
            return await ObservingEngine(self._access.endpoint, desk.remote).run(desk)
        async with make_client(self._access.endpoint, record) as client:
            resumed = desk.remote is not None
            remote = desk.remote or await begin(desk, client, self._access)
            self._conduct = conduct = Conduct(Setting(desk, client, self._access, remote, resumed))
            try:
                for words in self._kept:
                    conduct.say(words)
                ending = await conduct.run()
            finally:
                self._kept, self._conduct = conduct.left, None
        self.why = ending.why
        return ending.stop
