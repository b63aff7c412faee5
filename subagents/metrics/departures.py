"""Departures of short series, judged point by point against what came before them."""

from __future__ import annotations

import numpy as np

from subagents.metrics.changes import Change
from subagents.metrics.series import Flags, Floats, Ints

SHORT_BAR = 4.2
"""Marginal deviations that a short series must move by, for SHORT_RUN points on end."""
SHORT_RUN = 3
DRIFT_RUN = 6
DRIFT_BAR = 4.5
"""As SHORT_BAR, for slow departures from the first quarter of a short series."""


def departures(x: Floats, least: float = 1.0, earliest: int = 4) -> list[Change]:
    """Find runs of at least SHORT_RUN points that stay away from the level before them.

    The spread is the larger of the first part's and the usual distance of points three apart: correlated
    points look calm to their neighbours.
    """
    changes: list[Change] = []
    waiting = np.arange(len(x))
    for place in range(earliest, x.shape[1] - 1):
        outside = _outside(x[waiting], place)
        if not outside.any():
            continue
        found = np.zeros(len(waiting))
        found[outside] = _departs(x[waiting[outside]], 0, place)
        for row in waiting[found > least]:
            changes += [c for c in _short_row(int(row), x[row], place) if c.score > least]
        waiting = waiting[found <= least]
    if earliest == 4 and len(waiting):
        changes += drifts(x, waiting)
    return changes


def _outside(x: Floats, place: int) -> Flags:
    """Return which rows' run at `place` lies beyond nearly all that came before: the others cannot depart.

    `_noise` is at least 0.45 of the 95th percentile's distance: a run beyond SHORT_BAR of it is beyond those points.
    """
    before, run = x[:, :place], x[:, place : place + SHORT_RUN]
    beyond = place - 1 - int(0.95 * (place - 1))
    outside: Flags = (before >= run.min(axis=1, keepdims=True)).sum(axis=1) <= beyond
    outside |= (before <= run.max(axis=1, keepdims=True)).sum(axis=1) <= beyond
    return outside


def drifts(x: Floats, rows: Ints) -> list[Change]:
    """Find slow departures: each point is near the one before, but a long run is far from where it all began."""
    head = max(6, x.shape[1] // 4)
    if x.shape[1] < head + DRIFT_RUN:
        return []
    before = x[rows, :head]
    base = np.median(before, axis=1)
    noise = _noise(before, base) * 1.3
    away = (x[rows] - base[:, None]) / noise[:, None]
    changes = []
    far_often = (np.abs(away[:, head:]) > DRIFT_BAR).sum(axis=1) >= DRIFT_RUN
    for row, size in zip(rows[far_often], away[far_often], strict=True):
        for sign in (1.0, -1.0):
            beyond = sign * size > DRIFT_BAR
            runs = np.convolve(beyond[head:], np.ones(DRIFT_RUN), "valid") >= DRIFT_RUN
            if not runs.any():
                continue
            far = head + int(np.argmax(runs))
            place = far
            while place > 4 and sign * size[place - 1] > 2.0:
                place -= 1
            delta = float(np.median(x[row, far:]) - np.median(x[row, :place]))
            score = float(np.median(sign * size[far : far + DRIFT_RUN])) / DRIFT_BAR
            changes.append(Change(int(row), place, "level", score, delta, DRIFT_RUN))
            break
    return changes


def _noise(before: Floats, base: Floats) -> Floats:
    rest = np.abs(before - base[:, None])
    noise = np.maximum(1.4826 * np.median(rest, axis=1), 1e-3 * np.abs(base))
    noise = np.maximum(noise, 0.45 * np.quantile(rest, 0.95, axis=1, method="lower"))
    if before.shape[1] > 6:
        noise = np.maximum(noise, 1.0484 * np.median(np.abs(before[:, 3:] - before[:, :-3]), axis=1))
    return np.maximum(noise, 1e-12)


def _departs(x: Floats, start: int, place: int) -> Floats:
    """Return, per row, the score of a run away from the level of `start` to `place`; 0 where there is none."""
    before = x[:, start:place]
    base = np.median(before, axis=1)
    noise = _noise(before, base) * (1.0 + 2.0 / before.shape[1])
    run = (x[:, place : place + SHORT_RUN] - base[:, None]) / noise[:, None]
    low = np.where(run[:, 0] > 0, run.min(axis=1), -run.max(axis=1))
    bar = SHORT_BAR if run.shape[1] >= SHORT_RUN else 2 * SHORT_BAR
    size = np.abs(np.median(x[:, place : place + 8], axis=1) - base) / noise
    score: Floats = np.where(low > bar, np.minimum(np.maximum(size, low), 1e6) / SHORT_BAR, 0.0)
    return score


def _short_row(row: int, series: Floats, place: int) -> list[Change]:
    """Return the change at `place` and those after it.

    An excursion that comes back is left out of the baseline of what follows; a level that stays becomes it.
    """
    calm, changes = list(series[:place]), []
    while place + 2 <= len(series):
        probe = np.array([*calm, *series[place : place + 8]])[None, :]
        score = float(_departs(probe, 0, len(calm))[0]) if _outside(probe, len(calm))[0] else 0.0
        if score <= 0:
            calm.append(float(series[place]))
            place += 1
            continue
        base = float(np.median(calm))
        stay = series[place : place + 8]
        changes.append(Change(row, place, "level", score, float(np.median(stay)) - base, len(stay)))
        back = _back(series, place, base)
        if back is None:
            calm = [float(value) for value in series[place : place + 4]]
            place += 4
        else:
            rest = series[back : back + 8]
            delta = float(np.median(rest) - np.median(series[place:back]))
            changes.append(Change(row, back, "level", score, delta, len(rest)))
            place = back
    return changes


def _back(series: Floats, place: int, base: float) -> int | None:
    """Return where two points on end are nearer to the old level than to the new one; None where they never are."""
    half = 0.5 * abs(float(np.median(series[place : place + SHORT_RUN])) - base)
    near = np.abs(series[place:] - base) < half
    pairs = np.flatnonzero(near[:-1] & near[1:])
    return place + int(pairs[0]) if len(pairs) else None
