"""What is bounded, in whole units: micro-dollars, tokens, turns, calls, milliseconds; and how people read them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Literal, get_args

from orchestrator.config.model import Bounds, Budgets

Measure = Literal["usd", "tokens", "input_tokens", "output_tokens", "cache_tokens", "turns", "tool_calls", "seconds"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Amounts = Mapping[Measure, int]

USD = 1_000_000
"""Micro-dollars in a dollar."""
SECOND = 1000
_COUNTED: frozenset[Measure] = frozenset({"turns", "tool_calls"})
"""Measures of which a conclusion needs one: a reserve of a part of one would be none."""
_FACTOR: Mapping[Measure, int] = {"usd": USD, "seconds": SECOND}


def limits(bounds: Bounds) -> dict[Measure, int]:
    """Return the bounds that are set."""
    given = {measure: getattr(bounds, measure) for measure in MEASURES}
    return {
        measure: int(Decimal(str(value)) * _FACTOR.get(measure, 1))
        for measure, value in given.items()
        if value is not None
    }


def reserves(budgets: Budgets) -> dict[Measure, int]:
    """Return what is kept for the verdict of each bound of the session."""
    kept = {measure: _part(budgets, measure, limit) for measure, limit in limits(budgets).items()}
    if budgets.reserve_usd is not None and "usd" in kept:
        kept["usd"] = min(int(budgets.reserve_usd * USD), limits(budgets)["usd"] // 2)
    return kept


def agent_reserves(budgets: Budgets, agent: str) -> dict[Measure, int]:
    """Return what an agent keeps of each of its own bounds for its last word."""
    own = limits(budgets.agents.get(agent, Bounds()))
    return {measure: _part(budgets, measure, limit) for measure, limit in own.items()}


def _part(budgets: Budgets, measure: Measure, limit: int) -> int:
    part = limit * budgets.reserve_percent // 100
    least = 1 if measure in _COUNTED and limit > 1 and budgets.reserve_percent else 0
    return max(part, least)


def dollars(micro: int) -> str:
    """Return micro-dollars as people read them: cents; below a cent four digits, rounded up."""
    value = Decimal(micro) / USD
    if micro == 0 or micro >= USD // 100:
        return f"${value:.2f}"
    return f"${value.quantize(Decimal('0.0001'), ROUND_CEILING)}"


def shown(measure: Measure, amount: int) -> str:
    """Return an amount as people read it, without its unit's name where the sign says it."""
    if measure == "usd":
        return dollars(amount)
    if measure == "seconds" and amount < 60 * SECOND:
        return f"{Decimal(amount) / SECOND:.{1 if amount < 10 * SECOND and amount % SECOND else 0}f} s"
    if measure == "seconds":
        minutes, seconds = divmod(amount // SECOND, 60)
        return f"{minutes}:{seconds:02}"
    return _short(amount)


def named(measure: Measure, amount: int) -> str:
    """Return an amount with its unit: `12 turns`."""
    minutes = " min" if amount >= 60 * SECOND else ""
    units: Mapping[Measure, str] = {
        "usd": "",
        "seconds": minutes,
        "tool_calls": " tool calls",
        "cache_tokens": " cache",
    }
    unit = units.get(measure, " " + measure.replace("_tokens", "").replace("_", " "))
    unit += " tokens" if measure.endswith("_tokens") else ""
    return shown(measure, amount) + (unit.removesuffix("s") if amount == 1 and measure in _COUNTED else unit)


def _short(amount: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if amount >= size:
            scale = 1000 if letter == "k" else size
            return f"{Decimal(amount) / scale:.1f}".removesuffix(".0") + letter
    return str(amount)
