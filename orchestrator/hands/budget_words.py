"""Budgets as people type them: `5usd`, `10m`, `200calls`, `logs:50calls`, several with commas or spaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from pydantic import ValidationError

from orchestrator.config.model import Budgets
from orchestrator.hands.budget_measures import Measure, limits, named

EXAMPLE = "5usd, 10m, 200calls, 50turns, 400ktokens, logs:50calls"
_ITEM = re.compile(
    r"(?:(?P<agent>[a-z]+):)?(?P<dollar>\$)?(?P<number>\d{1,12}(?:\.\d{1,6})?)(?P<unit>[A-Za-z_]*)\Z", re.ASCII
)
_UNITS: Mapping[str, tuple[Measure, int]] = {
    "usd": ("usd", 1),
    "s": ("seconds", 1),
    "sec": ("seconds", 1),
    "m": ("seconds", 60),
    "min": ("seconds", 60),
    "h": ("seconds", 3600),
    "calls": ("tool_calls", 1),
    "call": ("tool_calls", 1),
    "turns": ("turns", 1),
    "turn": ("turns", 1),
    "tokens": ("tokens", 1),
    "input": ("input_tokens", 1),
    "output": ("output_tokens", 1),
    "cache": ("cache_tokens", 1),
}
_SCALES = {"k": 1000, "M": 1_000_000}


class BudgetWordsFault(ValueError):
    """What was typed is no budget; the message says which part, and what it may be."""


def parse_budget(text: str) -> Budgets:
    """Read a budget as typed; raises BudgetWordsFault."""
    given: dict[str | None, dict[str, object]] = {}
    items = [item for item in re.split(r"[\s,]+", text) if item]
    if not items:
        raise BudgetWordsFault(f"no amount is given; write it as in: {EXAMPLE}")
    for item in items:
        agent, measure, amount = _item(item)
        bounds = given.setdefault(agent, {})
        if measure in bounds:
            raise BudgetWordsFault(f"{item[:40]!r}: {measure} is given twice")
        bounds[measure] = amount
    agents = {name: bounds for name, bounds in given.items() if name is not None}
    try:
        return Budgets.model_validate({**given.get(None, {}), **({"agents": agents} if agents else {})})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise BudgetWordsFault(f"{place}: {str(fault['msg']).removeprefix('Value error, ')}") from error


def in_words(budgets: Budgets) -> str:
    """Return bounds as people read them: `$5.00, 10:00 min, logs: 50 tool calls`."""
    said = [named(measure, amount) for measure, amount in limits(budgets).items()]
    for agent, own in budgets.agents.items():
        said += [f"{agent}: {named(measure, amount)}" for measure, amount in limits(own).items()]
    return ", ".join(said)


def _item(item: str) -> tuple[str | None, Measure, object]:
    found = _ITEM.match(item)
    unit = found["unit"] if found else ""
    unit = unit[:1] + unit[1:].lower() if unit[1:].lower() in _UNITS else unit if len(unit) < 2 else unit.lower()
    scale = 1
    if unit[:1] in _SCALES and unit[1:] in _UNITS:
        scale, unit = _SCALES[unit[:1]], unit[1:]
    if found is not None and found["dollar"] and not unit:
        unit = "usd"
    if found is None or unit not in _UNITS:
        raise BudgetWordsFault(f"{item[:40]!r} is no budget; write it as in: {EXAMPLE}")
    measure, factor = _UNITS[unit]
    amount = Decimal(found["number"]) * scale * factor
    if measure == "usd":
        return found["agent"], measure, amount
    if measure == "seconds":
        return found["agent"], measure, float(amount)
    if amount != int(amount):
        raise BudgetWordsFault(f"{item[:40]!r}: a whole number, please")
    return found["agent"], measure, int(amount)
