"""What is told of resources that are used up: since when, by how much before the symptom, how much that explains."""

from __future__ import annotations

import re
from datetime import datetime

from subagents import quantities as q
from subagents.contract import Finding, Suspect
from subagents.metrics.exhaustion import BUSY, LEAD
from subagents.metrics.limits import CERTIFICATE, CPU, DISK, HANDLES, MEMORY, POOL
from subagents.metrics.model import ExhaustedView, RankReport, SeriesView
from subagents.metrics.render import amount, clock
from subagents.metrics.roles import labels_of

WEIGHT = {CERTIFICATE: 0.85, DISK: 0.7, MEMORY: 0.65, HANDLES: 0.65, POOL: 0.6, CPU: 0.6}
"""What it weighs that one is used up before the symptom."""
UNPROVEN, CONSEQUENCE = 0.35, 0.4
"""What it weighs where it may as well follow from the trouble, and against it where it does."""
ELSEWHERE = 0.5
"""Part of the weight that is left where something else began it, or far from where it began."""
AS_GOOD = 0.8
"""Part of the first service's score from which another may as well be where it began."""
SURGE = 1.5
MOST = 3
_EXPORTER = re.compile(
    r"node|kubelet|cadvisor|blackbox|kube-?state-?metrics|telegraf|collectd|.*exporter.*|integrations/.*"
)
_WHERE = ("persistentvolumeclaim", "nodename", "target", "instance", "node", "host", "pod")
_ADDRESS = re.compile(r"^https?://|(:\d+)?(/.*)?$")
_WORDS = {
    CERTIFICATE: "A certificate of {service} has expired",
    DISK: "A disk of {service} is full",
    MEMORY: "The memory of {service} is at its limit",
    HANDLES: "The file handles of {service} are used up",
    POOL: "The connections of {service} are used up",
    CPU: "The CPU limit of {service} holds it back",
}


def used_up(rank: RankReport, symptom: SeriesView) -> list[Finding]:
    """Say which resources are used up, before the symptom (a cause) or after it (a consequence)."""
    if symptom.onset is None:
        return []
    found = [_told(one, rank, symptom) for one in rank.exhausted if one.view.citation != symptom.citation]
    return sorted(found, key=lambda finding: (finding.stance != "for", -finding.weight))[:MOST]


def place_of(view: SeriesView) -> str:
    """Return whose resource a series is of: an exporter tells of others, and names them in a label."""
    if view.service and not _EXPORTER.fullmatch(view.service.lower()):
        return view.service
    told = labels_of(view.name)
    named = next((told[name] for name in _WHERE if told.get(name)), "")
    return _ADDRESS.sub("", named) or view.service or view.name.partition("{")[0].rpartition(" ")[0] or view.name


def sentence(one: ExhaustedView) -> str:
    """Say that a resource is used up, by which series and since when."""
    view = one.view
    words = _WORDS[one.kind].format(service=place_of(view))
    if one.kind == CERTIFICATE:
        return f"{words}: by {view.title}, at {clock(one.at)}"
    if one.ended is not None:
        at = f" of {amount(one.limit.baseline, one.limit.unit)}" if one.limit is not None else ""
        return f"{words}{at}: {one.ended.title} counts what was ended for it, since {clock(one.at)}"
    height = amount(view.peak if view.peak is not None else view.latest, view.unit)
    of = f" of {amount(one.limit.baseline, one.limit.unit)}" if one.limit is not None else ""
    return f"{words}: {view.title} from {amount(view.baseline, view.unit)} to {height}{of}, since {clock(one.at)}"


def _told(one: ExhaustedView, rank: RankReport, symptom: SeriesView) -> Finding:
    assert symptom.onset is not None  # noqa: S101 - used_up() returned early
    view, after = one.view, (one.at - symptom.onset).total_seconds()
    follows = after > max(60.0, symptom.step)
    tail = (
        f"{after:.0f} s after the symptom: a consequence, not the cause"
        if follows
        else f"{-after:.0f} s before the symptom"
        if after < 0
        else "together with the symptom"
    )
    key = f"{one.kind} in {place_of(view)}"
    shown = [view, *(each for each in (one.limit, one.ended) if each is not None)]
    return Finding(
        agent="metrics",
        claim=f"{sentence(one)}, {tail}.",
        topic="consequence" if follows else "onset",
        about=Suspect(
            kind="certificate" if one.kind == CERTIFICATE else "resource",
            key=key,
            label=f"{key} since {clock(one.at)}",
        ),
        stance="against" if follows else "for",
        weight=CONSEQUENCE if follows else _weight(one, rank, -after, symptom),
        facts=(*one.facts, *(fact for fact in symptom.facts if fact.quantity == q.ONSET)),
        citations=tuple(dict.fromkeys((*(each.citation for each in shown), symptom.citation))),
        services=(view.service,) if view.service else (),
        at=_moved(one),
        terms=(view.name,),
    )


def _moved(one: ExhaustedView) -> datetime:
    """Return when it began to be used up, where that shows: whoever did it was there by then."""
    return min(one.at, one.view.onset) if one.view.onset is not None and one.view.hurts else one.at


def _weight(one: ExhaustedView, rank: RankReport, before: float, symptom: SeriesView) -> float:
    weight, busy = WEIGHT[one.kind], one.kind in BUSY
    together = busy and before < max(symptom.step, 1.0)
    if one.unproven or together or (one.kind == MEMORY and one.ended is None):
        weight = UNPROVEN
    best = rank.services[0].score if rank.services else 0.0
    here = {item.service for item in rank.services[:MOST] if item.score >= AS_GOOD * best}
    asked_more = busy and rank.surge is not None and rank.surge >= SURGE
    for other in (one.view.service not in here, asked_more, before > LEAD):
        weight *= ELSEWHERE if other else 1.0
    return round(weight, 2)
