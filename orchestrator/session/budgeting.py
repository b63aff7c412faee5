"""The budget's events: the bounds that a session starts with, and a person's raise of one."""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

from orchestrator.config.model import BUDGETED_AGENTS, Bounds, Budgets
from orchestrator.hands.budget import Budget, with_defaults
from orchestrator.hands.budget_measures import MEASURES, limits, named
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import MAIN_THREAD, BudgetChanged
from orchestrator.session.beginning import STREAM

OVERSHOOT = (
    "tool calls are counted before they start, and one that runs when the time is up is stopped; "
    "no model request is made that could go over"
)
"""How far an engine that says nothing else (`overshoot`) may go over its bounds: not at all."""


class BudgetFault(Exception):
    """A budget cannot be changed as asked; the message says why and what to do."""


def first_budget(budgets: Budgets, engine: object) -> tuple[Entry, ...]:
    """Return the event of the bounds that a session starts with; none where nothing is bounded."""
    bounds = with_defaults(budgets, str(getattr(engine, "name", "")))
    if not limits(bounds) and not bounds.agents:
        return ()
    overshoot = str(getattr(engine, "overshoot", OVERSHOOT))
    body = _changed(bounds, "settings", _words(bounds), overshoot)
    return (Entry(body=body, thread=MAIN_THREAD, stream=STREAM, source_id="budget"),)


def raised(now: Budgets, wished: Bounds, agent: str | None, by: str) -> BudgetChanged:
    """Return the event of a raise; raises BudgetFault for what is no raise."""
    if agent is not None and agent not in BUDGETED_AGENTS:
        raise BudgetFault(f"there is no agent {agent[:40]!r}; there are: {', '.join(BUDGETED_AGENTS)}")
    old = now if agent is None else now.agents.get(agent, Bounds())
    wishes = {measure: getattr(wished, measure) for measure in MEASURES if getattr(wished, measure) is not None}
    if not wishes:
        raise BudgetFault("name what to raise, and to how much")
    before, after, whose = limits(old), limits(wished), f"{agent}: " if agent else ""
    words = []
    for measure in wishes:
        if measure not in before:
            raise BudgetFault(f"{whose}{measure} is not bounded, so there is nothing to raise; nothing was changed")
        if after[measure] <= before[measure]:
            raise BudgetFault(
                f"{whose}{named(measure, after[measure])} is no raise: the bound is {named(measure, before[measure])}; "
                "nothing was changed; give the new bound, not what is added"
            )
        words.append(f"{whose}{named(measure, before[measure])} raised to {named(measure, after[measure])}")
    changes = cast(dict[str, object], wishes)
    if agent is None:
        bounds = now.model_copy(update=changes)
    else:
        bounds = now.model_copy(update={"agents": {**now.agents, agent: old.model_copy(update=changes)}})
    return _changed(bounds, by, "; ".join(words), "")


def how_to_raise(budget: Budget, session_id: str) -> str:
    """Say what was reached, and what a person does to go on."""
    words = budget.reached()
    return (
        f"budget reached: {words or 'nothing is left of what was bounded'}; what was found is kept; "
        f"to go on, raise it: warroom sessions budget {session_id}, then warroom sessions resume {session_id}"
    )


def _changed(bounds: Budgets, by: str, words: str, overshoot: str) -> BudgetChanged:
    detail: dict[str, JsonValue] = {
        "by": by,
        "words": words,
        "bounds": bounds.model_dump(mode="json", exclude_none=True),
    }
    return BudgetChanged(detail={**detail, **({"overshoot": overshoot} if overshoot else {})})


def _words(bounds: Budgets) -> str:
    said = [named(measure, amount) for measure, amount in limits(bounds).items()]
    for agent, own in bounds.agents.items():
        said += [f"{agent}: {named(measure, amount)}" for measure, amount in limits(own).items()]
    return "at most " + ", ".join(said)
