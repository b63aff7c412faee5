"""Who stopped calling: services that get fewer calls than their callers' own traffic lets expect.

A request makes a usual number of calls to each callee. Where a callee gets clearly fewer while its callers are as busy
as before, the calls end before it: the caller fails early (several of its callees go short) or the callee cannot be
reached (it alone does). A callee whose callers themselves got less to do is short of nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from subagents.metrics.graph import CallGraph
from subagents.metrics.series import Floats
from subagents.metrics.signals import Signal, per_point_of

LEAST_SHARE = 0.5
"""Share of a callee's calls whose callers' traffic must be known."""
LEAST_FALL = 0.3
"""Share of the expected calls that must be missing to matter."""
USUAL_SPREAD = 0.1
"""Of the expected calls: what calls per request differ by anyway."""
CALLEE_PART = 0.7
"""What a callee that goes short is blamed with: one that fails by itself shows it elsewhere too."""
LONGEST = 60
"""Most points on end over which missing calls are added up."""


@dataclass(frozen=True)
class Short:
    """A callee that goes short of calls."""

    service: str
    signal: Signal
    """Its traffic; the profile is what is missing, in noises."""
    noises: float
    """How far beyond what is usual, over the worst stretch; less what a stretch of the baseline went short by."""
    missing: float
    """Share of the expected calls that are missing in that stretch."""
    shares: Mapping[str, float]
    """Each caller's share of its calls."""


def short_of_calls(flows: Mapping[str, Signal], graph: CallGraph, split: float) -> list[Short]:
    """Return the callees that get fewer calls than expected since a moment; `flows` is each service's traffic."""
    found = []
    for callee in sorted(graph.callers):
        signal, shares = flows.get(callee), _shares(graph, callee)
        known = {name: share for name, share in shares.items() if name in flows and flows[name].base > 0}
        if signal is None or signal.base <= 0 or sum(known.values()) < LEAST_SHARE:
            continue
        made = _short(callee, signal, {name: flows[name] for name in known}, known, split)
        if made is not None:
            found.append(made)
    return found


def blame_for(short: list[Short]) -> dict[str, list[tuple[float, Short]]]:
    """Return, per service, the noises it is blamed with for each callee that goes short."""
    blamed: dict[str, list[tuple[float, Short]]] = defaultdict(list)
    for item in short:
        blamed[item.service].append((CALLEE_PART * item.noises, item))
        for caller, share in item.shares.items():
            blamed[caller].append((share * item.noises, item))
    return blamed


def _shares(graph: CallGraph, callee: str) -> dict[str, float]:
    calls = graph.callers[callee]
    total = sum(calls.values())
    return {name: count / total if total > 0 else 1.0 / len(calls) for name, count in calls.items()}


def _short(
    callee: str, signal: Signal, callers: Mapping[str, Signal], shares: Mapping[str, float], split: float
) -> Short | None:
    times = signal.times
    known = sum(shares.values())
    busy = np.zeros(len(times))
    for name, one in callers.items():
        busy += shares[name] / known * np.interp(times, one.times, np.nan_to_num(one.values)) / one.base
    per_point = per_point_of(signal)
    expected, got = busy * signal.base * per_point, np.nan_to_num(signal.values) * per_point
    before, after = times < split, times >= split
    missing = expected - got
    usual = 1.4826 * float(np.median(np.abs(missing[before] - np.median(missing[before]))))
    noise = np.maximum(np.maximum(usual, np.sqrt(np.maximum(expected, 1.0))), USUAL_SPREAD * expected)
    noises, share = _worst_stretch(missing[after], noise[after], expected[after])
    noises -= _worst_stretch(missing[before], noise[before], expected[before], int(after.sum()))[0]
    if share < LEAST_FALL or noises <= 0:
        return None
    course = replace(signal, profile=np.where(np.isfinite(signal.values), missing / noise, np.nan))
    return Short(callee, course, noises, share, dict(shares))


def _worst_stretch(missing: Floats, noise: Floats, expected: Floats, longest: int = LONGEST) -> tuple[float, float]:
    """Return noises and share of the stretch of at least two points on end in which most is missing."""
    best = (0.0, 0.0)
    lost, spread, due = (np.concatenate([[0.0], np.cumsum(v)]) for v in (missing, noise**2, expected))
    for length in range(2, min(len(missing), longest, LONGEST) + 1):
        gone = lost[length:] - lost[:-length]
        size = gone / np.sqrt(np.maximum(spread[length:] - spread[:-length], 1e-12))
        at = int(np.argmax(size))
        if size[at] > best[0]:
            best = (float(size[at]), float(gone[at] / max(due[at + length] - due[at], 1e-9)))
    return best
