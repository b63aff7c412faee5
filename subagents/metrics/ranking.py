"""Where it began: services ranked by how well each explains the symptom.

Signals are not averaged. Each kind says what it can know:
- work of its own (CPU, pools, restarts) does not travel along calls: it points at its service directly;
- latency and errors travel from callee to caller: a service answers only for what its callees do not explain;
- the wait between a caller and a callee that worked fast is the callee's network, or the caller's if it
  waits for all its callees alike;
- what users feel where nothing else is measured says no more than that the entry point may be it;
- traffic, memory levels, hosts and client-side latencies follow or drift: they support, they never decide.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from subagents.metrics.exhaustion import Exhausted, used_up_by
from subagents.metrics.fanout import blame_for, short_of_calls
from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import (
    ERRORS,
    EXPLAINED,
    LEAST_SIZE,
    OTHER_KIND,
    Question,
    heat_of,
    is_address,
    strength,
    strongest_callees,
    traffic_of,
    unexplained,
)
from subagents.metrics.hops import hop_blame, wait_blame
from subagents.metrics.roles import Role
from subagents.metrics.series import SeriesKey, Store, deepest_failures
from subagents.metrics.signals import Signal, failure_noises, overlap, signals
from subagents.metrics.supposed import supposed
from subagents.metrics.unseen import left_by, shared_callees, turned
from subagents.quantities import figure, verb

OWN_WORK: tuple[Role, ...] = ("saturation", "restarts", "ready", "queue", "lag", "hit_ratio")
SUPPORTS: tuple[Role, ...] = ("traffic", "memory", "host", "network", "client_latency", "other")

ORDER_SECONDS = 180.0
LATE = 0.1
"""Most that a service loses for leaving its baseline after the others."""
WEIGHT: Mapping[str, float] = {
    "own work": 1.0,
    "latency": 0.6,
    "errors": 0.9,
    "calls": 1.0,
    "hop": 1.6,
    "traces": 0.8,
    "felt": 0.1,
    "support": 0.1,
    "faster": 0.5,
}


_BY_CALLER = re.compile(r"(calls|p95_ms|wait_ms)_from_")
"""Series made of traces: they name who calls, and are about who is called."""
_CALLER = re.compile(r"(?<=[{,])(source|src|caller|from|downstream)(_[a-z_]+)?=[^,}]*")
"""Labels of a mesh that name who calls: what it measures is about who is called."""

USED_UP_SIZE = 30.0
"""What it counts that a resource is used up, however slowly that came."""
_AT_ONCE = re.compile(r"goroutine|threads?(_|$)|in_?flight|active_requests|requests?_active|in_progress")
"""What is under way at once: it grows as requests take longer, whoever makes them wait."""


@dataclass(frozen=True)
class Reason:
    """Why a service ranks where it does: one kind of evidence with its best series."""

    kind: str
    strength: float
    text: str
    signal: Signal | None = None
    key: SeriesKey | None = None
    """The series that shows it, where it is not the signal's."""


@dataclass
class Ranked:
    """One service, its raw strength, and why."""

    service: str
    raw: float = 0.0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def since(self) -> float | None:
        """Return when its strongest evidence left the baseline, epoch seconds."""
        return next((r.signal.first for r in self.reasons if r.signal is not None), None)

    @property
    def score(self) -> float:
        """Return the strength between 0 and 1."""
        return self.raw / (self.raw + 2.0)


def _plain_names(services: Iterable[str]) -> dict[str, str]:
    """Return services by their letters and digits; names too short to be told from words are left out."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in services}
    return {short: name for short, name in plain.items() if len(short) >= 5}


def _named_in(text: str, plain: Mapping[str, str], owner: str) -> str:
    """Return the other service that a text names, the longest where there are several; empty where none."""
    letters = re.sub(r"[^a-z0-9]", "", text.lower())
    return max((name for short, name in plain.items() if short in letters and name != owner), key=len, default="")


def attributed(seen: list[Signal], services: Iterable[str]) -> list[Signal]:
    """Return the signals, those whose name holds another service's name marked as being about that service."""
    plain = _plain_names(services)
    named = [
        "" if _BY_CALLER.match(name) else _named_in(_CALLER.sub("", name), plain, signal.key.service)
        for signal in seen
        for name in (signal.key.name,)
    ]
    return [replace(signal, about=name) if name else signal for signal, name in zip(seen, named, strict=True)]


def rank(store: Store, graph: CallGraph, question: Question, spent: Iterable[Exhausted] = ()) -> list[Ranked]:
    """Return the services, best explanation first; those with no evidence come last, who moved most first.

    `spent`: the resources that are used up.
    """
    seen = signals(store, question.start, question.split, question.end)
    services = question.candidates or tuple(sorted(set(store.services()) - _viewpoint(seen, graph, question)))
    table = {name: Ranked(name) for name in services}
    by_service: dict[str, list[Signal]] = defaultdict(list)
    seen = attributed(seen, services)
    for signal in seen:
        by_service[signal.key.service].append(signal)
    used_up = used_up_by(spent, question.split)
    _own_work(by_service, table, used_up, question)
    _travelling(by_service, table, graph, used_up, question)
    _faster(by_service, table, graph, question)
    _calls(by_service, table, graph, question)
    _hops(store, table, OTHER_KIND if _only_failures(by_service, question) else 1.0, question)
    _felt(table, graph, question)
    _support(by_service, table, question)
    _failed_spans(store, table, question)
    for item in table.values():
        item.raw = sum(reason.strength for reason in item.reasons)
        item.reasons.sort(key=lambda reason: -reason.strength)
    _order(table)
    faint = {name: _faint(by_service.get(name, []), question) for name in table}
    return sorted(table.values(), key=lambda item: (-item.raw, -faint[item.service], item.service))


def _viewpoint(seen: list[Signal], graph: CallGraph, question: Question) -> set[str]:
    """Return where the symptom is measured if that is no service: it does no work of its own and is in no call.

    Calls tell so only where others that are measured are in them: elsewhere they have other names for everybody.
    """
    place = question.symptom.key.service if question.symptom is not None else ""
    works = any(s.key.service == place and s.traits.role in OWN_WORK for s in seen)
    known = any(s.key.service in graph for s in seen)
    return set() if works or not known or place in graph else {place}


def _faint(mine: list[Signal], question: Question) -> float:
    """Return the largest departure with the symptom below what is evidence: of equals, who moved most comes first."""
    telling = (s for s in mine if s.traits.role != "client_latency")
    return max((min(s.size, LEAST_SIZE) * overlap(s, question.symptom, question.split) for s in telling), default=0.0)


def _order(table: dict[str, Ranked]) -> None:
    """Take a part from services that left their baseline after the first of the strong ones."""
    most = max((item.raw for item in table.values()), default=0.0)
    strong = [item for item in table.values() if item.raw > 0.3 * most and item.since is not None]
    first = min((item.since for item in strong if item.since is not None), default=None)
    for item in table.values():
        if first is not None and item.since is not None and item.since > first:
            item.raw *= 1.0 - LATE * (1.0 - float(np.exp(-(item.since - first) / ORDER_SECONDS)))


def _best(found: list[tuple[float, Signal]]) -> tuple[float, Signal] | None:
    return max(found, key=lambda pair: pair[0], default=None)


def _beyond(size: float) -> str:
    """Say how far beyond what is usual for a series a departure of so many noises is."""
    return (
        "far beyond its usual spread"
        if size >= 10
        else "beyond its usual spread"
        if size >= 3
        else "a little beyond its usual"
    )


def _name(signal: Signal) -> str:
    return f"{signal.key.name} {figure(signal.base)} -> {figure(signal.peak)} ({_beyond(signal.size)})"


def _own_work(
    by_service: dict[str, list[Signal]], table: dict[str, Ranked], used_up: Mapping[str, Exhausted], question: Question
) -> None:
    for service, mine in by_service.items():
        if service not in table:
            continue
        surge, slower = _growth(mine, "traffic"), max(1.0, _growth(mine, "latency"))
        found = []
        for signal in mine:
            if signal.traits.role in OWN_WORK:
                size = signal.size
                if surge > 1.3 and signal.traits.role in ("saturation", "queue"):
                    size -= signal.base * (min(surge, 10.0) - 1.0) / signal.noise
                if slower > 1.3 and _AT_ONCE.search(signal.key.name.lower()):
                    size -= signal.base * (slower * max(surge, 1.0) - 1.0) / signal.noise
                found.append((strength(size) * (0.4 + 0.6 * overlap(signal, question.symptom, question.split)), signal))
        spent = used_up.get(service)
        if spent is not None:
            found.append((strength(max(spent.signal.size, USED_UP_SIZE)), spent.signal))
        best = _best(found)
        if best is not None and best[0] > 0:
            is_spent = spent is not None and best[1] is spent.signal
            text = f"its own {_name(best[1])}" + (", used up" if is_spent else "")
            table[service].reasons.append(Reason("own work", WEIGHT["own work"] * best[0], text, best[1]))


def _growth(mine: list[Signal], role: Role) -> float:
    """Return how many times its usual a service's series of a role grew, the one that grew most."""
    return max((s.volume / s.base for s in mine if s.traits.role == role and s.base > 0), default=1.0)


def _travelling(
    by_service: dict[str, list[Signal]],
    table: dict[str, Ranked],
    graph: CallGraph,
    used_up: Mapping[str, Exhausted],
    question: Question,
) -> None:
    for kind, roles in (("latency", ("latency",)), ("errors", ERRORS)):
        heat, parts = heat_of(by_service, roles, question), dict[str, float]()
        if graph.callers:
            spent = {name: (strength(USED_UP_SIZE), one.signal) for name, one in used_up.items() if name not in heat}
            callees = strongest_callees(heat | spent, graph)
        else:
            spent, (heat, callees, parts) = {}, supposed(kind, heat, by_service)
        rest = {
            name: unexplained(value, callees.get(name), heat | spent, parts.get(name, EXPLAINED))
            for name, (value, _) in heat.items()
        }
        shared = shared_callees(rest, graph) if kind == "latency" else {}
        for service, (_, signal) in heat.items():
            if service not in table:
                continue
            left, taken = left_by(shared, service, rest[service], EXPLAINED), callees.get(service)
            seen_from_outside = 0.5 if is_address(service, graph) else 1.0
            text = f"{kind}: {_name(signal)}" + (f", of which {taken} explains a part" if taken else "")
            table[service].reasons.append(Reason(kind, WEIGHT[kind] * left * seen_from_outside, text, signal))
        for callee, (value, callers) in shared.items():
            if callee in table and not is_address(callee, graph):
                waits, calls = (verb(len(callers), word) for word in ("wait", "call"))
                text = f"{', '.join(callers)} {waits} without a measured reason and {calls} it"
                table[callee].reasons.append(Reason("unseen", WEIGHT[kind] * value, text, heat[callers[0]][1]))


def _faster(
    by_service: dict[str, list[Signal]], table: dict[str, Ranked], graph: CallGraph, question: Question
) -> None:
    """Blame who became faster while requests fail: it ends them early, and its callers with it."""
    if question.kind == "latency" or (question.symptom is not None and question.symptom.traits.role == "latency"):
        return
    if any(s.traits.role in ERRORS for name in table for s in by_service.get(name, [])):
        return
    fallen = {
        name: [turned(s, question.split) for s in mine if s.traits.role == "latency"]
        for name, mine in by_service.items()
    }
    heat: dict[str, tuple[float, Signal]] = {}
    for name, mine in fallen.items():
        found = [(strength(s.size) * overlap(s, question.symptom, question.split), s) for s in mine]
        best = _best(found)
        if best is not None and best[0] > 0:
            heat[name] = best
    callees = strongest_callees(heat, graph)
    for name, (value, signal) in heat.items():
        if name in table:
            left = unexplained(value, callees.get(name), heat, EXPLAINED)
            text = f"works faster while requests fail: {_name(signal)}"
            table[name].reasons.append(Reason("faster", WEIGHT["faster"] * left, text, signal))


def _calls(by_service: dict[str, list[Signal]], table: dict[str, Ranked], graph: CallGraph, question: Question) -> None:
    """Blame who stopped calling, and less whoever is not called any more; that explains failures, not slowness.

    Missing calls stand for failures that nobody counts: where some are counted, a caller whose errors are measured
    is judged by those.
    """
    if question.kind == "latency":
        return
    flows = {name: flow for name, mine in by_service.items() if (flow := traffic_of(mine)) is not None}
    measured = {name: [s for s in mine if s.traits.role in ERRORS] for name, mine in by_service.items()}
    failing = any(_fails(s, flows.get(name), question.split) for name, mine in measured.items() for s in mine)
    counted = {name for name, mine in measured.items() if mine} if failing else set()
    short = [item for item in short_of_calls(flows, graph, question.split) if not counted & item.shares.keys()]
    for service, found in blame_for(short).items():
        if service not in table:
            continue
        _, worst = max(found, key=lambda pair: pair[0])
        total = float(np.sqrt(sum(noises**2 for noises, _ in found)))
        value = strength(total) * overlap(worst.signal, question.symptom, question.split)
        names = ", ".join(item.service for _, item in found if item.service != service)
        text = (
            f"{names} get fewer calls than {service} gets" if names else f"{service} gets fewer calls than its callers"
        )
        text += f": {worst.signal.key.name} of {worst.service} short by {worst.missing:.0%}"
        if value > 0:
            table[service].reasons.append(Reason("calls", WEIGHT["calls"] * value, text, worst.signal))


def _fails(signal: Signal, traffic: Signal | None, split: float) -> bool:
    counted = failure_noises(signal, traffic, split)
    return (signal.size if counted is None else counted) > LEAST_SIZE


def _only_failures(by_service: dict[str, list[Signal]], question: Question) -> bool:
    """Say whether users feel failures and no slowness, though both are measured where they feel it."""
    if question.symptom is None:
        return False
    mine = by_service.get(question.symptom.key.service, [])
    slow = max((s.size for s in mine if s.traits.role == "latency"), default=None)
    failing = max((s.size for s in mine if s.traits.role in ERRORS), default=0.0)
    return slow is not None and slow <= LEAST_SIZE < failing


def _hops(store: Store, table: dict[str, Ranked], relevance: float, question: Question) -> None:
    starved = {
        name: max((r.strength for r in item.reasons if r.kind == "own work"), default=0.0)
        for name, item in table.items()
    }
    exact = hop_blame(store.hops, question.split, question.end, starved)
    inferred = wait_blame(store.waits, question.split, question.end)
    for blame in (exact, inferred):
        for service, (value, text, key) in blame.items():
            if service in table:
                table[service].reasons.append(Reason("hop", WEIGHT["hop"] * relevance * value, text, key=key))


def _felt(table: dict[str, Ranked], graph: CallGraph, question: Question) -> None:
    """Let the entry points answer a little for what users feel outside: all requests reach those."""
    symptom = question.symptom
    if symptom is None or symptom.key.service in table:
        return
    value = strength(symptom.size)
    for name in graph.entries():
        if name in table and value > 0:
            text = f"users reach it first, and feel {_name(symptom)}"
            table[name].reasons.append(Reason("felt", WEIGHT["felt"] * value, text, symptom))


def _failed_spans(store: Store, table: dict[str, Ranked], question: Question) -> None:
    """Blame the service of the deepest failed span of each trace, or the one that span's name is about."""
    plain = _plain_names(table)
    deepest: dict[str, list[str]] = defaultdict(list)
    for spans in store.spans.values():
        for span in deepest_failures(spans):
            if span.start is None or question.split - 300 <= span.start <= question.end:
                about = _named_in(f"{span.name} {span.peer}", plain, span.service) or span.service
                deepest[about].append(f"{span.name}: {span.error or span.status}"[:120])
    for service, texts in deepest.items():
        if service in table:
            value = min(2.0, 1.0 + float(np.log2(len(texts))))
            text = f"{len(texts)} {'trace fails' if len(texts) == 1 else 'traces fail'} deepest there: {texts[0]}"
            table[service].reasons.append(Reason("traces", WEIGHT["traces"] * value, text))


def _support(by_service: dict[str, list[Signal]], table: dict[str, Ranked], question: Question) -> None:
    for service, mine in by_service.items():
        if service not in table:
            continue
        found = [
            (min(strength(s.size), 4.0) * overlap(s, question.symptom, question.split), s)
            for s in mine
            if s.traits.role in SUPPORTS and s.traits.role != "client_latency"
        ]
        best = _best(found)
        if best is not None and best[0] > 0:
            table[service].reasons.append(Reason("support", WEIGHT["support"] * best[0], _name(best[1]), best[1]))
