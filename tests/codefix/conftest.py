"""A repository with a guilty commit in its middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codefix.drafting import Bench
from tests.gitstore.repos import commit, init


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """main: root, guilty (a.py), later (other.py)."""
    repo = init(tmp_path / "user")
    lines = "".join(f"line {number}\n" for number in range(1, 41))
    commit(repo, {"a.py": lines, "other.py": "x = 1\n", "dir/sub/deep.txt": "deep\n"}, "root", 1_700_000_000)
    guilty = lines.replace("line 5\n", "fifth\n").replace("line 30\n", "thirtieth\n")
    commit(repo, {"a.py": guilty}, "cache: cut the TTL", 1_700_000_100)
    commit(repo, {"other.py": "x = 2\n"}, "later", 1_700_000_200)
    return Bench(repo, tmp_path / "state" / "fix.git")
