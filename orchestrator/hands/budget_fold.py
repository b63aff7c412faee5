"""What a session has spent, and what it may: a fold of its journal, so that a resumed session goes on where it was.

Spent are: model requests (`span.model_request_end`), what a server says of the whole session (`session.usage`), tool
calls that started, and time at work (statuses; waiting is free). Bounds are the last `warroom.budget_changed`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from orchestrator.config.model import Budgets
from orchestrator.hands.budget_measures import SECOND, USD, Measure
from orchestrator.hands.usage import COST, Prices, Usage
from orchestrator.journal.events import (
    MAIN_THREAD,
    BudgetChanged,
    Event,
    ModelRequestEnd,
    ModelRequestStart,
    SessionUsage,
    StatusIdle,
    StatusRunning,
    StatusTerminated,
    ThreadCreated,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ThreadStatusTerminated,
    ToolStarted,
)
from subagents.contract import AgentName

BUDGET_TYPES = frozenset(
    {
        "warroom.budget_changed",
        "warroom.tool_started",
        "span.model_request_start",
        "span.model_request_end",
        "session.usage",
        "session.status_idle",
        "session.status_running",
        "session.status_terminated",
        "session.thread_created",
        "session.thread_status_running",
        "session.thread_status_idle",
        "session.thread_status_terminated",
    }
)
REPORTING_TOOLS = frozenset({"report_finding", "conclude"})
"""Calls by which an agent says what it found: neither counted nor refused."""


@dataclass
class Stopwatch:
    """Time at work: milliseconds so far, and since when it runs."""

    total: int = 0
    since: tuple[datetime, float] | None = None

    def start(self, now: tuple[datetime, float]) -> None:
        """Run from now on; one that runs already does not start again."""
        self.since = self.since or now

    def stop(self, now: tuple[datetime, float]) -> None:
        """Stop, and count."""
        self.total, self.since = self.at(now), None

    def at(self, now: tuple[datetime, float]) -> int:
        """Return the milliseconds until now."""
        if self.since is None:
            return self.total
        wall = max(0.0, (now[0] - self.since[0]).total_seconds())
        steady = now[1] - self.since[1]
        # The steady clock where one boot of the machine saw both ends: a clock that was set, and sleep, are no work.
        return self.total + round((steady if steady >= 0 else wall) * SECOND)


@dataclass
class Account:
    """What one agent, or the session as a whole, has used."""

    used: dict[Measure, int] = field(default_factory=lambda: defaultdict(int))
    watch: Stopwatch = field(default_factory=Stopwatch)

    def add(self, usage: Usage, cost: int | None) -> None:
        """Count one model request."""
        for measure, amount in amounts_of(usage, cost).items():
            self.used[measure] += amount
        self.used["turns"] += 1


def amounts_of(usage: Usage, cost: int | None) -> dict[Measure, int]:
    """Return the tokens and micro-dollars of a usage."""
    return {
        "tokens": usage.tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_tokens": usage.cache_read + usage.cache_write_5m + usage.cache_write_1h,
        "usd": cost or 0,
    }


@dataclass(frozen=True)
class Change:
    """A budget that was set or raised."""

    at: datetime
    by: str
    words: str


class SpentFold:
    """Fed events once or more, in order but for those that it has seen."""

    def __init__(self, prices: Prices | None = None) -> None:
        self._prices = prices or Prices()
        self.budgets: Budgets | None = None
        """The bounds in force; None where none were ever set."""
        self.overshoot = ""
        """How far the engine may go over, as it says itself."""
        self.changes: list[Change] = []
        self.session = Account()
        self.agents: dict[AgentName, Account] = defaultdict(Account)
        self.unpriced: dict[str, int] = {}
        """Requests of models without a price, by model; their dollars are not counted."""
        self.ended: set[str] = set()
        """Model requests that are accounted for, by `model_request_start_id`."""
        self.started: set[str] = set()
        """Tool calls that started, by id."""
        self.resumptions = 0
        """How often the session stopped at its budget and was given more."""
        self.runs = 0
        """How often the session began to work after it had stopped."""
        self.lost: dict[str, tuple[AgentName, Mapping[str, int]]] = {}
        """Requests of an earlier run whose end is not on record: they count as large as they could get."""
        self._open: dict[str, tuple[AgentName, Mapping[str, int]]] = {}
        self._stopped_at_budget = False
        self._run_ended = False
        self._said: dict[Measure, int] = {}
        self._counted_when_said: dict[Measure, int] = {}
        self._threads: dict[str, AgentName] = {}
        self._seen: set[int] = set()
        self._working: set[AgentName] = set()
        """Agents whose threads said that they work; their time runs while the session's does."""
        self._last: tuple[datetime, float] | None = None
        self._last_seq = 0

    def used(self, measure: Measure, now: tuple[datetime, float] | None = None, agent: AgentName | None = None) -> int:
        """Return what the session, or one agent, has used of a measure; of time, until now."""
        if measure == "seconds":
            watch = self.session.watch if agent is None else self.agents.get(agent, Account()).watch
            return watch.total if now is None else watch.at(now)
        counted = self._counted(measure, agent)
        if agent is not None or measure not in self._said:
            return counted
        # What the server says is the truth for the whole; what came after it is added.
        return max(counted, self._said[measure] + counted - self._counted_when_said[measure])

    def _counted(self, measure: Measure, agent: AgentName | None = None) -> int:
        """Return what the journal's own requests and calls add up to, lost ones at their largest."""
        account = self.session if agent is None else self.agents.get(agent, Account())
        lost = sum(most.get(measure, 0) for who, most in self.lost.values() if agent in (None, who))
        return account.used.get(measure, 0) + lost

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        if event.type in BUDGET_TYPES and event.seq not in self._seen:
            self._seen.add(event.seq)
            self._take(event)
        if event.seq > self._last_seq:
            self._last_seq, self._last = event.seq, (event.ts, event.mono)

    def _take(self, event: Event) -> None:
        body = event.body
        match body:
            case ModelRequestStart(estimate=most) if most and event.source_id and event.source_id not in self.ended:
                self._open[event.source_id] = (self._agent(event.thread), most)
            case ModelRequestEnd(model_request_start_id=key):
                self._open.pop(key, None)
                self.lost.pop(key, None)
                self._request(event.thread, body)
            case ToolStarted(tool_use_id=call_id, tool=tool) if call_id not in self.started:
                self.started.add(call_id)
                if tool not in REPORTING_TOOLS:
                    for account in (self.session, self.agents[self._agent(event.thread)]):
                        account.used["tool_calls"] += 1
            case SessionUsage(usage=usage) if event.thread == MAIN_THREAD:
                self._snapshot(usage)
            case BudgetChanged(detail=detail):
                self._changed(event.ts, detail)
            case ThreadCreated(session_thread_id=thread, agent_name=agent):
                self._threads.setdefault(thread, agent)
            case _:
                self._status(event)

    def _agent(self, thread: str) -> AgentName:
        return self._threads.get(thread, thread)

    def _request(self, thread: str, body: ModelRequestEnd) -> None:
        key = body.model_request_start_id
        if key and key in self.ended:
            return
        self.ended.add(key)
        usage = Usage.of(body.model_usage)
        if body.is_error and not usage.tokens:
            return
        recorded = body.model_usage.get(COST)
        known = isinstance(recorded, int) and not isinstance(recorded, bool) and recorded >= 0
        cost = int(str(recorded)) if known else self._prices.cost(usage)
        if cost is None:
            name = usage.model or "unknown model"
            self.unpriced[name] = self.unpriced.get(name, 0) + 1
        for account in (self.session, self.agents[self._agent(thread)]):
            account.add(usage, cost)

    def _snapshot(self, said: dict[str, Any]) -> None:
        amounts = amounts_of(Usage.of(said), None)
        del amounts["usd"]
        cents = _cents(said.get("list_cost"))
        if cents is not None:
            amounts["usd"] = cents * (USD // 100)
            self.unpriced.clear()  # the server has priced them
        for measure, amount in amounts.items():
            self._said[measure] = amount
            self._counted_when_said[measure] = self._counted(measure)

    def _changed(self, at: datetime, detail: dict[str, Any]) -> None:
        try:
            self.budgets = Budgets.model_validate(detail.get("bounds"))
        except ValidationError:  # another version's words: the bounds that are known stay
            return
        self.overshoot = str(detail.get("overshoot") or self.overshoot)
        self.changes.append(Change(at, str(detail.get("by", "")), str(detail.get("words", ""))))
        self.resumptions += self._stopped_at_budget
        self._stopped_at_budget = False

    def _status(self, event: Event) -> None:
        now = (event.ts, event.mono)
        match event.body:
            case StatusRunning():
                self.runs += self._run_ended
                self._run_ended = False
                self.lost, self._open = {**self.lost, **self._open}, {}  # no request outlives the run that made it
                for account in (self.session, *(self.agents[agent] for agent in self._working)):
                    account.watch.start(now)
            case StatusIdle(stop_reason=stop):
                # One that says what it was at was written by the process after a crash: the time between is no work.
                broke_off = stop.type == "interrupted" and bool(stop.message)
                self._stop_all((self._last or now) if broke_off else now)
                self._stopped_at_budget = stop.type == "budget_reached"
                self._run_ended = stop.type != "requires_action"  # who waits for an answer goes on with it
            case StatusTerminated():
                self._stop_all(now)
            case ThreadStatusRunning(session_thread_id=thread):
                self._working.add(agent := self._agent(thread))
                self.agents[agent].watch.start(now)
            case ThreadStatusIdle(session_thread_id=thread) | ThreadStatusTerminated(session_thread_id=thread):
                self._working.discard(agent := self._agent(thread))
                self.agents[agent].watch.stop(now)
            case _:
                pass

    def _stop_all(self, now: tuple[datetime, float]) -> None:
        for account in (self.session, *self.agents.values()):
            account.watch.stop(now)


def _cents(said: object) -> int | None:
    """Return a `list_cost` in cents; None where it is none in dollars."""
    if not isinstance(said, dict) or said.get("currency", "USD") != "USD":
        return None
    amount = str(said.get("amount", ""))
    return int(amount) if amount.isascii() and amount.isdigit() and len(amount) < 12 else None
