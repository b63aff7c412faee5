"""Change points of a thousand series at once: moving sums at several scales, in NumPy.

At each scale w the mean of the w points before a moment is compared with the mean of the w after it. The
difference is judged against that series' own usual differences at that scale (their MAD), so that correlated
noise and a daily season raise the bar by themselves; single and double spikes are removed by a running median.
Series shorter than LONG are judged against their marginal spread instead: too few windows for a MAD of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from subagents.metrics.series import Flags, Floats, Ints

LONG = 120
"""Points from which a series has enough windows to know its own usual differences."""
SCALES = (8, 16, 32, 64)
LEVEL_BAR = {8: 7.2, 16: 6.4, 32: 6.2, 64: 6.2}
LOCAL_BAR = {8: 2.5, 16: 1.9, 32: 1.4, 64: 1.1}
"""Deviations of the calmer and of the wilder side that a level must move by: a wilder stretch is not a shift."""
SPREAD_BAR = {32: 5.5, 64: 5.0, 128: 4.8}
SPREAD_LEAST = 0.4
"""Least change of the logarithm of the distance between neighbours."""
SHORT_BAR = 4.2
"""Marginal deviations that a short series must move by, for SHORT_RUN points on end."""
SHORT_RUN = 3
HALF_DAY = 720
DRIFT_LIMIT = 400
"""Points up to which a slow departure is looked for: beyond, a day's own course looks like one."""
DRIFT_RUN = 6
DRIFT_BAR = 4.5
"""As SHORT_BAR, for slow departures from the first quarter of a short series."""
TAIL = 64
TAIL_BAR = 6.0
"""As SHORT_BAR, for the last points of a long series, which are looked at besides the windows."""
MIN_POINTS = 8
DAY = 86_400.0

Kind = Literal["level", "spread"]


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


def filled(values: Floats) -> tuple[Floats, Floats]:
    """Return values with gaps interpolated, and the share of points present per row; empty rows become zero."""
    present = np.isfinite(values)
    share = present.mean(axis=1) if values.shape[1] else np.zeros(len(values))
    if present.all():
        return values.astype(np.float64, copy=True), share
    out = np.where(present, values, 0.0)
    columns = np.arange(values.shape[1])
    for row in np.flatnonzero((share > 0) & (share < 1)):
        good = present[row]
        out[row] = np.interp(columns, columns[good], values[row, good])
    return out, share


def median3(x: Floats) -> Floats:
    """Return the running median of three along the rows; the ends are kept."""
    out = x.copy()
    a, b, c = x[:, :-2], x[:, 1:-1], x[:, 2:]
    low = np.minimum(a, b)
    high = np.maximum(a, b)
    out[:, 1:-1] = np.maximum(low, np.minimum(high, c))
    return out


def median5(x: Floats) -> Floats:
    """Return the running median of five along the rows; the two points at each end are medians of three."""
    if x.shape[1] < 5:
        return median3(x) if x.shape[1] >= 3 else x.copy()
    out = median3(x)
    a, b, c, d, e = (x[:, i : x.shape[1] - 4 + i] for i in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(d, e))
    high = np.minimum(np.maximum(a, b), np.maximum(d, e))
    first, last = np.minimum(low, high), np.maximum(low, high)
    out[:, 2:-2] = np.maximum(first, np.minimum(last, c))
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
    """Return the changes of every row, in order of row and time; rows with under half their points are left out."""
    if values.ndim != 2 or values.shape[1] < MIN_POINTS:
        return []
    x, share = filled(values)
    fit = np.flatnonzero((share >= 0.5) & (np.ptp(x, axis=1) > 0))
    if not len(fit):
        return []
    x = x[fit]
    if x.shape[1] < LONG:
        changes = _short(x)
    else:
        # float32 halves the work; centred first, so that nothing is lost of small changes on large levels
        centred = without_season(x - np.median(x, axis=1, keepdims=True), step)
        size = np.max(np.abs(centred), axis=1, keepdims=True)
        unit = np.where(size > 0, size, 1.0)
        changes = _long((centred / unit).astype(np.float32), unit[:, 0])
        if x.shape[1] < DRIFT_LIMIT:
            calm = np.setdiff1d(np.arange(len(x)), [c.row for c in changes if c.kind == "level"])
            changes += _drifts(x, calm) if len(calm) else []
    return sorted(
        (Change(int(fit[c.row]), c.index, c.kind, c.score, c.delta, c.scale) for c in changes),
        key=lambda c: (c.row, c.index),
    )


# --- long series -------------------------------------------------------------------------------------------------


def _long(x: Floats, unit: Floats) -> list[Change]:
    smooth = median5(x)
    changes: list[Change] = []
    for row, hits in _scan(smooth, LEVEL_BAR, _crowded(x)).items():
        for index, scale, score, _ in _separate(hits):
            place = _back_to_start(smooth[row], _place(smooth[row], index, scale), scale)
            left, right = x[row, max(0, place - scale) : place], x[row, place : place + scale]
            delta = float(np.median(right) - np.median(left)) if scale <= 16 else float(right.mean() - left.mean())
            if abs(delta) > LOCAL_BAR[scale] * max(_deviation(left), _deviation(right)):
                changes.append(Change(row, place, "level", score, delta * float(unit[row]), scale))
    changes = _without_echoes(changes + _tails(x, unit, changes))
    places: dict[int, list[int]] = {}
    for change in changes:
        places.setdefault(change.row, []).append(change.index)
    return changes + _spreads(x, unit, places)


def _tails(x: Floats, unit: Floats, found: list[Change]) -> list[Change]:
    """Find what began in the last few points, where no window fits behind the change."""
    first = x.shape[1] - TAIL
    tail, earliest = x[:, first:].astype(np.float64), TAIL - SCALES[0] - 2
    known = {c.row for c in found if c.index >= first + TAIL - 2 * SCALES[0]}
    changes = []
    for change in _short(tail, TAIL_BAR / SHORT_BAR, earliest):
        if change.row not in known:
            place, delta = first + change.index, change.delta * float(unit[change.row])
            changes.append(Change(change.row, place, "level", change.score, delta, change.scale))
    return changes


def _deviation(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _spreads(x: Floats, unit: Floats, places: dict[int, list[int]]) -> list[Change]:
    """Find where neighbouring points begin to differ more or less than they did."""
    apart = np.abs(np.diff(x, axis=1))
    usual = np.median(apart, axis=1, keepdims=True)
    calm = np.flatnonzero((usual[:, 0] > 0) & ~_crowded(x))
    logs = np.log(apart[calm] + 0.3 * usual[calm])
    changes = []
    for row, hits in _scan(logs, SPREAD_BAR, np.zeros(len(calm), dtype=bool)).items():
        whole = int(calm[row])
        for index, scale, score, delta in _separate(hits):
            place = _place(logs[row], index, scale) + 1
            if abs(delta) > SPREAD_LEAST and all(abs(place - other) > scale for other in places.get(whole, [])):
                changes.append(Change(whole, place, "spread", score, delta * float(unit[whole]), scale))
    return changes


def _crowded(x: Floats) -> Flags:
    """Return which rows sit on one value so often that a MAD says nothing: counts near zero, constants."""
    middle = np.median(x, axis=1, keepdims=True)
    crowded: Flags = (x == middle).mean(axis=1) > 0.3
    return crowded


def _scan(x: Floats, bars: dict[int, float], crowded: Flags) -> dict[int, list[tuple[int, int, float, float]]]:
    """Return, per row, (index, scale, score, delta) of every place above the bar of a scale."""
    total = np.zeros((len(x), x.shape[1] + 1), dtype=np.float64)
    np.cumsum(x, axis=1, out=total[:, 1:])
    floor = x.std(axis=1)
    hits: dict[int, list[tuple[int, int, float, float]]] = {}
    longer = max(1.0, float(np.sqrt(np.log(x.shape[1]) / np.log(1440))))  # more windows, larger chance maxima
    for scale, bar in ((scale, bar * longer) for scale, bar in bars.items()):
        if x.shape[1] < 4 * scale:
            continue
        middle = total[:, scale:-scale]
        delta = ((total[:, 2 * scale :] + total[:, : -2 * scale] - 2 * middle) / scale).astype(x.dtype)
        size = np.abs(delta)
        # the 35th percentile, not the median: in a short window half of all places may see the change
        share, normal = (0.35, 0.4538) if x.shape[1] < HALF_DAY else (0.5, 0.6745)
        usual = np.quantile(size[:, :: max(1, scale // 8)], share, axis=1, method="nearest") / normal
        least = floor * np.sqrt(2.0 / scale)
        usual = np.maximum(usual, np.where(crowded, least, 0.15 * least))
        ratio = size / np.where(usual > 0, usual, np.inf)[:, None].astype(x.dtype)
        peaks = ratio > bar
        peaks[:, 1:] &= ratio[:, 1:] >= ratio[:, :-1]
        peaks[:, :-1] &= ratio[:, :-1] > ratio[:, 1:]
        for row, place in zip(*np.nonzero(peaks), strict=True):
            score = float(ratio[row, place]) / bar
            hits.setdefault(int(row), []).append((int(place) + scale, scale, score, float(delta[row, place])))
    return hits


def _separate(hits: list[tuple[int, int, float, float]]) -> list[tuple[int, int, float, float]]:
    """Keep the best hit of each neighbourhood: a change shows at every scale, and beside itself."""
    kept: list[tuple[int, int, float, float]] = []
    for hit in sorted(hits, key=lambda h: -h[2]):
        if all(abs(hit[0] - other[0]) > max(hit[1], other[1]) * 0.75 for other in kept):
            kept.append(hit)
    return kept


def _place(x: Floats, index: int, scale: int) -> int:
    """Return where in the neighbourhood two levels fit best (least squares)."""
    left, right = max(1, index - 2 * scale), min(len(x) - 1, index + 2 * scale)
    left, right = max(left, index - scale - 8), min(right, index + scale + 8)
    window = x[left:right].astype(np.float64)
    count = np.arange(1, len(window))
    sums = np.cumsum(window)[:-1]
    gain = (sums / count - window.mean()) ** 2 * count * len(window) / (len(window) - count)
    gain[[0, -1]] = 0.0
    best = left + 1 + int(np.argmax(gain))
    return best


def _back_to_start(x: Floats, best: int, scale: int) -> int:
    """Return where a ramp that ends near `best` left its level; `best` itself for a step."""
    left = max(1, best - scale - 8)
    before = x[max(0, best - 2 * scale) : best]
    before = before[: max(4, len(before) - scale // 4)]
    base = float(np.median(before))
    noise = max(1.4826 * float(np.median(np.abs(before - base))), 1e-6)
    direction = np.sign(float(np.median(x[best : best + scale])) - base)
    place = best
    while place > left and direction * (x[place - 1] - base) > 2.5 * noise:
        place -= 1
    return place


def _without_echoes(changes: list[Change]) -> list[Change]:
    """Drop changes that placing moved onto a better one."""
    kept: list[Change] = []
    for change in sorted(changes, key=lambda c: -c.score):
        if all(c.row != change.row or abs(c.index - change.index) > 6 for c in kept):
            kept.append(change)
    return kept


# --- short series ------------------------------------------------------------------------------------------------


def _short(x: Floats, least: float = 1.0, earliest: int = 4) -> list[Change]:
    """Find runs of at least SHORT_RUN points that stay away from the level before them.

    The spread is the larger of the first part's and the usual distance of points three apart: correlated
    points look calm to their neighbours.
    """
    changes: list[Change] = []
    waiting = np.arange(len(x))
    for place in range(earliest, x.shape[1] - 1):
        found = _departs(x[waiting], 0, place)
        for row in waiting[found > least]:
            changes += [c for c in _short_row(int(row), x[row], place) if c.score > least]
        waiting = waiting[found <= least]
    if earliest == 4 and len(waiting):
        changes += _drifts(x, waiting)
    return changes


def _drifts(x: Floats, rows: Ints) -> list[Change]:
    """Find slow departures: each point is near the one before, but a long run is far from where it all began."""
    head = max(6, x.shape[1] // 4)
    if x.shape[1] < head + DRIFT_RUN:
        return []
    before = x[rows, :head]
    base = np.median(before, axis=1)
    noise = _noise(before, base) * 1.3
    away = (x[rows] - base[:, None]) / noise[:, None]
    changes = []
    for row, size in zip(rows, away, strict=True):
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
        probe = np.array([*calm, *series[place : place + 8]])
        score = float(_departs(probe[None, :], 0, len(calm))[0])
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
