"""How a run ends when the engine does not: status 3, 130, a document all the same, and a session that can go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.verdict.document import VerdictDocument
from tests.cli.command import Ran, environment, settle, warroom
from tests.cli.incidents import write_logs

ROOT = Path(__file__).resolve().parents[2]


def start(home: Path, ending: str) -> subprocess.Popen[bytes]:
    write_logs(home / "app.jsonl")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cli.stub_engine", ending, "run", str(home / "app.jsonl"), "--headless"],
        cwd=ROOT,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=60)
    return Ran(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("fails", "the engine's model is not there"),
        pytest.param("breaks", "LookupError: an inner surprise", marks=pytest.mark.soak),
        pytest.param("silent", "end_turn", marks=pytest.mark.soak),
    ],
)
def test_an_engine_that_gives_no_verdict_is_status_3(tmp_path: Path, ending: str, said: str) -> None:
    ran = end(start(tmp_path, ending))
    assert ran.status == 3, ran.err
    assert said in ran.complaint()
    made = VerdictDocument.model_validate(ran.json())
    assert (made.kind, made.culprit, made.verdict) == (None, None, None)
    assert f"sessions resume {made.session}" in ran.err
    resumed = settle(warroom(tmp_path, "sessions", "resume", made.session, "--headless")).json()
    assert resumed["kind"] is not None


def test_a_second_ctrl_c_quits_at_once_and_loses_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, "stuck")
    assert process.stderr is not None
    for word, number in ((b"running: start", signal.SIGINT), (b"again to quit", signal.SIGINT)):
        while word not in (line := process.stderr.readline()):
            assert line
        process.send_signal(number)
    ran = end(process)
    assert ran.status == 130
    assert "Traceback" not in ran.err
    (session,) = os.listdir(tmp_path / "state" / "sessions")
    made = settle(warroom(tmp_path, "sessions", "resume", session, "--headless"))
    assert made.json()["kind"] is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.soak)])
def test_being_asked_to_end_is_an_interrupt(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "stuck")
    assert process.stderr is not None
    while b"running: start" not in (line := process.stderr.readline()):
        assert line
    process.send_signal(number)
    while b"stopping" not in (line := process.stderr.readline()):
        assert line
    process.send_signal(number)
    assert end(process).status == 130


def test_a_reader_that_goes_away_loses_nothing(tmp_path: Path) -> None:
    write_logs(tmp_path / "app.jsonl")
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("warroom")), "run", "app.jsonl", "--headless"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    (row,) = json.loads(settle(warroom(tmp_path, "sessions", "list", "--json")).out)
    assert (row["status"], row["reason"]) == ("idle", "end_turn")
