"""All changes on the incident's clock: deploys with the commits they brought, flag changes, commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from subagents.contract import Problem, Window
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.reach import service_key
from subagents.deploys.sources.records import Commit, Deploy, FlagChange
from subagents.gitstore.process import GitFailed

BROUGHT_LIMIT = 2_000
FIRST_KNOWN_REACH = timedelta(days=3)
"""How far back the first deploy of a service that is on record may have brought commits."""
RANGES_LIMIT = 60
"""Deploys whose ranges are asked of git in one go."""


@dataclass
class Timeline:
    """What changed, and when it took effect."""

    window: Window | None
    commits: dict[str, Commit]
    deploys: list[Deploy]
    flags: list[FlagChange]
    carriers: dict[str, list[Deploy]] = field(default_factory=dict)
    """Commit to the deploys that brought it, oldest first."""
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def deployed(self) -> frozenset[str]:
        """Keys (`service_key`) of the services whose deploys are on record."""
        return frozenset(service_key(deploy.service) for deploy in self.deploys)


def build_timeline(
    catalogue: ChangeCatalogue, window: Window | None, seen: Callable[[Commit], None] | None = None
) -> Timeline:
    """Merge the sources; resolve each deploy to the commits that it brought since the service's previous one.

    `seen` is given commits of repositories as they are read, while git still looks for the next.
    """
    commits = {commit.sha: commit for commit in catalogue.commits(window, seen)}
    named = catalogue.named_commits(window)
    timeline = Timeline(window, commits, catalogue.deploys, catalogue.flags)
    unknown = 0
    for deploy in timeline.deploys:
        deploy.commit = named.get(deploy.commit_text) or named.get(deploy.version)
        unknown += deploy.commit is None
    if unknown and timeline.deploys:
        timeline.problems.append(
            Problem(
                what=f"{unknown} of {len(timeline.deploys)} deploys name no commit that a source knows",
                lost="what those deploys brought",
                todo="attach the repository (--repo) or a commits.json",
            )
        )
    _link_previous(timeline.deploys)
    by_time = sorted(
        (c for c in commits.values() if c.committed_at is not None), key=lambda c: c.committed_at or _NEVER
    )
    asked = 0
    for deploy in timeline.deploys:
        if deploy.commit is None or deploy.failed:
            continue
        in_window = window is None or deploy.at is None or deploy.at >= window.start
        if in_window and asked < RANGES_LIMIT and _bring_from_history(catalogue, timeline, deploy):
            asked += 1
        else:
            _bring_by_time(deploy, commits, by_time)
    carriers: defaultdict[str, list[Deploy]] = defaultdict(list)
    for deploy in timeline.deploys:
        for sha in deploy.brought:
            carriers[sha].append(deploy)
    timeline.carriers = dict(carriers)
    return timeline


_NEVER = datetime.max


def _link_previous(deploys: list[Deploy]) -> None:
    last: dict[str, Deploy] = {}
    for deploy in deploys:
        if deploy.at is None or deploy.failed:
            continue
        deploy.previous = last.get(deploy.service)
        last[deploy.service] = deploy


def _bring_from_history(catalogue: ChangeCatalogue, timeline: Timeline, deploy: Deploy) -> bool:
    """Take the commits between two deploys from the repository that holds both; say whether it could."""
    head = timeline.commits.get(deploy.commit or "")
    previous = deploy.previous.commit if deploy.previous else None
    if head is None or head.source not in catalogue.repos or previous is None:
        return False
    reader = catalogue.repos[head.source].reader()
    try:
        if reader is None or not reader.resolve([previous])[previous]:
            return False
        brought = reader.brought(previous, head.sha, BROUGHT_LIMIT)
    except GitFailed:
        return False
    from subagents.deploys.sources.repo import commit_of

    for logged in brought.added:
        timeline.commits.setdefault(logged.sha, commit_of(head.source, logged))
    deploy.brought = tuple(logged.sha for logged in brought.added)
    deploy.certain = True
    if brought.removed and not brought.added:
        timeline.problems.append(
            Problem(
                what=f"deploy {deploy.id} of {deploy.service} went back by {len(brought.removed)} commit(s)",
                where=deploy.source,
            )
        )
    return True


def _bring_by_time(deploy: Deploy, commits: dict[str, Commit], by_time: list[Commit]) -> None:
    """Take the commits that landed between the two heads: an upper bound, as no ancestry is known.

    The first deploy that is on record had others before it: it did not bring all of history.
    """
    head = commits.get(deploy.commit or "")
    if head is None:
        return
    before = commits.get(deploy.previous.commit or "") if deploy.previous else None
    end = head.committed_at
    start = before.committed_at if before else end - FIRST_KNOWN_REACH if end is not None else None
    brought = [head.sha]
    if end is not None:
        for commit in reversed(by_time):
            at = commit.committed_at
            if at is None or at > end or commit.sha == head.sha or commit.source != head.source:
                continue
            if start is not None and at <= start:
                break
            brought.append(commit.sha)
            if len(brought) >= BROUGHT_LIMIT:
                break
    deploy.brought = tuple(brought)
