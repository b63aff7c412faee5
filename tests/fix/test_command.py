"""`warroom fix` as a person runs it: the real command, with and without a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.journal.lock import SessionLock
from tests.cli.command import WARROOM, InProcess, Ran, environment, warroom
from tests.fix.bench import added, changed, git, snapshot
from tests.fix.rooms import Place, make_place


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, str]:
    """A session that is only looked at."""
    place = make_place(tmp_path_factory.mktemp("looked-at"))
    return place, place.kept()[0]


@pytest.fixture(scope="module")
def found(shared: tuple[Place, str]) -> dict[str, str]:
    """The commit and the digest of its draft."""
    (fix,) = warroom(shared[0].top, "fix", "list", shared[1], "--json").json()
    return {"commit": fix["draft"]["commit"], "digest": fix["digest"]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`warroom fix …` in this process, at home in a place."""
    return lambda place, *arguments: InProcess(place.top, capsys, monkeypatch)("fix", *arguments)


def digest(run: Run, place: Place, session: str) -> str:
    shown: str = run(place, "show", session, "--json").json()["digest"]
    return shown


def test_list_and_show_tell_all_that_is_approved(run: Run, shared: tuple[Place, str]) -> None:
    place, session = shared
    listed = run(place, "list", session[:-2])
    assert listed.status == 0, listed.err
    assert "waits" in listed.out
    (fix,) = run(place, "list", session, "--json").json()
    shown = run(place, "show", session, fix["draft"]["id"][2:8])
    assert shown.status == 0, shown.err
    for part in (
        fix["draft"]["commit"],
        fix["draft"]["tree"],
        fix["draft"]["base"],
        fix["draft"]["base_is"],
        fix["approval"]["detail"]["ref"],
        fix["digest"],
        fix["draft"]["diff_digest"],
        "exactly one new ref",
        "not tested",
        "-LIMIT = 2",
        "+LIMIT = 64",
        "0 hidden characters",
        f"--commit {fix['draft']['commit'][:12]}",
    ):
        assert part in shown.out, part
    row = warroom(place.top, "sessions", "list")
    assert "1 to decide" in row.out


def test_names_that_are_not_there_are_said(run: Run, shared: tuple[Place, str]) -> None:
    place, session = shared
    assert "no draft" in run(place, "show", session, "d-ffff").complaint()
    assert run(place, "show", "nosuch").status == 2
    assert run(place, "approve", session).status == 2
    assert run(place, "reject", session).status == 2


@pytest.mark.parametrize(
    ("commit", "given", "why"),
    [
        ("", None, "nobody is at a terminal"),
        ("", "sha256:" + "0" * 64, "not the digest"),
        ("deadbeef", "right", "not the commit"),
        ("short", "right", "not the commit"),
    ],
)
def test_without_a_terminal_only_the_digest_says_yes(
    run: Run, shared: tuple[Place, str], found: dict[str, str], commit: str, given: str | None, why: str
) -> None:
    place, session = shared
    named = {"": found["commit"], "short": found["commit"][:4]}.get(commit, commit)
    said = [] if given is None else ["--yes-digest", found["digest"] if given == "right" else given]
    before = snapshot(place.repo, place.home.session_dir(session) / "fix.git")
    ran = run(place, "approve", session, "--commit", named, *said)
    assert ran.status == 4
    assert why in ran.complaint()
    assert not changed(before, snapshot(place.repo, place.home.session_dir(session) / "fix.git"))


def test_nothing_is_delivered_that_was_not_approved(run: Run, shared: tuple[Place, str]) -> None:
    place, session = shared
    ran = run(place, "deliver", session)
    assert ran.status == 4
    assert "it waits for approval" in ran.complaint()


def test_the_digest_approves_and_delivers(run: Run, place: Place) -> None:
    session, fix = place.kept()
    before = snapshot(place.repo)
    ran = run(place, "approve", session, "--commit", fix.draft.commit, "--yes-digest", digest(run, place, session))
    assert ran.status == 0, ran.err
    commit, ref = ran.out.split()
    assert commit == fix.draft.commit == git(place.repo, "rev-parse", ref)
    assert any(path.endswith(ref) for path in added(before, snapshot(place.repo)))
    again = run(place, "deliver", session)
    assert (again.status, again.out) == (0, ran.out)
    told = run(place, "commands", session)
    assert f"push origin {ref}:{ref}" in told.out
    assert "gh pr create" in told.out
    assert "--force" not in told.out
    assert warroom(place.top, "report", session).out.count("## Fix") == 1


def test_approval_and_delivery_can_be_two_steps(run: Run, place: Place) -> None:
    session, fix = place.kept()
    yes = ("--commit", fix.draft.commit[:7], "--yes-digest", digest(run, place, session), "--no-deliver")
    assert run(place, "approve", session, *yes).status == 0
    assert git(place.repo, "for-each-ref", "refs/heads/triage") == ""
    assert run(place, "deliver", session).status == 0
    assert git(place.repo, "for-each-ref", "refs/heads/triage") != ""


def test_what_changed_is_refused_and_named(run: Run, place: Place) -> None:
    session, fix = place.kept()
    shown = digest(run, place, session)
    git(place.repo, "branch", fix.draft.branch)
    page = run(place, "show", session)
    assert re.search(r"^CHANGED .*appeared meanwhile", page.out, re.M)
    ran = run(place, "approve", session, "--commit", fix.draft.commit, "--yes-digest", shown)
    assert ran.status == 4
    assert "appeared meanwhile" in ran.complaint()
    assert git(place.repo, "rev-parse", fix.draft.branch) == fix.draft.base
    assert f"{fix.draft.branch}-2" in run(place, "list", session).out


def test_a_draft_whose_base_was_rewritten_and_collected_is_drafted_again_on_what_is_there(
    run: Run, place: Place
) -> None:
    git(place.repo, "commit", "-qm", "later")
    session, fix = place.kept()
    shown = digest(run, place, session)
    git(place.repo, "commit", "-q", "--amend", "-m", "later, reworded")
    git(place.repo, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "HEAD", "main")
    git(place.repo, "gc", "-q", "--prune=now")
    before = snapshot(place.repo)
    ran = run(place, "approve", session, "--commit", fix.draft.commit, "--yes-digest", shown)
    assert ran.status == 4
    assert "no longer in" in ran.complaint()
    assert f"reject {session} {fix.id}" in run(place, "show", session).out
    told = run(place, "commands", session)
    assert "cannot be delivered as it is" in told.err
    for reason in ("the base is gone", "another one"):
        again = run(place, "reject", session, fix.id, "--reason", reason)
        assert again.status == 0, again.err
        assert "this id was used before" not in again.err
    new = run(place, "list", session, "--json").json()[1]
    assert new["standing"] == "waits"
    assert new["draft"]["base"] == git(place.repo, "rev-parse", "HEAD")
    assert not changed(before, snapshot(place.repo))


def test_a_session_that_is_open_elsewhere_is_left_alone_but_can_be_looked_at(run: Run, place: Place) -> None:
    session, fix = place.kept()
    shown = digest(run, place, session)
    lock = SessionLock(place.home.session_dir(session))
    try:
        ran = run(place, "approve", session, "--commit", fix.draft.commit, "--yes-digest", shown)
        assert ran.status == 2
        assert "open in another warroom" in ran.complaint()
        assert run(place, "show", session).status == 0
    finally:
        lock.release()


def test_no_reaches_the_subagent(run: Run, place: Place) -> None:
    session, fix = place.kept()
    assert run(place, "reject", session, "--reason", " ").status == 2
    ran = run(place, "reject", session, "--reason", "not that way")
    assert ran.status == 0, ran.err
    assert "no alternative" in ran.err or "a new draft" in ran.err
    assert run(place, "list", session, "--json").json()[0]["reason"] == "not that way"
    assert fix.id in run(place, "list", session).out


def test_a_yes_can_be_taken_back_until_it_is_delivered(run: Run, place: Place) -> None:
    session, fix = place.kept()
    yes = ("--commit", fix.draft.commit, "--yes-digest", digest(run, place, session), "--no-deliver")
    assert run(place, "approve", session, *yes).status == 0
    before = snapshot(place.repo)
    assert run(place, "reject", session, "--reason", "not today").status == 0
    told = run(place, "list", session, "--json").json()[0]
    assert (told["standing"], told["reason"]) == ("rejected", "not today")
    ran = run(place, "deliver", session, fix.id)
    assert (ran.status, ran.complaint().count("it is rejected")) == (4, 1)
    assert not changed(before, snapshot(place.repo))


def test_a_git_directory_that_is_elsewhere_is_shown(run: Run, place: Place) -> None:
    elsewhere = place.top / "elsewhere.git"
    (place.repo / ".git").rename(elsewhere)
    (place.repo / ".git").write_text(f"gitdir: {elsewhere}\n")
    session, _ = place.kept()
    assert f"{place.repo} (kept in {elsewhere})" in run(place, "show", session).out


def test_a_repository_with_a_pre_push_hook_gets_the_commands(run: Run, place: Place) -> None:
    session, fix = place.kept()
    run(place, "approve", session, "--commit", fix.draft.commit, "--yes-digest", digest(run, place, session))
    hook = place.repo / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    remote = place.top / "remote.git"
    git(place.top, "clone", "-q", "--bare", "--no-hardlinks", str(place.repo), str(remote))
    git(remote, "update-ref", "-d", f"refs/heads/{fix.draft.branch}")
    ran = run(place, "push", session, "--to", str(remote))
    assert ran.status == 4
    assert "pre-push hook" in ran.err
    assert "gh pr create" in ran.out
    past = ("push", session, "--to", str(remote), "--past-hooks")
    asked = run(place, *past)
    assert asked.status == 4
    (found,) = re.findall(r"digest  (sha256:[0-9a-f]{64})", asked.err)
    assert git(remote, "for-each-ref", "refs/heads/triage") == ""
    assert run(place, *past, "--yes-digest", "sha256:0").status == 4
    pushed = run(place, *past, "--yes-digest", found)
    assert pushed.status == 0, pushed.err
    assert git(remote, "rev-parse", fix.draft.branch) == fix.draft.commit
    undone = run(place, "undo", session)
    assert undone.status == 0, undone.err
    assert undone.out.startswith("d-")


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, place: Place, *arguments: str) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(place.top)
            os.execve(str(WARROOM), ["warroom", *arguments], environment(place.top, TERM="xterm"))  # noqa: S606
        self.said = ""

    def until(self, text: str) -> None:
        """Read until the command says that."""
        deadline = time.monotonic() + 30
        while text not in self.said:
            assert time.monotonic() < deadline, self.said[-800:]
            self._read()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._end], [], [], 1.0)
        try:
            data = os.read(self._end, 65536) if ready else b""
        except OSError:
            return False
        self.said += data.decode("utf-8", "replace")
        return bool(data) or not ready

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def status(self) -> int:
        """Read to the end and return the exit status."""
        while self._read():
            continue
        _, status = os.waitpid(self.pid, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)

    def interrupt(self) -> None:
        os.kill(self.pid, signal.SIGINT)


QUESTION = "Type Y (upper case)"


@pytest.mark.parametrize("answer", ["y\r", "\r", "YY\r"])
def test_on_a_terminal_nothing_but_an_upper_case_y_says_yes(
    shared: tuple[Place, str], found: dict[str, str], answer: str
) -> None:
    place, session = shared
    before = snapshot(place.repo)
    terminal = Terminal(place, "fix", "approve", session, "--commit", found["commit"][:12])
    terminal.until(QUESTION)
    assert "+LIMIT = 64" in terminal.said
    assert found["digest"] in terminal.said
    terminal.type(answer)
    assert terminal.status() == 4
    assert not changed(before, snapshot(place.repo))


def test_on_a_terminal_an_upper_case_y_says_yes_and_what_was_typed_before_does_not(place: Place) -> None:
    session, fix = place.kept()
    arguments = ("fix", "approve", session, "--commit", fix.draft.commit[:12])
    early = Terminal(place, *arguments)
    early.type("Y\r")
    early.until(QUESTION)
    assert git(place.repo, "for-each-ref", "refs/heads/triage") == ""
    early.interrupt()
    early.type("\r")
    assert early.status() != 0
    assert git(place.repo, "for-each-ref", "refs/heads/triage") == ""
    terminal = Terminal(place, *arguments)
    terminal.until(QUESTION)
    terminal.type("Y\r")
    assert terminal.status() == 0, terminal.said[-500:]
    assert git(place.repo, "rev-parse", fix.draft.branch) == fix.draft.commit


def test_hidden_characters_are_shown_and_counted(run: Run, place: Place) -> None:
    trick = "LIMIT = 2  # \u202e fi\u200b \x1b[2J\n"
    (place.repo / "app" / "limits.py").write_text(trick)
    git(place.repo, "commit", "-q", "-m", "trick", "app/limits.py")
    (place.repo / "app" / "limits.py").write_text("LIMIT = 1\n")
    git(place.repo, "commit", "-q", "-m", "cut", "app/limits.py")
    git(place.repo, "tag", "-f", "v1")
    session, fix = place.kept()
    shown = run(place, "show", session)
    assert "\\u{202e}" in shown.out
    assert "\\u{200b}" in shown.out
    assert "␛[2J" in shown.out
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    (count,) = re.findall(r"^(\d+) hidden characters", shown.out, re.M)
    assert int(count) >= 3
    assert "written out" in shown.out
    assert fix.draft.commit in shown.out


def test_on_a_terminal_a_push_asks_for_the_first_six_characters_of_the_commit(run: Run, place: Place) -> None:
    session, fix = place.kept()
    run(place, "approve", session, "--commit", fix.draft.commit, "--yes-digest", digest(run, place, session))
    remote = place.top / "remote.git"
    git(place.top, "clone", "-q", "--bare", "--no-hardlinks", str(place.repo), str(remote))
    git(remote, "update-ref", "-d", f"refs/heads/{fix.draft.branch}")
    arguments = ("fix", "push", session, "--to", str(remote))
    for answer in ("Y\r", f"{fix.draft.commit[:5]}\r", f"{fix.draft.commit[:7]}\r"):
        terminal = Terminal(place, *arguments)
        terminal.until("first 6 characters")
        assert str(remote) in terminal.said
        terminal.type(answer)
        assert terminal.status() == 4
        assert git(remote, "for-each-ref", "refs/heads/triage") == ""
    terminal = Terminal(place, *arguments)
    terminal.until("first 6 characters")
    terminal.type(f"{fix.draft.commit[:6]}\r")
    assert terminal.status() == 0, terminal.said[-500:]
    assert git(remote, "rev-parse", fix.draft.branch) == fix.draft.commit
