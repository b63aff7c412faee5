"""The budget's events: the bounds that a session starts with, and a person's raise of one."""

from __future__ import annotations

from pydantic import JsonValue

from orchestrator.config.model import Bounds, Budgets
from orchestrator.hands.budget import Budget, with_defaults
from orchestrator.hands.budget_measures import limits, named
from orchestrator.hands.budget_words import in_words
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
    body = _changed(bounds, "settings", f"at most {in_words(bounds)}", overshoot)
    return (Entry(body=body, thread=MAIN_THREAD, stream=STREAM, source_id="budget"),)


def raised(now: Budgets, wished: Budgets, by: str) -> list[BudgetChanged]:
    """Return the events of a raise, one for the session and one for each agent; raises BudgetFault for what is none."""
    made: list[BudgetChanged] = []
    if limits(wished):
        changes, words = _raise(now, wished, "")
        now = now.model_copy(update=changes)
        made.append(_changed(now, by, words, ""))
    for agent, own in wished.agents.items():
        old = now.agents.get(agent, Bounds())
        changes, words = _raise(old, own, f"{agent}: ")
        now = now.model_copy(update={"agents": {**now.agents, agent: old.model_copy(update=changes)}})
        made.append(_changed(now, by, words, ""))
    if not made:
        raise BudgetFault("name what to raise, and to how much; nothing was changed")
    return made


def _raise(old: Bounds, wished: Bounds, whose: str) -> tuple[dict[str, object], str]:
    before, after = limits(old), limits(wished)
    words = []
    for measure, amount in after.items():
        if measure not in before:
            raise BudgetFault(f"{whose}{measure} is not bounded, so there is nothing to raise; nothing was changed")
        if amount <= before[measure]:
            raise BudgetFault(
                f"{whose}{named(measure, amount)} is no raise: the bound is {named(measure, before[measure])}; "
                "nothing was changed; give the new bound, not what is added"
            )
        words.append(f"{whose}{named(measure, before[measure])} raised to {named(measure, amount)}")
    return {measure: getattr(wished, measure) for measure in after}, "; ".join(words)


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
