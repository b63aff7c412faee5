"""Pushing: a new branch or nothing, whatever the remote does; local bare remotes stand for all remotes."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from orchestrator.hands import push as module
from orchestrator.hands.fix_fold import Fix
from orchestrator.hands.fix_terms import FixChanged, FixRefused, zeros
from orchestrator.hands.pull_request import Place, commands_of, text_of
from orchestrator.hands.push import PushTerms, push, refuse_inside, remote_value, require_url, verify_push
from orchestrator.hands.repo_policy import policy_of
from subagents.codefix.fixes import Check, SuiteRun
from subagents.gitstore.locate import locate
from tests.fix.bench import BRANCH, Bench, changed, git, render, snapshot, write_draft

REF = f"refs/heads/{BRANCH}"


@pytest.fixture
def remote(tmp_path: Path, bench: Bench) -> Path:
    """A bare remote that has what the user has."""
    place = tmp_path / "remote.git"
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", str(bench.repo), str(place))
    return place


def terms_for(bench: Bench, remote: Path | str, **changes: str) -> PushTerms:
    draft = bench.draft
    given = {
        "draft": draft.id,
        "commit": draft.commit,
        "tree": draft.tree,
        "parent": draft.base,
        "url": f"file://{remote}" if isinstance(remote, Path) else remote,
        "ref": REF,
        "expected": zeros(draft.commit),
        "diff_digest": draft.diff_digest,
        "store": str(bench.store),
        **changes,
    }
    return PushTerms.model_validate(given)


def hook(remote: Path, name: str, script: str) -> None:
    path = remote / "hooks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def refs(remote: Path) -> str:
    return git(remote, "for-each-ref", "--format=%(refname) %(objectname)")


def test_a_new_branch_appears_and_the_user_s_repository_is_not_touched(bench: Bench, remote: Path) -> None:
    before, theirs = refs(remote), snapshot(bench.repo)
    pushed = push(terms_for(bench, remote))
    assert pushed.done is True
    assert set(refs(remote).splitlines()) - set(before.splitlines()) == {f"{REF} {bench.draft.commit}"}
    assert not changed(theirs, snapshot(bench.repo))
    assert push(terms_for(bench, remote)).done is True  # twice is the same as once


def test_no_hook_and_no_setting_of_the_user_takes_part(bench: Bench, remote: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    hook(bench.repo / ".git", "pre-push", f"touch {mark}")
    git(bench.repo, "config", "push.gpgSign", "true")
    git(bench.repo, "config", "url.file:///nonexistent/.pushInsteadOf", "file:///")
    assert push(terms_for(bench, remote)).done is True
    assert not mark.exists()


def test_another_commit_under_that_name_is_never_replaced(bench: Bench, remote: Path) -> None:
    other = write_draft(bench.store, bench.base, "LIMIT = 99\n", "triage/other")
    assert push(terms_for(bench, remote, commit=other.commit, tree=other.tree)).done is True
    pushed = push(terms_for(bench, remote))
    assert pushed.done is False
    assert "exists at" in pushed.words
    assert f"{REF} {other.commit}" in refs(remote)


def test_a_stale_lease_loses_even_where_it_would_be_a_fast_forward(
    bench: Bench, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The branch appears after we looked, at an ancestor: a push without a lease would move it."""
    real = remote_value
    looks: list[object] = []

    def late(store: str, url: str, ref: str, limit_s: float = 30.0) -> tuple[str | None, str | None]:
        found = real(store, url, ref, limit_s)
        if not looks:
            git(remote, "update-ref", REF, bench.base)
        looks.append(found)
        return found

    monkeypatch.setattr(module, "remote_value", late)
    pushed = push(terms_for(bench, remote))
    assert pushed.done is False
    assert "nothing was forced" in pushed.words
    assert f"{REF} {bench.base}" in refs(remote)
    # teeth: the same push without the lease moves it
    git(bench.store, "push", "-q", f"file://{remote}", f"{bench.draft.commit}:{REF}", GIT_DIR=str(bench.store))
    assert f"{REF} {bench.draft.commit}" in refs(remote)


@pytest.mark.parametrize("name", ["pre-receive", "update", "reference-transaction"])
def test_a_remote_that_refuses_is_believed(bench: Bench, remote: Path, name: str) -> None:
    hook(remote, name, "echo 'branches are made by the robot only' >&2; exit 1")
    before = refs(remote)
    pushed = push(terms_for(bench, remote))
    assert pushed.done is False
    assert "nothing was forced" in pushed.words
    assert "robot" in pushed.words or name == "reference-transaction"
    assert refs(remote) == before


@pytest.mark.parametrize("name", ["pre-receive", "post-receive"])
def test_a_remote_that_hangs_is_left_and_looked_at(bench: Bench, remote: Path, name: str) -> None:
    hook(remote, name, "exec sleep 60")
    pushed = push(terms_for(bench, remote), limit_s=1.0)
    took = f"{REF} {bench.draft.commit}" in refs(remote)
    assert pushed.done is took is (name == "post-receive")
    assert "stopped after 1 s" in pushed.words


def test_the_default_branch_is_not_pushed_to(bench: Bench, remote: Path) -> None:
    git(remote, "symbolic-ref", "HEAD", REF)
    pushed = push(terms_for(bench, remote))
    assert pushed.done is False or "default" in pushed.words
    # An unborn default branch is told only by newer protocols; where git told, nothing was made.
    git(remote, "update-ref", REF, bench.base)
    assert push(terms_for(bench, remote)).done is False


@pytest.mark.parametrize(
    "ref", ["refs/heads/main", "refs/heads/release/1", "refs/tags/triage/x", "refs/heads/triage/+x"]
)
def test_only_fix_branches_are_pushed(bench: Bench, remote: Path, ref: str) -> None:
    with pytest.raises(FixRefused, match="branch"):
        verify_push(terms_for(bench, remote, ref=ref), render)


def test_what_changed_since_is_not_pushed(bench: Bench, remote: Path) -> None:
    verify_push(terms_for(bench, remote), render)
    with pytest.raises(FixChanged, match="not the one that was shown"):
        verify_push(terms_for(bench, remote), lambda *_: "another diff")
    with pytest.raises(FixChanged, match="only a new branch"):
        verify_push(terms_for(bench, remote, expected=bench.base), render)
    with pytest.raises(FixChanged, match="cannot be made again"):
        verify_push(terms_for(bench, remote, commit="0" * 40), render)


def test_a_remote_without_the_base_refuses(bench: Bench, tmp_path: Path) -> None:
    empty = tmp_path / "empty.git"
    git(tmp_path, "init", "-q", "--bare", str(empty))
    pushed = push(terms_for(bench, empty))
    assert pushed.done is False
    assert f"the base {bench.base[:12]} is not there: push the branch that has it first" in pushed.words
    assert refs(empty) == ""


def test_a_remote_that_is_not_there_is_said_to_be(bench: Bench, tmp_path: Path) -> None:
    pushed = push(terms_for(bench, tmp_path / "nowhere.git"))
    assert pushed.done is False
    assert "cannot be read" in pushed.words


class _AskForPassword(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def asking_server() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _AskForPassword)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_remote_that_asks_for_a_password_gets_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._environment
    monkeypatch.setattr(module, "_environment", lambda: {**real(), "GIT_ALLOW_PROTOCOL": "http"})
    with asking_server() as port:
        pushed = push(terms_for(bench, f"http://127.0.0.1:{port}/x.git"), limit_s=10.0)
    assert pushed.done is False
    assert "terminal prompts disabled" in pushed.words or "could not read Username" in pushed.words


def test_ssh_that_cannot_get_in_without_asking_fails_at_once(bench: Bench) -> None:
    pushed = push(terms_for(bench, "ssh://127.0.0.1:1/x.git"), limit_s=10.0)
    assert pushed.done is False


GOOD = {
    "https://example.org/a/b.git": "https://example.org/a/b.git",
    "ssh://git@example.org/a/b.git": "ssh://git@example.org/a/b.git",
    "git@example.org:a/b.git": "ssh://git@example.org/a/b.git",
    "/srv/git/a.git": "file:///srv/git/a.git",
    "file:///srv/git/a.git": "file:///srv/git/a.git",
}
BAD = [
    "", "-oProxyCommand=x", "--upload-pack=x", "ext::sh -c x", "http://example.org/a.git", "git://example.org/a.git",
    "https://user:pw@example.org/a.git", "https://token@example.org/a.git", "ssh://-oProxyCommand=x/a", "fd::17",
    "https://example.org/a b", "https://example.org/a\nb", "ftp://example.org/", "relative/path", "https:///a", "a:-b",
    "javascript:alert(1)//x::y", "ssh://-x@host/a", "file::/x",
]  # fmt: skip


@pytest.mark.parametrize(("given", "plain"), list(GOOD.items()))
def test_addresses_that_are_taken(given: str, plain: str) -> None:
    assert require_url(given) == plain
    assert require_url(plain) == plain


@pytest.mark.parametrize("given", BAD)
def test_addresses_that_are_refused_and_no_password_is_repeated(given: str) -> None:
    with pytest.raises(FixRefused) as raised:
        require_url(given)
    assert "pw" not in str(raised.value)
    assert "token" not in str(raised.value)


def test_the_investigated_repository_is_no_remote_its_hooks_would_run(bench: Bench) -> None:
    for place in (bench.repo, bench.repo / ".git", bench.repo / "vendored" / "x.git", bench.repo.parent):
        with pytest.raises(FixRefused, match="investigated"):
            refuse_inside(f"file://{place}", str(bench.repo))
    refuse_inside("file:///srv/git/other.git", str(bench.repo))


def test_what_the_repository_asks_of_those_who_push_is_read_and_not_run(bench: Bench, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    assert policy_of(locate(bench.repo), env).reasons == ()
    machine = tmp_path / "machine"
    hook(machine, "pre-push", f"touch {tmp_path}/ran")
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {machine}/hooks\n")
    for name in ("GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL"):
        others = policy_of(locate(bench.repo), {"HOME": str(home), name: str(tmp_path / "gitconfig")})
        assert str(machine) in str(others.reasons), "a hook that all repositories of this machine have"
    git(bench.repo, "remote", "add", "origin", "git@example.org:a/b.git")
    git(bench.repo, "config", "remote.origin.pushurl", "ssh://git@push.example.org/a/b.git")
    git(bench.repo, "config", "push.gpgSign", "if-asked")
    hook(bench.repo / ".git", "pre-push", f"touch {tmp_path}/ran")
    (home / ".gitconfig").write_text("[commit]\n\tgpgSign = true\n")
    found = policy_of(locate(bench.repo), env)
    assert found.by_hand
    assert found.signs
    assert [reason.split(" (")[0] for reason in found.reasons] == ["a pre-push hook", "signed commits", "signed pushes"]
    assert found.remotes == {"origin": "ssh://git@push.example.org/a/b.git"}
    assert not (tmp_path / "ran").exists()
    git(bench.repo, "config", "core.hooksPath", ".husky")
    assert "a pre-push hook" not in str(policy_of(locate(bench.repo), env).reasons)
    (bench.repo / ".husky").mkdir()
    (bench.repo / ".husky" / "pre-push").write_text("#!/bin/sh\n")
    (bench.repo / ".husky" / "pre-push").chmod(0o755)
    assert ".husky/pre-push" in str(policy_of(locate(bench.repo), env).reasons)


def test_the_pull_request_is_text_and_its_commands_are_safe_to_paste(bench: Bench) -> None:
    check = Check(
        draft=bench.draft.id,
        commit=bench.draft.commit,
        claim="red to green",
        reason="one test turned",
        command=("pytest", "-q"),
        runs=(SuiteRun(name="fix", outcome="passed", passed=3),),
        fixed=("test_limits",),
    )
    title = "Put $(touch /tmp/x) 'back'; rm -rf /"
    draft = bench.draft.model_copy(update={"title": title, "evidence": ("commit:repo/abc",), "undoes": "f" * 40})
    fix = Fix(draft, bench.clock.now(), 1, check)
    text = text_of(fix, "20260301-120000-0a1b2c", "INC-7")
    for part in ("INC-7", "red to green", "test_limits", "commit:repo/abc", "git revert", "f" * 40):
        assert part in text
    place = Place(repo="/home/ada/my repo", ref=REF, store="/state/drafts.git")
    fetch, pushing, create = commands_of(fix, place, "/tmp/pr.md")
    assert shlex.split(fetch)[2] == "/home/ada/my repo"
    assert shlex.split(fetch)[-1] == f"{bench.draft.commit}:{REF}"
    assert shlex.split(pushing)[-1] == f"{REF}:{REF}"
    assert "--force" not in pushing
    assert title in shlex.split(create)
