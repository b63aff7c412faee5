"""Which of very many changes are worth a close look: time, place, words and paths as bare numbers, no diffs.

`suspects` scores what is left with reasons. The numbers here follow its judgements, so that what is left
out would have come last there too.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from datetime import datetime

from subagents.deploys.overlap import OverlapIndex
from subagents.deploys.paths import INERT, is_shared, path_class
from subagents.deploys.reach import ServiceMap, service_key
from subagents.deploys.scores import CLOCK_SLACK, Question
from subagents.deploys.sources.records import Commit
from subagents.deploys.timeline import Timeline

LOOKED_AT = 250
"""Changes that are looked at closely where there are more."""
_PATHS = 50
"""Paths of one change that place it."""


def closest(
    timeline: Timeline, question: Question, services: ServiceMap, index: OverlapIndex, limit: int = LOOKED_AT
) -> list[Commit]:
    """Return the commits that could best explain the symptom, in the timeline's order; all, where they are few.

    What was deployed in the window is among them whatever speaks against it: a person asks about that first.
    """
    commits = list(timeline.commits.values())
    if len(commits) <= limit:
        return commits
    points = _points(timeline, question, services, index)
    best = set(heapq.nlargest(limit, range(len(commits)), key=[points(commit) for commit in commits].__getitem__))
    start = timeline.window.start if timeline.window else None
    heads = {deploy.commit for deploy in timeline.deploys if start is None or deploy.at is None or deploy.at >= start}
    return [commit for place, commit in enumerate(commits) if place in best or commit.sha in heads]


def _points(
    timeline: Timeline, question: Question, services: ServiceMap, index: OverlapIndex
) -> Callable[[Commit], float]:
    place = _Places(question, services)
    onset, carriers = question.onset, timeline.carriers
    recorded = any(service_key(name) in timeline.deployed for name in question.failing.weights)

    def points(commit: Commit) -> float:
        files = commit.files
        found = 2.7 * index.strength(commit) + place.of_paths(commit)
        at, deployed, reached = commit.landed_at, False, 0.0
        for deploy in carriers.get(commit.sha, ()):
            if not deploy.failed and (onset is None or deploy.at is None or deploy.at <= onset + CLOCK_SLACK):
                reached = max(reached, 1.5 * place.of(deploy.service))
                at, deployed = deploy.at, True
        if recorded and not deployed:
            found -= 1.2
        if files and path_class(files[0].path) in INERT and all(path_class(each.path) in INERT for each in files):
            found -= 2.5
        return found + reached + _time(at, onset, deployed)

    return points


def _time(at: datetime | None, onset: datetime | None, deployed: bool) -> float:
    if at is None or onset is None:
        return -0.4
    lead = (onset - at).total_seconds()
    if lead < -CLOCK_SLACK.total_seconds():
        return -6.0
    return max(-1.2, 1.5 - (0.28 if deployed else 0.15) * math.log2(1.0 + max(0.0, lead) / 900.0))


class _Places:
    """How near to what failed a service is, -1 to 1, each worked out once."""

    def __init__(self, question: Question, services: ServiceMap) -> None:
        self._weights = {service_key(name): weight for name, weight in question.failing.weights.items()}
        self._services = services
        self._known: dict[str, float] = {}
        self._paths: dict[str, float] = {}

    def of(self, service: str) -> float:
        """Return how near one service is."""
        known = self._known.get(service)
        if known is None:
            known = self._known[service] = self._work_out(service)
        return known

    def _work_out(self, service: str) -> float:
        weight = self._weights.get(service_key(service))
        if weight is not None:
            return 0.45 + 0.35 * weight
        depends = self._services.depends
        return 0.35 if any(depends(name, service) or depends(service, name) for name in self._weights) else -0.8

    def of_paths(self, commit: Commit) -> float:
        """Return log-odds for the nearest of the places that a change touches."""
        if not self._weights:
            return 0.0
        if not commit.files:
            return -0.2
        return 1.7 * max([self._of_path(touched.path) for touched in commit.files[:_PATHS]])

    def _of_path(self, path: str) -> float:
        known = self._paths.get(path)
        if known is None:
            owners = self._services.owners(path)
            near = max(map(self.of, owners)) if owners else -0.1
            known = self._paths[path] = near if near > 0.2 or not is_shared(path) else 0.2
        return known
