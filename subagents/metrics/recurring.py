"""Single points that come again and again: a process that dies each few minutes fails its requests while it starts.

No run of points stays away from the level before, so no change of level is found; and one such point alone happens to
any series.
"""

from __future__ import annotations

import numpy as np

from subagents.metrics.changes import Change
from subagents.metrics.roles import Traits
from subagents.metrics.series import Floats, Ints
from subagents.metrics.signals import floor_of

LEAST_BEFORE = 12
"""Fewest points before the first of them."""
FAR = 4.0
"""So many times farther than any point before from their median."""
CHANCE, OFTEN = 0.01, 3
"""Chance, if they came at any time alike, that none came earlier: above it they may always have come. And the fewest
of them that are no single ones."""
SIZE = 2.0
LEAST_PAUSES, PATIENCE = 2, 1.5
"""So many pauses between them make the next due; and so much longer than the longest it may be away."""


def recurring(traits: Traits, values: Floats) -> Change | None:
    """Return the change from which points far beyond all before come again and again; None where there is none."""
    known = np.flatnonzero(np.isfinite(values))
    if not traits.user_facing or len(known) < 2 * LEAST_BEFORE:
        return None
    sign = 1.0 if traits.bad == "up" else -1.0
    course = sign * values[known]
    highest = np.maximum.accumulate(course)
    for place in range(LEAST_BEFORE, len(course)):
        if course[place] <= highest[place - 1]:
            continue
        before = course[:place]
        base = float(np.median(before))
        floor = floor_of(traits, base, values)
        far = np.flatnonzero(course[place:] > base + FAR * max(float(highest[place - 1]) - base, floor))
        if len(far) >= OFTEN and far[0] == 0 and (1.0 - place / len(course)) ** len(far) < CHANCE:
            delta = sign * (float(np.median(course[place:][far])) - base)
            return Change(0, int(known[place]), "level", SIZE, delta, 1)
    return None


def comes_again(out: Ints, points: int) -> bool:
    """Say whether what was away at some of so many points pauses as it did before, and the next is not overdue."""
    pauses = np.diff(out)
    pauses = pauses[pauses > 1]
    return len(pauses) >= LEAST_PAUSES and points - 1 - int(out[-1]) <= PATIENCE * float(pauses.max())
