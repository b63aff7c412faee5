"""`warroom run`, end to end, by the real command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from orchestrator.verdict.document import VerdictDocument
from tests.cli.command import WARROOM, InProcess, environment, settle, warroom
from tests.cli.incidents import write_incident, write_logs, write_metrics

LOOKED_AT = pytest.mark.xdist_group("finished run")
"""One worker: the run that they look at is made once."""


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("given") / "incident"
    return folder, write_incident(folder)


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, incident: tuple[Path, dict[str, str]]
) -> tuple[Path, dict[str, Any], str]:
    """One finished run that several tests look at: its home, its document, its standard error."""
    home = tmp_path_factory.mktemp("home")
    config = home / ".config" / "warroom"
    config.mkdir(parents=True)
    (config / "warroom.toml").write_text(f"[services.orders]\nrollback = 'touch {home}/ran {{commit}}'\n")
    before = state_of(incident[0])
    ran = settle(warroom(home, "run", str(incident[0]), "--headless", "--out", str(home / "copy.json")))
    assert state_of(incident[0]) == before, "the input or the repository was changed"
    return home, ran.json(), ran.err


def state_of(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in sorted(root.rglob("*"))}


@LOOKED_AT
def test_the_verdict_is_one_valid_document(
    finished: tuple[Path, dict[str, Any], str], incident: tuple[Path, dict[str, str]]
) -> None:
    home, made, _ = finished
    VerdictDocument.model_validate(made)
    published = settle(warroom(home, "schema", "verdict")).json()
    assert set(made) == set(published["properties"])
    assert set(published["required"]) <= set(made)
    assert json.loads((home / "copy.json").read_text()) == made
    assert made["kind"] == "culprit"
    assert made["culprit"] == incident[1]["culprit"]
    assert made["service"] == "orders"
    assert made["services"][0]["service"] == "orders"
    assert made["suspects"][0]["commit"] == incident[1]["culprit"]
    assert 0 < made["confidence"] <= 1


@LOOKED_AT
def test_progress_is_lines_with_time_and_agent(finished: tuple[Path, dict[str, Any], str]) -> None:
    lines = finished[2].splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\dZ [a-z]+ +\S|warroom: ", line) for line in lines), lines
    for agent in ("orchestrator", "logs", "metrics", "deploys"):
        assert any(f"Z {agent}" in line for line in lines), agent
    assert "\x1b" not in finished[2]


@LOOKED_AT
def test_every_citation_of_the_report_resolves(finished: tuple[Path, dict[str, Any], str]) -> None:
    home, made, _ = finished
    report = settle(warroom(home, "report", made["session"], "--format", "json")).json()
    assert report["evidence"]
    assert [entry["ref"] for entry in report["evidence"] if not entry["resolved"]] == []
    assert [item["doubts"] for item in report["findings"] if item["doubts"]] == []
    markdown = settle(warroom(home, "report", made["session"])).out
    assert "unresolved" not in markdown
    assert "voucher" in markdown


def test_standard_input_is_evidence_and_what_the_person_says_counts(tmp_path: Path) -> None:
    write_logs(tmp_path / "orders.jsonl")
    text = (tmp_path / "orders.jsonl").read_text()
    said = ["--incident", "INC-9", "--title", "orders are slow", "--service", "orders"]
    window = ["--since", "2026-02-03T09:40:00Z", "--until", "2026-02-03T12:10:00+02:00"]
    made = settle(warroom(tmp_path, "run", "-", "--json", *said, *window, stdin=text)).json()
    assert made["id"] == "INC-9"
    report = settle(warroom(tmp_path, "report", made["session"], "--format", "json")).json()
    incident = report["incident"]
    assert (incident["title"], incident["service"]) == ("orders are slow", "orders")
    assert incident["window"] == {"start": "2026-02-03T09:40:00Z", "end": "2026-02-03T10:10:00Z"}
    assert [source["kind"] for source in report["sources"]] == ["logs"]


def test_the_output_of_a_command_is_evidence_and_is_kept_with_the_session(tmp_path: Path, quick: InProcess) -> None:
    write_logs(tmp_path / "orders.jsonl")
    typed = settle(quick("run", "--headless", "--", "cat", str(tmp_path / "orders.jsonl"))).json()
    report = settle(quick("report", typed["session"], "--format", "json")).json()
    (source,) = [one for one in report["sources"] if one["kind"] == "logs"]
    assert source["origin"].startswith("cat ")
    assert Path(source["path"]).is_relative_to(tmp_path / "state" / "sessions" / typed["session"])
    assert not list((tmp_path / "state").glob("spool-*"))


def test_an_incident_that_is_not_one(tmp_path: Path, quick: InProcess) -> None:
    write_metrics(tmp_path / "metrics.csv", flat=True)
    made = settle(quick("run", "metrics.csv", "--headless")).json()
    assert made["kind"] in ("no_incident", "inconclusive")
    assert made["culprit"] is None


def interrupted_run(home: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a run that waits: a command whose output does not end."""
    return subprocess.Popen(
        [str(WARROOM), "run", str(folder), "--headless"],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[bytes], word: bytes) -> bytes:
    """Read standard error until a word is in it."""
    assert process.stderr is not None
    seen = b""
    while word not in seen:
        line = process.stderr.readline()
        assert line, seen.decode()
        seen += line
    return seen


def test_ctrl_c_stops_cleanly_and_the_session_goes_on(tmp_path: Path, incident: tuple[Path, dict[str, str]]) -> None:
    process = interrupted_run(tmp_path, incident[0])
    read_until(process, b"running: start")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    document = json.loads(out)
    assert document["kind"] is None
    assert f"sessions resume {document['session']}".encode() in err
    (row,) = json.loads(settle(warroom(tmp_path, "sessions", "list", "--json")).out)
    assert (row["status"], row["reason"]) == ("idle", "interrupted")
    resumed = settle(warroom(tmp_path, "sessions", "resume", document["session"], "--headless")).json()
    assert resumed["culprit"] == incident[1]["culprit"]


@pytest.mark.parametrize(
    "word",
    [
        b"> metrics_",
        *(pytest.param(word, marks=pytest.mark.soak) for word in (b"running: start", b"> logs_", b"* ", b"> code")),
    ],
)
def test_kill_9_at_any_moment_then_resume_finishes(
    tmp_path: Path, incident: tuple[Path, dict[str, str]], word: bytes
) -> None:
    process = interrupted_run(tmp_path, incident[0])
    read_until(process, word)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    (session,) = os.listdir(tmp_path / "state" / "sessions")
    made = settle(warroom(tmp_path, "sessions", "resume", session, "--headless")).json()
    assert made["session"] == session
    assert made["culprit"] == incident[1]["culprit"]
    assert owed_and_doubled(tmp_path, session) == (0, 0)


def owed_and_doubled(home: Path, session: str) -> tuple[int, int]:
    """Count the calls without an answer and those with more than one."""
    asked: list[str] = []
    answered: list[str] = []
    exported = settle(warroom(home, "sessions", "export", session)).out
    for line in exported.splitlines():
        record = json.loads(line)
        if record.get("type") == "agent.custom_tool_use":
            asked.append(record["source_id"])
        elif record.get("type") == "user.custom_tool_result":
            answered.append(record["body"]["custom_tool_use_id"])
    return len(set(asked) - set(answered)), len(answered) - len(set(answered))


def test_a_run_that_goes_on_elsewhere_is_neither_resumed_nor_deleted(
    tmp_path: Path, incident: tuple[Path, dict[str, str]]
) -> None:
    process = interrupted_run(tmp_path, incident[0])
    read_until(process, b"running: start")
    os.killpg(process.pid, signal.SIGSTOP)
    try:
        (session,) = os.listdir(tmp_path / "state" / "sessions")
        resumed = warroom(tmp_path, "sessions", "resume", session)
        assert resumed.status == 2
        assert "is open in another warroom" in resumed.complaint()
        asked = warroom(tmp_path, "sessions", "delete", session)
        token = asked.err.rpartition("--confirm ")[2].strip()
        assert warroom(tmp_path, "sessions", "delete", session, "--confirm", token).status == 2
        assert (tmp_path / "state" / "sessions" / session / "journal.db").exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)


def test_on_a_terminal_it_says_what_it_waits_for_and_ends_with_the_answer(tmp_path: Path) -> None:
    master, slave = os.openpty()
    running = subprocess.Popen(
        [str(WARROOM), "run", "-"],
        stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, env=environment(tmp_path, TERM="xterm"),
    )  # fmt: skip
    os.close(slave)
    screen = b""
    try:
        while b"Ctrl-D" not in screen:
            screen += os.read(master, 4096)
        os.write(master, b'{"title":"orders are slow","service":"orders","fired_at":"2026-02-03T09:00:00Z"}\n\x04')
        with suppress(OSError):  # told when the command has closed its end
            while more := os.read(master, 65536):
                screen += more
        assert running.wait() == 0
    finally:
        running.kill()
        os.close(master)
    *_, headline, where = screen.decode().strip().splitlines()
    assert headline.startswith("warroom: ")
    assert "orders" in headline
    assert "warroom report" in where


def lay_traps(hostile: Path, marker: Path) -> None:
    """Make a folder with an incident in which whatever is imported, run or obeyed writes the marker."""
    trap = f"import pathlib; pathlib.Path({str(marker)!r}).write_text('x')\n"
    names = [
        "sitecustomize.py",
        "usercustomize.py",
        "click.py",
        "json.py",
        "re.py",
        "polars.py",
        "git.py",
        "conftest.py",
    ]
    for package in ("orchestrator", "runbooks", "subagents", "tui"):
        (hostile / package).mkdir(parents=True)
        names.append(f"{package}/__init__.py")
    for name in names:
        (hostile / name).write_text(trap)
    for program in ("git", "python", "python3", "bwrap", "cat"):
        (hostile / program).write_text(f"#!/bin/sh\necho x > {marker}\n")
        (hostile / program).chmod(0o755)
    (hostile / "warroom.toml").write_text(
        f"[services.orders]\nrollback = 'touch {marker}'\n[services.orders.tests]\ncommand = ['touch', '{marker}']\n"
    )
    write_incident(hostile / "incident")
    git_config = hostile / "incident" / "repo" / ".git" / "config"
    with git_config.open("a") as config:
        config.write(
            f'[core]\n\tfsmonitor = "touch {marker}"\n\tpager = "touch {marker}"\n\tsshCommand = touch {marker}\n'
        )
        config.write(f'[diff]\n\texternal = "touch {marker}"\n')
    hooks = hostile / "incident" / "repo" / ".git" / "hooks"
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / hook).chmod(0o755)


def test_a_hostile_current_directory_gets_nothing_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    hostile = tmp_path / "hostile"
    lay_traps(hostile, marker)
    ran = settle(warroom(tmp_path, "run", "incident", "--headless", cwd=hostile, PATH=f"{os.environ['PATH']}:.:"))
    assert ran.json()["kind"] == "culprit"
    again = subprocess.run(
        [str(WARROOM.with_name("python")), "-P", "-m", "tui.cli", "sessions", "list"],
        cwd=hostile,
        env=environment(tmp_path),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert again.stdout
    assert not marker.exists()
    shown = ran.err + settle(warroom(tmp_path, "report", ran.json()["session"])).out
    assert "does not count from a project's file" in shown.replace("`", "")
    assert f"touch {marker}" not in settle(warroom(tmp_path, "report", ran.json()["session"])).out


@LOOKED_AT
def test_the_users_own_rollback_command_is_filled_in_and_never_run(
    finished: tuple[Path, dict[str, Any], str], incident: tuple[Path, dict[str, str]]
) -> None:
    home, made, _ = finished
    commands = [action["command"] for action in made["verdict"]["actions"] if action["command"]]
    assert commands[0] == f"touch {home}/ran {incident[1]['culprit']}"
    assert commands[0] in settle(warroom(home, "report", made["session"])).out
    assert not (home / "ran").exists()


def test_secrets_are_in_no_file_of_the_state_directory(tmp_path: Path) -> None:
    held, seen = "kd83hfQ7zzP1mmX4", "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    write_logs(tmp_path / "orders.jsonl")
    with (tmp_path / "orders.jsonl").open("a") as log:
        for second in range(40, 50):
            message = f"calling with {held} and token {seen}"
            line = {"ts": f"2026-02-03T09:55:{second}Z", "service": "orders", "level": "ERROR", "message": message}
            log.write(json.dumps(line) + "\n")
    ran = settle(warroom(tmp_path, "run", "orders.jsonl", "--headless", SHOP_PASSWORD=held))
    report = settle(warroom(tmp_path, "report", ran.json()["session"]))
    for text in (ran.out, ran.err, report.out):
        assert held not in text
        assert seen not in text
    for path in (tmp_path / "state").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert held.encode() not in data, path
            assert seen.encode() not in data, path


@LOOKED_AT
def test_state_is_private(finished: tuple[Path, dict[str, Any], str]) -> None:
    state = finished[0] / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    for path in (state / "sessions", *state.iterdir(), *(state / "sessions").iterdir()):
        assert path.lstat().st_mode & 0o077 == 0, path


@pytest.mark.soak
def test_two_runs_at_once_do_not_meet(tmp_path: Path, incident: tuple[Path, dict[str, str]]) -> None:
    both = [interrupted_run(tmp_path, incident[0]) for _ in range(2)]
    made = []
    for process in both:
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, err
        made.append(json.loads(out))
    assert made[0]["session"] != made[1]["session"]
    assert made[0]["culprit"] == made[1]["culprit"] == incident[1]["culprit"]


@LOOKED_AT
def test_the_record_says_who_ran_it(finished: tuple[Path, dict[str, Any], str]) -> None:
    home, made, _ = finished
    lines = settle(warroom(home, "audit", made["session"])).out.splitlines()
    for did in ("opened the session", "started work"):
        (line,) = [line for line in lines if f"  {did}: " in line]
        assert re.search(rf', by "\S+ on {re.escape(os.uname().nodename)}, process \d+"', line), line
