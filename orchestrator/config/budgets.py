"""Putting budgets together: whose word counts, and that a project's file only lowers."""

from __future__ import annotations

from typing import Any, TypeVar

from orchestrator.config.model import Bounds, Budgets
from subagents.contract import Problem

B = TypeVar("B", bound=Bounds)


def over_budgets(below: Budgets, above: Budgets) -> Budgets:
    """Return `below` with what `above` says."""
    agents = dict(below.agents)
    for name, bounds in above.agents.items():
        agents[name] = _over(agents.get(name, Bounds()), bounds)
    return _over(below, above).model_copy(update={"agents": agents})


def lowered(budgets: Budgets, wished: Budgets) -> tuple[Budgets, list[Problem]]:
    """Return the budgets with what a project's file lowers, and a line for each bound that it may not raise.

    It may lower a bound that is set, set one that is not, and keep more for the verdict.
    """
    problems: list[Problem] = []
    made = _lower(budgets, wished, "budgets", problems)
    agents = dict(budgets.agents)
    for name, bounds in wished.agents.items():
        agents[name] = _lower(agents.get(name, Bounds()), bounds, f"budgets.agents.{name}", problems)
    return made.model_copy(update={"agents": agents}), problems


def _over(below: B, above: Bounds) -> B:
    return below.model_copy(update={name: getattr(above, name) for name in above.model_fields_set})


def _lower(bounds: B, wished: Bounds, where: str, problems: list[Problem]) -> B:
    changes: dict[str, Any] = {}
    for name in sorted(wished.model_fields_set - {"agents"}):
        bound, wish = getattr(bounds, name), getattr(wished, name)
        if wish is None or wish == bound:
            continue
        reserve = name.startswith("reserve_")
        # A fixed reserve in place of the usual part may be the smaller one.
        if (bound is not None and wish > bound) if reserve else (bound is None or wish < bound):
            changes[name] = wish
        else:
            verb = "lower" if reserve else "raise"
            counts = "the usual part" if bound is None else bound
            problems.append(
                Problem(what=f"a project's file may not {verb} `{where}.{name}`", lost=f"{wish}: {counts} counts")
            )
    return bounds.model_copy(update=changes)
