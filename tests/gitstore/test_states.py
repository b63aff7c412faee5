"""Repositories in every state: read, or refused in one line; the user's files stay as they are."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from subagents.gitstore import environment, locate
from subagents.gitstore.log import LogQuery
from subagents.gitstore.process import Bounds, GitFailed
from subagents.gitstore.reader import Reader
from subagents.gitstore.revert import check_revert
from subagents.gitstore.store import IsolatedStore, RepoUnusable
from tests.gitstore.conftest import Sample
from tests.gitstore.repos import commit, fingerprint, git, init


def subjects(repo: Path, place: Path) -> list[str]:
    reader = Reader(IsolatedStore.open(repo, place))
    return [c.subject for c in reader.log(LogQuery((reader.store.state.head,)))]


def notes(repo: Path, place: Path) -> str:
    return " | ".join(note.line() for note in IsolatedStore.open(repo, place).state.notes)


def refusal(repo: Path, place: Path) -> RepoUnusable:
    with pytest.raises(RepoUnusable) as caught:
        IsolatedStore.open(repo, place)
    assert "\n" not in str(caught.value)
    assert not place.exists()
    return caught.value


def test_clean_opens_twice_from_many_threads_and_notes_nothing(sample: Sample, tmp_path: Path) -> None:
    before = fingerprint(sample.path)
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: IsolatedStore.open(sample.path, tmp_path / "s"), range(4)))
    assert {store.git_dir for store in stores} == {tmp_path / "s"}
    assert stores[0].state.notes == ()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("s")] == ["s"]
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "s" / "hooks").exists()
    assert fingerprint(sample.path) == before


def test_dirty_staged_and_unfinished_are_noted(sample: Sample, tmp_path: Path) -> None:
    (sample.path / "app.py").write_text("changed\n")
    (sample.path / "other.txt").write_text("staged\n")
    git(sample.path, "add", "other.txt")
    (sample.path / "side.txt").unlink()
    (sample.path / "untracked").write_text("u\n")
    (sample.path / ".git" / "MERGE_HEAD").write_text(sample.side + "\n")
    before = fingerprint(sample.path)
    said = notes(sample.path, tmp_path / "s")
    assert "3 uncommitted changed files (app.py, other.txt, side.txt)" in said
    assert "a merge is in progress" in said
    assert len(subjects(sample.path, tmp_path / "s")) == 6
    assert fingerprint(sample.path) == before


def test_detached_packed_bare_linked_and_submodule_gitfile(sample: Sample, tmp_path: Path) -> None:
    git(sample.path, "checkout", "-q", "--detach", sample.second)
    assert "HEAD is detached" in notes(sample.path, tmp_path / "s1")
    assert subjects(sample.path, tmp_path / "s1") == ["second", "root"]
    git(sample.path, "checkout", "-q", "main")
    git(sample.path, "worktree", "add", "-q", str(tmp_path / "linked"), "side")
    git(sample.path, "gc", "-q")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(sample.path), str(bare))
    before = fingerprint(sample.path)
    assert subjects(tmp_path / "linked", tmp_path / "s2") == ["side", "second", "root"]
    assert len(subjects(bare, tmp_path / "s3")) == 6
    assert len(subjects(sample.path, tmp_path / "s4")) == 6
    assert fingerprint(sample.path) == before
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / ".git").write_text("gitdir: /nowhere\n")
    assert refusal(tmp_path / "lost", tmp_path / "s5").trouble == "not a repository"


def test_shallow_is_usable_and_said(sample: Sample, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=2", sample.path.as_uri(), str(shallow))
    assert "shallow clone: its history is cut" in notes(shallow, tmp_path / "s")
    assert "head" in subjects(shallow, tmp_path / "s")
    git(shallow, "fetch", "-q", "--unshallow")
    assert notes(shallow, tmp_path / "s") == ""
    assert len(subjects(shallow, tmp_path / "s")) == 6


def test_a_partial_clone_gives_what_it_has(sample: Sample, tmp_path: Path) -> None:
    git(sample.path, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", sample.path.as_uri(), str(partial))
    assert "partial clone: some file contents are not here" in notes(partial, tmp_path / "s")
    reader = Reader(IsolatedStore.open(partial, tmp_path / "s"))
    commits = list(reader.log(LogQuery((sample.head,))))
    patches = reader.patches([c.sha for c in commits])
    assert len(patches) == 6
    assert patches[sample.merge].text == b""
    assert "unable to read" in patches[sample.root].reason
    with pytest.raises(GitFailed, match="not in this clone"):
        check_revert(reader, sample.second, sample.head)
    assert len(list((partial / ".git" / "objects" / "pack").glob("*.pack"))) == 1, "nothing was fetched"


def test_a_submodule_is_a_pointer_and_never_entered(sample: Sample, tmp_path: Path) -> None:
    outer = init(tmp_path / "outer")
    start = commit(outer, {"a": "1\n"}, "start")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(sample.path), "sub")
    added = commit(outer, {}, "submodule")
    head = commit(outer, {"a": "2\n"}, "head")
    before = fingerprint(tmp_path / "outer")
    reader = Reader(IsolatedStore.open(outer, tmp_path / "s1"))
    assert b"Subproject commit" in (reader.patches([added])[added].text or b"")
    assert check_revert(reader, added, head).files == (".gitmodules", "sub")
    assert subjects(outer / "sub", tmp_path / "s2")[0] == "head"
    assert not check_revert(reader, start, head).clean
    assert fingerprint(tmp_path / "outer") == before


def test_sha256_is_read_like_any_other(tmp_path: Path) -> None:
    repo = init(tmp_path / "long", "--object-format=sha256")
    first = commit(repo, {"a": "1\n"}, "first")
    second = commit(repo, {"a": "2\n"}, "second")
    reader = Reader(IsolatedStore.open(repo, tmp_path / "s"))
    assert len(second) == 64
    assert b"+2" in (reader.patches([second])[second].text or b"")
    assert reader.resolve([second[:10]]) == {second[:10]: second}
    assert reader.is_ancestor(first, second)


def test_unborn_is_refused_and_an_unborn_branch_falls_back(sample: Sample, tmp_path: Path) -> None:
    assert refusal(init(tmp_path / "unborn"), tmp_path / "s1").trouble == "unborn"
    git(sample.path, "symbolic-ref", "HEAD", "refs/heads/none")
    assert "HEAD is on none, which has no commit; refs/heads/main is read instead" in notes(
        sample.path, tmp_path / "s2"
    )


def test_corrupt_repositories_are_refused(sample: Sample, tmp_path: Path) -> None:
    for number, name in enumerate(("HEAD", "objects", "commit", "tree", "ref", "config")):
        repo = tmp_path / f"corrupt{number}"
        shutil.copytree(sample.path, repo)
        place = repo / ".git"
        if name == "HEAD":
            (place / "HEAD").unlink()
        elif name == "objects":
            shutil.rmtree(place / "objects")
        elif name == "ref":
            (place / "refs" / "heads" / "main").write_text("0" * 40 + "\n")
        elif name == "config":
            (place / "config").write_text("[core\n")
        else:
            oid = git(repo, "rev-parse", "HEAD" if name == "commit" else "HEAD^{tree}")
            broken = place / "objects" / oid[:2] / oid[2:]
            broken.chmod(0o644)
            broken.write_bytes(b"garbage")
        with pytest.raises(RepoUnusable) as caught:
            IsolatedStore.open(repo, tmp_path / f"s{number}")
        assert caught.value.trouble == "corrupt", name
        assert "\n" not in str(caught.value)


def test_no_repository_no_git_old_git(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    assert refusal(tmp_path / "plain", tmp_path / "s").trouble == "not a repository"
    assert refusal(tmp_path / "absent", tmp_path / "s").trouble == "not a repository"
    monkeypatch.setattr(locate, "MINIMUM", (99, 0))
    assert "99" not in str(refusal(sample.path, tmp_path / "s"))
    monkeypatch.setattr(locate, "git_program", lambda: None)
    assert "git is not installed" in str(refusal(sample.path, tmp_path / "s"))
    assert environment.parse_version("git version 2.39.5 (Apple Git-154)") == (2, 39)
    assert environment.parse_version("nonsense") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_foreign_owner_is_refused_until_allowed(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(sample.path, 12345, 12345)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    refused = refusal(sample.path, tmp_path / "s")
    assert refused.trouble == "foreign owner"
    assert "safe.directory" in str(refused)
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {sample.path}\n")
    assert IsolatedStore.open(sample.path, tmp_path / "s").state.head == sample.head


def test_a_store_of_another_repository_is_not_used(sample: Sample, tmp_path: Path) -> None:
    other = init(tmp_path / "other")
    commit(other, {"a": "1"}, "a")
    IsolatedStore.open(other, tmp_path / "s")
    with pytest.raises(RepoUnusable, match="is not a store for"):
        IsolatedStore.open(sample.path, tmp_path / "s")


def test_a_repository_that_hangs_is_refused(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    with (sample.path / ".git" / "config").open("a") as config:
        config.write(f"[include]\n\tpath = {tmp_path / 'fifo'}\n")
    monkeypatch.setattr(locate, "_PROBE", Bounds(timeout_s=0.3))
    assert "was stopped after 0.3 s" in str(refusal(sample.path, tmp_path / "s"))


@pytest.mark.skipif(sys.platform != "linux", reason="waits by pidfd, which only Linux has")
def test_git_dies_with_the_process_group_of_its_worker(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    code = (
        "from subagents.gitstore.process import GitProcess;"
        f"p = GitProcess(['-c', 'include.path={tmp_path / 'fifo'}', 'config', '--list']);"
        "print(p._process.pid, flush=True); list(p.chunks())"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root, start_new_session=True, text=True
    ) as worker:
        assert worker.stdout is not None
        handle = os.pidfd_open(int(worker.stdout.readline()))
        os.killpg(worker.pid, signal.SIGKILL)
    ended, _, _ = select.select([handle], [], [], 10)
    os.close(handle)
    assert ended


def test_odd_places(tmp_path: Path) -> None:
    repo = init(tmp_path / 'a "quoted" \\ place')
    sha = commit(repo, {"a": "1"}, "a")
    assert IsolatedStore.open(repo, tmp_path / "s").state.head == sha


def test_what_killed_runs_left_is_swept_once_it_is_old(sample: Sample, tmp_path: Path) -> None:
    place = tmp_path / "s"
    IsolatedStore.open(sample.path, place)
    (tmp_path / "outside").mkdir()
    (place / "index.link").symlink_to(tmp_path / "outside")
    left = [place / "index.1/index", place / "scratch.2/pack/x", place / "shallow.3", tmp_path / "s.abcdefgh/HEAD"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    IsolatedStore.open(sample.path, place)
    assert all(path.exists() for path in left), "it may be in use"
    for path in (place / "index.1", place / "scratch.2", place / "shallow.3", tmp_path / "s.abcdefgh"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    os.utime(place / "index.link", (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    IsolatedStore.open(sample.path, place)
    assert not any(path.exists() for path in left)
    assert not (place / "index.link").is_symlink()
    assert (tmp_path / "outside").is_dir()
