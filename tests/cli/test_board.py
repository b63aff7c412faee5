"""`warroom board` and `warroom recheck`: by command what the app does by key, with exit statuses for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.journal.events import FindingReported, VerdictReached
from tests.cli.command import InProcess, Ran, settle
from tests.cli.kept import keep
from tests.report.story import told
from tui.commands.recheck import STATUS


@pytest.fixture
def kept(tmp_path: Path) -> str:
    return keep(tmp_path)


Command = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return InProcess(tmp_path, capsys, monkeypatch)


def test_a_hypothesis_is_added_pinned_ruled_out_and_taken_back(kept: str, run: Command) -> None:
    assert "resume" in settle(run("board", "add", kept, "host", "node-7", "--reason", "its fans are loud")).err
    settle(run("board", "pin", kept, "host:node-7"))
    listed = settle(run("board", "show", kept)).out
    assert listed.splitlines()[0].split() == ["1", "○", "0.00", "+0", "-0", "pinned", "host", "node-7"]
    settle(run("board", "rule-out", kept, "1", "--reason", "it was drained"))
    (held,) = [one for one in json.loads(settle(run("board", "show", kept, "--json")).out)
               if one["suspect"]["key"] == "node-7"]  # fmt: skip
    assert held["state"] == "ruled out"
    assert held["words"][-1].endswith(": it was drained")
    page = settle(run("board", "show", kept, "host:node-7")).out
    assert "a person's word" in page
    assert "nothing was found for or against it yet" in page
    report = json.loads(settle(run("report", kept, "--format", "json")).out)
    assert report["verdict"]["ruled_out"][0]["test"] == "a person's word; no test of the data"
    settle(run("board", "undo", kept, "host:node-7"))
    settle(run("board", "undo", kept, "host:node-7"))
    assert "node-7" not in settle(run("board", "show", kept)).out


def test_what_is_refused_says_what_to_do_and_changes_nothing(kept: str, run: Command) -> None:
    settle(run("board", "add", kept, "host", "z"))
    for arguments, says in (
        (("pin", kept, "nobody"), "add it first"),
        (("undo", kept, "99"), "the board has"),
        (("rule-out", kept, "1", "--reason", " "), "takes a reason"),
        (("add", kept, " "), "takes some words"),
    ):
        ran = run("board", *arguments)
        assert ran.status == 2
        assert says in ran.complaint()
    ran = run("board", "show", kept, "nobody")
    assert (ran.status, "lists it" in ran.complaint()) == (2, True)
    assert run("board", "rule-out", kept, "1").status == 2


def test_an_empty_board_says_so(tmp_path: Path, run: Command) -> None:
    bare = keep(tmp_path, [one for one in told() if not isinstance(one.body, FindingReported | VerdictReached)])
    assert "No hypothesis yet" in settle(run("board", "show", bare)).out
    ran = run("recheck", bare)
    assert (ran.status, "no verdict yet" in ran.complaint()) == (2, True)


def test_hostile_words_are_harmless_on_the_terminal(kept: str, run: Command) -> None:
    settle(run("board", "add", kept, "x\x1b]52;c;ZXZpbA==\x07[red]y"))
    shown = settle(run("board", "show", kept)).out + settle(run("report", kept)).out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]y" in shown


def test_a_recheck_without_its_sources_cannot_tell_and_says_what_would(kept: str, run: Command) -> None:
    ran = run("recheck", kept)
    assert ran.status == STATUS["unknown"] == 7
    assert ran.out.startswith("cannot tell")
    assert "to tell: " in ran.out
    data = run("recheck", kept, "--json").json()
    assert (data["answer"], data["state"]) == ("cannot tell", "unknown")
    assert data["missing"]
    assert "cannot tell" in settle(run("report", kept)).out
    missing = run("recheck", kept, "nothing-here.csv")
    assert missing.status == 2
    assert "nothing-here.csv" in missing.complaint()


def test_only_recovered_is_success(run: Command) -> None:
    assert STATUS == {"recovered": 0, "recovering": 5, "ongoing": 6, "unknown": 7}
    text = settle(run("recheck", "--help")).out
    assert all(str(status) in text for status in STATUS.values())
