"""Where it began: the rankings of metrics and logs fused by what each kind of evidence can know.

A metrics score is absolute: near 1 a service is surely in trouble of its own, and a low score says that metrics see
little, so it is never scaled up to look like certainty. What a service newly logs is strong evidence of a fault in its
code, which metrics may not show at all; but a line that names another service as failing speaks for that one. Logs
with nothing before the incident cannot tell what is new, and weigh little.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime

from orchestrator.engines.offline.place_chances import chances
from orchestrator.journal.verdict import ServiceScore
from subagents.logs.machines import OF_THE_MACHINE, told_of
from subagents.logs.model import LogsSummary
from subagents.metrics.model import MetricsSummary

LAST = datetime.max.replace(tzinfo=UTC)
LOG_SCALE = 9.0
"""Log score (surprise in nats, logged, by severity, summed over patterns) that is 63 % of all that logs can say."""
LOG_SHARE, LOG_SHARE_BARE = 0.8, 0.3
"""How far logs can move a service's score, with and without a time before to compare with."""
POINTED_AWAY, POINTED_AT = 0.7, 0.5
"""Of what a line weighs that names a failing peer: taken from who logs it, given to the peer."""
FLOW_NATS = 15.0
"""Log-likelihood ratio at which a change of a request's course is 63 % of all that it can say."""
FLOW_SHARE = 0.9
IN_THE_DARK = 0.49
"""Most for a place that nothing tells from those that it calls."""
SLOW_SHARE = 0.6
"""The same where requests became slow at a service: less, for a slow network and a busy peer look alike."""


def rank_services(metrics: MetricsSummary, logs: LogsSummary) -> tuple[ServiceScore, ...]:
    """Return every service that metrics or logs speak of, the likeliest origin first; scores are 0 to 1."""
    measured = {rank.service: rank.score for rank in metrics.services}
    logged = _logged(logs)
    share = LOG_SHARE if logs.baseline is not None else LOG_SHARE_BARE
    broken, slow = _broken(logs), _slow(logs)
    fused = {
        name: 1.0
        - (1.0 - min(measured.get(name, 0.0), 1.0))
        * (1.0 - share * logged.get(name, 0.0))
        * (1.0 - FLOW_SHARE * broken.get(name, 0.0))
        * (1.0 - SLOW_SHARE * slow.get(name, 0.0))
        for name in measured.keys() | logged.keys() | broken.keys() | slow.keys()
    }
    place = {rank.service: number for number, rank in enumerate(metrics.services)}
    begun = _begun(logs)
    ranked = sorted(
        fused.items(), key=lambda item: (-item[1], place.get(item[0], len(place)), begun.get(item[0], LAST), item[0])
    )
    ranked = [(name, score) for name, score in ranked if name]
    told = chances([score for _, score in ranked], _unseen(metrics, logs))
    wide = max((len(sign.services) for sign in logs.signatures if sign.wide), default=1)
    told = [min(chance, 1.0 / wide) for chance in told]  # what lies beneath them all began at none of them
    if told and _in_the_dark(ranked[0][0], metrics, logs):
        told = [min(chance, IN_THE_DARK) for chance in told]
    return tuple(ServiceScore(service=ranked[at][0], score=round(chance, 4)) for at, chance in enumerate(told))


def _begun(logs: LogsSummary) -> dict[str, datetime]:
    """Return when each service's own failures were first told: of two that are as likely the earlier one leads."""
    found: dict[str, datetime] = {}
    for sign in logs.signatures:
        for name in (sign.unit,) if sign.unit is not None else sign.services:
            if sign.first_seen is not None:
                found[name] = min(sign.first_seen, found.get(name, LAST))
    return found


def _in_the_dark(first: str, metrics: MetricsSummary, logs: LogsSummary) -> bool:
    """Say whether nothing tells the first from those it calls: no series or line of theirs, nor a course that broke."""
    spoke = {item.service for item in logs.services} | {line.name for line in logs.timelines}
    mine = bool(metrics.services) and metrics.services[0].service == first
    followed = first in _broken(logs) or first in _slow(logs)
    thrown = any(first in group.services for group in logs.stacks)
    return mine and bool(metrics.dark) and not (spoke & set(metrics.dark) or followed or thrown)


def _unseen(metrics: MetricsSummary, logs: LogsSummary) -> int:
    """Return how many kinds of trouble nothing given could have shown: failing requests, slow or busy work."""
    failures = "failures" in metrics.sees or logs.baseline is not None
    return (not failures) + ("work" not in metrics.sees)


def _broken(logs: LogsSummary) -> dict[str, float]:
    """Return how surely requests leave their usual course at each service, 0 to 1; where two may be it, they share."""
    nats: defaultdict[str, float] = defaultdict(float)
    for flow in logs.flows:
        for name in flow.blamed:
            nats[name] = max(nats[name], flow.nats / len(flow.blamed))
    return {name: 1.0 - math.exp(-value / FLOW_NATS) for name, value in nats.items()}


def _slow(logs: LogsSummary) -> dict[str, float]:
    """Return how well each service explains where requests became slow, 0 to 1."""
    return {each.service: each.share * (1.0 - math.exp(-each.nats / FLOW_NATS)) for each in logs.slow}


def _logged(logs: LogsSummary) -> dict[str, float]:
    """Return how far what was logged points at each service, 0 to 1."""
    scores: defaultdict[str, float] = defaultdict(float, {item.service: item.score for item in logs.services})
    weights = {pattern.id: pattern.score for pattern in logs.patterns}
    holders = {sign.label: sign.services[:1] for sign in logs.signatures}
    for sign in logs.signatures:
        weight = sum(weights.get(pattern, 0.0) for pattern in sign.patterns)
        away = POINTED_AWAY if sign.unit is None else 1.0
        for speaker in OF_THE_MACHINE.intersection(sign.services):  # what they tell of began elsewhere
            scores[speaker] = max(0.0, scores[speaker] - away * weight)
        if sign.unit is not None:  # as if it had said so itself
            scores[sign.unit] += weight
        for holder in holders.get(sign.follows or "", ()):
            for speaker in set(sign.services) - {holder}:  # who waits for it fails in all it does
                scores[holder] += POINTED_AT * scores[speaker]
                scores[speaker] *= 1.0 - POINTED_AWAY
        if not sign.named or sign.kind not in ("service", "dependency"):
            continue
        for speaker in sign.services:
            scores[speaker] = max(0.0, scores[speaker] - POINTED_AWAY * weight)
        if sign.kind == "service":
            scores[sign.key] += POINTED_AT * weight
    for teller, units in told_of(logs.signatures).items():  # all that it logs is of those whom its failures befell
        left = scores.pop(teller, 0.0)
        for unit in units:
            scores[unit] += left / len(units)
    for teller in OF_THE_MACHINE.intersection(scores):  # of several, or of nobody: hardly ever of itself
        scores[teller] *= 1.0 - POINTED_AWAY
    return {name: 1.0 - math.exp(-score / LOG_SCALE) for name, score in scores.items()}
