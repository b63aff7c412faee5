"""The one moment at which a series that keeps its level was far from it, as never before or after."""

from __future__ import annotations

import numpy as np

from subagents.metrics.changes import Change
from subagents.metrics.series import Floats
from subagents.metrics.signals import LEAST_BEFORE

LEAST_POINTS = 60
APART = 12
"""Points around the farthest that are of the same excursion."""
OTHERS = 10
"""Excursions that it is compared with."""
LEAST_SIZE = 8.0
"""Noises that it is away from the level at least."""
STANDS_OUT, TAIL = 1.4, 2.0
"""So many times as far as the next one, and by this power of how many times that is as far as the last of the others.

Where excursions are of all sizes, the largest of them is none of its own.
"""
BEGUN = 0.5
"""Part of its height from which it has begun."""
SCORE = 0.6


def lone_excursion(values: Floats, noise: float) -> Change | None:
    """Return the farthest excursion where it stands alone; None where others come near, or there are few points.

    It scores below 1: it is no change, and counts only where nothing else is asked about or moves.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < LEAST_POINTS:
        return None
    away = values[known] - np.median(values[known])
    left, heights, first = np.abs(away), list[float](), int(np.argmax(np.abs(away)))
    for _ in range(OTHERS + 1):
        place = int(np.argmax(left))
        heights.append(float(left[place]))
        left[max(0, place - APART) : place + APART + 1] = 0.0
    top, next_, last = heights[0], heights[1], heights[-1]
    alone = last > 0 and top / next_ >= max(STANDS_OUT, (next_ / last) ** TAIL)
    if not alone or top < LEAST_SIZE * noise or first < LEAST_BEFORE:
        return None
    delta = float(away[first])
    while first > 0 and away[first - 1] / delta >= BEGUN:
        first -= 1
    return Change(0, int(known[first]), "moment", SCORE, delta, 1)
