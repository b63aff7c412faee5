"""Drafts: a revert in our own store, first with the copy of its base and then warm, beside a work tree and git revert.

`WARROOM_BENCH_FILES` and `WARROOM_BENCH_COMMITS` set the repository's size (default 10,000 and 3,000).
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from subagents.codefix.bases import Base
from subagents.codefix.draft import Order, draft_edit, draft_revert
from subagents.codefix.edits import Replacement
from subagents.codefix.store import DraftStore
from subagents.gitstore.reader import Reader
from subagents.gitstore.store import IsolatedStore
from tests.fakes import FakeClock

ORDER = Order(source="repo", incident="INC-1", why="it broke the sums")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
WHO = "Ada <ada@example.org>"
ROUNDS = 15


def git(repo: Path, *arguments: str, stdin: bytes = b"") -> str:
    names = {f"GIT_{role}_{part}": "a@b" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    command = ["git", "-c", "gc.auto=0", *arguments]
    done = subprocess.run(command, cwd=repo, env={**ENVIRONMENT, **names}, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def _file(rng: random.Random, number: int) -> bytes:
    lines = [f"def step_{number}_{line}(value):\n    return value * {rng.getrandbits(40)}\n" for line in range(20)]
    return "\n".join(lines).encode()


def generate(repo: Path, files: int, commits: int) -> None:
    """Make a repository by fast-import: one commit with every file, then commits that change one file each."""
    rng = random.Random(7)
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    stream: list[bytes] = []

    def commit(mark: int, text: str, changes: list[tuple[str, bytes]]) -> None:
        stream.append(f"commit refs/heads/main\ncommitter {WHO} {1_700_000_000 + mark} +0000\n".encode())
        stream.append(b"data %d\n%s\n" % (len(text), text.encode()))
        for path, data in changes:
            stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))

    names = [f"pkg{number % 97:02}/part{number % 7}/m{number:05}.py" for number in range(files)]
    commit(0, "start", [(name, _file(rng, number)) for number, name in enumerate(names)])
    for mark in range(1, commits):
        number = rng.randrange(files)
        commit(mark, f"change {mark}", [(names[number], _file(rng, number))])
    git(repo, "fast-import", "--quiet", stdin=b"".join(stream))
    git(repo, "repack", "-q", "-a", "-d")
    git(repo, "reset", "-q", "--hard", "main")


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def _spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"median {statistics.median(ordered):7.1f} ms   best {ordered[0]:7.1f}   worst {ordered[-1]:7.1f}"


def _as_people_do(repo: Path, place: Path, commit: str) -> None:
    git(repo, "worktree", "add", "-q", "--detach", str(place), "main")
    git(place, "revert", "--no-edit", commit)


def main() -> None:
    """Print milliseconds and ratios."""
    files = int(os.environ.get("WARROOM_BENCH_FILES", "10000"))
    commits = int(os.environ.get("WARROOM_BENCH_COMMITS", "3000"))
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder) / "repo"
        generate(repo, files, commits)
        recent = git(repo, "log", "--format=%H", f"-n{ROUNDS}", "main").split()
        base = Base(recent[0], "tip of main")
        print(f"{files} files, {commits} commits, {git(repo, 'version')}")
        copies = []
        for turn in range(3):
            reader = Reader(IsolatedStore.open(repo, Path(folder) / f"store{turn}.git"))
            store = DraftStore.open(reader, FakeClock())
            copies.append(_timed(lambda: store.bring_base(base.commit)))  # noqa: B023  run at once
        size = sum(file.stat().st_size for file in store.git_dir.rglob("*") if file.is_file()) / 2**20
        reverts = [_timed(lambda: draft_revert(store, ORDER, sha, base)) for sha in recent]  # noqa: B023
        path = git(repo, "ls-tree", "-r", "--name-only", "main").split("\n")[1]
        edits = [
            _timed(lambda: draft_edit(store, ORDER, base, "edit", [Replacement(path, "_0(value)", f"_0(v{turn})")]))  # noqa: B023
            for turn in range(ROUNDS)
        ]
        others = []
        for turn, sha in enumerate(recent[:5]):
            others.append(_timed(lambda: _as_people_do(repo, Path(folder) / f"tree{turn}", sha)))  # noqa: B023
        print(f"copy of the base      {_spread(copies)}   {size:.1f} MiB")
        print(f"draft a revert, warm  {_spread(reverts)}")
        print(f"draft an edit, warm   {_spread(edits)}")
        print(f"worktree add + revert {_spread(others)}")
        warm, theirs = statistics.median(reverts), statistics.median(others)
        first = warm + statistics.median(copies)
        print(f"worktree + revert / warm draft: {theirs / warm:.1f}x; / first draft: {theirs / first:.1f}x")


if __name__ == "__main__":
    main()
