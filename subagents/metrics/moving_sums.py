"""Changes of long series: moving sums at several scales, many series at once.

At each scale w the mean of the w points before a moment is compared with the mean of the w after it. The
difference is judged against that series' own usual differences at that scale (their MAD), so that correlated
noise and a daily season raise the bar by themselves; single and double spikes are removed by a running median.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from subagents.metrics.changes import Change, deviation_of, middle_of, middles_of
from subagents.metrics.departures import SHORT_BAR, departures
from subagents.metrics.series import Flags, Floats

SCALES = (8, 16, 32, 64)
LEVEL_BAR = {8: 7.2, 16: 6.4, 32: 6.2, 64: 6.2}
LOCAL_BAR = {8: 2.5, 16: 1.9, 32: 1.4, 64: 1.1}
"""Deviations of the calmer and of the wilder side that a level must move by: a wilder stretch is not a shift."""
SPREAD_BAR = {32: 5.5, 64: 5.0, 128: 4.8}
SPREAD_LEAST = 0.4
"""Least change of the logarithm of the distance between neighbours."""
HALF_DAY = 720
ENOUGH = 360
"""Places that tell what differences are usual for a series: neighbouring ones say the same."""
TAIL = 64
TAIL_BAR = 6.0
"""As SHORT_BAR, for the last points of a long series, which are looked at besides the windows."""

EDGE = 8
"""Points by which the place of a change may be off."""

LEAST_PART = 0.01
"""Of a whole move, what a point must have moved by to be its beginning: less is the series' own noise before a step."""
STEP_PART = 0.2
"""Of a whole move, what points before a step may have moved by."""

Hit = tuple[int, int, float, float]
"""(index, scale, score, delta) of a place above the bar of a scale."""
Wildness = dict[int, list[tuple[int, float]]]
"""Per row, the stretches between changes of spread: (first index after, usual distance over that of the whole row)."""


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
    out = x.copy()
    for ends in (slice(None, 3), slice(-3, None)):
        out[:, ends] = median3(x[:, ends])
    a, b, c, d, e = (x[:, i : x.shape[1] - 4 + i] for i in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(d, e))
    high = np.minimum(np.maximum(a, b), np.maximum(d, e))
    first, last = np.minimum(low, high), np.maximum(low, high)
    out[:, 2:-2] = np.maximum(first, np.minimum(last, c))
    return out


def long_changes(x: Floats, unit: Floats) -> list[Change]:
    """Return the changes of rows that are scaled to `unit` each: levels, then spreads away from them."""
    smooth, crowded = median5(x), _crowded(x)
    changes: list[Change] = []
    for row, hits in _scan(smooth, LEVEL_BAR, crowded).items():
        for index, scale, score, _ in _separate(hits):
            place = _back_to_start(smooth[row], _place(smooth[row], index, scale), scale)
            place = _at_step(x[row], place, scale)
            left, right = x[row, max(0, place - scale) : place], x[row, place : place + scale]
            delta = middle_of(right) - middle_of(left) if scale <= 16 else float(right.mean() - left.mean())
            if abs(delta) > LOCAL_BAR[scale] * max(deviation_of(left), deviation_of(right)):
                changes.append(Change(row, place, "level", score, delta * float(unit[row]), scale))
    levels = _without_echoes(changes + _tails(x, unit, changes))
    return _together(levels, *_spreads(x, unit, crowded))


def _tails(x: Floats, unit: Floats, found: list[Change]) -> list[Change]:
    """Find what began in the last few points, where no window fits behind the change."""
    first = x.shape[1] - TAIL
    tail, earliest = x[:, first:].astype(np.float64), TAIL - SCALES[0] - 2
    known = {c.row for c in found if c.index >= first + TAIL - 2 * SCALES[0]}
    changes = []
    for change in departures(tail, TAIL_BAR / SHORT_BAR, earliest):
        if change.row not in known:
            place, delta = first + change.index, change.delta * float(unit[change.row])
            changes.append(Change(change.row, place, "level", change.score, delta, change.scale))
    return changes


def _spreads(x: Floats, unit: Floats, crowded: Flags) -> tuple[list[Change], Wildness]:
    """Find where neighbouring points begin to differ more or less than they did, and how wild each side is."""
    apart = np.abs(np.diff(x, axis=1))
    usual = middles_of(apart)
    calm = np.flatnonzero((usual > 0) & ~crowded)
    logs = np.log(apart[calm] + 0.3 * usual[calm, None])
    changes, wildness = [], {}
    for row, hits in _scan(logs, SPREAD_BAR, np.zeros(len(calm), dtype=bool)).items():
        whole = int(calm[row])
        mine = []
        for index, scale, score, moved in _separate(hits):
            place = _place_of_spread(x[whole], index, scale)
            if abs(moved) > SPREAD_LEAST:
                left, right = apart[whole, max(0, place - scale) : place], apart[whole, place : place + scale]
                delta = float(right.mean() - left.mean()) * float(unit[whole])
                mine.append(Change(whole, place, "spread", score, delta, scale))
        ends = [0, *sorted(c.index for c in mine), x.shape[1]]
        wildness[whole] = [
            (end, max(1.0, middle_of(apart[whole, start:end]) / float(usual[whole])))
            for start, end in pairwise(ends)
            if end > start
        ]
        changes += mine
    return changes, wildness


def _together(levels: list[Change], spreads: list[Change], wildness: Wildness) -> list[Change]:
    """Keep the levels that stand out from the wilder stretch they lie in or beside, and the spreads away from those."""
    kept = []
    for level in levels:
        stretches = wildness.get(level.row, [])
        wild = [factor for end, factor in stretches if level.index - EDGE < end][:1]
        wild += [factor for end, factor in stretches if level.index + EDGE < end][:1]
        if level.score >= max(wild, default=1.0):
            kept.append(level)
    places: dict[int, list[int]] = {}
    for level in kept:
        places.setdefault(level.row, []).append(level.index)
    return kept + [c for c in spreads if all(abs(c.index - place) > c.scale for place in places.get(c.row, []))]


def _crowded(x: Floats) -> Flags:
    """Return which rows sit on one value so often that a MAD says nothing: counts near zero, constants."""
    crowded: Flags = (x == middles_of(x)[:, None]).mean(axis=1) > 0.3
    return crowded


def _scan(x: Floats, bars: dict[int, float], crowded: Flags) -> dict[int, list[Hit]]:
    """Return, per row, every place above the bar of a scale."""
    total = np.zeros((len(x), x.shape[1] + 1), dtype=np.float64)
    np.cumsum(x, axis=1, out=total[:, 1:])
    floor = x.std(axis=1)
    hits: dict[int, list[Hit]] = {}
    longer = max(1.0, float(np.sqrt(np.log(x.shape[1]) / np.log(1440))))  # more windows, larger chance maxima
    for scale, bar in ((scale, bar * longer) for scale, bar in bars.items()):
        if x.shape[1] < 4 * scale:
            continue
        delta = total[:, 2 * scale :] + total[:, : -2 * scale]
        middle = total[:, scale:-scale]
        delta -= middle
        delta -= middle
        size = np.abs(delta).astype(x.dtype)
        usual = _usual(size, scale, x.shape[1]) / scale
        least = floor * np.sqrt(2.0 / scale)
        usual = np.maximum(usual, np.where(crowded, least, 0.15 * least))
        bound = np.where(usual > 0, bar * scale * usual, np.inf)
        rows, places = np.nonzero(size > bound[:, None].astype(x.dtype))
        here, last = size[rows, places], size.shape[1] - 1
        top = (places == 0) | (here >= size[rows, np.maximum(places - 1, 0)])
        top &= (places == last) | (here > size[rows, np.minimum(places + 1, last)])
        for row, place in zip(rows[top].tolist(), places[top].tolist(), strict=True):
            score, moved = float(size[row, place] / bound[row]), float(delta[row, place]) / scale
            hits.setdefault(row, []).append((place + scale, scale, score, moved))
    return hits


def _usual(size: Floats, scale: int, points: int) -> Floats:
    """Return each row's usual difference, as a standard deviation."""
    # the 35th percentile, not the median: in a short window half of all places may see the change
    share, normal = (0.35, 0.4538) if points < HALF_DAY else (0.5, 0.6745)
    sample = size[:, :: max(1, scale // 8, min(scale // 2, points // ENOUGH))]
    place = round(share * (sample.shape[1] - 1))
    usual: Floats = np.partition(sample, place, axis=1)[:, place] / normal
    return usual


def _separate(hits: list[Hit]) -> list[Hit]:
    """Keep the best hit of each neighbourhood: a change shows at every scale, and beside itself."""
    kept: list[Hit] = []
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


def _place_of_spread(x: Floats, index: int, scale: int) -> int:
    """Return where in the neighbourhood two sizes of departure from its trend fit best, by Laplace likelihood."""
    left, right = max(0, index - scale), min(len(x), index + scale)
    window, at = x[left:right].astype(np.float64), np.arange(right - left)
    third = len(window) // 3
    rise = (middle_of(window[-third:]) - middle_of(window[:third])) / (len(window) - third)
    flat = window - rise * at
    away = np.abs(flat - middle_of(flat))
    count, sums = at[1:], np.cumsum(away)
    rest = len(window) - count
    tiny = 1e-9 * max(float(sums[-1]), 1e-300)
    cost = count * np.log(sums[:-1] / count + tiny) + rest * np.log(np.maximum(sums[-1] - sums[:-1], 0.0) / rest + tiny)
    edge = min(EDGE, len(cost) // 4)
    return left + 1 + edge + int(np.argmin(cost[edge : len(cost) - edge]))


def _back_to_start(x: Floats, best: int, scale: int) -> int:
    """Return where a ramp that ends near `best` left its level; `best` itself for a step."""
    left = max(1, best - scale - 8)
    before = x[max(0, best - 2 * scale) : best]
    before = before[: max(4, len(before) - scale // 4)]
    base = middle_of(before)
    noise = max(1.4826 * middle_of(np.abs(before - base)), 1e-6)
    move = middle_of(x[best : best + scale]) - base
    still = np.sign(move) * (x[left:best] - base) <= max(2.5 * noise, LEAST_PART * abs(move))
    near = np.flatnonzero(still)
    return left + int(near[-1]) + 1 if len(near) else left


def _at_step(x: Floats, place: int, scale: int) -> int:
    """Return where, at `place` or soon after, one step leaves the level; `place` itself where it goes in smaller ones.

    In a median of several points what is usual looks like a beginning of what comes next.
    """
    before = x[max(0, place - scale) : place]
    base, after = middle_of(before), middle_of(x[place : place + scale])
    moved = (x[place : place + scale + EDGE + 1] - base) * np.sign(after - base)
    over = np.flatnonzero(moved >= 0.5 * abs(after - base))
    if not len(over):
        return place
    usual = min(2.5 * deviation_of(before), 0.4 * abs(after - base))
    still = moved[: int(over[0])] < max(STEP_PART * abs(after - base), usual)
    return place + int(over[0]) if still.all() else place


def _without_echoes(changes: list[Change]) -> list[Change]:
    """Drop changes that placing moved onto a better one."""
    kept: list[Change] = []
    for change in sorted(changes, key=lambda c: -c.score):
        if all(c.row != change.row or abs(c.index - change.index) > 6 for c in kept):
            kept.append(change)
    return kept
