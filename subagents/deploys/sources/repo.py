"""A git repository as a source of commits, read through the isolated store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from subagents.contract import Coverage, Problem, SourceSpec, Window
from subagents.deploys.sources.records import Commit, Moved, TouchedPath
from subagents.deploys.sources.skew import edges, mark_misdated
from subagents.gitstore.environment import SHA
from subagents.gitstore.log import LoggedCommit, LogQuery, TouchedFile
from subagents.gitstore.process import GitCancelled, GitFailed, GitStopped, carried_through
from subagents.gitstore.reader import Reader
from subagents.gitstore.store import IsolatedStore, RepoUnusable
from subagents.quantities import counted, verb

Seen = Callable[[Commit], None]

REFS_ASKED = 2_000
PATHS_KEPT = 300
BODY_KEPT = 4_000
FILES_OF_A_PATCH = 2_000
UNREADABLE_LIMIT = 8
"""Commits whose files cannot be read that are stepped over, one by one; behind these, files are not asked for."""
GITLINK = "160000"
"""Git's mode of a submodule's pointer."""
BEHIND = 300
"""Commits behind the window's edge that are looked at for wrong dates."""
TIPS_ALONE = 40
"""Names that are followed one by one where a history is broken."""
_REPAIR = "run `git fsck` there, or fetch what is missing"
_NO_END = datetime(2099, 1, 1, tzinfo=UTC)
"""The latest time that git takes as an argument, nearly."""


class RepoSource:
    """One repository; opening it is put off until it is asked something, and its faults are problems."""

    def __init__(self, spec: SourceSpec) -> None:
        self.spec = spec
        self.problems: list[Problem] = []
        self._reader: Reader | None = None
        self._opened = False
        self._broken = False
        """Its history cannot be followed to its end."""
        self.commits_read = 0

    @property
    def name(self) -> str:
        """What the person calls it."""
        return self.spec.origin or self.spec.path

    def reader(self) -> Reader | None:
        """Return its reader, or None where the repository cannot be used (then `problems` says why)."""
        if self._opened:
            return self._reader
        self._opened = True
        store_dir = self.spec.options.get("store")
        if not store_dir:
            self.problems.append(
                Problem(what="no place for its private store was given", where=self.name, lost="its commits")
            )
            return None
        try:
            with carried_through():
                store = IsolatedStore.open(Path(self.spec.path), Path(store_dir))
        except RepoUnusable as error:
            self.problems.append(Problem(what=str(error), lost="its commits"))
            return None
        self.problems.extend(store.state.notes)
        self._reader = Reader(store)
        return self._reader

    def tips(self) -> tuple[str, ...]:
        """Return the commits whose history counts as landed: HEAD and the remote's default branch."""
        reader = self.reader()
        if reader is None:
            return ()
        found = [reader.store.state.head]
        for ref in reader.store.branches()[:2000]:
            if ref.name in {"refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master"}:
                found.append(ref.commit)
        return tuple(dict.fromkeys(found))

    def known(self, shas: Iterable[str]) -> set[str]:
        """Return those of these full ids that are commits here."""
        reader, asked = self.reader(), [sha for sha in shas if SHA.match(sha)]
        if reader is None or not asked:
            return set()
        try:
            return {sha for sha in reader.resolve(asked).values() if sha}
        except GitFailed:
            return set()

    def off_branches(self, shas: Sequence[str]) -> tuple[str, ...]:
        """Return those of these commits that no branch and no tag reaches; none where git does not say in time."""
        reader = self.reader()
        if reader is None or not shas or self._broken:
            return ()
        refs = [*reader.store.branches(), *reader.store.tags()][:REFS_ASKED]
        held = dict.fromkeys([reader.store.state.head, *(ref.commit for ref in refs)])
        try:
            return reader.unreachable(shas[:REFS_ASKED], tuple(held))
        except GitFailed:
            return ()

    def commits(self, tips: Sequence[str], window: Window | None, limit: int, seen: Seen | None = None) -> list[Commit]:
        """Return commits that landed in the window, newest first; what cannot be read becomes a problem.

        `seen` is given each as it comes.
        """
        reader = self.reader()
        if reader is None:
            return []
        wanted = tuple(dict.fromkeys(tip for tip in tips if SHA.match(tip)))
        found: list[Commit] = []
        try:
            self._take_all(found, reader, LogQuery(wanted, window=window, limit=limit), seen)
            if window is not None and len(found) < limit and not self._broken:
                edge = (edges(found) if found else wanted)[:REFS_ASKED]
                behind = self._behind(reader, edge, window.start, _NO_END if found else window.end)
                rest = Window(start=window.start, end=_NO_END)
                self._take_all(found, reader, LogQuery(behind, window=rest, limit=limit), seen)
                if behind:
                    self._take(found, self._between(reader, edge, found), seen)
        except GitFailed as error:
            self.problems.append(Problem(what=str(error), where=self.name, lost="older commits"))
        if len(found) >= limit:
            self.problems.append(
                Problem(what=f"more than {limit} commits in the window", where=self.name, lost="the oldest of them")
            )
        self._tell_misdated(mark_misdated(found, window.end if window else None))
        self.commits_read = max(self.commits_read, len(found))
        return found

    def _take_all(self, found: list[Commit], reader: Reader, query: LogQuery, seen: Seen | None) -> None:
        """Take what a log gives; where git cannot read a tree, go on behind that commit."""
        why = self._take(found, reader.log(query), seen)
        if not why:
            return
        left: list[LoggedCommit] = []
        cut = _until_trouble(reader.log(replace(query, files=False)), left)
        bare: list[LoggedCommit] = []
        while left := _missing(left, found, bare):
            bare.append(left.pop(0))  # git stopped at this one
            if len(bare) >= UNREADABLE_LIMIT:
                bare += left
            elif left:
                rest = LogQuery(tuple(each.sha for each in left), walk=False, limit=len(left))
                self._take(found, reader.log(rest), seen)
        self._take(found, bare, seen)
        if bare:
            named = ", ".join(each.sha[:12] for each in bare[:3]) + (", …" if len(bare) > 3 else "")
            these = f"{counted(len(bare), 'commit')} {verb(len(bare), 'change')}"
            what = f"git cannot read which files {these} ({named}): {why}"
            kept = "which files they change; when they were made and what they say is read"
            self._tell(what, kept, _REPAIR)
        if cut:
            self._broken = True
            self._take_behind(found, reader, query, seen)
            lost = "older commits that no branch, tag or deploy leads to, and which files the one above them changes"
            self._tell(cut, lost, _REPAIR)

    def _take_behind(self, found: list[Commit], reader: Reader, query: LogQuery, seen: Seen | None) -> None:
        """Take what other names lead to, each asked alone, where one history cannot be followed to its end.

        Git stops before the commit whose parent it misses: that one is asked for by its id, without its files.
        """
        for sha in edges(found)[:TIPS_ALONE]:
            alone = LogQuery((sha,), window=query.window, walk=False, files=False, limit=1)
            self._take(found, reader.log(alone), seen)
        names = [ref.commit for ref in (*reader.store.tags(), *reader.store.branches())]
        held = {commit.sha for commit in found}
        asked = [tip for tip in dict.fromkeys((*query.tips, *reversed(names))) if tip not in held]
        for tip in asked[:TIPS_ALONE]:
            if len(found) < query.limit and not any(tip == commit.sha for commit in found):
                self._take(found, reader.log(replace(query, tips=(tip,))), seen)

    def _tell(self, what: str, lost: str, todo: str = "") -> None:
        self.problems.append(Problem(what=what, where=self.name, lost=lost, todo=todo))

    def _take(self, found: list[Commit], logged: Iterable[LoggedCommit], seen: Seen | None) -> str:
        """Take commits as they come; return why no more came, if git failed at one."""
        held = {commit.sha for commit in found}
        try:
            for each in logged:
                if each.sha not in held:
                    found.append(commit_of(self.spec.id, each))
                    if seen is not None:
                        seen(found[-1])
        except GitStopped:
            raise
        except GitFailed as error:
            return str(error)
        return ""

    @staticmethod
    def _behind(reader: Reader, edge: Sequence[str], start: datetime, end: datetime) -> tuple[str, ...]:
        """Return commits that belong to the window and stand behind one that is dated before it.

        Git stops where the dates leave the window; one wrong date would hide all that is behind it. What an
        inner commit builds on has landed by then, however late it says that it was made.
        """
        dated = reader.dated(edge, BEHIND) if edge else {}
        return tuple(sha for sha, at in dated.items() if start <= at <= end)

    @staticmethod
    def _between(reader: Reader, edge: Sequence[str], found: list[Commit]) -> list[LoggedCommit]:
        """Return the commits at the edge that build on one inside: they landed later than they say."""
        held = {commit.sha for commit in found}
        return [each for each in reader.commits(edge[:BEHIND]).values() if held.intersection(each.parents)]

    def _tell_misdated(self, commits: Sequence[Commit]) -> None:
        if not commits:
            return
        problem = Problem(
            what=f"{counted(len(commits), 'commit')} dated out of order ({commits[0].sha[:12]}): clocks differ",
            where=self.name,
            lost="when they landed; their deploys still tell",
        )
        if problem not in self.problems:
            self.problems.append(problem)

    def fill_patches(self, commits: Sequence[Commit]) -> None:
        """Read the diffs of these commits, all in one process."""
        reader = self.reader()
        for commit in commits:
            if commit.file_count > FILES_OF_A_PATCH and not commit.no_patch:
                commit.no_patch = f"it changes {commit.file_count} files: too many to read its diff"
        missing = [commit for commit in commits if commit.patch is None and not commit.no_patch]
        if reader is None or not missing:
            return
        try:
            patches = reader.patches([commit.sha for commit in missing])
        except GitCancelled:
            raise
        except GitFailed as error:
            self.problems.append(Problem(what=str(error), where=self.name, lost=f"{len(missing)} diffs"))
            return
        unread: list[Commit] = []
        for commit in missing:
            patch = patches[commit.sha]
            if patch.text is None:
                commit.no_patch = patch.reason or "its diff cannot be read"
                unread.append(commit)
            else:
                commit.patch, commit.patch_cut = patch.text.decode("utf-8", "replace"), patch.truncated
        if unread:
            named = ", ".join(commit.sha[:12] for commit in unread[:3]) + (", …" if len(unread) > 3 else "")
            what = f"the diff of {counted(len(unread), 'commit')} cannot be read ({named}): {unread[0].no_patch}"
            self._tell(what, "what they change", _REPAIR)

    def coverage(self) -> Coverage:
        """Return its coverage line."""
        return Coverage(
            source=self.spec.id,
            kind="repo",
            items=self.commits_read,
            understood=self.commits_read,
            layout="git",
            problems=tuple(dict.fromkeys(self.problems)),
        )


def _until_trouble(logged: Iterable[LoggedCommit], into: list[LoggedCommit]) -> str:
    """Take what a log gives until git fails; return why it did, or empty."""
    try:
        into.extend(logged)
    except GitStopped:
        raise
    except GitFailed as error:
        return str(error)
    return ""


def _missing(
    logged: Iterable[LoggedCommit], found: Iterable[Commit], bare: Iterable[LoggedCommit]
) -> list[LoggedCommit]:
    held = {commit.sha for commit in found} | {each.sha for each in bare}
    return [each for each in logged if each.sha not in held]


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=1 << 12)
def _author(name: str) -> str:
    return _text(name)


@lru_cache(maxsize=1 << 15)
def _touched(touched: tuple[str, str]) -> TouchedPath:
    """Return a touched path; the same one for the same path, as histories name few paths often."""
    path, status = touched
    return TouchedPath(_text(path), status=status)


_LINK = f" {GITLINK} "


def _moved(touched: TouchedFile) -> Moved:
    return Moved(_text(touched.path), touched.old_blob if touched.old_mode == GITLINK else "", touched.new_blob)


def commit_of(source: str, logged: LoggedCommit) -> Commit:
    """Turn a logged commit into one of ours, with bounds on what is kept."""
    subject, _, body = logged.message.partition("\n")
    links = [entry for entry in logged.raw[::2] if _LINK in entry]
    return Commit(
        source,
        logged.sha,
        _author(logged.author),
        logged.committed_at,
        _text(subject[:500]),
        _text(body.strip("\n")[:BODY_KEPT]) if body else "",
        tuple(map(_touched, logged.touched[:PATHS_KEPT])),
        logged.file_count,
        None,
        parents=logged.parents,
        is_first=not logged.parents,
        submodules=tuple([_moved(f) for f in logged.files if f.new_mode == GITLINK]) if links else (),
    )
