"""States of the user's repository (G2): drafted on in any of them, refused in one line where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.codefix.refusal import DraftRefused
from subagents.codefix.store import DraftStore, drafts_dir
from subagents.gitstore.store import RepoUnusable
from tests.codefix.drafting import Bench, content, fsck, litter, untouched
from tests.fakes import FakeClock
from tests.gitstore.repos import commit, git, init


def _dirty(bench: Bench) -> None:
    (bench.repo / "a.py").write_text("changed\n")
    (bench.repo / "other.py").write_text("staged\n")
    git(bench.repo, "add", "other.py")
    (bench.repo / "untracked").write_text("u\n")


def _conflict(bench: Bench) -> None:
    git(bench.repo, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(bench.repo, {"other.py": "x = 9\n"}, "side")
    git(bench.repo, "checkout", "-q", "main")
    git(bench.repo, "merge", "-q", "side", check=False)


def _rebase(bench: Bench) -> None:
    git(bench.repo, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(bench.repo, {"other.py": "x = 9\n"}, "side")
    git(bench.repo, "rebase", "-q", "main", check=False)


def _locked(bench: Bench) -> None:
    for name in ("index.lock", "HEAD.lock", "refs/heads/main.lock", "packed-refs.lock", "config.lock", "shallow.lock"):
        (bench.repo / ".git" / name).write_text("")


def _sparse(bench: Bench) -> None:
    git(bench.repo, "sparse-checkout", "set", "--cone", "dir")


def _packed(bench: Bench) -> None:
    git(bench.repo, "gc", "-q", "--prune=now")
    git(bench.repo, "pack-refs", "--all")


def _graphed(bench: Bench) -> None:
    git(bench.repo, "commit-graph", "write", "--reachable")
    git(bench.repo, "multi-pack-index", "write", check=False)
    git(bench.repo, "repack", "-q", "-a", "-d", "--write-bitmap-index")


def _detached(bench: Bench) -> None:
    git(bench.repo, "checkout", "-q", "--detach", "HEAD")


def _case_clash(bench: Bench) -> None:
    commit(bench.repo, {"Readme": "1\n", "README": "2\n", "caf\u00e9": "1\n", "cafe\u0301": "2\n"}, "clash")


def _submodule(bench: Bench) -> None:
    git(bench.repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    (bench.repo / "module").mkdir()
    commit(bench.repo, {".gitmodules": '[submodule "module"]\n\tpath = module\n\turl = ext::sh -c x\n'}, "module")


def _read_only(bench: Bench) -> None:
    for path in sorted(bench.repo.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    bench.repo.chmod(0o555)


STATES = (
    _dirty,
    _conflict,
    _rebase,
    _locked,
    _sparse,
    _packed,
    _graphed,
    _detached,
    _case_clash,
    _submodule,
    _read_only,
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.strip("_"))
def test_a_draft_is_made_in_any_state_and_changes_nothing_of_the_users(bench: Bench, state: object) -> None:
    guilty = bench.head("HEAD~1")
    assert callable(state)
    state(bench)
    with untouched(bench.repo):
        draft = bench.revert(guilty)
        edit = bench.edit(("dir/sub/deep.txt", "deep", "low"))
    assert b"line 5\n" in content(draft, "a.py")
    assert fsck(edit) == ""
    assert litter(Path(draft.store)) == []


def _elsewhere(bench: Bench, repo: Path) -> Bench:
    return Bench(repo, bench.place.parent / f"{repo.name}.store")


def test_linked_bare_shallow_and_super_repositories(bench: Bench, tmp_path: Path) -> None:
    guilty = bench.head("HEAD~1")
    git(bench.repo, "worktree", "add", "-q", str(tmp_path / "linked"), "HEAD")
    git(tmp_path, "clone", "-q", "--bare", str(bench.repo), "bare.git")
    git(tmp_path, "clone", "-q", f"--reference={bench.repo}", str(bench.repo), "borrower")
    git(tmp_path, "clone", "-q", "--depth=3", bench.repo.as_uri(), "shallow")
    git(tmp_path, "clone", "-q", "--depth=2", bench.repo.as_uri(), "cut")
    with untouched(tmp_path / "bare.git"), untouched(bench.repo), untouched(tmp_path / "shallow"):
        trees = {
            _elsewhere(bench, tmp_path / name).revert(guilty).tree
            for name in ("linked", "bare.git", "borrower", "shallow")
        }
        assert trees == {bench.revert(guilty).tree}
        with pytest.raises(DraftRefused, match="unshallow"):
            _elsewhere(bench, tmp_path / "cut").revert(guilty)


def test_a_long_hash_repository_is_drafted_on_like_any_other(tmp_path: Path) -> None:
    long = Bench(init(tmp_path / "long", "--object-format=sha256"), tmp_path / "store")
    commit(long.repo, {"a": "1\n", "b": "1\n"}, "first")
    guilty = commit(long.repo, {"a": "2\n"}, "second")
    draft = long.revert(guilty)
    assert len(draft.commit) == 64
    assert content(draft, "a") == b"1\n"
    assert content(long.edit(("b", "1", "2")), "b") == b"2\n"
    assert fsck(draft) == ""


def test_a_partial_clone_is_refused_in_one_line_and_nothing_is_fetched(bench: Bench, tmp_path: Path) -> None:
    git(bench.repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", bench.repo.as_uri(), "partial")
    partial = _elsewhere(bench, tmp_path / "partial")
    with (
        untouched(partial.repo),
        pytest.raises(DraftRefused, match=r"partial clone, run `git fetch --refetch`") as caught,
    ):
        partial.revert(bench.head("HEAD~1"))
    assert "\n" not in str(caught.value)
    assert partial.branches() == {}


def test_unborn_corrupt_and_foreign_repositories_are_refused(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(RepoUnusable):
        Bench(init(tmp_path / "unborn"), tmp_path / "s1").store()
    blob = git(bench.repo, "rev-parse", "HEAD:dir/sub/deep.txt")
    broken = bench.repo / ".git" / "objects" / blob[:2] / blob[2:]
    broken.chmod(0o644)
    broken.write_bytes(b"garbage")
    with pytest.raises(DraftRefused, match="git fsck"):
        bench.revert(bench.head("HEAD~1"))
    assert bench.branches() == {}
    assert litter(bench.store().git_dir) == []


def test_a_store_that_cannot_be_written_and_one_that_is_not_ours_are_refused(bench: Bench) -> None:
    reader = bench.reader()
    place = drafts_dir(bench.place)
    (place.parent / "drafts.fresh.half").mkdir()
    place.mkdir()
    (place / "something").write_text("else")
    with pytest.raises(DraftRefused, match="is not a store of drafts"):
        DraftStore.open(reader, FakeClock())
    assert (place / "something").read_text() == "else"
    assert list(place.parent.glob("drafts.fresh*")) == []
