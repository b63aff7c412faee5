"""What a session may spend: checked before each model request and tool call, spent by what the journal says.

An engine asks with the request's own size, records what it used, and is told when an agent has to stop:

    key = f"{thread}-request-7"                                  # also the source id of `span.model_request_start`
    answer = desk.budget.check(agent, Estimate(key, model, input_tokens=12_000, output_tokens=4_000))
    if isinstance(answer, Refused):
        ...                                                      # answer.reason; ask it to conclude, or stop there
    await desk.record(desk.budget.start(key), thread=thread, source_id=key)
    response = await client.messages.create(max_tokens=4_000, ...)
    ended = desk.budget.spend(agent, Usage.of(response.usage.model_dump(), model), key)
    await desk.record(ended, thread=thread, source_id=f"{key}-end")   # from here on the reservation is settled
    ...
    if refused := desk.budget.over(agent):                       # hands answer its calls with refused.reason
        ...                                                      # one turn more to report, then stop the thread

A check reserves the most that the request can use until its end is on record (or `release(key)`: it never went out),
so agents that ask at the same time cannot both take the last dollar. A part of each bound is kept for the verdict:
only the orchestrator's concluding request (`Estimate(..., concluding=True)`) may use all of it; a specialist's last
word may use half of it, and what is kept of its own bounds. With a server that has a cap of its own: its cap is
`bound("usd")`, ordinary work ends at `ordinary("usd")`. Nothing here raises a bound: that is `Session.raise_budgets`,
by a person, on record. What cannot be stopped exactly an engine says itself, in its attribute `overshoot`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.config.model import Bounds, Budgets
from orchestrator.hands.budget_fold import REPORTING_TOOLS, SpentFold
from orchestrator.hands.budget_measures import (
    MEASURES,
    SECOND,
    Amounts,
    Measure,
    agent_reserves,
    limits,
    named,
    reserves,
    shown,
)
from orchestrator.hands.budget_summary import meter
from orchestrator.hands.usage import COST, Prices, Usage
from orchestrator.journal.events import MAIN_THREAD, ModelRequestEnd, ModelRequestStart
from subagents.contract import AgentName, Clock

SPENT = "budget spent, report now"
"""How every refusal begins."""

DEFAULTS: Mapping[str, Budgets] = {
    "messages": Budgets(usd=5, tokens=4_000_000, turns=200, seconds=1800),
    "managed": Budgets(usd=5, tokens=4_000_000, turns=200, seconds=1800),
}
"""Bounds of engines that cost money, where the person sets none. The offline engine costs nothing and has none."""

UNPRICED_TOKENS = 4_000_000
"""Bound of all tokens once a model without a price was asked, where the person bounds only dollars."""


@dataclass(frozen=True)
class Estimate:
    """How large a model request can get, before it is made."""

    key: str
    """Names the request: `model_request_start_id` of the event that ends it."""
    model: str
    input_tokens: int
    """The whole prompt, cached or not; estimate high."""
    output_tokens: int
    """`max_tokens`."""
    concluding: bool = False
    """The agent's last word: it may use what is kept for that."""


@dataclass(frozen=True)
class Allowed:
    """The request may be made; what it can use at most is reserved until its end is on record."""

    key: str
    reserved: Amounts
    unpriced: bool = False
    """The model has no price: its dollars are not counted, its tokens are."""


@dataclass(frozen=True)
class Refused:
    """The request would go over a bound."""

    reason: str
    """A line for people and models; begins with `SPENT`."""
    measure: Measure
    left: int
    """What of the measure is left for ordinary work, in whole units (micro-dollars, milliseconds)."""
    agent: AgentName | None = None
    """Whose own bound it is; None: the session's."""


@dataclass(frozen=True)
class Left:
    """How one bound stands."""

    measure: Measure
    used: int
    bound: int
    reserve: int

    @property
    def ordinary(self) -> int:
        """Return what ordinary work may still use."""
        return max(0, self.bound - self.reserve - self.used)


@dataclass(frozen=True)
class _Held:
    agent: AgentName
    amounts: Amounts
    run: int
    """Of which run of the session: none outlives the one that made it."""


@dataclass
class Budget:
    """An engine's and hands' view of what may be spent. It belongs to one event loop; no answer waits."""

    fold: SpentFold
    clock: Clock
    prices: Prices = field(default_factory=Prices)
    _held: dict[str, _Held] = field(default_factory=dict)

    # -- model requests ----------------------------------------------------------------------

    def check(self, agent: AgentName, request: Estimate) -> Allowed | Refused:
        """Say whether a request of this size may be made now, and reserve for it."""
        cost = self.prices.most(request.model, max(0, request.input_tokens), max(0, request.output_tokens))
        wanted: dict[Measure, int] = {
            "tokens": max(0, request.input_tokens) + max(0, request.output_tokens),
            "input_tokens": max(0, request.input_tokens),
            "output_tokens": max(0, request.output_tokens),
            "turns": 1,
            "usd": cost or 0,
        }
        refused = self._refuse(agent, wanted, concluding=request.concluding, but=request.key)
        if refused is not None:
            return refused
        if request.key not in self.fold.ended:
            self._held[request.key] = _Held(agent, wanted, self.fold.runs)
        return Allowed(request.key, wanted, unpriced=cost is None)

    def start(self, key: str) -> ModelRequestStart:
        """Return the event that a request starts with: should its end be lost in a crash, it counts as reserved."""
        held = self._held.get(key)
        return ModelRequestStart(estimate={} if held is None else {name: most for name, most in held.amounts.items()})

    def spend(self, agent: AgentName, usage: Usage, key: str, *, is_error: bool = False) -> ModelRequestEnd:
        """Return the event that says what a request used; once it is on record the reservation is settled."""
        cost = self.prices.cost(usage)
        said = usage.said() if cost is None else {**usage.said(), COST: cost}
        return ModelRequestEnd(model_request_start_id=key, model_usage=said, is_error=is_error)

    def release(self, key: str) -> None:
        """Give back what was reserved for a request or a call that did not happen."""
        self._held.pop(key, None)

    # -- tool calls --------------------------------------------------------------------------

    def admit(self, agent: AgentName, call_id: str, tool: str) -> Refused | None:
        """Reserve one tool call, or say why not. By reporting tools an agent is always heard."""
        if tool in REPORTING_TOOLS or call_id in self.fold.started:
            return None
        refused = self.over(agent) or self._refuse(agent, {"tool_calls": 1}, concluding=agent == MAIN_THREAD)
        if refused is None:
            self._held[call_id] = _Held(agent, {"tool_calls": 1}, self.fold.runs)
        return refused

    def time_left(self, agent: AgentName) -> float | None:
        """Return for how many seconds an agent's work may still go on; None where time is not bounded."""
        found = [
            self._limit(scope, "seconds", agent, agent == MAIN_THREAD) - self.used("seconds", scope)
            for scope in (None, agent)
            if "seconds" in self._limits(scope)
        ]
        return max(0, min(found)) / SECOND if found else None

    # -- how it stands -----------------------------------------------------------------------

    def over(self, agent: AgentName) -> Refused | None:
        """Say whether an agent has used up what it may, or the session what ordinary work may; only what is spent."""
        return self._refuse(agent, {}, concluding=agent == MAIN_THREAD)

    def left(self, agent: AgentName | None = None) -> tuple[Left, ...]:
        """Return how each bound of the session, or of one agent, stands."""
        kept = self._reserves(agent)
        return tuple(
            Left(measure, self.used(measure, agent), bound, kept.get(measure, 0))
            for measure, bound in self._limits(agent).items()
        )

    def used(self, measure: Measure, agent: AgentName | None = None) -> int:
        """Return what was used of a measure, time until now."""
        return self.fold.used(measure, self._now(), agent)

    def bound(self, measure: Measure, agent: AgentName | None = None) -> int | None:
        """Return a bound with what is kept for the verdict; None where there is none."""
        return self._limits(agent).get(measure)

    def ordinary(self, measure: Measure, agent: AgentName | None = None) -> int | None:
        """Return a bound without what is kept for the verdict."""
        return self._limit(agent, measure, agent or "", False) if measure in self._limits(agent) else None

    @property
    def resumptions(self) -> int:
        """How often the session stopped at its budget and was given more."""
        return self.fold.resumptions

    def meter(self) -> str:
        """Return what was spent and what is left, in a line; empty where nothing costs and nothing is bounded."""
        return meter(self.fold, self._now())

    def reached(self) -> str:
        """Say which bounds ordinary work has used up, for people; empty where none."""
        agents = (None, *self._budgets.agents)
        found = [self._words(one, agent) for agent in agents for one in self.left(agent) if one.ordinary <= 0]
        return "; ".join(found)

    # -- inside ------------------------------------------------------------------------------

    @property
    def _budgets(self) -> Budgets:
        return self.fold.budgets or Budgets()

    def _now(self) -> tuple[datetime, float]:
        return self.clock.now(), self.clock.monotonic()

    def _limits(self, agent: AgentName | None) -> dict[Measure, int]:
        found = limits(self._budgets if agent is None else self._budgets.agents.get(agent, Bounds()))
        if agent is None and self.fold.unpriced and "usd" in found and not any(one in found for one in _COST[1:]):
            found["tokens"] = UNPRICED_TOKENS  # dollars do not bound what has no price
        return found

    def _reserves(self, agent: AgentName | None) -> dict[Measure, int]:
        return reserves(self._budgets) if agent is None else agent_reserves(self._budgets, agent)

    def _limit(self, scope: AgentName | None, measure: Measure, agent: AgentName, concluding: bool) -> int:
        """Return how far an agent may go; of what is kept, a specialist's last word may use half, the verdict all."""
        kept = self._reserves(scope).get(measure, 0)
        if concluding:
            kept = 0 if scope is not None or agent == MAIN_THREAD else kept - kept // 2
        return self._limits(scope)[measure] - kept

    def _refuse(self, agent: AgentName, wanted: Amounts, *, concluding: bool, but: str = "") -> Refused | None:
        """Say which bound an amount would go over; with nothing wanted, which one is used up."""
        concerned = {*wanted, "seconds", "cache_tokens"} if wanted else set(MEASURES)
        for scope in (agent, None):
            for measure in self._limits(scope):
                more = wanted.get(measure, 0)
                held = sum(self._holding(measure, scope, but)) if more else 0
                room = self._limit(scope, measure, agent, concluding) - self.used(measure, scope) - held
                if measure in concerned and (room <= 0 or more > room):
                    return self._refusal(scope, measure, more, held)
        return None

    def _holding(self, measure: Measure, scope: AgentName | None, but: str) -> Iterator[int]:
        """Yield what is reserved and not settled yet, dropping what is."""
        settled = (self.fold.ended, self.fold.started)
        for key, held in list(self._held.items()):
            if held.run != self.fold.runs or any(key in keys for keys in settled):
                del self._held[key]
        for key, held in self._held.items():
            if key != but and key not in self.fold.lost and scope in (None, held.agent):
                yield held.amounts.get(measure, 0)

    def _refusal(self, scope: AgentName | None, measure: Measure, wanted: int, held: int) -> Refused:
        stands = next(one for one in self.left(scope) if one.measure == measure)
        on_their_way = f", {shown(measure, held)} on their way" if held else ""
        needs = f"; this needs up to {named(measure, wanted)}" if wanted > 1 else ""
        reason = f"{SPENT}: {self._words(stands, scope)}{on_their_way}{needs}"
        return Refused(reason, measure, max(0, stands.ordinary - held), scope)

    @staticmethod
    def _words(stands: Left, scope: AgentName | None) -> str:
        whose = f"{scope}: " if scope is not None else ""
        kept = f", {shown(stands.measure, stands.reserve)} kept for the verdict" if stands.reserve else ""
        if scope is not None:
            kept = kept.replace("the verdict", "its last word")
        return f"{whose}{shown(stands.measure, stands.used)} of {named(stands.measure, stands.bound)} used{kept}"


def with_defaults(budgets: Budgets, engine: str) -> Budgets:
    """Return the bounds that count for an engine: the person's, and warroom's where the person sets none.

    Who bounds dollars or tokens, of whatever kind, bounds the cost: neither is bounded once more by default.
    """
    default = DEFAULTS.get(engine)
    if default is None:
        return budgets
    missing: dict[str, object] = {
        measure: getattr(default, measure)
        for measure in MEASURES
        if getattr(budgets, measure) is None and getattr(default, measure) is not None
    }
    if any(getattr(budgets, measure) is not None for measure in _COST):
        missing = {measure: value for measure, value in missing.items() if measure not in _COST}
    return budgets.model_copy(update=missing)


_COST: tuple[Measure, ...] = ("usd", "tokens", "input_tokens", "output_tokens", "cache_tokens")
