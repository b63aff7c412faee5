"""The server's cap follows ours: raised there once a person raised it here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.base import Desk
from orchestrator.engines.client import patient
from orchestrator.engines.managed.budgets import cap_in_cents
from orchestrator.engines.managed.delivered import part_of
from orchestrator.engines.managed.remote_sessions import cents_of, retrieve
from orchestrator.engines.managed.retrying import fault_of
from orchestrator.journal.events import MAIN_THREAD, Note

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

UPDATE_S: Final = 30.0
WAKES_S: Final = 15.0
"""Seconds in which a session goes on by itself once its budget was raised; after that it is told to."""


@dataclass
class Cap:
    """What the server's cap is, as far as it said."""

    client: AsyncAnthropic
    session_id: str
    desk: Desk
    there: int | None = None
    """In cents; None: not bounded there, or not known yet."""
    used: int = 0
    """In cents, as the server says it."""
    raised_at: float | None = None
    """When a raise was taken, on the steady clock; None once the session has gone on."""
    _tried: int = 0
    _asked: bool = False

    def learn(self, raw: Mapping[str, Any]) -> None:
        """Take `session.usage` or `session.updated` into account."""
        budget = part_of(part_of(raw, "budget"), "max_list_cost")
        self.there = cents_of(budget) if budget else self.there
        cost = cents_of(part_of(part_of(raw, "usage"), "list_cost"))
        self.used = self.used if cost is None else cost

    async def follow(self, *, at_cap: bool = False) -> None:
        """Raise the server's cap where ours is higher; what it refuses is said once for each amount.

        `at_cap`: the session rests because of it, so there is one, also where no event has said how much it is.
        """
        wanted = cap_in_cents(self.desk.budget)
        if at_cap and self.there is None and not self._asked:
            await self._ask()
        if wanted is None or self.there is None or wanted <= self.there or wanted == self._tried:
            return
        self._tried = wanted
        budget: Any = {"type": "limit", "max_list_cost": {"amount": str(wanted), "currency": "USD"}}
        sessions = self.client.with_options(max_retries=2).beta.sessions  # the same amount twice is one raise
        try:
            await sessions.update(self.session_id, budget=budget, timeout=UPDATE_S)
        except Exception as error:
            why = fault_of(error, self.desk.clock.now()).why
            text = f"the service did not take the raised budget: {why}"
            await self.desk.record(Note(text=text, level="error"), thread=MAIN_THREAD)
            return
        self.there, self.raised_at = wanted, self.desk.clock.monotonic()

    async def _ask(self) -> None:
        """Look once at what the session itself says."""
        self._asked = True
        try:
            row = await retrieve(patient(self.client), self.session_id)
        except Exception as error:
            fault_of(error, self.desk.clock.now())  # raises what is no fault of the way
        else:
            self.learn(row.raw)

    def wakes(self) -> bool:
        """Say whether a raise was taken, and the session may still go on by itself because of it."""
        return self.raised_at is not None and self.desk.clock.monotonic() - self.raised_at < WAKES_S
