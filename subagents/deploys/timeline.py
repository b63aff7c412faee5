"""All changes on the incident's clock: deploys with the commits they brought, flag changes, commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from subagents.contract import Problem, ToolError, Window
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.paths import not_production
from subagents.deploys.ranges import Between, between
from subagents.deploys.reach import same_service, service_key
from subagents.deploys.sources.records import Commit, Deploy, FlagChange
from subagents.gitstore.process import GitCancelled, GitFailed, GitStopped
from subagents.quantities import counted

BROUGHT_LIMIT = 2_000
FIRST_KNOWN_REACH = timedelta(days=3)
"""How far back the first deploy of a service that is on record may have brought commits."""
RANGES_LIMIT = 60
"""Ranges that are asked of git, where the commits read so far do not tell."""
NAMED_LIMIT = 3
"""Deploys that a problem names."""


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
    removers: dict[str, list[Deploy]] = field(default_factory=dict)
    """Commit to the deploys that took it out again, oldest first."""

    @cached_property
    def deployed(self) -> frozenset[str]:
        """Keys (`service_key`) of the services whose deploys are on record."""
        return frozenset(service_key(deploy.service) for deploy in self.deploys)

    def taken_out(self, sha: str, brought: Deploy, by: datetime | None) -> Deploy | None:
        """Return the deploy that took a commit out of the service it was brought to, at `by` at the latest."""
        for deploy in self.removers.get(sha, ()):
            if deploy.service != brought.service or deploy.at is None or brought.at is None or by is None:
                continue
            if brought.at <= deploy.at <= by:
                return deploy
        return None


def build_timeline(
    catalogue: ChangeCatalogue, window: Window | None, seen: Callable[[Commit], None] | None = None
) -> Timeline:
    """Merge the sources; resolve each deploy to the commits that it brought since the service's previous one.

    `seen` is given commits of repositories as they are read, while git still looks for the next.
    """
    commits = {commit.sha: commit for commit in catalogue.commits(window, seen)}
    names = catalogue.names()
    timeline = Timeline(window, commits, catalogue.deploys, catalogue.flags, problems=list(names.problems))
    for deploy in timeline.deploys:
        deploy.commit = names.of(deploy)
    _tell_unknown(timeline)
    _link_previous(timeline.deploys)
    resolving = _Resolving(catalogue, timeline)
    resolving.resolve()
    resolving.add_named_beside()
    resolving.add_submodules()
    carriers: defaultdict[str, list[Deploy]] = defaultdict(list)
    removers: defaultdict[str, list[Deploy]] = defaultdict(list)
    for deploy in timeline.deploys:
        if elsewhere(deploy, timeline.deploys):
            continue
        for sha in deploy.brought:
            carriers[sha].append(deploy)
        for sha in deploy.removed:
            removers[sha].append(deploy)
    timeline.carriers, timeline.removers = dict(carriers), dict(removers)
    timeline.problems += catalogue.off_branches(
        commits[deploy.commit] for deploy in timeline.deploys if deploy.commit in commits and deploy.brought
    )
    return timeline


def elsewhere(deploy: Deploy, deploys: list[Deploy]) -> bool:
    """Say whether a deploy went to a staging place while others of the records went to production."""
    if not deploy.environment or not not_production(deploy.environment):
        return False
    return any(not (other.environment and not_production(other.environment)) for other in deploys)


def _tell_unknown(timeline: Timeline) -> None:
    unknown = [deploy for deploy in timeline.deploys if deploy.commit is None]
    if not unknown:
        return
    named = [f"{d.service} {d.version or d.commit_text}"[:80].strip() for d in unknown[-NAMED_LIMIT:]]
    more = ", …" if len(unknown) > len(named) else ""
    timeline.problems.append(
        Problem(
            what=f"{len(unknown)} of {len(timeline.deploys)} deploys name no commit that a source knows"
            f" ({', '.join(named)}{more})",
            lost="what those deploys brought",
            todo="attach the repository (--repo) or a commits.json",
        )
    )


AHEAD = timedelta(minutes=10)
"""So far beyond now a deploy may be dated before that is said."""


def dated_ahead(deploys: list[Deploy], now: datetime) -> list[Problem]:
    """Say which deploys are dated in the future: their clock is ahead, or they are planned."""
    ahead = [deploy for deploy in deploys if deploy.at is not None and deploy.at > now + AHEAD]
    if not ahead:
        return []
    named = ", ".join(f"{d.service} {d.version or d.commit_text}"[:60].strip() for d in ahead[:NAMED_LIMIT])
    what = f"{counted(len(ahead), 'deploy')} dated in the future ({named}): planned, or a clock is ahead"
    return [Problem(what=what, where=ahead[0].source, todo="they are taken at their word")]


def _link_previous(deploys: list[Deploy]) -> None:
    last: dict[tuple[str, str], Deploy] = {}
    for deploy in deploys:
        if deploy.at is None or deploy.failed:
            continue
        place = deploy.service, deploy.environment
        deploy.previous = last.get(place)
        last[place] = deploy


def _known_before(deploy: Deploy) -> tuple[Deploy | None, bool]:
    """Return the last deploy before whose commit is known, and whether none lies between."""
    previous, next_to = deploy.previous, True
    while previous is not None and previous.commit is None:
        previous, next_to = previous.previous, False
    return previous, next_to


def _add(deploy: Deploy, found: Between) -> None:
    deploy.brought = (*deploy.brought, *found.added)[:BROUGHT_LIMIT]
    deploy.removed = (*deploy.removed, *found.removed)[:BROUGHT_LIMIT]


class _Resolving:
    """Finds what each deploy brought: by parents that are known, else by git, else by time."""

    def __init__(self, catalogue: ChangeCatalogue, timeline: Timeline) -> None:
        self._catalogue = catalogue
        self._timeline = timeline
        self._asked = 0
        self._answers: dict[tuple[str, str], Between | None] = {}
        self._missing: set[str] = set()

    @property
    def _given_up(self) -> bool:
        """Git was asked often enough."""
        return self._asked >= RANGES_LIMIT

    @cached_property
    def _by_time(self) -> list[Commit]:
        """The commits that have a date, oldest first."""
        dated = [c for c in self._timeline.commits.values() if c.committed_at is not None]
        return sorted(dated, key=lambda c: c.committed_at or datetime.max)

    def resolve(self) -> None:
        """Fill in `brought`, `removed` and `certain` of every deploy whose commit is known, the newest first."""
        for deploy in reversed(self._timeline.deploys):
            deploy.clear()
            if deploy.commit is None or deploy.failed:
                continue
            previous, next_to = _known_before(deploy)
            if previous is not None and previous.commit == deploy.commit:
                deploy.certain = next_to  # the same again: it brought nothing
            elif previous is None or not self._by_history(deploy, previous, next_to):
                self._by_dates(deploy, previous)
            if deploy.removed and not deploy.brought and not deploy.others:
                went = f"deploy {deploy.id} of {deploy.service} went back by {counted(len(deploy.removed), 'commit')}"
                self._timeline.problems.append(Problem(what=went, where=deploy.source))

    def add_named_beside(self) -> None:
        """Add what a deploy's version brought in a repository beside the one that its commit is in."""
        names = self._catalogue.names()
        for deploy in reversed(self._timeline.deploys):
            heads = names.beside(deploy) if not deploy.failed and self._in_window(deploy) else {}
            before = names.beside(deploy.previous) if heads and deploy.previous else {}
            for source, head in heads.items():
                found = self._between(before.get(source), head)
                if found is not None:
                    _add(deploy, found)

    def add_submodules(self) -> None:
        """Add what a submodule that moved brought, where its repository is a source; say so where it is not."""
        commits, unknown = self._timeline.commits, dict[str, str]()
        for deploy in reversed(self._timeline.deploys):
            moved = [each for sha in deploy.brought if sha in commits for each in commits[sha].submodules]
            for each in moved if self._in_window(deploy) else ():
                found = self._between(each.old, each.new)
                if found is not None:
                    _add(deploy, found)
                else:
                    went = f"moved ({each.old[:7]}..{each.new[:7]})" if each.old else f"is new (at {each.new[:7]})"
                    unasked = self._given_up and (each.old, each.new) not in self._answers
                    why = "was not looked for, as git was asked enough" if unasked else "is in no source"
                    unknown[each.path] = f"{went}, and its history {why}"
        for path, what in unknown.items():
            self._timeline.problems.append(
                Problem(
                    what=f"submodule {path} {what}",
                    lost="what that brought",
                    todo="attach its repository too (--repo)",
                )
            )

    def _by_history(self, deploy: Deploy, previous: Deploy, next_to: bool) -> bool:
        """Take the commits between two deploys from ancestry; say whether it tells."""
        commits = self._timeline.commits
        head, old = deploy.commit or "", previous.commit or ""
        found = self._between(old, head) if self._in_window(deploy) else between(commits, old, head)
        if found is None:
            return False
        own = [sha for sha in found.added if sha == head or self._is_of(deploy.service, commits.get(sha))]
        deploy.brought, deploy.removed = tuple(own[:BROUGHT_LIMIT]), found.removed[:BROUGHT_LIMIT]
        deploy.others = len(found.added) - len(own)
        deploy.certain = next_to
        return True

    def _in_window(self, deploy: Deploy) -> bool:
        window = self._timeline.window
        return window is None or deploy.at is None or deploy.at >= window.start

    def _between(self, old: str | None, head: str) -> Between | None:
        """Return what a head adds to the one before and takes from it; of one without one before, that one alone."""
        if not old:
            return Between((head,), ()) if self._held(head) else None
        found = between(self._timeline.commits, old, head)
        if found is not None:
            return found
        if (old, head) not in self._answers and not self._given_up:
            self._answers[old, head] = self._ask_git(head, old)
        return self._answers.get((old, head))

    def _held(self, sha: str) -> Commit | None:
        """Return a commit, which may be older than what was read."""
        if sha not in self._timeline.commits and sha not in self._missing:
            try:
                found = self._catalogue.commit(sha)
            except GitCancelled:
                raise
            except (ToolError, GitFailed):
                self._missing.add(sha)
                return None
            return self._timeline.commits.setdefault(found.sha, found)
        return self._timeline.commits.get(sha)

    def _ask_git(self, head: str, old: str) -> Between | None:
        from subagents.deploys.sources.repo import commit_of

        self._asked += 1
        for source, repo in self._catalogue.repos.items():
            reader = repo.reader() if repo.known((head, old)) == {head, old} else None
            if reader is None:
                continue
            try:
                brought = reader.brought(old, head, BROUGHT_LIMIT)
            except GitCancelled:
                raise
            except GitStopped:
                self._asked = RANGES_LIMIT  # a history that takes so long is not asked again
                return None
            except GitFailed:
                continue
            for logged in (*brought.added, *brought.removed):
                if logged.sha not in self._timeline.commits:
                    self._timeline.commits[logged.sha] = self._catalogue.hold(commit_of(source, logged))
            return Between(tuple(c.sha for c in brought.added), tuple(c.sha for c in brought.removed))
        return None

    def _is_of(self, service: str, commit: Commit | None) -> bool:
        """Say whether a commit may matter to a service: not where the configuration gives all its paths to others."""
        prefixes = self._catalogue.prefixes
        if commit is None or not commit.files or not any(same_service(name, service) for _, name in prefixes):
            return True
        for touched in commit.files:
            owners = [name for prefix, name in prefixes if touched.path.startswith(prefix)]
            if not owners or any(same_service(name, service) for name in owners):
                return True
        return commit.file_count > len(commit.files)

    def _by_dates(self, deploy: Deploy, previous: Deploy | None) -> None:
        """Take the commits that landed between the two heads: an upper bound, as no ancestry is known.

        The first deploy that is on record had others before it: it did not bring all of history.
        """
        commits = self._timeline.commits
        sha = deploy.commit or ""
        head = self._held(sha) if self._in_window(deploy) else commits.get(sha)
        if head is None:
            return
        before = commits.get(previous.commit or "") if previous else None
        end = head.committed_at
        start = before.committed_at if before else end - FIRST_KNOWN_REACH if end is not None else None
        if before is not None and start is not None and end is not None and end < start:
            deploy.removed = tuple(self._landed(end, start, head))
            return
        found = [head.sha, *(self._landed(start, end, head) if end is not None else ())]
        deploy.brought = tuple(sha for sha in found if sha == head.sha or self._is_of(deploy.service, commits[sha]))
        deploy.others = len(found) - len(deploy.brought)

    def _landed(self, after: datetime | None, until: datetime, beside: Commit) -> list[str]:
        """Return what landed in a span in the source of a commit, without that one, newest first."""
        found: list[str] = []
        for commit in reversed(self._by_time):
            at = commit.committed_at
            if at is None or at > until or commit.sha == beside.sha or commit.source != beside.source:
                continue
            if after is not None and at <= after:
                break
            found.append(commit.sha)
            if len(found) >= BROUGHT_LIMIT:
                break
        return found
