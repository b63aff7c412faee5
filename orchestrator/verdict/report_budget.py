"""The budget's lines of the report: what was used, what has no price, who raised what."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.hands.budget_summary import BudgetSummary
from orchestrator.verdict.markdown_text import code, inline
from orchestrator.verdict.when import moment


def budget_lines(budget: BudgetSummary | None) -> Iterator[str]:
    """Yield the lines; none where nothing was bounded and no model was asked."""
    if budget is None or not budget.worth_saying:
        return
    yield f"- Used: {inline(budget.meter)}" if budget.meter else "- Used: nothing of what is bounded"
    for model, requests in budget.unpriced.items():
        yield f"- {requests} requests of {code(model)} have no price: their dollars are not counted, their tokens are"
    for change in budget.changes:
        if change.by != "settings":
            yield f"- Budget raised by {inline(change.by)}: {inline(change.words)} ({moment(change.at, None)})"
