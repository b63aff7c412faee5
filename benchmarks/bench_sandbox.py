"""The sandbox: what a start costs beside a bare exec, and an export beside `git worktree add` and `checkout-index`."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench_drafts import generate, git
from subagents.codefix.export import Trees, export
from subagents.codefix.limits import SandboxLimits
from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_dirs import remove_run_dir
from subagents.codefix.sandbox_mounts import View

STARTS = 40
EXPORTS = 3
SIZES = (1_000, 10_000)


def measured(act: Callable[[], object], rounds: int, undo: Callable[[], object] = lambda: None) -> str:
    """Return the median and the worst of some rounds, in milliseconds; undoing is not timed."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
        undo()
    return f"median {statistics.median(taken):8.1f} ms   worst {max(taken):8.1f} ms"


def starts(box: Sandbox, place: Path) -> None:
    """Time `true`: bare, behind bwrap alone, and as test runs are started."""
    bare = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"]
    print(f"bare exec                       {measured(lambda: subprocess.run(['/bin/true'], check=True), STARTS)}")
    print(f"bwrap, namespaces only          {measured(lambda: subprocess.run(bare, check=True), STARTS)}")
    job = SandboxJob(("/bin/true",), View(place), limits=SandboxLimits(wall_s=30))
    print(f"a test run (all walls, bounds)  {measured(lambda: box.run(job), STARTS)}")


def exports(place: Path, files: int) -> None:
    """Time the writing of a whole tree."""
    repo = place / f"repo-{files}"
    generate(repo, files, 1)
    head = git(repo, "rev-parse", "HEAD")
    trees = Trees(repo / ".git")

    out = place / "out"

    def checkout_index() -> None:
        index = {"GIT_INDEX_FILE": str(place / "index"), "GIT_DIR": str(repo / ".git"), "PATH": os.environ["PATH"]}
        out.mkdir()
        for words in (["read-tree", head], ["checkout-index", "-a", f"--prefix={out}/"]):
            subprocess.run(["git", *words], env=index, cwd="/", check=True)

    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "export": (lambda: export(trees, trees.entries(head).values(), out), lambda: remove_run_dir(place, "out")),
        "git checkout-index": (checkout_index, lambda: remove_run_dir(place, "out")),
        "git worktree add": (
            lambda: git(repo, "worktree", "add", "-q", "--detach", str(out), head),
            lambda: git(repo, "worktree", "remove", "--force", str(out)),
        ),
    }
    for name, (act, undo) in ways.items():
        print(f"{files:6} files, {name:18}      {measured(act, EXPORTS, undo)}")


def main() -> None:
    """Print the tables."""
    box = Sandbox()
    print(box.probe().line())
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if box.probe().usable:
            (place / "work").mkdir()
            starts(box, place / "work")
        for files in SIZES:
            exports(place, files)


if __name__ == "__main__":
    main()
