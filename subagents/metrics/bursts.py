"""Work that comes in bursts at a pace, each hour say: a burst that differs from those before is a change, one is none.

Points within bursts and between them have nothing in common, so that each burst looks like a change of level, and the
first that differs like any other. Judged is the height of each against those before.
"""

from __future__ import annotations

import numpy as np

from subagents.metrics.changes import Change
from subagents.metrics.roles import Traits
from subagents.metrics.series import Flags, Floats, Ints
from subagents.metrics.signals import floor_of

LEAST_BEFORE, LEAST_SINCE = 3, 2
"""Fewest bursts before and since."""
PACE, MOST_BUSY = 0.2, 0.5
"""Part of the usual distance by which beginnings of bursts may differ from it; most of the points within bursts."""
APART = 4.0
"""So many times the range of points between bursts that bursts are away from them at least."""
BEYOND = 3.0
"""So many ranges of the bursts before that one which differs is beyond them."""
SIZE, MOST_SIZE = 2.0, 20.0
EDGE = 2
"""Points within which a change is the beginning or the end of a burst."""


def bursts_of(values: Floats) -> tuple[Ints, Ints] | None:
    """Return the first and last points of bursts that keep a pace, by index; None where none is kept."""
    if len(values) < 2 * (LEAST_BEFORE + LEAST_SINCE):
        return None
    low, high = np.quantile(values, (0.05, 0.5))
    calm = float(max(high - low, 0.25 * np.quantile(np.abs(values - high), 0.5), 1e-12))
    busy: Flags = values > high + APART * calm
    if not 0 < busy.mean() <= MOST_BUSY:
        return None
    edges = np.diff(np.concatenate([[False], busy, [False]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    if len(first) < LEAST_BEFORE + LEAST_SINCE:
        return None
    apart = np.diff(first)
    usual = float(np.median(apart))
    steady = usual >= 3 and np.abs(apart - usual).max() <= max(1.0, PACE * usual)
    throughout = first[0] <= 1.5 * usual and len(values) - last[-1] <= 1.5 * usual
    return (first, last) if steady and throughout else None


def without_bursts(traits: Traits, values: Floats, changes: list[Change]) -> list[Change]:
    """Return the changes of a series; where bursts keep a pace the one that differs, and no edge of others."""
    known = np.flatnonzero(np.isfinite(values))
    found = bursts_of(values[known]) if traits.bad == "up" else None
    if found is None:
        return changes
    first, last = found
    course = values[known]
    heights = np.array([float(course[one : other + 1].max()) for one, other in zip(first, last, strict=True)])
    other = _first_other(heights, traits, values)
    if other is not None:
        place, size, delta = other
        return [Change(0, int(known[first[place]]), "level", size, delta, 1)]
    edges = known[np.concatenate([first, np.minimum(last + 1, len(known) - 1)])]
    return [change for change in changes if np.abs(edges - change.index).min() > EDGE]


def _first_other(heights: Floats, traits: Traits, values: Floats) -> tuple[int, float, float] | None:
    """Return the first burst from which on all are beyond those before, how surely, and by how much."""
    for place in range(LEAST_BEFORE, len(heights) - LEAST_SINCE + 1):
        before, since = heights[:place], heights[place:]
        base = float(np.median(before))
        beyond = BEYOND * max(float(np.ptp(before)), floor_of(traits, base, values))
        if float(np.min(since)) > float(before.max()) + beyond:
            delta = float(np.median(since)) - base
            return place, min(MOST_SIZE, SIZE * delta / beyond), delta
    return None
