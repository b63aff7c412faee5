"""Histograms that are kept as counts up to a bound (`le`): read as the quantiles of what was counted meanwhile."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np

from subagents.metrics.series import Floats, Points
from subagents.metrics.sources.buckets import QUANTILES, Spread
from subagents.metrics.sources.table import Faults

_BOUND = re.compile(r"(?<=[{,])le=([^,}]*),?")
_Buckets = dict[float, tuple[Floats, Floats]]


def with_quantiles(points: Points, faults: Faults) -> Points:
    """Return the points, buckets of one histogram replaced by its quantiles and, where nothing else is, its count."""
    histograms: dict[tuple[str, str], _Buckets] = defaultdict(dict)
    kept = Points()
    for (service, name), times, values in points.whole():
        bound = _bound_of(name)
        if bound is None:
            kept.add(service, name, times, values)
        else:
            histograms[service, _BOUND.sub("", name).replace(",}", "}").replace("{}", "")][bound] = (times, values)
    known = set(kept.labels)
    for (service, name), buckets in histograms.items():
        bare, brace, labels = name.partition("{")
        base = bare.removesuffix("_bucket")
        times, spreads = _counted(buckets)
        for suffix, share in QUANTILES.items():
            found = [spread.quantile(share) for spread in spreads]
            here = np.array([value is not None for value in found], dtype=np.bool_)
            if here.any():
                numbers = np.array(found, dtype=np.float64)
                kept.add(service, f"{base}_{suffix}{brace}{labels}", times[here], numbers[here])
        count = f"{base}_count{brace}{labels}"
        if (service, count) not in known:
            kept.add(service, count, *buckets[max(buckets)])
    if histograms:
        series = sum(map(len, histograms.values()))
        faults.note(f"{series} series that count up to a bound (le) are read as {', '.join(QUANTILES)} of histograms")
    return kept


def _bound_of(name: str) -> float | None:
    found = _BOUND.search(name)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _counted(buckets: _Buckets) -> tuple[Floats, list[Spread]]:
    """Return the moments at which every bucket has a point, and what was counted since the one before.

    Where a bucket falls otherwise than by a reset, the counts are those of their moment, as `rate` gives them.
    """
    bounds = sorted(buckets)
    moments = set.intersection(*(set(times.tolist()) for times, _ in buckets.values()))
    times = np.array(sorted(moments))
    counts = np.full((len(bounds), len(times)), np.nan)
    for row, bound in enumerate(bounds):
        at, values = buckets[bound]
        lasting = dict(zip(at.tolist(), values.tolist(), strict=True))
        counts[row] = [lasting[moment] for moment in times.tolist()]
    steps = np.diff(counts, axis=1)
    if len(times) > 1 and _grow(counts, steps):
        fallen = (steps < 0).any(axis=0)
        counts, times = np.where(fallen, counts[:, 1:], steps), times[1:]
    rising = np.maximum.accumulate(counts, axis=0)  # rates of single buckets are rounded: one may fall short
    return times, [Spread(tuple(bounds), tuple(column)) for column in rising.T.tolist()]


def _grow(counts: Floats, steps: Floats) -> bool:
    """Say whether counts go on from moment to moment: where all fall at once, they began anew."""
    falls = (steps < 0).any(axis=0)
    anew = steps[-1] < 0
    return bool((falls <= anew).all() and 10 * int(falls.sum()) <= max(10, steps.shape[1]) and counts.max() > 0)
