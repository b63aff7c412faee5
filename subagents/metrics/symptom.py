"""Which series is the symptom: what the alert names, else what users feel at the entry, else the worst of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import ERRORS
from subagents.metrics.roles import Role
from subagents.metrics.signals import Signal

_WORDS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    (r"latenc|slow|duration|response time|timeouts?", ("latency",)),
    (r"error|5xx|5\d\d\b|fail|availab|exception|down\b|unavailable", ERRORS),
    (r"cpu|saturat|memory|disk|pool|connection", ("saturation", "memory")),
    (r"queue|backlog|lag", ("queue", "lag")),
    (r"traffic|requests?|throughput", ("traffic",)),
)


@dataclass(frozen=True)
class Asked:
    """What an alert says about the symptom; all of it optional."""

    service: str = ""
    metric: str = ""
    text: str = ""


@dataclass(frozen=True)
class Choice:
    """The series taken for the symptom, why, and which kind of failure it shows."""

    signal: Signal
    why: str

    @property
    def kind(self) -> str:
        """Return `errors`, `latency`, or nothing."""
        if self.signal.traits.role in ERRORS:
            return "errors"
        return "latency" if self.signal.traits.role == "latency" else ""


def _short(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _worst(found: Iterable[Signal]) -> Signal | None:
    return max(found, key=lambda s: (s.size, s.key), default=None)


def choose(seen: list[Signal], graph: CallGraph, asked: Asked) -> Choice | None:
    """Return the symptom among signals; None where there is nothing to choose from."""
    mine = [s for s in seen if asked.service and _short(s.key.service) == _short(asked.service)]
    for pool, place in ((mine, f"on {asked.service}"), (seen, "by that name")):
        if asked.metric:
            exact = [s for s in pool if _short(s.key.name) == _short(asked.metric)]
            near = [s for s in pool if _short(asked.metric) in _short(s.key.name)] or [
                s for s in pool if len(_short(s.key.name)) > 4 and _short(s.key.name) in _short(asked.metric)
            ]
            best = _worst(exact or near)
            if best is not None:
                return Choice(best, f"the alert names {asked.metric}, found {place}")
    wanted = {role for pattern, roles in _WORDS if re.search(pattern, asked.text.lower()) for role in roles}
    for pool, place in (
        ([s for s in mine if s.traits.role in wanted], f"the alert's service {asked.service}, and what it describes"),
        ([s for s in mine if s.traits.user_facing], f"what users feel of the alert's service {asked.service}"),
        (mine, f"the alert's service {asked.service}"),
    ):
        best = _worst(pool)
        if best is not None and (best.size > 3 or pool is mine):
            return Choice(best, f"{place}: its largest departure")
    facing = [s for s in seen if s.traits.user_facing]
    entries = set(graph.entries())
    best = _worst(s for s in facing if s.key.service in entries)
    if best is not None and best.size > 3:
        return Choice(best, f"what users feel at the entry point {best.key.service}")
    best = _worst(facing)
    if best is not None:
        return Choice(best, "the worst of the signals that users feel")
    best = _worst(s for s in seen if s.traits.bad != "both") or _worst(seen)
    return Choice(best, "the worst of what was measured") if best is not None else None
