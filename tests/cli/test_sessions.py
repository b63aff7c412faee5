"""What is kept: listed, shown, reported, exported, and deleted only when that was confirmed."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.journal.events import IncidentOpened, StatusRunning
from orchestrator.journal.export import read_export
from orchestrator.journal.home import StateHome
from orchestrator.journal.index import Index
from tests.cli.command import WARROOM, InProcess, environment, settle, warroom
from tests.cli.kept import keep
from tests.report.story import SHA, told
from tui.views import sessions
from tui.views.paint import text_of

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


def token_of(text: str) -> str:
    found = re.search(r"--confirm ([0-9a-f]{12})$", text, re.MULTILINE)
    assert found, text
    return found.group(1)


def folders(home: Path) -> list[str]:
    return sorted(os.listdir(home / "state" / "sessions"))


def test_nothing_kept_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    ran = settle(warroom(tmp_path, "sessions", "list"))
    assert "No sessions yet" in ran.out
    assert json.loads(settle(warroom(tmp_path, "sessions", "list", "--json")).out) == []
    assert not (tmp_path / "state").exists()


def test_list_and_show(tmp_path: Path, quick: InProcess) -> None:
    session = keep(tmp_path)
    listed = settle(quick("sessions", "list")).out
    assert session in listed
    assert "INC-7" in listed
    (row,) = json.loads(settle(quick("sessions", "list", "--json")).out)
    assert (row["id"], row["verdict"], row["status"]) == (session, "culprit", "idle")
    shown = settle(quick("sessions", "show", session[:8])).out
    assert "billing slow" in shown
    assert ["status", "done"] in [line.split() for line in shown.splitlines()]
    details = json.loads(settle(quick("sessions", "show", session[-6:], "--json")).out)
    assert details["folder"].endswith(session)
    assert details["hash"]


def test_statuses_and_verdicts_are_called_as_in_the_app(tmp_path: Path, quick: InProcess) -> None:
    """What a person reads on a screen is what they type, and no name that the journal has for itself."""
    session = keep(tmp_path)
    app = sessions.session_rows(Index(StateHome(tmp_path / "state")).rows(), {}, frozenset(), frozenset(), NOW)
    listed = settle(quick("sessions", "list")).out
    for words in ("done", "cause found"):
        assert words in listed
        assert words in text_of(app[0].line)
    assert not re.search("end_turn|requires_action|idle", listed + settle(quick("sessions", "show", session)).out)
    assert session in settle(quick("sessions", "list", "--status", "done")).out
    assert session in settle(quick("sessions", "list", "--status", "idle")).out
    assert "No such sessions" in settle(quick("sessions", "list", "--status", "waits for you,stopped")).out
    assert "use running, tries again, over, not started, done" in quick("sessions", "list", "--status", "x").complaint()


def test_a_session_whose_process_was_killed_is_not_said_to_run(tmp_path: Path, quick: InProcess) -> None:
    begun = [event for event in told() if isinstance(event.body, IncidentOpened)]
    runs = begun[0].model_copy(update={"body": StatusRunning(reason="start")})
    session = keep(tmp_path, [*begun, runs])
    assert "cut off" in settle(quick("sessions", "list")).out
    assert "resume goes on" in settle(quick("sessions", "show", session)).out
    (row,) = json.loads(settle(quick("sessions", "list", "--json")).out)
    assert row["status"] == "running", "what the journal says"


def test_a_session_that_is_not_there_or_not_unique_is_refused(tmp_path: Path, quick: InProcess) -> None:
    keep(tmp_path)
    keep(tmp_path)
    for arguments in (["sessions", "show", "zzz"], ["report", "zzz"], ["sessions", "export", "zzz"]):
        ran = quick(*arguments)
        assert ran.status == 2
        assert "no session matches" in ran.complaint()
    assert "fits 2 sessions" in quick("report", "20260401").complaint()


def test_the_three_reports(tmp_path: Path, quick: InProcess) -> None:
    session = keep(tmp_path)
    markdown = settle(quick("report", session)).out
    assert markdown.startswith("# INC-7: billing slow")
    assert f"deployctl rollback billing --to {SHA}" in markdown
    made = json.loads(settle(quick("report", session, "--format", "json")).out)
    assert made["session"] == session
    assert all(entry["resolved"] for entry in made["evidence"])
    assert len(settle(quick("report", session, "--format", "status")).out.splitlines()) == 5


def test_local_time_is_the_readers(tmp_path: Path) -> None:
    session = keep(tmp_path)
    made = settle(warroom(tmp_path, "report", session, TZ="Europe/Berlin")).out
    assert "2026-03-29 00:40:00 UTC (01:40:00 CET)" in made
    assert "(03:" in made  # later the same night the clocks went forward
    assert "CEST" in made


def test_a_report_goes_to_a_file_whole(tmp_path: Path) -> None:
    session = keep(tmp_path)
    out = tmp_path / "report.md"
    ran = settle(warroom(tmp_path, "report", session, "--out", str(out)))
    assert ran.out == ""
    assert out.read_text() == settle(warroom(tmp_path, "report", session)).out
    assert sorted(os.listdir(tmp_path)) == ["report.md", "state"]


@pytest.mark.parametrize(("out", "said"), [("nowhere/x.md", "no such directory"), (".", "is a directory")])
def test_an_unusable_out_is_refused(tmp_path: Path, quick: InProcess, out: str, said: str) -> None:
    session = keep(tmp_path)
    ran = quick("report", session, "--out", out)
    assert ran.status == 2
    assert said in ran.complaint()


def test_out_never_replaces_what_is_no_file(tmp_path: Path) -> None:
    session = keep(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    settle(warroom(tmp_path, "report", session, "--out", str(pipe)))
    got, _ = reader.communicate(timeout=30)
    assert got.startswith(b"# INC-7")
    assert pipe.is_fifo()


def test_export_gives_every_event_back(tmp_path: Path, quick: InProcess) -> None:
    session = keep(tmp_path)
    out = tmp_path / "all.jsonl"
    settle(quick("sessions", "export", session, "--out", str(out)))
    with out.open("rb") as lines:
        events = list(read_export(lines))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[0].type == "warroom.incident"
    printed = settle(quick("sessions", "export", session)).out
    assert printed.encode() == out.read_bytes()


def test_a_damaged_session_is_shown_as_far_as_it_is_whole(tmp_path: Path) -> None:
    session = keep(tmp_path)
    database = tmp_path / "state" / "sessions" / session / "journal.db"
    data = bytearray(database.read_bytes())
    at = data.find(b"billing is slow since")
    assert at > 0
    data[at] ^= 1
    database.write_bytes(bytes(data))
    shown = settle(warroom(tmp_path, "sessions", "show", session))
    assert "changed" in shown.out
    assert "sessions export" in shown.out
    assert "sessions resume" not in shown.out, "it would be refused"
    exported = settle(warroom(tmp_path, "sessions", "export", session))
    assert "warroom:" in exported.err
    assert exported.out.splitlines()[-1].startswith('{"record":"end"')
    report = warroom(tmp_path, "report", session)
    assert report.status == 0
    assert "Traceback" not in report.err


def test_delete_takes_two_steps(tmp_path: Path, quick: InProcess) -> None:
    session, kept = keep(tmp_path), keep(tmp_path)
    first = settle(quick("sessions", "delete", session))
    assert "billing slow" in first.err
    assert folders(tmp_path) == sorted([session, kept])
    wrong = quick("sessions", "delete", session, "--confirm", "0" * 12)
    assert wrong.status == 2
    assert "does not fit" in wrong.complaint()
    assert folders(tmp_path) == sorted([session, kept])
    settle(quick("sessions", "delete", session, "--confirm", token_of(first.err)))
    assert folders(tmp_path) == [kept]
    rows = json.loads(settle(quick("sessions", "list", "--json")).out)
    assert [row["id"] for row in rows] == [kept]


def test_a_token_covers_only_what_was_shown(tmp_path: Path, quick: InProcess) -> None:
    one, two = keep(tmp_path), keep(tmp_path)
    token = token_of(settle(quick("sessions", "delete", one)).err)
    assert quick("sessions", "delete", two, "--confirm", token).status == 2
    assert quick("sessions", "delete", one, two, "--confirm", token).status == 2
    assert folders(tmp_path) == sorted([one, two])


@pytest.mark.parametrize(("typed", "gone"), [("Y", True), ("y", False), ("", False), ("yes", False)])
def test_on_a_terminal_only_a_typed_capital_y_deletes(tmp_path: Path, typed: str, gone: bool) -> None:
    session = keep(tmp_path)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(WARROOM), "sessions", "delete", session],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(tmp_path),
        cwd=tmp_path,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"Type Y" not in shown:
        shown += os.read(ours, 4096)
    os.write(ours, typed.encode() + b"\r")
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    assert process.wait(timeout=30) == 0
    os.close(ours)
    assert folders(tmp_path) == ([] if gone else [session])
    if not gone:
        assert b"Nothing was deleted" in shown


def test_purge_takes_two_steps_and_only_what_is_old(tmp_path: Path, quick: InProcess) -> None:
    old = keep(tmp_path, at=datetime(2020, 1, 1, tzinfo=UTC))
    new = keep(tmp_path, at=datetime.now(UTC))
    first = settle(quick("purge", "--older-than", "30d"))
    assert old in first.err
    assert new not in first.err
    assert folders(tmp_path) == sorted([old, new])
    settle(quick("purge", "--older-than", "30d", "--confirm", token_of(first.err)))
    assert folders(tmp_path) == [new]
    assert "No session is older" in settle(quick("purge", "--older-than", "30d")).err


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1y", "٣d", "999999w", "1e3d"])
def test_ages_are_exact(quick: InProcess, age: str) -> None:
    ran = quick("purge", "--older-than", age)
    assert ran.status == (0 if age == "999999w" else 2)
    assert "Traceback" not in ran.err


def test_a_session_that_leads_outside_is_not_deleted(tmp_path: Path, quick: InProcess) -> None:
    session = keep(tmp_path)
    inside = tmp_path / "state" / "sessions" / session
    outside = tmp_path / "elsewhere"
    inside.rename(outside)
    inside.symlink_to(outside)
    ran = quick("sessions", "delete", session)
    assert ran.status == 2
    assert (outside / "journal.db").exists()
