"""No command that a repository or the inherited environment names is ever run; plain git shows that the traps work."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.gitstore import environment
from subagents.gitstore.environment import require_path, require_sha
from subagents.gitstore.locate import user_git
from subagents.gitstore.log import LogQuery
from subagents.gitstore.process import GitFailed
from subagents.gitstore.reader import Reader
from subagents.gitstore.revert import check_revert
from subagents.gitstore.store import IsolatedStore
from tests.gitstore import hostile
from tests.gitstore.conftest import Sample
from tests.gitstore.repos import ENVIRONMENT, fingerprint


def everything(repo: Path, place: Path) -> Reader:
    """Ask all that can be asked."""
    reader = Reader(IsolatedStore.open(repo, place))
    head = reader.store.state.head
    commits = list(reader.log(LogQuery((head,))))
    ids = [c.sha for c in commits]
    list(reader.log(LogQuery((head,), paths=("x.evil",))))
    questions: list[Callable[[], object]] = [
        reader.store.branches,
        reader.store.tags,
        lambda: reader.resolve([head[:9], "main"]),
        lambda: reader.patches(ids),
        lambda: reader.commits(ids),
        lambda: reader.file_at(head, "x.evil"),
        lambda: list(reader.tree(head)),
        lambda: reader.blame(head, "x.evil", 1, 5),
        lambda: reader.search(head, "2"),
        lambda: reader.is_ancestor(ids[-1], head),
        lambda: reader.brought(ids[-1], head),
        lambda: check_revert(reader, ids[1], head),
        lambda: _through_gitpython(reader, head),
    ]
    for question in questions:
        question()
    return reader


def _through_gitpython(reader: Reader, head: str) -> None:
    with reader.store.handle() as handle:
        assert handle.commit(head).tree["x.evil"].size == 2
        assert "second" in handle.git.log("--oneline", head)
        assert handle.git.diff(head + "~1", head) == ""


def test_nothing_of_a_hostile_repository_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = hostile.make(tmp_path / "trap")
    assert trap.vectors >= 40
    for name, value in hostile.environment(tmp_path, trap.markers).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(trap.path)
    before = fingerprint(trap.path)
    reader = everything(trap.path, tmp_path / "store")
    assert trap.fired() == set()
    assert fingerprint(trap.path) == before
    second = next(c for c in reader.log(LogQuery((trap.head,))) if c.subject == "second")
    assert len(second.parents) == 1, "the replace ref is not followed"
    patch = reader.patches([second.sha])[second.sha].text or b""
    assert b"-1\n+2\n" in patch


@pytest.mark.parametrize("url", ["file://{0}", "{0}", "ssh://127.0.0.1:1/x", "https://127.0.0.1:1/x"])
def test_a_git_too_old_to_be_told_not_to_fetch_lazily_has_no_way_to(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """A promisor remote names a program that plain git runs as soon as an object is missing."""
    mark = tmp_path / "ran"
    where = url.format(sample.path)
    with (sample.path / ".git" / "config").open("a") as config:
        config.write("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = evil\n")
        config.write(f'[remote "evil"]\n\turl = {where}\n\tpromisor = true\n\tuploadpack = touch {mark}; false\n')
    monkeypatch.setitem(environment._BASE, "GIT_NO_LAZY_FETCH", "0")  # as on an old git
    asked = (["cat-file", "--batch-check"], b"deadbeef" * 5 + b"\n")
    answer = user_git(sample.path / ".git", *asked)
    ended = answer.status == -signal.SIGPIPE  # by what it had to say to a helper that was refused already
    assert ended or b" missing" in answer.stdout
    assert "not allowed" in answer.stderr
    assert not mark.exists()
    if not url.endswith("{0}"):
        return
    monkeypatch.setitem(environment._BASE, "GIT_ALLOW_PROTOCOL", "file")  # teeth
    user_git(sample.path / ".git", *asked)
    assert mark.exists()


def test_the_traps_work_on_plain_git(tmp_path: Path) -> None:
    trap = hostile.make(tmp_path / "trap")
    for arguments in (
        ["status"],
        ["diff"],
        ["log", "-p"],
        ["blame", "x.evil"],
        ["fetch"],
        ["checkout", "-q", "-f", "main"],
    ):
        subprocess.run(
            ["git", *arguments], cwd=trap.path, env=ENVIRONMENT, capture_output=True, timeout=30, check=False
        )
    assert len(trap.fired()) >= 5, trap.fired()


def test_the_users_repository_is_asked_six_things_only(sample: Sample) -> None:
    for command in ("log", "diff", "status", "fetch", "gc", "config", "update-ref", "--exec-path"):
        with pytest.raises(ValueError, match="is not run on a user's repository"):
            user_git(sample.path / ".git", [command])
    with pytest.raises(ValueError, match="is not run"):
        user_git(sample.path / ".git", [])


INJECTIONS = [
    *("", "-", "--", "--all", "--output=/tmp/x", "--upload-pack=touch x", "-O/tmp/x", "--exec=x", "HEAD", "HEAD~1"),
    *("@", "@{0}", "@{-1}", "main", "main..side", "^main", ":/fix", ":(top)x", "refs/heads/main", "a" * 39, "a" * 41),
    *("g" * 40, "A" * 63, "\uff41" * 40, "\u0430" * 40, "a" * 5000, "a" * 39 + "\n", "a" * 39 + "\0", " " + "a" * 39),
    *("a" * 40 + "^{tree}", "a" * 40 + "\n--all", "-" + "a" * 39, "0x" + "a" * 38, "a" * 40 + ":x", "$(touch x)"),
    *("`touch x`", "; touch x", "|touch x"),
]
PATHS = [
    *("", "/etc/passwd", "../x", "a/../../x", "./x", "a//b", "a/", ".git/config", ".GIT/config", "a/.git/hooks/x"),
    *("a\nb", "a\0b", "a\x7fb", "x" * 5000),
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_only_full_ids_pass(text: str) -> None:
    with pytest.raises(ValueError, match="not a full object id"):
        require_sha(text)


def test_injections_reach_no_git_and_leave_no_file(sample: Sample, tmp_path: Path) -> None:
    reader = sample.reader(tmp_path / "store")
    before = fingerprint(tmp_path)
    assert set(reader.resolve(INJECTIONS).values()) <= {None}
    for text in INJECTIONS:
        with pytest.raises((ValueError, GitFailed)):
            list(reader.log(LogQuery((text,))))
        for ask in (reader.tree, reader.is_ancestor, reader.brought, check_revert):
            with pytest.raises((ValueError, GitFailed)):
                _ask(ask, reader, text, sample.head)
        with pytest.raises((ValueError, GitFailed)):
            reader.patches([text])
    for path in PATHS:
        with pytest.raises(ValueError, match="not a path"):
            reader.file_at(sample.head, path)
        with pytest.raises(ValueError, match="not a path"):
            require_path(path)
        with pytest.raises(ValueError, match="not a path"):
            list(reader.log(LogQuery((sample.head,), paths=(path,))))
    for path in ("--output=x", "-x", ":(top)x", "HEAD"):
        assert reader.file_at(sample.head, path) is None
        assert reader.blame(sample.head, path, 1, 2) == ()
        assert list(reader.log(LogQuery((sample.head,), paths=(path,)))) == []
    for text in ("--output=x", "-f/etc/passwd", "--open-files-in-pager=touch x"):
        assert reader.search(sample.head, text) == ()
    assert fingerprint(tmp_path) == before


def _ask(question: Callable[..., object], reader: Reader, text: str, good: str) -> None:
    if question is check_revert:
        check_revert(reader, text, good)
    elif question == reader.tree:
        list(reader.tree(text))
    else:
        question(text, good)
