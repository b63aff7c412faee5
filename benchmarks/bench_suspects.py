"""The suspicion pass over a generated history of 10,000 commits, beside plain git and GitPython's commit.stats.

All are run in one go, interleaved; the figures are medians. `commit.stats` runs on a sample and is scaled up.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

COMMITS = 10_000
ROUNDS = 5
SAMPLE = 40
CULPRIT_FROM_TIP = 137
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def generate(place: Path, commits: int) -> Path:
    """Write a history of a monorepo with 20 services and 1,000 files; one commit lowers a pool."""
    random.seed(7)
    repo = place / f"history-{commits}"
    subprocess.run(["git", "init", "-q", "--bare", str(repo)], env=ENVIRONMENT, check=True)
    feed = subprocess.Popen(
        ["git", f"--git-dir={repo}", "fast-import", "--quiet"], stdin=subprocess.PIPE, env=ENVIRONMENT, cwd="/"
    )
    assert feed.stdin is not None
    held: dict[str, list[str]] = {}
    base = int((NOON - timedelta(hours=2)).timestamp()) - commits * 60
    for number in range(commits):
        name = f"services/svc{number % 20}/mod{number % 1000 // 20}.py"
        start = ["    pool_size = 40\n", *(f"    value_{k} = compute_{k}(row_{number % 1000})\n" for k in range(80))]
        content = held.setdefault(name, start)
        first = random.randrange(1, 70)
        for row in range(first, first + random.randrange(1, 9)):
            content[row] = f"    value_{row} = compute_{number % 7}(row, {number})\n"
        if number == commits - CULPRIT_FROM_TIP:
            content[0] = "    pool_size = 4\n"
        body = "".join(content).encode()
        message = f"svc{number % 20}: adjust handling of case {number}\n\nSome reasons.".encode()
        feed.stdin.write(b"commit refs/heads/main\ncommitter A <a@b> %d +0000\n" % (base + number * 60))
        feed.stdin.write(b"data %d\n%s\n" % (len(message), message))
        feed.stdin.write(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(body), body))
    feed.stdin.close()
    if feed.wait() != 0:
        raise SystemExit("the history could not be generated")
    subprocess.run(["git", f"--git-dir={repo}", "symbolic-ref", "HEAD", "refs/heads/main"], env=ENVIRONMENT, check=True)
    return repo


def plain_log(repo: Path, commits: int) -> None:
    """Run what a person would: git log with the changed paths."""
    arguments = ["log", f"-{commits}", "--raw", "--no-renames", "-z", "main"]
    subprocess.run(["git", f"--git-dir={repo}", *arguments], env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)


def suspicion(repo: Path, store: Path) -> str:
    """Run the whole pass: log, score, patches of the shortlist, score again. Returns the best commit's reason."""
    from subagents.clock import SystemClock
    from subagents.contract import Finding, SourceSpec, ToolContext
    from subagents.deploys.catalogue import ChangeCatalogue
    from subagents.deploys.model import SuspectsParams
    from subagents.deploys.tools import ChangeTools

    spec = SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(store)})
    finding = Finding(
        agent="logs", claim="TimeoutError: pool exhausted, pool_size reached", topic="errors", at=NOON,
        services=(f"svc{(COMMITS - CULPRIT_FROM_TIP) % 20}",), terms=("pool_size",),
    )  # fmt: skip
    params = SuspectsParams(start=(NOON - timedelta(hours=6)).isoformat(), end=NOON.isoformat(), onset=NOON.isoformat())
    context = ToolContext(key="bench", clock=SystemClock(), findings=(finding,))
    result = ChangeTools(ChangeCatalogue([spec])).suspects(params, context).need()
    best = result.suspects[0]
    return f"{result.total} commits scored; best {best.score:.2f}: {best.reasons()[:90]}"


def commit_stats(repo: Path) -> float:
    """Return seconds that GitPython's object API takes for the diffs of SAMPLE commits."""
    import git

    handle = git.Repo(str(repo), expand_vars=False)
    started = time.perf_counter()
    for commit in handle.iter_commits("main", max_count=SAMPLE):
        assert commit.stats.total["files"] >= 0
    handle.close()
    return time.perf_counter() - started


def peak_mib(repo: Path, store: Path) -> float:
    """Return the peak resident memory of a process that does the pass, in MiB."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from pathlib import Path;"
        f"from benchmarks.bench_suspects import suspicion; suspicion(Path({str(repo)!r}), Path({str(store)!r}));"
        "print(next(ln.split()[1] for ln in open('/proc/self/status') if ln.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


def main() -> None:
    """Print the figures and how they relate."""
    place = Path(tempfile.mkdtemp(prefix="bench-suspects."))
    try:
        repo = generate(place, COMMITS)
        times: dict[str, list[float]] = {"git log --raw": [], "suspicion pass": [], "commit.stats": []}
        said = ""
        for number in range(ROUNDS):
            started = time.perf_counter()
            plain_log(repo, COMMITS)
            times["git log --raw"].append(time.perf_counter() - started)
            started = time.perf_counter()
            said = suspicion(repo, place / f"store-{number}")
            times["suspicion pass"].append(time.perf_counter() - started)
            times["commit.stats"].append(commit_stats(repo) * COMMITS / SAMPLE)
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, value in medians.items():
            scaled = f" (scaled from {SAMPLE} commits)" if name == "commit.stats" else ""
            print(f"{name:16} {value:8.2f} s{scaled}")
        print(said)
        ours = medians["suspicion pass"]
        print(f"suspicion pass / git log --raw: {ours / medians['git log --raw']:.1f}x (bar: at most 3x)")
        print(f"commit.stats / suspicion pass: {medians['commit.stats'] / ours:.0f}x (bar: at least 50x)")
        small = generate(place, COMMITS // 4)
        print(f"peak memory: {peak_mib(small, place / 's'):.0f} MiB for {COMMITS // 4} commits, "
              f"{peak_mib(repo, place / 'b'):.0f} MiB for {COMMITS}")  # fmt: skip
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
