"""The bundled repository: a history of its own, and a culprit that dropped the test which would have caught it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.demo.bundled import BUNDLE, DATA
from orchestrator.demo.recorder.history import build_repository, closed_environment, commit_of, export, git

CULPRIT = "Flatten place_order"
DROPPED = "test_a_declined_card_gives_its_connection_back"
TESTS = "tests/test_checkout.py"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cloned") / "repo"
    command = ["git", "clone", "-q", str(DATA / BUNDLE), str(place)]
    subprocess.run(command, env=closed_environment(), check=True, capture_output=True)
    return place


def culprit(repo: Path) -> str:
    found = git(repo, "log", "--format=%H", f"--grep=^{CULPRIT}").decode().split()
    assert len(found) == 1
    return found[0]


def show(repo: Path, revision: str, path: str) -> str:
    return git(repo, "show", f"{revision}:{path}").decode()


def test_the_bundle_is_whole_and_has_a_history(repo: Path) -> None:
    git(repo, "bundle", "verify", str(DATA / BUNDLE))
    git(repo, "fsck", "--strict")
    assert len(git(repo, "rev-list", "main").split()) >= 30
    assert len(set(git(repo, "log", "--format=%ae").decode().split())) >= 3
    assert len(git(repo, "tag").split()) >= 6
    assert git(repo, "status", "--porcelain") == b""


def test_the_series_still_makes_the_same_commits(repo: Path, tmp_path: Path) -> None:
    build_repository(tmp_path / "again")
    assert commit_of(tmp_path / "again", "main") == commit_of(repo, "main")
    assert git(tmp_path / "again", "show-ref", "--tags") == git(repo, "show-ref", "--tags")


def test_every_deploy_is_of_a_tagged_commit(repo: Path) -> None:
    deploys = json.loads((DATA / "deploys.json").read_text())
    assert [deploy["commit"] for deploy in deploys] == [commit_of(repo, deploy["id"]) for deploy in deploys]


def test_the_culprit_dropped_the_test_and_its_revert_brings_it_back(repo: Path, tmp_path: Path) -> None:
    bad = culprit(repo)
    assert DROPPED in show(repo, f"{bad}^", TESTS)
    assert DROPPED not in show(repo, bad, TESTS)
    deployed = commit_of(repo, "storefront-v1.4.0")
    assert bad != deployed
    assert DROPPED not in show(repo, deployed, TESTS)
    work = tmp_path / "work"
    git(repo, "worktree", "add", "-q", "--detach", str(work), deployed)
    git(work, "revert", "--no-commit", bad)
    assert DROPPED in (work / TESTS).read_text()
    assert run_test(work) == 0
    export(repo, deployed, tmp_path / "base")
    assert run_test(tmp_path / "base") != 0, "the test is not there, so nothing is collected"
    (tmp_path / "base" / TESTS).write_text((work / TESTS).read_text())
    assert run_test(tmp_path / "base") == 1


def run_test(tree: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS, "-k", DROPPED]
    return subprocess.run(command, cwd=tree, env=closed_environment(), capture_output=True, check=False).returncode
