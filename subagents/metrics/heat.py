"""How strongly each service shows what travels along calls, and how much of that its callees leave to itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from subagents.metrics.graph import CallGraph
from subagents.metrics.roles import Role
from subagents.metrics.series import Flags, Floats
from subagents.metrics.signals import Signal, agreement, failure_noises, failures, overlap

ERRORS: tuple[Role, ...] = ("error_ratio", "error_count", "availability")
LEAST_SIZE = 3.0
STRONGEST = 6.0
EXPLAINED = 0.85
"""Share of a caller's departure that an equal departure of its callee explains."""
OTHER_KIND = 0.35
"""What slowness counts where failures are to be explained, and failures where slowness is."""
RIVAL = 0.05
"""Share of the symptom's own strength from which another service is worth comparing with."""
ENOUGH = 0.1
"""Share of the symptom's failures below which a service cannot have caused it all."""


@dataclass(frozen=True)
class Question:
    """What is to be explained: a window in epoch seconds, the moment it began, and the symptom if one is known."""

    start: float
    split: float
    end: float
    symptom: Signal | None = None
    kind: str = ""
    """`latency`, `errors`, or empty where both may matter."""
    candidates: tuple[str, ...] = ()


def strength(size: float) -> float:
    """Return a size in noises on a scale where doubling counts the same everywhere: 0 below LEAST_SIZE, at most 6."""
    return min(float(np.log2(size / LEAST_SIZE)) + 0.5, STRONGEST) if size > LEAST_SIZE else 0.0


def _relevant(signal: Signal, question: Question) -> float:
    """Return how much a travelling signal's kind can say about the symptom's kind."""
    kind = "errors" if signal.traits.role in ERRORS else "latency"
    return 1.0 if not question.kind or kind == question.kind else OTHER_KIND


def heat_of(
    by_service: dict[str, list[Signal]], roles: tuple[Role, ...], question: Question
) -> dict[str, tuple[float, Signal]]:
    """Return each service's strongest travelling signal, by size, kind, volume and agreement with the symptom."""
    symptom = question.symptom
    traffic = {name: traffic_of(mine) for name, mine in by_service.items()}
    needed = failures(symptom, traffic.get(symptom.key.service)) if symptom is not None else None
    heat: dict[str, tuple[float, Signal]] = {}
    agrees: dict[str, float] = {}
    for service, mine in by_service.items():
        for signal in mine:
            if signal.traits.role not in roles:
                continue
            counted = failure_noises(signal, traffic[service], question.split)
            size, match = signal.size if counted is None else counted, overlap(signal, symptom, question.split)
            if needed is not None and counted is not None:
                match = _share_of(needed, failures(signal, traffic[service]), signal.times >= question.split, match)
            agrees[service] = max(agrees.get(service, 0.0), match)
            value = strength(size) * match * _relevant(signal, question)
            about = signal.about or service
            if value > 0 and value > heat.get(about, (0.0, signal))[0]:
                heat[about] = (value, signal)
    if symptom is not None and symptom.key.service in heat:  # that the symptom agrees with itself says nothing
        value, signal = heat[symptom.key.service]
        rivals = {name for name, (strong, _) in heat.items() if strong > RIVAL * value} - {symptom.key.service}
        others = [agrees.get(name, 1.0) for name in rivals]
        heat[symptom.key.service] = (value * max(others, default=1.0), signal)
    return heat


def traffic_of(mine: list[Signal]) -> Signal | None:
    """Return the series that shows how busy a service is."""
    return next((s for s in mine if s.traits.role == "traffic"), None)


def _share_of(needed: Floats, had: Floats | None, after: Flags, otherwise: float) -> float:
    """Return how far a service's failures lie where the symptom's do, less where they are too few to be their cause."""
    if had is None or len(had) != len(needed):
        return otherwise
    most = float(np.sort(had[after])[-2:].mean())
    return agreement(had[after], needed[after]) * min(1.0, most / max(ENOUGH * float(needed[after].max()), 1e-9))


def strongest_callees(heat: Mapping[str, tuple[float, Signal]], graph: CallGraph) -> dict[str, str]:
    """Return, for each service with heat, the callee that shows most."""
    found: dict[str, str] = {}
    for service in heat:
        callees = [name for name in graph.callees.get(service, {}) if name in heat and not is_address(name, graph)]
        if callees:
            found[service] = hotter(callees, heat)
    return found


def hotter(names: Iterable[str], heat: Mapping[str, tuple[float, Signal]]) -> str:
    """Return which of some services shows most; of equals the last by name."""
    return max(names, key=lambda name: (heat[name][0], name))


def unexplained(value: float, callee: str | None, heat: Mapping[str, tuple[float, Signal]], part: float) -> float:
    """Return what a service's strongest callee, which takes up to `part`, leaves to itself."""
    return value * (1.0 - part * min(1.0, heat[callee][0] / value)) if callee is not None else value


def is_address(service: str, graph: CallGraph) -> bool:
    """Say whether a node is only an address seen by its callers: a leaf that is named like a host or a remote.

    The graph alone cannot tell it from a database, which is a leaf that only its callers measure, too.
    """
    return not graph.callees.get(service) and named_as_address(service)


def named_as_address(service: str) -> bool:
    """Say whether a name is that of a host, or what tracers call the far side of a call."""
    return service.endswith(("_remote", "_client")) or service.count(".") >= 2
