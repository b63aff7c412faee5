"""Every change source of a session behind one door: asked by window, by id, for diffs and for coverage."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import timedelta

from subagents.contract import Coverage, Problem, ServiceInfo, SourceSpec, ToolError, Window
from subagents.deploys.sources.files import read_commits, read_deploys, read_diff, read_flags
from subagents.deploys.sources.records import Commit, Deploy, FlagChange, Records
from subagents.deploys.sources.repo import RepoSource, Seen, commit_of
from subagents.deploys.sources.rows import Reading
from subagents.gitstore.environment import PREFIX
from subagents.gitstore.process import GitFailed

KINDS = frozenset({"deploys", "commits", "diff", "flags", "repo"})
COMMIT_LIMIT = 20_000
LOOKBACK = timedelta(days=14)
"""How long before the window commits are still read from a repository: what runs may be that old."""


class ChangeCatalogue:
    """Reads its sources once, when first asked. Safe to ask from several threads."""

    def __init__(self, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> None:
        self.specs = tuple(spec for spec in specs if spec.kind in KINDS)
        self.services = tuple(services)
        self.repos = {spec.id: RepoSource(spec) for spec in self.specs if spec.kind == "repo"}
        self._lock = threading.RLock()
        self._records: Records | None = None
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
            self._hold(commit)
        return records

    def _hold(self, commit: Commit) -> Commit:
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
        named = self._deployed_ids()
        for repo in self.repos.values():
            tips = [*repo.tips(), *named.get(repo.spec.id, {}).values()]
            for read in repo.commits(tips, wide, COMMIT_LIMIT, seen):
                commit = self._hold(read)
                known = found.get(commit.sha)
                if known is None or known.patch is None:
                    found[commit.sha] = commit
        return list(found.values())

    def _deployed_ids(self) -> dict[str, dict[str, str]]:
        """Map source to {what deploys name: full commit id}, for the repositories that know it."""
        texts = sorted({d.commit_text for d in self.deploys if d.commit_text})
        found: dict[str, dict[str, str]] = {}
        for source, repo in self.repos.items():
            reader = repo.reader()
            if reader is None:
                continue
            try:
                resolved = reader.resolve(texts)
            except GitFailed:
                continue
            found[source] = {text: sha for text, sha in resolved.items() if sha}
        return found

    def named_commits(self, window: Window | None) -> dict[str, str]:
        """Map what deploys name as commit or version to a full id, where anything knows it."""
        with self._lock:
            known = [commit.sha for commit in self.commits(window)]
            exact = set(known)
            named: dict[str, str] = {}
            for mapping in self._deployed_ids().values():
                named |= mapping
            tags = self._tags()
            for deploy in self.deploys:
                text = deploy.commit_text
                if text and text not in named:
                    if text in exact:
                        named[text] = text
                    elif len(text) >= 7 and PREFIX.match(text.lower()):
                        matches = [sha for sha in known if sha.startswith(text.lower())]
                        if len(matches) == 1:
                            named[text] = matches[0]
                version = deploy.version
                if not text and version and (tag := tags.get(version) or tags.get(version.removeprefix("v"))):
                    named[version] = tag
            return named

    def deployed_commit(self, deploy: Deploy) -> str | None:
        """Return the full id of the commit that a deploy names, by id or by tag; None where no source knows it."""
        text, version = deploy.commit_text, deploy.version
        with self._lock:
            if not text:
                tags = self._tags() if version else {}
                return tags.get(version) or tags.get(version.removeprefix("v"))
            ids = [mapping[text] for mapping in self._deployed_ids().values() if text in mapping]
            if ids:
                return ids[-1]
            known = {commit.sha for commit in self.records().commits}
            if text in known:
                return text
            short = len(text) >= 7 and PREFIX.match(text.lower())
            matches = [sha for sha in known if sha.startswith(text.lower())] if short else []
            return matches[0] if len(matches) == 1 else None

    def state(self) -> tuple[tuple[int, int], ...]:
        """Return (time of change in ns, bytes) of each file: as long as it is the same, so is what was read."""
        return tuple(_stat(spec.path) for spec in self.specs if spec.kind != "repo")

    def _tags(self) -> dict[str, str]:
        tags: dict[str, str] = {}
        if not any(not deploy.commit_text for deploy in self.deploys):
            return tags
        for repo in self.repos.values():
            reader = repo.reader()
            for ref in reader.store.tags() if reader else ():
                name = ref.name.removeprefix("refs/tags/")
                tags[name] = tags[name.removeprefix("v")] = ref.commit
        return tags

    def commit(self, name: str, source: str | None = None) -> Commit:
        """Return one commit by full or abbreviated id; raise ToolError where it is unknown or ambiguous."""
        with self._lock:
            self.records()
            shas = [name] if name in self._held else [sha for sha in self._held if sha.startswith(name)]
            matches = [held for sha in shas for held in self._held[sha].values() if source in (None, held.source)]
            if len({commit.sha for commit in matches}) > 1:
                raise ToolError(f"{name} names {len(matches)} commits; give more of its id")
            if matches:
                return matches[0]
            for repo in self.repos.values():
                reader = repo.reader() if source in (None, repo.spec.id) else None
                sha = reader.resolve([name]).get(name) if reader else None
                if reader and sha:
                    return self._hold(commit_of(repo.spec.id, reader.commits([sha])[sha]))
        raise ToolError(f"no source knows a commit {name[:80]!r}")

    def fill_patches(self, commits: Sequence[Commit]) -> None:
        """Read the diffs of those commits that come from repositories."""
        with self._lock:
            for source, repo in self.repos.items():
                repo.fill_patches([commit for commit in commits if commit.source == source])

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
