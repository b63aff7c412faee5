"""Whose network is slow: what callers wait beyond what their callees work, from the two sides of calls in traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

from subagents.metrics.series import Floats, Hop, SeriesKey, Wait, hop_key, wait_key

Blame: TypeAlias = tuple[float, str, SeriesKey]
"""How strongly, why, and the series that shows it."""

LEAST_WAIT_MS = 100.0
"""A pause of this length happens to any runtime now and then; waits are counted in units of it."""
LEAST_HOP_MS = 3.0
ONE_WITNESS = 0.8
"""What the word of a single caller counts: the trouble may as well be its own."""
MOSTLY = 0.6
"""Share of calls from which a callee's delay must show in the median call."""


def _strength(ratio: float) -> float:
    return min(float(np.log2(ratio / 3.0)) + 0.5, 6.0) if ratio > 3.0 else 0.0


def hop_blame(hops: Iterable[Hop], split: float, end: float, starved: Mapping[str, float]) -> dict[str, Blame]:
    """Return, per service, how strongly its own network (or clients) is slow, and why.

    Each hop's gap is judged against a usual hop: a callee is to blame when its callers wait for it, a caller
    when it waits for all its callees alike. `starved` says how strongly each service lacks a resource of its own:
    a caller without processor time measures long waits that are not its callee's.
    """
    gaps: dict[tuple[str, str], float] = {}
    keys: dict[tuple[str, str], SeriesKey] = {}
    for hop in hops:
        fit = (hop.times >= split) & (hop.times <= end) & np.isfinite(hop.gap_ms)
        if fit.any():
            gaps[(hop.caller, hop.callee)] = float(np.max(hop.gap_ms[fit]))
            keys[(hop.caller, hop.callee)] = hop_key(hop)
    if len(gaps) < 3:
        return {}
    usual = float(np.quantile(list(gaps.values()), 0.35))  # the slow hops may be more than half of all
    noise = max(0.5 * usual, LEAST_HOP_MS)
    over = {pair: max(gap - usual, 0.0) / (1.0 + starved.get(pair[0], 0.0)) for pair, gap in gaps.items()}
    own = {caller: _shared(over, caller) for caller, _ in over}
    blame: dict[str, Blame] = {}
    for service in sorted({name for pair in over for name in pair}):
        into = [_strength((over[pair] - own[pair[0]]) / noise) for pair in over if pair[1] == service]
        entering = float(np.mean(into)) * (ONE_WITNESS if len(into) == 1 else 1.0) if into else 0.0
        leaving = _strength(own.get(service, 0.0) / noise)
        if max(entering, leaving) > 0:
            side = 1 if entering >= leaving else 0
            worst, pair = max((gap, pair) for pair, gap in gaps.items() if pair[side] == service)
            what = "callers wait for it" if entering >= leaving else "it waits for its callees"
            text = f"{what} up to {worst:.0f} ms longer than the work takes (usual: {usual:.0f} ms)"
            blame[service] = (max(entering, leaving), text, keys[pair])
    return blame


def _shared(over: dict[tuple[str, str], float], caller: str) -> float:
    """Return what all hops of a caller have in common: its own network, or a processor it does not get."""
    mine = sorted(over[pair] for pair in over if pair[0] == caller)
    return mine[(len(mine) - 1) // 2] if len(mine) > 1 else 0.0


def _sustained(values: Floats) -> float:
    """Return the second-largest value, or less than half of the only large one."""
    ordered = np.sort(values)[::-1]
    return float(max(ordered[1] if len(ordered) > 1 else 0.0, 0.4 * ordered[0]))


def wait_blame(waits: Iterable[Wait], split: float, end: float) -> dict[str, Blame]:
    """Return, per callee, how well a slow network of its own explains which callers wait.

    A callee fits when every caller of it waits, no caller waits that does not call it, and the median call is
    slow only where it takes most of the calls. A caller whose slowest callee worked longer than the wait says
    nothing: the wait would be hidden.
    """
    heat: dict[str, tuple[float, Wait, float]] = {}
    for wait in waits:
        fit = (wait.times >= split) & (wait.times <= end)
        if fit.any():
            worst = _sustained(wait.worst_ms[fit])
            heat[wait.caller] = (_strength(worst / LEAST_WAIT_MS), wait, worst)
    total = sum(strength for strength, _, _ in heat.values())
    if total <= 0:
        return {}
    longest = max(worst for _, _, worst in heat.values())
    blame: dict[str, Blame] = {}
    for callee in sorted({name for _, wait, _ in heat.values() for name, _ in wait.shares}):
        callers = [
            (strength, wait, dict(wait.shares)[callee])
            for strength, wait, _ in heat.values()
            if callee in dict(wait.shares)
        ]
        telling = [item for item in callers if item[0] > 0 or _sustained(item[1].served_ms) < 0.5 * longest]
        if not telling or not any(strength for strength, _, _ in telling):
            continue
        fits = [strength * _plausible(wait, share, longest, split, end) for strength, wait, share in telling]
        covered = sum(strength for strength, _, _ in telling) / total
        names = ", ".join(wait.caller for strength, wait, _ in telling if strength > 0)
        text = f"its callers ({names}) wait up to {longest:.0f} ms longer than all that they call works: a slow network"
        loudest = max(telling, key=lambda item: item[0])[1]
        blame[callee] = (float(np.mean(fits)) * covered, text, wait_key(loudest))
    return blame


def _plausible(wait: Wait, share: float, longest: float, split: float, end: float) -> float:
    fit = (wait.times >= split) & (wait.times <= end)
    if share > MOSTLY and float(np.max(wait.usual_ms[fit])) < 0.2 * longest:
        return 0.2
    return 1.0
