"""Where it began: services ranked by how well each explains the symptom.

Signals are not averaged. Each kind says what it can know:
- work of its own (CPU, pools, restarts) does not travel along calls: it points at its service directly;
- latency and errors travel from callee to caller: a service answers only for what its callees do not explain;
- the wait between a caller and a callee that worked fast is the callee's network, or the caller's if it
  waits for all its callees alike;
- traffic, memory levels, hosts and client-side latencies follow or drift: they support, they never decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from subagents.metrics.graph import CallGraph
from subagents.metrics.roles import Role
from subagents.metrics.series import Hop, Store
from subagents.metrics.signals import Signal, overlap, signals

OWN_WORK: tuple[Role, ...] = ("saturation", "restarts", "ready", "queue", "lag", "hit_ratio")
TRAVELS: tuple[Role, ...] = ("latency", "error_ratio", "error_count", "availability")
SUPPORTS: tuple[Role, ...] = ("traffic", "memory", "host", "network", "client_latency", "other")
ERRORS: tuple[Role, ...] = ("error_ratio", "error_count", "availability")

LEAST_SIZE = 3.0
STRONGEST = 6.0
EXPLAINED = 0.85
"""Share of a caller's departure that an equal departure of its callee explains."""
WEIGHT: Mapping[str, float] = {
    "own work": 1.0,
    "latency": 0.6,
    "errors": 0.9,
    "hop": 1.6,
    "support": 0.1,
}


@dataclass(frozen=True)
class Reason:
    """Why a service ranks where it does: one kind of evidence with its best series."""

    kind: str
    strength: float
    text: str
    signal: Signal | None = None


@dataclass
class Ranked:
    """One service, its raw strength, and why."""

    service: str
    raw: float = 0.0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Return the strength between 0 and 1."""
        return self.raw / (self.raw + 2.0)


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


def rank(store: Store, graph: CallGraph, question: Question) -> list[Ranked]:
    """Return the services, best explanation first; services with no evidence at all come last, by name."""
    seen = signals(store, question.start, question.split, question.end)
    services = question.candidates or tuple(sorted({s.key.service for s in seen} | set(store.services())))
    table = {name: Ranked(name) for name in services}
    by_service: dict[str, list[Signal]] = defaultdict(list)
    for signal in seen:
        by_service[signal.key.service].append(signal)
    _own_work(by_service, table, question)
    _travelling(by_service, table, graph, question)
    _hops(store.hops, table, question)
    _support(by_service, table, question)
    for item in table.values():
        item.raw = sum(reason.strength for reason in item.reasons)
        item.reasons.sort(key=lambda reason: -reason.strength)
    return sorted(table.values(), key=lambda item: (-item.raw, item.service))


def _best(found: list[tuple[float, Signal]]) -> tuple[float, Signal] | None:
    return max(found, key=lambda pair: pair[0], default=None)


def _name(signal: Signal) -> str:
    return f"{signal.key.name} {signal.base:.3g} -> {signal.peak:.3g} ({signal.size:.1f} noises)"


def _own_work(by_service: dict[str, list[Signal]], table: dict[str, Ranked], question: Question) -> None:
    for service, mine in by_service.items():
        if service not in table:
            continue
        surge = max((s.volume / s.base for s in mine if s.traits.role == "traffic" and s.base > 0), default=1.0)
        found = []
        for signal in mine:
            if signal.traits.role in OWN_WORK:
                size = signal.size
                if surge > 1.3 and signal.traits.role in ("saturation", "queue"):
                    size -= signal.base * (min(surge, 10.0) - 1.0) / signal.noise
                found.append((strength(size) * (0.4 + 0.6 * overlap(signal, question.symptom)), signal))
        best = _best(found)
        if best is not None and best[0] > 0:
            table[service].reasons.append(
                Reason("own work", WEIGHT["own work"] * best[0], f"its own {_name(best[1])}", best[1])
            )


def _relevant(signal: Signal, question: Question) -> float:
    """Return how much a travelling signal's kind can say about the symptom's kind."""
    kind = "errors" if signal.traits.role in ERRORS else "latency"
    if not question.kind or kind == question.kind:
        return 1.0
    return 0.35


def _travelling(
    by_service: dict[str, list[Signal]], table: dict[str, Ranked], graph: CallGraph, question: Question
) -> None:
    for kind, roles in (("latency", ("latency",)), ("errors", ERRORS)):
        heat: dict[str, tuple[float, Signal]] = {}
        for service, mine in by_service.items():
            found = [
                (strength(s.size) * overlap(s, question.symptom) * _relevant(s, question), s)
                for s in mine
                if s.traits.role in roles
            ]
            best = _best(found)
            if best is not None and best[0] > 0:
                heat[service] = best
        for service, (value, signal) in heat.items():
            if service not in table:
                continue
            left, taken = _unexplained(service, value, heat, graph)
            seen_from_outside = 0.5 if _address(service, graph) else 1.0
            text = f"{kind}: {_name(signal)}" + (f", of which {taken} explains a part" if taken else "")
            table[service].reasons.append(Reason(kind, WEIGHT[kind] * left * seen_from_outside, text, signal))


def _unexplained(
    service: str, value: float, heat: dict[str, tuple[float, Signal]], graph: CallGraph
) -> tuple[float, str]:
    """Return what a service's callees leave to itself, and the callee that takes most."""
    worst, name = 0.0, ""
    for callee in graph.callees.get(service, {}):
        if callee in heat and not _address(callee, graph):
            share = min(1.0, heat[callee][0] / value)
            if share > worst:
                worst, name = share, callee
    return value * (1.0 - EXPLAINED * worst), name


def _address(service: str, graph: CallGraph) -> bool:
    """Say whether a node is only an address seen by its callers: a leaf that is named like a host or a remote."""
    if graph.callees.get(service):
        return service.endswith("_client") and not graph.callers.get(service)
    return service.endswith(("_remote", "_client")) or service.count(".") >= 2


def _hops(hops: list[Hop], table: dict[str, Ranked], question: Question) -> None:
    """Blame the network of a callee whose callers all wait for it, or of a caller that waits for all its callees."""
    gaps: dict[tuple[str, str], float] = {}
    for hop in hops:
        fit = (hop.times >= question.split) & (hop.times <= question.end) & np.isfinite(hop.gap_ms)
        if fit.any():
            gaps[(hop.caller, hop.callee)] = float(np.max(hop.gap_ms[fit]))
    if len(gaps) < 3:
        return
    usual = float(np.median(list(gaps.values())))
    noise = max(0.5 * usual, 3.0)
    heat = {pair: strength((gap - usual) / noise) for pair, gap in gaps.items()}
    for service in table:
        into = [heat[pair] for pair in heat if pair[1] == service]
        out = [heat[pair] for pair in heat if pair[0] == service]
        entering = float(np.mean(into)) if into else 0.0
        leaving = float(np.mean(out)) if len(out) > 1 else 0.0
        value = max(entering * (0.7 if len(into) == 1 and leaving > 0 else 1.0), leaving)
        if value > 0:
            worst = max(gap for pair, gap in gaps.items() if service in pair)
            what = "callers wait for it" if entering >= leaving else "it waits for its callees"
            text = f"{what} up to {worst:.0f} ms longer than the callee works (usual: {usual:.0f} ms)"
            table[service].reasons.append(Reason("hop", WEIGHT["hop"] * value, text))


def _support(by_service: dict[str, list[Signal]], table: dict[str, Ranked], question: Question) -> None:
    for service, mine in by_service.items():
        if service not in table:
            continue
        found = [
            (min(strength(s.size), 4.0) * overlap(s, question.symptom), s)
            for s in mine
            if s.traits.role in SUPPORTS and s.traits.role != "client_latency"
        ]
        best = _best(found)
        if best is not None and best[0] > 0:
            table[service].reasons.append(Reason("support", WEIGHT["support"] * best[0], _name(best[1]), best[1]))
