"""Change points of a thousand series at once: gaps bridged, the day's own course taken off, then judged.

Long series are judged by moving sums against their own usual differences (moving_sums.py); series shorter than
LONG against their marginal spread, point by point (departures.py): too few windows for a MAD of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from subagents.metrics.changes import Change, middles_of
from subagents.metrics.departures import departures, drifts
from subagents.metrics.moving_sums import long_changes
from subagents.metrics.series import Flags, Floats, Ints

LONG = 120
"""Points from which a series has enough windows to know its own usual differences."""
DRIFT_LIMIT = 400
"""Points among which a slow departure is looked for: of more, medians of as many as it takes."""
MIN_POINTS = 8
LEAST_SHARE = 0.5
"""Share of its points that a series must have to be judged."""
LEAST_DRIFT, DRIFT_PARTS = 0.5, 8
DAY = 86_400.0
FAR = 1 << 40
FEW = 2
"""Missing points on end that a line bridges."""
BLOCK_CELLS = 200_000
"""Points that are worked on at once: what stays in a processor's cache takes half the time."""


def filled(values: Floats) -> tuple[Floats, Floats]:
    """Return values with gaps filled, and the share of points present per row; empty rows become zero.

    A gap mirrors the points on either side, half and half: a straight line across it would be calmer than the
    series ever is, and a change of its own. One or two points are bridged by a line.
    """
    present = np.isfinite(values)
    share = present.mean(axis=1) if values.shape[1] else np.zeros(len(values))
    if present.all():
        return values.astype(np.float64, copy=True), share
    out = np.where(present, values, 0.0)
    for row in np.flatnonzero((share > 0) & (share < 1)):
        out[row] = _mirrored(values[row], present[row])
    return out, share


def _mirrored(row: Floats, present: Flags) -> Floats:
    columns = np.arange(len(row))
    known = row[present]
    after = columns - np.maximum.accumulate(np.where(present, columns, -FAR)) - 1
    before = np.minimum.accumulate(np.where(present, columns, FAR)[::-1])[::-1] - columns - 1
    passed = np.cumsum(present)
    source = np.where(after <= before, passed - 1 - after, passed + before) % (2 * len(known))
    mirrored = known[np.minimum(source, 2 * len(known) - 1 - source)]
    few = after + before < FEW
    out: Floats = np.where(present, row, np.where(few, np.interp(columns, columns[present], known), mirrored))
    return out


def without_season(x: Floats, step: float) -> Floats:
    """Return rows less their median day, where at least three whole days are there; else the rows as they are.

    A row keeps its season where removing it does not make the row calmer: it had none.
    """
    if step <= 0 or DAY % step or x.shape[1] < 3 * round(DAY / step):
        return x
    period = round(DAY / step)
    days = x.shape[1] // period
    head = x[:, : days * period].reshape(len(x), days, period)
    season = np.median(head - np.median(head, axis=2, keepdims=True), axis=1)
    width = max(3, period // 48) | 1  # smoothed: a median of few days carries those days' noise
    around = np.concatenate([season[:, -(width // 2) :], season, season[:, : width // 2]], axis=1)
    sums = np.cumsum(np.pad(around, ((0, 0), (1, 0))), axis=1)
    season = (sums[:, width:] - sums[:, :-width]) / width
    whole = np.tile(season, (1, days + 1))[:, : x.shape[1]]
    calmer = x - whole
    before = np.median(np.abs(x - np.median(x, axis=1, keepdims=True)), axis=1)
    after = np.median(np.abs(calmer - np.median(calmer, axis=1, keepdims=True)), axis=1)
    return np.where((after < 0.8 * before)[:, None], calmer, x)


def find_changes(values: Floats, step: float = 60.0) -> list[Change]:
    """Return the changes of every row, in order of row and time."""
    if values.ndim != 2 or values.shape[1] < MIN_POINTS:
        return []
    rows = max(1, BLOCK_CELLS // values.shape[1])
    changes: list[Change] = []
    for first in range(0, len(values), rows):
        block = values[first : first + rows]
        found = _block(block, step) + _brief(block, step)
        changes += sorted((replace(c, row=first + c.row) for c in found), key=lambda c: (c.row, c.index))
    return changes


def _brief(values: Floats, step: float) -> list[Change]:
    """Return the changes of rows that have points less than half of the time.

    Those that live but for a part of it are judged within their own life; of those that only now and then have a
    point, such as a ratio of few requests, the points are judged as they follow each other.
    """
    present = np.isfinite(values)
    lives: dict[tuple[int, int], list[int]] = {}
    found: list[Change] = []
    for row in np.flatnonzero((present.mean(axis=1) < LEAST_SHARE) & (present.sum(axis=1) >= MIN_POINTS)):
        known = np.flatnonzero(present[row])
        if len(known) >= LEAST_SHARE * (known[-1] + 1 - known[0]):
            lives.setdefault((int(known[0]), int(known[-1]) + 1), []).append(int(row))
        else:
            changes = _block(values[row : row + 1, known], 0.0)
            found += [replace(change, row=int(row), index=int(known[change.index])) for change in changes]
    return found + [
        replace(change, row=rows[change.row], index=start + change.index)
        for (start, end), rows in lives.items()
        for change in _block(values[rows, start:end], step)
    ]


def _block(values: Floats, step: float) -> list[Change]:
    x, share = filled(values)
    fit = np.flatnonzero((share >= LEAST_SHARE) & (np.ptp(x, axis=1) > 0))
    if not len(fit):
        return []
    x = x[fit]
    if x.shape[1] < LONG:
        changes = departures(x)
    else:
        # float32 halves the work; centred first, so that nothing is lost of small changes on large levels
        centred = without_season(x - middles_of(x)[:, None], step)
        size = np.max(np.abs(centred), axis=1, keepdims=True)
        unit = np.where(size > 0, size, 1.0)
        changes = long_changes((centred / unit).astype(np.float32), unit[:, 0])
        calm = np.setdiff1d(np.arange(len(x)), [c.row for c in changes if c.kind == "level"])
        if len(calm):
            changes += drifts(x, calm) if x.shape[1] < DRIFT_LIMIT else _long_drifts(x[calm], centred[calm], calm)
    return _seen([replace(c, row=int(fit[c.row])) for c in changes], np.isfinite(values))


def _long_drifts(x: Floats, calm: Floats, rows: Ints) -> list[Change]:
    """Return slow departures of long rows, `calm` being those without their season, that grow to the end.

    In less than three days a day's own course is not known: a departure that turns, or is less than half of the level
    that it left, may be one.
    """
    points = x.shape[1]
    first, last = x[:, : points // 4].mean(axis=1), x[:, -points // 8 :].mean(axis=1)
    far = np.flatnonzero(np.abs(last - first) >= LEAST_DRIFT * np.abs(first))
    if not len(far):
        return []
    each = -(-points // DRIFT_LIMIT)
    skipped = points % each
    coarse = np.median(calm[far, skipped:].reshape(len(far), -1, each), axis=2)
    found = []
    for change in drifts(coarse, np.arange(len(far))):
        row, place = far[change.row], skipped + change.index * each
        level = float(np.median(x[row, :place]))
        if abs(change.delta) >= LEAST_DRIFT * abs(level) and _grows(np.sign(change.delta) * coarse[change.row]):
            found.append(replace(change, row=int(rows[row]), index=place))
    return found


def _grows(course: Floats) -> bool:
    """Say whether a course begins level, and each part of it then lies higher than the one before it, to the end."""
    parts = np.array([np.median(part) for part in np.array_split(course, DRIFT_PARTS)])
    rise, steps = parts[-1] - parts[0], np.diff(parts)
    is_level = steps[0] < 0.5 * rise / len(steps)
    return bool(is_level and steps.min() > -0.02 * rise and steps[-1] > 0.02 * rise)


def _seen(changes: list[Change], present: Flags) -> list[Change]:
    """Put what changed within a gap at the first point after it, once; what lies before or after all points goes."""
    seen: dict[tuple[int, int], Change] = {}
    for change in changes:
        row = present[change.row]
        later = np.flatnonzero(row[change.index :])
        if len(later) and row[: change.index].any():
            place = change.index + int(later[0])
            best = seen.get((change.row, place))
            if best is None or best.score < change.score:
                seen[change.row, place] = replace(change, index=place)
    return list(seen.values())
