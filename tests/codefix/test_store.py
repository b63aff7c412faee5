"""The draft store: whole by itself (G11), many drafts at once (G6), kills at random."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from subagents.codefix.draft import draft_revert
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.store import BASES, Change, drafts_dir
from subagents.gitstore.process import GitFailed
from tests.codefix.drafting import ORDER, Bench, content, fsck, git_of, litter, untouched
from tests.gitstore.repos import ENVIRONMENT, commit, git

TOP = Path(__file__).resolve().parents[2]


def test_the_store_borrows_nothing_and_has_no_hooks_and_syncs(bench: Bench) -> None:
    draft = bench.revert(bench.head("HEAD~1"))
    store = Path(draft.store)
    assert store == drafts_dir(bench.place)
    assert not (store / "objects" / "info" / "alternates").exists()
    assert not (store / "hooks").exists()
    assert store.stat().st_mode & 0o077 == 0
    assert git_of(draft, "config", "core.fsync") == b"all\n"
    assert git_of(draft, "rev-list", "--all", "--count") == b"2\n", "the base has no history here, and needs none"
    shutil.rmtree(bench.repo)
    assert fsck(draft) == ""
    assert content(draft, "dir/sub/deep.txt") == b"deep\n"


def _rewrite(repo: Path) -> None:
    """Amend the tip and throw everything old away."""
    git(repo, "commit", "-q", "--amend", "--no-verify", "-m", "amended", "--allow-empty", at=1_700_000_999)
    git(repo, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    git(repo, "gc", "-q", "--prune=now")


def test_an_amend_and_a_gc_break_no_draft(bench: Bench) -> None:
    guilty, base = bench.head("HEAD~1"), bench.head()
    draft = bench.revert(guilty)
    _rewrite(bench.repo)
    assert git(bench.repo, "cat-file", "-e", base, check=False) == ""
    assert subprocess.run(["git", "cat-file", "-e", base], cwd=bench.repo, env=ENVIRONMENT, check=False).returncode != 0
    assert fsck(draft) == ""
    assert content(draft, "other.py") == b"x = 2\n"
    after = bench.revert(guilty)
    assert after.base == bench.head() != base
    assert fsck(after) == fsck(draft) == ""
    git(bench.repo, "reset", "-q", "--hard", "HEAD~2")
    _rewrite(bench.repo)
    assert fsck(after) == ""
    gone = "is not in this repository"
    with pytest.raises((DraftRefused, GitFailed), match=gone):
        draft_revert(bench.store(), ORDER, guilty, bench.base())


def test_a_store_with_alternates_is_broken_by_the_same_gc(bench: Bench, tmp_path: Path) -> None:
    """The teeth: a store that borrows does break."""
    base = bench.head()
    borrowing = tmp_path / "borrowing.git"
    git(tmp_path, "init", "-q", "--bare", str(borrowing))
    (borrowing / "objects" / "info" / "alternates").write_text(str(bench.repo / ".git" / "objects") + "\n")
    tree = git(borrowing, "rev-parse", f"{base}^{{tree}}")
    made = git(borrowing, "commit-tree", tree, "-p", base, "-m", "x", at=1_700_000_500)
    git(borrowing, "update-ref", "refs/heads/x", made)
    _rewrite(bench.repo)
    done = subprocess.run(["git", "fsck"], cwd=borrowing, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode != 0


def test_a_second_base_brings_only_what_is_new_and_a_lost_one_hinders_nothing(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    bench.revert(guilty)
    commit(bench.repo, {"more.py": "1\n"}, "more")
    second = bench.revert(guilty)
    packs = sorted((Path(second.store) / "objects" / "pack").glob("*.idx"), key=lambda p: p.stat().st_mtime_ns)
    assert packs[-1].stat().st_size < 1_500, "a commit, a tree, a blob"
    _rewrite(bench.repo)
    third = bench.revert(guilty)
    assert fsck(third) == ""
    assert len(list((Path(third.store) / BASES).glob("*"))) == 3


def test_eight_drafts_at_once_while_the_user_commits_and_collects(bench: Bench) -> None:
    _crowd(bench)


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(50))
def test_eight_drafts_at_once_fifty_times(bench: Bench, turn: int) -> None:
    _crowd(bench)


def _crowd(bench: Bench) -> None:
    guilty = [commit(bench.repo, {f"f{n}.py": f"v = {n}\n"}, f"change {n}", 1_700_001_000 + n) for n in range(8)]
    base = bench.head()

    def user() -> None:
        for turn in range(4):
            commit(bench.repo, {f"user{turn}.txt": "u\n"}, f"user {turn}")
            git(bench.repo, "gc", "-q", "--prune=now")

    with ThreadPoolExecutor(9) as pool:
        working = pool.submit(user)
        drafts = list(pool.map(lambda sha: bench.revert(sha, base=base), guilty))
        working.result()
    assert len({draft.branch for draft in drafts}) == 8
    assert bench.branches() == {draft.branch: draft.commit for draft in drafts}
    assert fsck(drafts[0]) == ""
    assert litter(Path(drafts[0].store)) == []
    assert git(bench.repo, "fsck", "--full", "--strict", "--no-dangling") == ""
    assert git(bench.repo, "log", "-1", "--format=%s") == "user 3"


def test_one_draft_asked_for_eight_times_at_once_is_one_draft(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    with ThreadPoolExecutor(8) as pool:
        drafts = list(pool.map(lambda _: bench.revert(guilty), range(8)))
    assert all(draft == drafts[0] for draft in drafts)
    assert bench.branches() == {drafts[0].branch: drafts[0].commit}


CHILD = """
import sys
from pathlib import Path
from tests.codefix.drafting import Bench
bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for guilty in sys.argv[3:]:
    bench.revert(guilty)
    bench.edit(("a.py", "line 7\\n", guilty + "\\n"))
print("done", flush=True)
"""


def _killed(bench: Bench, guilty: list[str], after_s: float) -> bool:
    """Draft in another process and kill it; say whether it was done before."""
    arguments = [sys.executable, "-c", CHILD, str(bench.repo), str(bench.place), *guilty]
    child = subprocess.Popen(
        arguments, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TOP)}
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == b"ready\n"
        child.stdin.write(b"go\n")
        child.stdin.flush()
        try:
            child.wait(timeout=after_s)
            return True
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
            return False


def _kill_often(bench: Bench, times: int, seed: int) -> None:
    guilty = [bench.head("HEAD~1"), commit(bench.repo, {"late.py": "1\n"}, "late change")]
    chance = random.Random(seed)
    finished = 0
    with untouched(bench.repo):
        for _ in range(times):
            finished += _killed(bench, guilty, chance.uniform(0.0, 0.5))
            if not drafts_dir(bench.place).exists():
                continue
            store = bench.store()
            for name, held in store.branches().items():
                kept = [json.loads(file.read_text()) for file in store.records.glob("d-*.json")]
                (record,) = [one["draft"] for one in kept if one["draft"]["commit"] == held]
                assert record["branch"] == name, "old or new, never between"
        whole = [bench.revert(sha) for sha in guilty]
    assert litter(Path(whole[0].store)) == []
    assert fsck(whole[0]) == ""
    assert [path.name for path in bench.place.iterdir() if path.name.startswith("drafts.fresh")] == []
    assert len(bench.branches()) <= 4


def test_killed_at_random_a_draft_is_there_or_not_and_litter_is_swept(bench: Bench) -> None:
    _kill_often(bench, 8, 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_killed_three_hundred_times(bench: Bench, seed: int) -> None:
    _kill_often(bench, 40, seed + 10)


def test_what_a_killed_run_leaves_is_swept_and_what_is_not_ours_stays(bench: Bench) -> None:
    draft = bench.revert(bench.head("HEAD~1"))
    store = Path(draft.store)
    for name in (
        "scratch.x/pack/tmp_pack_1",
        "index.y/index.lock",
        "refs/heads/triage/z.lock",
        "shallow.lock",
        "write.q",
    ):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text("half")
    for name in (
        "objects/ab/tmp_obj_1",
        "objects/pack/tmp_idx_1",
        "objects/pack/pack-1.pack",
        "warroom-drafts/write.1",
    ):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text("half")
    outside = bench.place.parent / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (store / "scratch.link").symlink_to(outside)
    assert bench.revert(bench.head("HEAD~1")) == draft
    assert litter(store) == ["scratch.link"]
    assert (outside / "kept").read_text() == "kept"
    assert fsck(draft) == ""


def test_a_running_draft_is_not_swept(bench: Bench) -> None:
    store = bench.store()
    with store.hold(), store.scratch() as place:
        bench.revert(bench.head("HEAD~1"))
        assert place.is_dir()
    bench.revert(bench.head("HEAD~1"))
    assert litter(store.git_dir) == []


def test_a_change_is_a_validated_line_or_nothing() -> None:
    zeros = "0" * 40
    assert Change("a/b", "100644", "a" * 40).line(zeros) == b"100644 " + b"a" * 40 + b"\ta/b\0"
    assert Change("a", "100644", None).line(zeros) == b"0 " + b"0" * 40 + b"\ta\0"
    for path, mode, blob in (
        ("../a", "100644", "a" * 40),
        ("a", "100666", "a" * 40),
        ("a", "100644", "HEAD"),
        ("a\0b", "100644", "a" * 40),
        (".git/x", "100644", "a" * 40),
    ):
        with pytest.raises(ValueError, match=r"no such mode|not a"):
            Change(path, mode, blob).line(zeros)
