"""The suspicion pass over two generated histories of 10,000 commits, beside plain git and GitPython's commit.stats.

All are run in one go, interleaved, after one pass that is not counted. A busy machine takes its share of the clock
from whoever runs at the time: the best round of each and the seconds of processors say what is left without that.
`commit.stats` runs on a sample and is scaled up.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

COMMITS = 10_000
ROUNDS = 7
SAMPLE = 40
CULPRIT_FROM_TIP = 137
FAILING = f"svc{(COMMITS - CULPRIT_FROM_TIP) % 20}"
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
    return _packed(repo, feed)


def _packed(repo: Path, feed: subprocess.Popen[bytes]) -> Path:
    """End an import and pack the repository as a clone is: fast-import's own pack is a poor one, by its manual."""
    assert feed.stdin is not None
    feed.stdin.close()
    if feed.wait() != 0:
        raise SystemExit("the history could not be generated")
    for command in (["symbolic-ref", "HEAD", "refs/heads/main"], ["repack", "-a", "-d", "-f", "-q", "--threads=1"]):
        subprocess.run(["git", f"--git-dir={repo}", *command], env=ENVIRONMENT, check=True)
    return repo


def generate_code(place: Path, commits: int) -> Path:
    """Write a history of 20 services whose files are those of the standard library; commits touch one to five files."""
    chosen = random.Random(11)
    root = Path(sysconfig.get_path("stdlib"))
    seeds = sorted(p for p in root.rglob("*.py") if 800 < p.stat().st_size < 16_000 and "site-packages" not in p.parts)
    texts = {
        f"services/svc{number % 20}/{path.relative_to(root)}": path.read_text("utf-8", "replace").splitlines(
            keepends=True
        )
        for number, path in enumerate(seeds[:1500])
    }
    names, pool = list(texts), [line for text in texts.values() for line in text if line.strip()]
    guilty = next(name for name in names if name.startswith(f"services/{FAILING}/"))
    texts[guilty].insert(0, "pool_size = 40\n")
    repo = place / f"code-{commits}"
    subprocess.run(["git", "init", "-q", "--bare", str(repo)], env=ENVIRONMENT, check=True)
    feed = subprocess.Popen(
        ["git", f"--git-dir={repo}", "fast-import", "--quiet"], stdin=subprocess.PIPE, env=ENVIRONMENT, cwd="/"
    )
    assert feed.stdin is not None
    base = int((NOON - timedelta(hours=2)).timestamp()) - commits * 60
    for number in range(commits):
        touched = names if number == 0 else chosen.sample(names, chosen.choice((1, 1, 1, 2, 2, 3, 5)))
        if number == commits - CULPRIT_FROM_TIP:
            touched = [*touched, guilty]
            texts[guilty] = [line.replace("pool_size = 40", "pool_size = 4") for line in texts[guilty]]
        body = "\n".join(" ".join(chosen.choice(pool).split()) for _ in range(chosen.randrange(6)))
        message = f"{touched[0].split('/')[2]}: {' '.join(chosen.choice(pool).split()[:6])}\n\n{body}".encode()
        head = b"commit refs/heads/main\ncommitter A%d <a@b> %d +0000\n" % (number % 37, base + number * 60)
        feed.stdin.write(head + b"data %d\n%s\n" % (len(message), message))
        for name in touched:
            content = texts[name]
            for _ in range(chosen.randrange(1, 4) if number else 0):
                at = chosen.randrange(1, len(content))
                content[at : at + chosen.randrange(1, 9)] = chosen.sample(pool, chosen.randrange(1, 9))
            data = "".join(content).encode()
            feed.stdin.write(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data))
        feed.stdin.write(b"\n")
    return _packed(repo, feed)


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
        services=(FAILING,), terms=("pool_size",),
    )  # fmt: skip
    params = SuspectsParams(start=(NOON - timedelta(hours=6)).isoformat(), end=NOON.isoformat(), onset=NOON.isoformat())
    context = ToolContext(key="bench", clock=SystemClock(), findings=(finding,))
    result = ChangeTools(ChangeCatalogue([spec])).suspects(params, context).need()
    best = result.suspects[0]
    return f"{result.total} commits scored; best {best.score:.2f}: {best.reasons()[:90]}"


def sample(repo: Path) -> list[str]:
    """Return SAMPLE commits from all over the history."""
    asked = ["git", f"--git-dir={repo}", "rev-list", "main"]
    listed = subprocess.run(asked, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.split()
    return listed[:: len(listed) // SAMPLE][:SAMPLE]


def commit_stats(repo: Path, shas: list[str]) -> None:
    """Ask GitPython's object API for the diffs of some commits."""
    import git

    handle = git.Repo(str(repo), expand_vars=False)
    for sha in shas:
        commit = handle.commit(sha)
        assert commit.stats.total["files"] >= 0
    handle.close()


def peak_mib(repo: Path, store: Path) -> float:
    """Return the peak resident memory of a process that does the pass, in MiB."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from pathlib import Path;"
        f"from benchmarks.bench_suspects import suspicion; suspicion(Path({str(repo)!r}), Path({str(store)!r}));"
        "print(next(ln.split()[1] for ln in open('/proc/self/status') if ln.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


@dataclass
class Spent:
    """Seconds by the clock and of processors, of each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def measured(self, times: float = 1.0) -> Iterator[None]:
        """Add what a block takes, its child processes included, for so many of it."""
        started, used = time.perf_counter(), _cpu()
        yield
        self.wall.append((time.perf_counter() - started) * times)
        self.cpu.append((_cpu() - used) * times)

    def told(self) -> str:
        """Return the figures in a row."""
        median, best = statistics.median(self.wall), min(self.wall)
        return f"{median:8.3f} s   best {best:8.3f} s   {statistics.median(self.cpu):8.3f} s of processors"


def _cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def compare(place: Path, repo: Path, what: str) -> None:
    """Run all on one history, interleaved, and print the medians and how they relate."""
    plain, ours, stats = Spent(), Spent(), Spent()
    asked, said = sample(repo), suspicion(repo, place / f"{repo.name}.warm")
    for number in range(ROUNDS):
        with plain.measured():
            plain_log(repo, COMMITS)
        with ours.measured():
            said = suspicion(repo, place / f"{repo.name}.{number}")
        with stats.measured(COMMITS / SAMPLE):
            commit_stats(repo, asked)
    print(f"{what}: {said}")
    for name, spent in {"git log --raw": plain, "suspicion pass": ours, "commit.stats": stats}.items():
        print(f"  {name:16} {spent.told()}{f'  (from {SAMPLE} commits)' if spent is stats else ''}")
    for name, over, under, bar in (
        ("suspicion pass / git log --raw", ours, plain, "at most 3x"),
        ("commit.stats / suspicion pass", stats, ours, "at least 50x"),
    ):
        median = statistics.median(a / b for a, b in zip(over.wall, under.wall, strict=True))
        cpu = statistics.median(over.cpu) / statistics.median(under.cpu)
        best = min(over.wall) / min(under.wall)
        print(f"  {name}: {median:.1f}x, best rounds {best:.1f}x, processors {cpu:.1f}x (bar: {bar})")


def main() -> None:
    """Print the figures and how they relate."""
    place = Path(tempfile.mkdtemp(prefix="bench-suspects."))
    try:
        small = generate(place, COMMITS)
        compare(place, generate_code(place, COMMITS), "files of real code")
        compare(place, small, "small files, one to a commit")
        quarter = generate(place, COMMITS // 4)
        print(f"peak memory: {peak_mib(quarter, place / 's'):.0f} MiB for {COMMITS // 4} commits, "
              f"{peak_mib(small, place / 'b'):.0f} MiB for {COMMITS}")  # fmt: skip
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
