"""Every change source of a session behind one door: asked by window, by id, for diffs and for coverage."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from subagents.contract import Coverage, Problem, ServiceInfo, SourceSpec, ToolError, Window
from subagents.deploys.naming import Names, look_up
from subagents.deploys.sources.files import read_commits, read_deploys, read_diff, read_flags
from subagents.deploys.sources.records import Commit, Deploy, FlagChange, Records
from subagents.deploys.sources.repo import RepoSource, Seen, commit_of
from subagents.deploys.sources.rows import Reading
from subagents.gitstore.process import carried_through

KINDS = frozenset({"deploys", "commits", "diff", "flags", "repo"})
COMMIT_LIMIT = 20_000
LOOKBACK = timedelta(days=14)
"""How long before the window commits are still read from a repository: what runs may be that old."""


class AmbiguousId(ToolError):
    """An abbreviated id is the start of several commits."""


class ChangeCatalogue:
    """Reads its sources once, when first asked. Safe to ask from several threads."""

    def __init__(self, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> None:
        self.specs = tuple(spec for spec in specs if spec.kind in KINDS)
        self.services = tuple(services)
        self.repos = {spec.id: RepoSource(spec) for spec in self.specs if spec.kind == "repo"}
        self._lock = threading.RLock()
        self._records: Records | None = None
        self._names: Names | None = None
        self._coverage: list[Coverage] = []
        self._windows: dict[Window | None, list[Commit]] = {}
        self._held: dict[str, dict[str, Commit]] = {}
        """Commits read so far, by id and then by source: one object each, so that a diff is read once."""

    def records(self) -> Records:
        """Return what the files hold."""
        with self._lock:
            if self._records is None:
                self._records = self._load()
            return self._records

    def _load(self) -> Records:
        records = Records()
        for spec in self.specs:
            if spec.kind == "repo":
                continue
            reading = Reading(spec)
            try:
                self._coverage.append(_read_into(records, reading))
            except Exception as error:  # one file of a form nobody thought of must not take the other sources along
                what = f"could not be understood ({type(error).__name__})"
                reading.problems.append(
                    Problem(what=what, where=reading.name, lost="this source", todo="report it with a line of it")
                )
                self._coverage.append(reading.coverage(0))
        records.deploys.sort(key=lambda d: (d.at is None, d.at))
        for commit in records.commits:
            self.hold(commit)
        return records

    def hold(self, commit: Commit) -> Commit:
        """Return the one object for a commit: the one that was read first."""
        return self._held.setdefault(commit.sha, {}).setdefault(commit.source, commit)

    @property
    def deploys(self) -> list[Deploy]:
        """All deploys, oldest first."""
        return self.records().deploys

    @property
    def flags(self) -> list[FlagChange]:
        """All flag changes."""
        return self.records().flags

    def commits(self, window: Window | None, seen: Seen | None = None) -> list[Commit]:
        """Return every commit of the files, and those of the repositories from `LOOKBACK` before the window on.

        Where repositories are read, `seen` is given each of their commits as it comes.
        """
        with self._lock:
            if window not in self._windows:
                self._windows[window] = self._read_commits(window, seen)
            return self._windows[window]

    def _read_commits(self, window: Window | None, seen: Seen | None) -> list[Commit]:
        found = {commit.sha: commit for commit in self.records().commits}
        wide = Window(start=window.start - LOOKBACK, end=window.end + timedelta(days=2)) if window else None
        names = self.names()
        ran = {sha for deploy in self.deploys if (sha := names.of(deploy))}
        for repo in self.repos.values():
            tips = [*repo.tips(), *sorted(repo.known(ran))]
            for read in repo.commits(tips, wide, COMMIT_LIMIT, seen):
                commit = self.hold(read)
                known = found.get(commit.sha)
                if known is None or known.patch is None:
                    found[commit.sha] = commit
        return list(found.values())

    def names(self) -> Names:
        """Return what the deploys name, looked up in every source of commits."""
        with self._lock:
            if self._names is None:
                with carried_through():
                    self._names = look_up(self.deploys, self.records().commits, self.repos, self.services)
            return self._names

    def off_branches(self, commits: Iterable[Commit]) -> list[Problem]:
        """Say which of these commits no branch and no tag of their repository holds: history was rewritten."""
        found: list[Problem] = []
        by_source: dict[str, list[str]] = {}
        for commit in commits:
            by_source.setdefault(commit.source, []).append(commit.sha)
        for source, shas in by_source.items():
            lost = self.repos[source].off_branches(shas) if source in self.repos else ()
            for sha in lost[:5]:
                what = f"{sha[:12]} was deployed, and no branch or tag holds it: rewritten history or a deleted branch"
                found.append(Problem(what=what, where=self.repos[source].name, todo="it is read all the same"))
        return found

    @cached_property
    def prefixes(self) -> tuple[tuple[str, str], ...]:
        """(path prefix, service) as the configuration says."""
        return tuple((path.strip("/") + "/", info.name) for info in self.services for path in info.paths)

    def deployed_commit(self, deploy: Deploy) -> str | None:
        """Return the full id of the commit that a deploy names, by id or by tag; None where no source knows it."""
        return self.names().of(deploy)

    def state(self) -> tuple[tuple[int, int], ...]:
        """Return (time of change in ns, bytes) of each file: as long as it is the same, so is what was read."""
        return tuple(_stat(spec.path) for spec in self.specs if spec.kind != "repo")

    def commit(self, name: str, source: str | None = None) -> Commit:
        """Return one commit by full or abbreviated id; raise ToolError where it is unknown, AmbiguousId for several."""
        with self._lock:
            self.records()
            shas = [name] if name in self._held else [sha for sha in self._held if sha.startswith(name)]
            matches = [held for sha in shas for held in self._held[sha].values() if source in (None, held.source)]
            if len({commit.sha for commit in matches}) > 1:
                raise AmbiguousId(f"{name} names {len(matches)} commits; give more of its id")
            if matches:
                return matches[0]
            for repo in self.repos.values():
                reader = repo.reader() if source in (None, repo.spec.id) else None
                sha = reader.resolve([name]).get(name) if reader else None
                if reader and sha:
                    return self.hold(commit_of(repo.spec.id, reader.commits([sha])[sha]))
        raise ToolError(f"no source knows a commit {name[:80]!r}")

    def fill_patches(self, commits: Sequence[Commit]) -> None:
        """Read the diffs of those commits that come from repositories; what was read before is not read again."""
        with self._lock:
            for source, repo in self.repos.items():
                asked = [commit for commit in commits if commit.source == source]
                held = [self.hold(commit) for commit in asked]
                repo.fill_patches(held)
                for commit, own in zip(asked, held, strict=True):
                    commit.patch, commit.no_patch, commit.patch_cut = own.patch, own.no_patch, own.patch_cut

    def unread(self, commits: Iterable[Commit]) -> dict[str, Commit]:
        """Return commits by id as they are before any diff of a repository was read, whatever was asked before."""
        return {
            commit.sha: replace(commit, patch=None, no_patch="", patch_cut=False)
            if commit.source in self.repos and (commit.patch is not None or commit.no_patch)
            else commit
            for commit in commits
        }

    def coverage(self) -> tuple[Coverage, ...]:
        """Return how much of each source was understood."""
        with self._lock:
            self.records()
            for repo in self.repos.values():
                repo.reader()
            return (*self._coverage, *(repo.coverage() for repo in self.repos.values()))


def _stat(path: str) -> tuple[int, int]:
    try:
        stat = os.stat(path)
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


def _read_into(records: Records, reading: Reading) -> Coverage:
    """Add what one file holds to the records."""
    if reading.spec.kind == "deploys":
        deploys, coverage = read_deploys(reading)
        records.deploys += deploys
    elif reading.spec.kind == "flags":
        flags, coverage = read_flags(reading)
        records.flags += flags
    else:
        commits, coverage = (read_commits if reading.spec.kind == "commits" else read_diff)(reading)
        records.commits += commits
    return coverage
