"""Delivery into repositories of every kind and in every state: the same one ref, and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.hands.delivery import deliver
from tests.fix.bench import BRANCH, added, assert_only_ref, git, render, snapshot, write_repo
from tests.fix.conftest import Make


async def test_a_linked_work_tree_gets_the_ref_in_its_common_directory(make: Make, tmp_path: Path) -> None:
    main = tmp_path / "main"
    write_repo(main)
    git(main, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    bench = await make(repo=tmp_path / "linked")
    before = snapshot(main, tmp_path / "linked")
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    new = added(before, snapshot(main, tmp_path / "linked"))
    assert str(main / ".git" / "refs" / "heads" / BRANCH) in new
    assert not [path for path in new if path.startswith(str(main / ".git" / "worktrees"))]
    assert not [path for path in new if path.startswith(str(tmp_path / "linked"))]


async def test_a_bare_repository_keeps_no_log_unless_it_keeps_logs(make: Make, tmp_path: Path) -> None:
    write_repo(tmp_path / "user")
    git(tmp_path, "clone", "-q", "--bare", str(tmp_path / "user"), str(tmp_path / "bare.git"))
    bench = await make(repo=tmp_path / "bare.git")
    before = snapshot(bench.repo)
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    assert_only_ref(before, bench, bench.repo, log=False)


@pytest.mark.parametrize(
    ("state", "log"),
    [
        ("packed refs", True),
        ("no logs", False),
        ("shared", True),
        ("sha256", True),
        ("shallow", True),
        ("packed", True),
    ],
)
async def test_repositories_of_other_kinds(make: Make, tmp_path: Path, state: str, log: bool) -> None:
    repo = tmp_path / "user"
    write_repo(repo, "sha256" if state == "sha256" else "sha1")
    match state:
        case "packed refs":
            git(repo, "pack-refs", "--all")
        case "no logs":
            git(repo, "config", "core.logAllRefUpdates", "false")
        case "shared":
            git(repo, "config", "core.sharedRepository", "group")
            (repo / ".git" / "objects").chmod(0o2770)
        case "packed":
            git(repo, "gc", "-q")
        case "shallow":
            git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", str(tmp_path / "cut"))
            repo = tmp_path / "cut"
    bench = await make(repo=repo)
    before = snapshot(repo)
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    assert bench.ref() == bench.draft.commit
    assert_only_ref(before, bench, repo / ".git", log)
    objects = repo / ".git" / "objects"
    placed = objects / bench.draft.commit[:2] / bench.draft.commit[2:]
    assert stat.S_IMODE(placed.parent.stat().st_mode) == stat.S_IMODE(objects.stat().st_mode)
    assert stat.S_IMODE(placed.stat().st_mode) == 0o444 & objects.stat().st_mode


UNUSUAL = {
    "detached": ["checkout", "-q", "--detach"],
    "merging": ["merge", "--no-ff", "--no-commit", "-q", "side"],
    "bisecting": ["bisect", "start", "HEAD", "HEAD~1"],
    "sparse": ["sparse-checkout", "set", "app"],
    "many refs": ["pack-refs", "--all"],
}


@pytest.mark.parametrize("state", [*UNUSUAL, "index locked", "packed-refs locked", "submodule", "worktree settings"])
async def test_repositories_in_the_middle_of_something(make: Make, tmp_path: Path, state: str) -> None:
    repo = tmp_path / "user"
    write_repo(repo)
    common = repo / ".git"
    if state in UNUSUAL:
        git(repo, "stash", "-q")
        git(repo, "branch", "side", "HEAD~1")
        tree = git(repo, "rev-parse", "HEAD~1^{tree}")
        git(repo, "update-ref", "refs/heads/side", git(repo, "commit-tree", tree, "-p", "HEAD~1", "-m", "side"))
        git(repo, *UNUSUAL[state])
    elif state == "submodule":
        top = tmp_path / "super"
        top.mkdir()
        git(top, "init", "-q")
        git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo), "inner")
        repo, common = top / "inner", top / ".git" / "modules" / "inner"
    elif state == "worktree settings":
        git(repo, "config", "extensions.worktreeConfig", "true")
    bench = await make(repo=repo)
    if state.endswith("locked"):
        (common / f"{state.split(' ')[0]}.lock").write_text("")
    before = snapshot(repo, common)
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    assert_only_ref(before, bench, common)
