"""What nobody measures directly: a callee behind several slow callers, and work that ends early.

A network shows in no series of its own. Where several callers of one service are slow, none of them for a measured
reason, and the service itself works as fast as before, one slow way to it explains them all; several faults at once
would be the only other reading. Where requests fail and nobody counts where, the service that became clearly faster
is the one that ends them early: its callers become faster with it, so the deepest one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import hotter, named_as_address
from subagents.metrics.signals import Signal, size_of

ALIKE = 0.3
"""Share of the slowest unexplained caller's strength from which a caller counts as slow too."""
MOST_CALLERS = 0.6
"""Share of a callee's callers that must be slow: a slow way to it slows all that use it."""
LONGER = 0.9
"""Most that a callee's usual latency is of its caller's, to be supposed one."""
ONE_CALLER = 0.3
"""What remains for a callee of the one slow caller: the caller itself is the better reading."""


def shared_callees(left: Mapping[str, float], graph: CallGraph) -> dict[str, tuple[float, tuple[str, ...]]]:
    """Return the callees that explain slow callers, with how strongly and whom.

    `left` is each service's slowness that its own callees' work does not explain.
    """
    bar = ALIKE * max(left.values(), default=0.0)
    slow = {name for name, value in left.items() if value > 0 and value >= bar}
    blamed: dict[str, tuple[float, tuple[str, ...]]] = {}
    for callee, callers in graph.callers.items():
        hit = sorted(slow & callers.keys())
        if callee in slow or len(hit) < max(2.0, MOST_CALLERS * len(callers)):
            continue
        blamed[callee] = (float(np.mean([left[name] for name in hit])) * len(hit) / len(callers), tuple(hit))
    for caller in slow:
        quiet = [name for name in graph.callees.get(caller, {}) if name not in slow]
        for name in quiet:
            value = ONE_CALLER * left[caller] / len(quiet)
            if value > blamed.get(name, (0.0, ()))[0]:
                blamed[name] = (value, (caller,))
    return blamed


def left_by(blamed: Mapping[str, tuple[float, tuple[str, ...]]], caller: str, left: float, part: float) -> float:
    """Return what a callee behind several callers leaves of one's slowness: it takes up to `part`."""
    behind = max((value for value, callers in blamed.values() if caller in callers and len(callers) > 1), default=0.0)
    return left * (1.0 - part * min(1.0, behind / left)) if left > 0 else left


def supposed_callees(
    heat: Mapping[str, tuple[float, Signal]], by_service: Mapping[str, Sequence[Signal]]
) -> dict[str, str]:
    """Return, for each service with heat, which of those that it may call shows most, where nobody says who calls whom.

    A call takes at least as long as those that it makes: compared by one series' name that most services have;
    services alike in length are left apart.
    """
    bases: dict[str, dict[str, float]] = defaultdict(dict)
    for name, mine in by_service.items():
        for signal in mine:
            if signal.traits.role == "latency" and signal.base > 0:
                bases[signal.key.name][name] = signal.base
    usual = max(bases.items(), key=lambda item: (len(item[1]), item[0]), default=("", {}))[1]
    ordered = sorted(usual, key=lambda name: usual[name])
    found: dict[str, str] = {}
    shorter, hottest = 0, ""
    for name in ordered:
        while usual[ordered[shorter]] < LONGER * usual[name]:
            callee = ordered[shorter]
            calls_nobody = usual[ordered[0]] >= LONGER * usual[callee]
            if callee in heat and not (calls_nobody and named_as_address(callee)):
                hottest = hotter([callee, hottest], heat) if hottest else callee
            shorter += 1
        if hottest and name in heat:
            found[name] = hottest
    return found


def turned(signal: Signal, split: float) -> Signal:
    """Return a signal with good and bad exchanged: its size is how far it fell, where a rise hurts."""
    profile = -signal.profile
    known = np.isfinite(profile)
    before, after = known & (signal.times < split), known & (signal.times >= split)
    peak = float(signal.values[after][int(np.argmax(profile[after]))])
    return replace(signal, profile=profile, size=size_of(profile[before], profile[after]), peak=peak, first=None)
