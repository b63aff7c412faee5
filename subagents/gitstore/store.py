"""A private bare git directory that borrows a user's objects and nothing else of their repository.

The store has its own configuration, no hooks, no attributes and no refs of the user's; its objects
reach the user's by an alternates line. Opening it twice, from two processes, gives the same store.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from subagents.contract import Problem
from subagents.gitstore.locate import (
    Location,
    Ref,
    RepoUnusable,
    Trouble,
    head_commit,
    list_refs,
    locate,
    user_git,
)
from subagents.gitstore.process import DEFAULT_BOUNDS, Bounds, GitFailed, GitProcess, Output, first_line, run
from subagents.gitstore.worktree import uncommitted
from subagents.quantities import counted

if TYPE_CHECKING:
    import git

__all__ = ["IsolatedStore", "RepoState", "RepoUnusable", "Trouble"]

MARKER = "warroom-store"
LITTER = ("index.*", "scratch.*", "shallow.*", "now.*")
"""What runs make for a moment in the store; `shallow` itself is none of it."""
LITTER_AGE_S = 3600.0
# commitGraph is off: a graph file in the user's repository may say what its commits do not.
CONFIG = """
[core]
\thooksPath = /dev/null
\tfsmonitor = false
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tcommitGraph = false
\tfsync = all
\tquotePath = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[submodule]
\trecurse = false
"""


@dataclass(frozen=True)
class RepoState:
    """What a repository looked like when it was opened; `notes` is what a person should know of it."""

    head: str
    branch: str | None
    """Full ref name that HEAD is on; None when detached."""
    shallow: bool
    notes: tuple[Problem, ...]


class IsolatedStore:
    """The reader's and the drafter's git directory. Use `open`."""

    def __init__(self, location: Location, git_dir: Path, state: RepoState) -> None:
        self.location = location
        self.git_dir = git_dir
        self.state = state

    @classmethod
    def open(cls, repo: Path, store_dir: Path) -> IsolatedStore:
        """Make or reuse the store at `store_dir` for the repository at `repo`; raises RepoUnusable."""
        location = locate(Path(os.path.abspath(repo)))
        head, branch = head_commit(location)
        notes: list[Problem] = []
        if head is None:
            head, note = _stand_in_for_head(location, branch)
            notes.append(note)
        git_dir = Path(os.path.abspath(store_dir))
        try:
            _make(location, git_dir)
            shallow = _copy_shallow(location, git_dir)
            with contextlib.suppress(OSError):
                _sweep(git_dir)
        except OSError as error:
            raise RepoUnusable("store", f"cannot write the private store {git_dir} ({error.strerror})") from error
        store = cls(location, git_dir, RepoState(head, branch, shallow, ()))
        store._check_head()
        notes += _describe(store, detached=branch is None)
        store.state = RepoState(head, branch, shallow, tuple(notes))
        return store

    def run(
        self,
        arguments: Sequence[str],
        stdin: bytes = b"",
        bounds: Bounds = DEFAULT_BOUNDS,
        extra: Mapping[str, str] | None = None,
    ) -> Output:
        """Run git on the store; the exit status is the caller's to judge. Raises GitFailed at the deadline."""
        return run([f"--git-dir={self.git_dir}", *arguments], stdin, bounds, extra)

    def need(
        self,
        arguments: Sequence[str],
        stdin: bytes = b"",
        bounds: Bounds = DEFAULT_BOUNDS,
        extra: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git on the store and return its output; raise GitFailed unless it succeeded within the cap."""
        output = self.run(arguments, stdin, bounds, extra)
        if output.truncated:
            raise GitFailed(f"git {arguments[0]} gave more than {bounds.cap >> 20} MiB")
        if output.status != 0:
            raise GitFailed(f"git {arguments[0]} failed: {first_line(output.stderr) or output.status}")
        return output.stdout

    @contextmanager
    def process(
        self, arguments: Sequence[str], stdin: bytes, bounds: Bounds, extra: Mapping[str, str] | None = None
    ) -> Iterator[GitProcess]:
        """Run git on the store and stream what it gives."""
        with GitProcess([f"--git-dir={self.git_dir}", *arguments], stdin, bounds, extra) as process:
            yield process

    @contextmanager
    def handle(self) -> Iterator[git.Repo]:
        """Give GitPython's view of the store, whose every git process is a closed one and ends with the block."""
        from subagents.gitstore.handle import open_handle

        repo = open_handle(self.git_dir)
        try:
            yield repo
        finally:
            repo.close()

    def branches(self) -> list[Ref]:
        """Return the user's local and remote branches, newest first."""
        return list_refs(self.location, ("refs/heads", "refs/remotes"))

    def tags(self) -> list[Ref]:
        """Return the user's tags that name commits, newest first."""
        return list_refs(self.location, ("refs/tags",))

    def _check_head(self) -> None:
        try:
            kind = self.run(["cat-file", "--batch-check"], f"{self.state.head}^{{tree}}\n".encode(), Bounds(20.0))
            listed = self.run(["ls-tree", "-z", self.state.head], bounds=Bounds(20.0))
        except GitFailed as error:
            raise RepoUnusable("unreadable", f"{self.location.given}: {error}") from error
        if b" tree " not in kind.stdout or listed.status != 0:
            said = first_line(listed.stderr or kind.stderr)
            raise RepoUnusable(
                "corrupt",
                f"{self.location.given}: the commit at HEAD cannot be read ({said or 'object missing'}): "
                "run `git fsck` there, or give a fresh clone",
            )


def _stand_in_for_head(location: Location, branch: str | None) -> tuple[str, Problem]:
    """Return the newest branch's commit where HEAD names none; raise RepoUnusable where there is none at all."""
    where = str(location.given)
    loose = location.common_dir / (branch or "HEAD")
    packed = user_git(location.git_dir, ["for-each-ref", "--count=1", "--format=%(refname)", branch or "refs/heads"])
    if branch is None or loose.exists() or (branch and packed.stdout.strip()):
        raise RepoUnusable("corrupt", f"{where}: HEAD names no readable commit: run `git fsck` there")
    refs = list_refs(location, ("refs/heads", "refs/remotes"), limit=1)
    if not refs:
        raise RepoUnusable("unborn", f"{where} has no commits yet: there is no history to read")
    name = branch.removeprefix("refs/heads/")
    note = Problem(what=f"HEAD is on {name}, which has no commit; {refs[0].name} is read instead", where=where)
    return refs[0].commit, note


def _quoted(path: str) -> str:
    """Write a path as an alternates line; git unquotes a line that begins with a quotation mark."""
    if path.startswith('"') or "\\" in path:
        return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return path


def _identity(location: Location) -> str:
    return f"{location.object_format}\n{location.common_dir}\n"


def _make(location: Location, git_dir: Path) -> None:
    """Make the store beside its place and move it there whole; whoever comes second uses the first's."""
    identity = _identity(location)
    if _belongs(git_dir, identity):
        return
    git_dir.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = Path(tempfile.mkdtemp(prefix=git_dir.name + ".", dir=git_dir.parent))
    try:
        made = run(["init", "-q", "--bare", "--template=", f"--object-format={location.object_format}", "-b", "none",
                    str(fresh)])  # fmt: skip
        if made.status != 0:
            raise RepoUnusable("store", f"cannot make the private store {git_dir} ({first_line(made.stderr)})")
        with (fresh / "config").open("a") as config:
            config.write(CONFIG)
        (fresh / "objects" / "info").mkdir(exist_ok=True)
        line = os.fsencode(_quoted(str(location.common_dir / "objects"))) + b"\n"
        (fresh / "objects" / "info" / "alternates").write_bytes(line)
        (fresh / MARKER).write_bytes(os.fsencode(identity))
        with contextlib.suppress(OSError):  # another process was first
            fresh.rename(git_dir)
        if not _belongs(git_dir, identity):
            raise RepoUnusable("store", f"{git_dir} exists and is not a store for {location.given}: remove it")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _sweep(git_dir: Path) -> None:
    """Remove temporary files that killed runs left here: those older than any run of git may be."""
    with tempfile.NamedTemporaryFile(dir=git_dir, prefix="now.") as fresh:
        oldest = os.stat(fresh.name).st_mtime - LITTER_AGE_S
    beside = [path for path in git_dir.parent.glob(f"{git_dir.name}.????????") if not (path / "drafts.git").exists()]
    for path in (*beside, *(found for name in LITTER for found in git_dir.glob(name))):
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _belongs(git_dir: Path, identity: str) -> bool:
    try:
        return (git_dir / MARKER).read_bytes() == os.fsencode(identity)
    except OSError:
        return False


def _copy_shallow(location: Location, git_dir: Path) -> bool:
    """Carry over where history was cut, as it is now; say whether it was."""
    theirs, ours = location.common_dir / "shallow", git_dir / "shallow"
    try:
        data = theirs.read_bytes()
    except FileNotFoundError:
        ours.unlink(missing_ok=True)
        return False
    if not ours.exists() or ours.read_bytes() != data:
        with tempfile.NamedTemporaryFile(dir=git_dir, prefix="shallow.", delete=False) as fresh:
            fresh.write(data)
        Path(fresh.name).replace(ours)
    return bool(data.strip())


_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}


def _describe(store: IsolatedStore, *, detached: bool) -> list[Problem]:
    """Say what is unusual about a usable repository."""
    location, where = store.location, str(store.location.given)
    notes = []
    if store.state.shallow:
        notes.append(
            Problem(
                what="shallow clone: its history is cut",
                where=where,
                lost="every change before the cut",
                todo="run `git fetch --unshallow` there",
            )
        )
    with contextlib.suppress(OSError):
        if any((location.common_dir / "objects" / "pack").glob("*.promisor")):
            notes.append(
                Problem(what="partial clone: some file contents are not here", where=where, lost="diffs of those files")
            )
    if detached:
        notes.append(Problem(what="HEAD is detached; its commit is read as the tip", where=where))
    notes += [
        Problem(what=f"{name} is in progress; only commits are read", where=where)
        for file, name in _UNFINISHED.items()
        if (location.git_dir / file).exists()
    ]
    changed = None if location.bare else uncommitted(store.git_dir, location, store.state.head)
    if changed:
        shown = ", ".join(changed.paths[:3]) + (" …" if changed.count > 3 else "")
        notes.append(
            Problem(
                what=f"{counted(changed.count, 'uncommitted changed file')} ({shown}); only commits are read",
                where=where,
                lost="what is not committed",
            )
        )
    return notes
