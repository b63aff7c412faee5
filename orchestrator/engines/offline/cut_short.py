"""What becomes of a round that the budget ends: who did not finish, and how much less sure that makes the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.engines.offline.causes import Decision
from orchestrator.hands.budget import SPENT

CUT_SHORT = "the budget was spent before it was done"
LESS_SURE = 0.1
"""How much each agent that did not finish takes from the confidence."""
LEAST = 0.1


class BudgetSpent(Exception):
    """A call was refused, or stopped, because the budget is spent; the message says which bound."""


def reason_of(spent: BudgetSpent) -> str:
    """Return what is said of an agent that the budget stopped."""
    return f"{CUT_SHORT}: {str(spent).removeprefix(SPENT).lstrip(': ')}"


def cut_off(failed: Mapping[str, str]) -> tuple[str, ...]:
    """Return the agents that the budget stopped, of those that gave nothing."""
    return tuple(agent for agent, why in failed.items() if why.startswith(CUT_SHORT))


def cut_short(decision: Decision, failed: Mapping[str, str]) -> Decision:
    """Return what may still be said of a round in which agents did not finish; nothing is called well unseen."""
    agents = cut_off(failed)
    if not agents:
        return decision
    who = " and ".join(agents)
    less = replace(
        decision,
        confidence=round(max(min(LEAST, decision.confidence), decision.confidence - LESS_SURE * len(agents)), 2),
        against=(*decision.against, f"{who} did not finish, because the budget was spent"),
    )
    if decision.kind not in ("no_incident", "inconclusive"):
        return less
    reason = f"the budget was spent before all was looked at ({who} did not finish)"
    why = reason if decision.hypothesis is None else decision.why
    return replace(less, kind="inconclusive", reasons=(reason, *decision.reasons), why=why)
