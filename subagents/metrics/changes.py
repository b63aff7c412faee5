"""What a change of a series is, and the robust statistics of a few points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from subagents.metrics.series import Floats

Kind = Literal["level", "spread", "moment"]
"""Where a series lies, how much its points differ, or one excursion (`subagents.metrics.lone`)."""


@dataclass(frozen=True)
class Change:
    """One change of one series. `index` is the first point that belongs to what came after."""

    row: int
    index: int
    kind: Kind
    score: float
    """Size over what is usual for this series, both at the scale that showed it best; comparable over series."""
    delta: float
    """Mean after less mean before, in the series' unit (for spread: of the absolute deviations)."""
    scale: int


def middle_of(values: Floats) -> float:
    """Return the median of a few points; a tenth of the time that NumPy's takes for them."""
    count = len(values)
    ordered = np.sort(values)
    return 0.5 * (float(ordered[(count - 1) // 2]) + float(ordered[count // 2]))


def deviation_of(values: Floats) -> float:
    """Return the robust spread of a few points (MAD, as a standard deviation); 0 for none."""
    return 1.4826 * middle_of(np.abs(values - middle_of(values))) if len(values) else 0.0


def middles_of(rows: Floats) -> Floats:
    """Return the lower median of every row: one of its own values."""
    place = (rows.shape[1] - 1) // 2
    middles: Floats = np.partition(rows, place, axis=1)[:, place]
    return middles
