"""Failures that come more often than before, where few requests come: no run of points stays away, so no level moves.

Of such a series each point says whether anything failed. How often that is before a moment and since is compared by
the likelihood ratio of two shares against one, over all moments; failures that come in runs count less.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from subagents.metrics.changes import Change
from subagents.metrics.roles import Traits
from subagents.metrics.series import Flags, Floats, Ints

LEAST_BEFORE, LEAST_SINCE = 24, 8
"""Fewest points on either side."""
SELDOM, OFTEN = 0.35, 2.0
"""Share of points with failures before, at most; and how many times as many have them since."""
NEAR = 5
"""Points within which a change of level is the same."""
BAR = 22.0
"""Twice the log likelihood ratio from which the best of all moments is no chance: seldom one in a thousand series."""
_FAILURES = ("error_ratio", "error_count")


def more_often(traits: Traits, values: Floats) -> Change | None:
    """Return the change from which failures come more often; None where there is none."""
    known = np.flatnonzero(np.isfinite(values))
    count = len(known)
    if traits.role not in _FAILURES or count < LEAST_BEFORE + LEAST_SINCE:
        return None
    failed = values[known] > 0
    places = np.arange(LEAST_BEFORE, count - LEAST_SINCE + 1)
    passed = np.append(0, np.cumsum(failed))
    before, since, whole = passed[places], passed[-1] - passed[places], passed[-1:]
    shares = before / places, since / (count - places)
    twice = 2.0 * (
        _nats(before, places, shares[0])
        + _nats(since, count - places, shares[1])
        - _nats(whole, np.array([count]), whole / count)
    )
    twice = np.where((shares[0] <= SELDOM) & (shares[1] >= OFTEN * shares[0]), twice, 0.0)
    best = int(np.argmax(twice))
    place = int(places[best])
    size = float(twice[best]) / (BAR * _runs(failed[:place], failed[place:]))
    if size < 1.0:
        return None
    while not failed[place]:  # of moments without a failure between them the last is meant: nothing failed till then
        place += 1
    usual = float(np.mean(values[known[:place]]))
    return Change(0, int(known[place]), "level", size, float(np.mean(values[known[place:]])) - usual, 1)


def surer(change: Change | None, often: Change | None) -> Change | None:
    """Return a change of level, as sure as failures that come more often from about there on make it; else those."""
    if change is None or often is None:
        return change or often
    same = change.delta > 0 and abs(change.index - often.index) <= NEAR
    return replace(change, score=max(change.score, often.score)) if same else change


def _nats(failed: Ints, asked: Ints, share: Floats) -> Floats:
    """Return the log likelihood of so many points with failures."""
    share = np.clip(share, 1e-12, 1.0 - 1e-12)
    found: Floats = failed * np.log(share) + (asked - failed) * np.log1p(-share)
    return found


def _runs(*parts: Flags) -> float:
    """Return by how much less points say that are like those before them; at least 1."""
    rest = [part - part.mean() for part in (each.astype(np.float64) for each in parts)]
    alike = sum(float((part[1:] * part[:-1]).sum()) for part in rest) / max(
        sum(float((part**2).sum()) for part in rest), 1e-9
    )
    kept = min(max(alike, 0.0), 0.9)
    return (1.0 + kept) / (1.0 - kept)
