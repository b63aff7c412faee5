"""What a session used and may use, as data for reports and screens, and as the line of a live meter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import AwareDatetime

from orchestrator.config.model import Bounds, Budgets
from orchestrator.hands.budget_fold import SpentFold
from orchestrator.hands.budget_measures import MEASURES, SECOND, USD, Measure, limits, named, reserves, shown
from orchestrator.journal.events import Event
from subagents.contract import AgentName, Frozen
from subagents.quantities import counted


class Used(Frozen):
    """Amounts: dollars as a decimal text, time in seconds."""

    usd: str
    tokens: int
    input_tokens: int
    output_tokens: int
    cache_tokens: int
    turns: int
    tool_calls: int
    seconds: float


class BudgetChange(Frozen):
    """A budget that was set or raised."""

    at: AwareDatetime
    by: str
    words: str


class BudgetSummary(Frozen):
    """All about a session's spending."""

    used: Used
    bounds: Budgets | None = None
    """None: nothing is bounded."""
    agents: Mapping[AgentName, Used] = {}
    unpriced: Mapping[str, int] = {}
    """Requests of models without a price, by model: their dollars are not in `used`."""
    lost: int = 0
    """Requests whose end a crash lost; they are in `used` as large as they could get."""
    overshoot: str = ""
    changes: tuple[BudgetChange, ...] = ()
    meter: str = ""

    @property
    def worth_saying(self) -> bool:
        """Whether there is more to say than that nothing was bounded and nothing cost anything."""
        return self.bounds is not None or self.used.turns > 0


def summary_of(events: Iterable[Event]) -> BudgetSummary:
    """Fold a session's events into what it used."""
    fold = SpentFold()
    for event in events:
        fold.learn(event)
    return summarised(fold)


def summarised(fold: SpentFold, now: tuple[datetime, float] | None = None) -> BudgetSummary:
    """Return the fold as data; `now` counts the time of work that goes on."""
    return BudgetSummary(
        used=_used(fold, now, None),
        bounds=fold.budgets,
        agents={agent: _used(fold, now, agent) for agent in sorted(fold.agents)},
        unpriced=dict(fold.unpriced),
        lost=len(fold.lost),
        overshoot=fold.overshoot,
        changes=tuple(BudgetChange(at=one.at, by=one.by, words=one.words) for one in fold.changes),
        meter=meter(fold, now),
    )


def meter(fold: SpentFold, now: tuple[datetime, float] | None = None) -> str:
    """Return what was spent and what is left, compactly: `$0.42 of $5.00 · 12 turns`; empty where nothing costs.

    What costs (dollars, turns) is shown once a model was asked; anything else only where it is bounded.
    """
    bounds = limits(fold.budgets or Bounds())
    parts: list[str] = []
    asked = fold.used("turns") > 0
    for measure in _METER:
        bound = bounds.get(measure)
        used = fold.used(measure, now)
        if bound is not None:
            parts.append(f"{shown(measure, used)} of {named(measure, bound)}")
        elif asked and measure in ("usd", "turns"):
            parts.append(named(measure, used))
    if fold.unpriced:
        parts.insert(1, "unpriced")
    return " · ".join(parts)


_METER: tuple[Measure, ...] = ("usd", "turns", "tool_calls", "seconds", "tokens", *MEASURES[2:5])


NAMES: dict[Measure, str] = {
    "usd": "dollars",
    "tokens": "tokens",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "cache_tokens": "cache tokens",
    "turns": "turns",
    "tool_calls": "tool calls",
    "seconds": "time",
}
"""What a person calls a measure."""


def table(summary: BudgetSummary) -> str:
    """Return it for people, a line for each measure."""
    bounds = limits(summary.bounds) if summary.bounds is not None else {}
    kept = reserves(summary.bounds) if summary.bounds is not None else {}
    lines = [("MEASURE", "USED", "BOUND", "KEPT FOR THE VERDICT")]
    for measure in MEASURES:
        bound = shown(measure, bounds[measure]) if measure in bounds else "none"
        reserve = shown(measure, kept[measure]) if kept.get(measure) else "-"
        lines.append((NAMES[measure], shown(measure, amount_of(summary.used, measure)), bound, reserve))
    for agent, own in (summary.bounds.agents if summary.bounds is not None else {}).items():
        used = summary.agents.get(agent)
        for measure, amount in limits(own).items():
            spent = shown(measure, amount_of(used, measure)) if used is not None else shown(measure, 0)
            lines.append((f"{agent}: {NAMES[measure]}", spent, shown(measure, amount), "-"))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    rows = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    rows += [f"{counted(count, 'request')} of {model} without a price: tokens are counted, dollars are not"
             for model, count in summary.unpriced.items()]  # fmt: skip
    rows += (
        [f"{summary.lost} requests broke off in a crash: counted as large as they could get"] if summary.lost else []
    )
    rows += [f"may go over: {summary.overshoot}"] if summary.overshoot else []
    rows += [f"{one.at:%Y-%m-%d %H:%M} UTC {one.by}: {one.words}" for one in summary.changes]
    return "\n".join(rows) + "\n"


def amount_of(used: Used, measure: Measure) -> int:
    """Return an amount in whole units."""
    value = getattr(used, measure)
    return int(Decimal(str(value)) * {"usd": USD, "seconds": SECOND}.get(measure, 1))


def _used(fold: SpentFold, now: tuple[datetime, float] | None, agent: AgentName | None) -> Used:
    counted = {measure: fold.used(measure, now, agent) for measure in MEASURES}
    return Used(
        usd=f"{Decimal(counted['usd']) / USD:.6f}",
        seconds=counted["seconds"] / SECOND,
        **{measure: counted[measure] for measure in MEASURES if measure not in ("usd", "seconds")},
    )
