"""A small repository with two branches, a merge and a tag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from subagents.gitstore.reader import Reader
from subagents.gitstore.store import IsolatedStore
from tests.gitstore.repos import commit, git, init


@dataclass
class Sample:
    path: Path
    root: str
    second: str
    side: str
    merge: str
    head: str

    def reader(self, place: Path) -> Reader:
        return Reader(IsolatedStore.open(self.path, place))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    repo = init(tmp_path / "repo")
    root = commit(
        repo, {"app.py": "one\ntwo\nthree\nfour\nfive\n", "docs/read me.md": "hello\n"}, "root\n\nbody", 1_700_000_000
    )
    second = commit(repo, {"app.py": "one\nTWO\nthree\nfour\nfive\n"}, "second", 1_700_000_100)
    git(repo, "checkout", "-q", "-b", "side")
    side = commit(repo, {"side.txt": "side\n"}, "side", 1_700_000_200)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"other.txt": "other\n"}, "other", 1_700_000_250)
    git(repo, "merge", "-q", "--no-ff", "-m", "merge side", "side", at=1_700_000_300)
    merge = git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "-a", "v1.0", "-m", "one", at=1_700_000_310)
    head = commit(repo, {"app.py": "one\nTWO\nthree\nfour\nFIVE\n"}, "head", 1_700_000_400)
    return Sample(repo, root, second, side, merge, head)
