"""What the tests of drafts share: a repository, its draft store, and what a draft holds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from subagents.codefix.bases import Base, choose_base
from subagents.codefix.draft import Order, draft_edit, draft_hunks, draft_revert
from subagents.codefix.edits import Replacement
from subagents.codefix.fixes import Draft
from subagents.codefix.store import DraftStore
from subagents.gitstore.reader import Reader
from subagents.gitstore.store import IsolatedStore
from tests.fakes import FakeClock
from tests.gitstore.repos import ENVIRONMENT, fingerprint, git

ORDER = Order(source="repo", incident="INC-0412", why="it made every request fail", evidence=("deploy:deploys#42",))


@dataclass
class Bench:
    """A repository under repair."""

    repo: Path
    place: Path
    """Where the reader's store goes; the drafts are in it."""

    def reader(self) -> Reader:
        return Reader(IsolatedStore.open(self.repo, self.place))

    def store(self) -> DraftStore:
        return DraftStore.open(self.reader(), FakeClock())

    def base(self, asked: str = "", undoes: str | None = None) -> Base:
        return choose_base(self.reader(), asked, (), undoes)

    def revert(self, commit: str, base: str = "", mainline: int = 1, order: Order = ORDER) -> Draft:
        return draft_revert(self.store(), order, commit, self.base(base, commit), mainline)

    def hunks(self, commit: str, *places: str, base: str = "") -> Draft:
        return draft_hunks(self.store(), ORDER, commit, self.base(base, commit), places)

    def edit(self, *replacements: tuple[str, str, str], base: str = "", title: str = "Repair it") -> Draft:
        return draft_edit(self.store(), ORDER, self.base(base), title, [Replacement(*one) for one in replacements])

    def branches(self) -> dict[str, str]:
        return self.store().branches()

    def head(self, name: str = "HEAD") -> str:
        return git(self.repo, "rev-parse", name)


def git_of(draft: Draft, *arguments: str) -> bytes:
    """Run git on the store that holds a draft."""
    command = ["git", f"--git-dir={draft.store}", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True, cwd="/").stdout


def content(draft: Draft, path: str) -> bytes:
    return git_of(draft, "cat-file", "blob", f"{draft.commit}:{path}")


def paths(draft: Draft) -> list[str]:
    return git_of(draft, "ls-tree", "-r", "-z", "--name-only", draft.commit).decode("utf-8", "replace").split("\0")[:-1]


def fsck(draft: Draft) -> str:
    """Return what fsck says of the store; empty when all is well. Raises where it fails."""
    said = git_of(draft, "fsck", "--full", "--strict", "--no-dangling", "--no-progress").decode()
    return "\n".join(line for line in said.splitlines() if "unborn branch" not in line)


def litter(store: Path) -> list[str]:
    """Return temporary files and locks that lie in a store."""
    names = (
        os.path.relpath(os.path.join(at, name), store) for at, dirs, files in os.walk(store) for name in dirs + files
    )
    told = (".lock", "tmp_obj_", "tmp_pack_", "tmp_idx_", "scratch.", "index.", "write.", "drafts.fresh.")
    return sorted(name for name in names if any(part in name for part in told))


@contextmanager
def untouched(repo: Path) -> Iterator[None]:
    """Fail where a file of the repository has other bytes, another time or another inode afterwards."""
    before = fingerprint(repo)
    yield
    assert fingerprint(repo) == before
