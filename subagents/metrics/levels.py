"""A series before a moment and after it: medians and their ratio, as facts that can be counted again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from subagents import quantities as q
from subagents.contract import Fact, Window
from subagents.metrics.roles import analysed
from subagents.metrics.series import Floats


@dataclass(frozen=True)
class Levels:
    """Medians of one series before and within a window, in `unit` (a counter's: per second)."""

    before: float
    after: float
    unit: str = ""

    @property
    def ratio(self) -> float | None:
        """Return after / before; None where that has no meaning."""
        return self.after / self.before if self.before > 0 and self.after >= 0 else None

    def of(self, quantity: str) -> float | None:
        """Return one of the quantities of `quantities.LEVELS`; None where there is no ratio."""
        return {q.LEVEL_BEFORE: self.before, q.LEVEL_AFTER: self.after}.get(quantity, self.ratio)


def levels_of(name: str, times: Floats, values: Floats, window: Window) -> Levels | None:
    """Return the levels of a series' points before and within a window; None where one side holds none."""
    traits, worked = analysed(name, times, values)
    known = np.isfinite(worked)
    before = worked[known & (times < window.start.timestamp())]
    after = worked[known & (times >= window.start.timestamp()) & (times < window.end.timestamp())]
    if not len(before) or not len(after):
        return None
    unit = traits.unit + ("/s" if traits.counter else "")
    return Levels(float(np.median(before)), float(np.median(after)), unit)


def level_facts(levels: Levels, citation: str, window: Window) -> tuple[Fact, ...]:
    """Return the levels as facts that cite the series."""
    stated = ((q.LEVEL_BEFORE, levels.before), (q.LEVEL_AFTER, levels.after), (q.LEVEL_RATIO, levels.ratio))
    return tuple(
        Fact(
            quantity=name,
            value=value,
            unit="" if name == q.LEVEL_RATIO else levels.unit,
            citation=citation,
            window=window,
        )
        for name, value in stated
        if value is not None
    )
