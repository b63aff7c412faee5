"""A journal in memory with a budget on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orchestrator.config.model import Budgets, ModelPrices
from orchestrator.hands.budget import Allowed, Budget, Estimate, Refused
from orchestrator.hands.budget_fold import SpentFold
from orchestrator.hands.usage import Prices, Usage
from orchestrator.journal.events import (
    MAIN_THREAD,
    Body,
    BudgetChanged,
    Event,
    StatusIdle,
    StopReason,
)
from orchestrator.journal.hosted import StopReasonType
from tests.fakes import FakeClock

PRICES = Prices({"m": ModelPrices(input=Decimal(1), output=Decimal(10))})
"""At most 2 micro-dollars per prompt token (a write for an hour), 10 per output token."""


class Book:
    """A journal in memory, its fold, and a budget on it."""

    def __init__(self, budgets: Budgets | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.fold = SpentFold(PRICES)
        self.budget = Budget(self.fold, self.clock, PRICES)
        self.events: list[Event] = []
        if budgets is not None:
            self.set(budgets)

    def add(self, body: Body, thread: str = MAIN_THREAD, source_id: str | None = None) -> None:
        seq, now, mono = len(self.events) + 1, self.clock.now(), self.clock.monotonic()
        event = Event(seq=seq, ts=now, mono=mono, thread=thread, source_id=source_id, body=body, hash="")
        self.events.append(event)
        self.fold.learn(event)

    def set(self, budgets: Budgets, by: str = "settings") -> None:
        bounds = budgets.model_dump(mode="json", exclude_none=True)
        self.add(BudgetChanged(detail={"by": by, "words": "", "bounds": bounds}))

    def idle(self, why: StopReasonType, message: str = "") -> None:
        self.add(StatusIdle(stop_reason=StopReason(type=why, message=message)))

    def ask(self, agent: str, key: str, prompt: int = 1000, output: int = 100, **more: Any) -> Allowed | Refused:
        return self.budget.check(agent, Estimate(key, "m", prompt, output, **more))

    def spent(self, agent: str, key: str, **used: int) -> None:
        self.add(self.budget.spend(agent, Usage(model="m", **used), key), agent)

    def again(self) -> Book:
        """The same journal, folded by another process."""
        other = Book(clock=self.clock)
        for event in self.events:
            other.fold.learn(event)
        other.events = list(self.events)
        return other


def money(usd: str, **more: Any) -> Budgets:
    return Budgets(usd=Decimal(usd), reserve_percent=0, **more)
