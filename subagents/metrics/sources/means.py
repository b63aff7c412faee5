"""Time spent in all, beside how often (`_sum`, `_count`): read as the mean of what was done meanwhile.

The total alone grows with the number of requests as with what each takes, and what a service waits for its callees is
in it: it is neither slowness nor work of its own.
"""

from __future__ import annotations

import re

import numpy as np

from subagents.metrics.roles import traits_of
from subagents.metrics.series import Floats, Points
from subagents.metrics.sources.table import Faults

_OWN = re.compile(r"(^|_)(gc|cpu|garbage|lock|pause)(_|$)")
"""Time that a process spends on its own: how much of it, and not how long each, is what hurts."""
_SLOW = frozenset({"latency", "client_latency"})
_Part = tuple[Floats, Floats]


def with_means(points: Points, faults: Faults) -> Points:
    """Return the points, the time that calls took in all replaced by their mean wherever their number is there too."""
    if not any(name.partition("{")[0].endswith("_sum") for _, name in points.labels):
        return points
    whole = {label: (times, values) for label, times, values in points.whole()}
    made, replaced = Points(), 0
    for (service, name), (times, values) in whole.items():
        bare, brace, labels = name.partition("{")
        base = bare.removesuffix("_sum")
        mean = f"{base}_mean{brace}{labels}"
        counted = whole.get((service, f"{base}_count{brace}{labels}"))
        if bare == base or counted is None or _OWN.search(base) or traits_of(mean).role not in _SLOW:
            made.add(service, name, times, values)
            continue
        made.add(service, mean, *_mean((times, values), counted))
        replaced += 1
    if replaced:
        faults.note(f"{replaced} series of time spent in all (_sum) are read as means, by their _count")
    return made


def _mean(total: _Part, count: _Part) -> _Part:
    """Return what each took at the moments that both have: of counters since the moment before, of rates then."""
    times, mine, theirs = np.intersect1d(total[0], count[0], return_indices=True)
    spent, done = total[1][mine], count[1][theirs]
    if len(times) > 1 and _grows(spent) and _grows(done):
        spent, done, times = np.diff(spent), np.diff(done), times[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = spent / done
    fine = (done > 0) & (spent >= 0) & np.isfinite(mean)
    return times[fine], mean[fine]


def _grows(values: Floats) -> bool:
    """Say whether a total only grows, but for beginning anew now and then."""
    steps = np.diff(values)
    falls = steps < 0
    anew = values[1:][falls] < values[:-1][falls] / 2
    return bool((steps > 0).any() and anew.all()) and 10 * int(falls.sum()) <= max(10, len(steps))
