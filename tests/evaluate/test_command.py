"""`warroom eval` as it is typed."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.evaluate import pool
from tests.cli.command import InProcess, environment, settle
from tests.evaluate.conftest import STUB, Settings
from tests.evaluate.trees import write_complaint, write_tree
from tests.fakes import FakeClock
from tui.commands.evaluate import Progress, duration

REPOSITORY = str(Path(__file__).resolve().parents[2])
"""Where a process of its own finds the code of this process: the interpreter's own may be that of another copy."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "cases")


@pytest.fixture
def quick(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> InProcess:
    monkeypatch.setattr(pool, "CHILD", STUB)
    return InProcess(tmp_path, capfd, monkeypatch)


def test_run_resume_and_compare(quick: InProcess, tree: Path, tmp_path: Path) -> None:
    ran = settle(quick("eval", str(tree), "--out", "a.jsonl", "--jobs", "2"))
    assert "outages: 1 case," in ran.out
    assert "skipped  gadgets" in ran.out
    assert "warroom: 3 cases to run" in ran.err
    assert "warroom: 3 of 3 cases done, took" in ran.err
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert {line["family"] for line in lines} == {"outages", "complaints", "readings"}
    again = settle(quick("eval", str(tree), "--out", "a.jsonl"))
    assert "warroom: 0 cases to run, 3 done already" in again.err
    assert again.out == ran.out
    compared = settle(quick("eval", "compare", "a.jsonl", "a.jsonl"))
    assert "complaints: 1 case in both" in compared.out
    figures = settle(quick("eval", "compare", "a.jsonl", "a.jsonl", "--json")).json()
    assert figures["families"][0]["measures"][0]["p"] == 1.0


def test_choices_and_figures_as_json(quick: InProcess, tree: Path) -> None:
    ran = settle(quick("eval", str(tree), "out-1", "--json", "-q"))
    made = ran.json()
    assert ran.err == ""
    assert [one["family"] for one in made["families"]] == ["outages"]
    assert made["families"][0]["contenders"]["warroom"][0]["measure"] == "culprit or none right"
    assert made["skipped"] == {"gadgets": made["skipped"]["gadgets"]}
    assert (quick.home / "warroom-eval.jsonl").exists()


def test_lines_are_of_the_published_schema(quick: InProcess, tree: Path, tmp_path: Path) -> None:
    from orchestrator.evaluate.lines import EvalLine

    settle(quick("eval", str(tree), "--out", "a.jsonl", "-q"))
    schema = settle(quick("schema", "eval")).json()
    needed = ["id", "family", "kind", "culprit", "service", "services", "suspects", "confidence", "seconds", "verdict"]
    assert set(needed) <= set(schema["required"]) | set(schema["properties"])
    assert schema["additionalProperties"] is False
    for raw in (tmp_path / "a.jsonl").read_text().splitlines():
        assert set(json.loads(raw)) == set(schema["properties"])
        assert EvalLine.model_validate_json(raw).failure is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere: no such file or folder"),
        (("{tree}", "--family", "outage"), "--family 'outage' is not here"),
        (("{tree}", "--out", "nowhere/a.jsonl"), "cannot be written"),
        (("{tree}", "--config", "nowhere.toml"), "nowhere.toml: no such file; check --config"),
        (("{tree}", "--engine", "oracle"), "there is no engine 'oracle'"),
        (("{tree}", "--engine", "managed"), "the managed engine cannot begin"),
        (("{tree}", "--half", "third"), "'third' is not one of"),
        (("compare", "a.jsonl", "b.jsonl"), "a.jsonl: no such file"),
        ((), "Missing argument 'PATH'"),
    ],
)
def test_what_cannot_be_done_is_one_line(quick: InProcess, tree: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = quick("eval", *(one.format(tree=tree) for one in arguments))
    assert ran.status == 2
    assert said in ran.complaint()


def test_where_no_folder_can_be_made_is_one_line(quick: InProcess, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    ran = quick("eval", str(tree), "-q")
    assert ran.status == 2
    assert "no folder for a case can be made (No space left on device); see TMPDIR" in ran.complaint()


def test_where_there_is_no_room_is_one_line_and_no_wrong_answer(
    quick: InProcess, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 30, 1 << 30, 300 << 10))
    out = tmp_path / "out.jsonl"
    ran = quick("eval", str(tree), "-q", "--out", str(out))
    assert ran.status == 2
    assert "has 0 MiB left, and a case needs 64 at least: make room there, or set TMPDIR" in ran.complaint()
    assert out.read_text() == ""


def test_help(quick: InProcess) -> None:
    ran = settle(quick("eval", "--help"))
    for word in ("--family", "--half", "--jobs", "--out", "eval compare", "labels"):
        assert word in ran.out


@contextmanager
def half_done(tree: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, with one case done and the other one hanging."""
    write_complaint(tree / "complaints" / "zz-hang.json.gz")
    script = (
        "import sys; from orchestrator.evaluate import pool; from tui.cli import main\n"
        f"pool.CHILD = {STUB!r}; main(sys.argv[1:])"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, "eval", str(tree), "--family", "complaints", "--out", "a.jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path, STUB_PIDS=str(tmp_path / "pids"), PYTHONPATH=REPOSITORY),
    ) as process:
        assert process.stderr is not None
        while "1 of 2 cases done" not in process.stderr.readline():
            assert process.poll() is None
        yield process


def test_labels_are_opened_when_every_line_is_written_and_by_one_reader(tree: Path, tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from orchestrator.evaluate import pool\n"
        "from tui.cli import main\n"
        f"pool.CHILD, labels = {STUB!r}, {str(tree / 'labels')!r}\n"
        "def hook(event, given):\n"
        "    if event in ('open', 'os.listdir', 'os.scandir') and str(given[0]).startswith(labels):\n"
        "        sys.stderr.write(f'opened at {os.path.getsize(\"a.jsonl\")}: {os.path.basename(given[0])}\\n')\n"
        "sys.addaudithook(hook)\n"
        "main(sys.argv[1:])"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", script, "eval", str(tree), "--out", "a.jsonl"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONPATH=REPOSITORY),
        check=True,
    )
    size = (tmp_path / "a.jsonl").stat().st_size
    opened = [line for line in ran.stderr.splitlines() if line.startswith("opened")]
    assert opened == [f"opened at {size}: {family}.jsonl" for family in ("complaints", "outages", "readings")]


def test_the_first_ctrl_c_shows_what_is_done(tree: Path, tmp_path: Path) -> None:
    with half_done(tree, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert "complaints: 1 case," in out
    assert "interrupted; 1 case left: the same command goes on from there" in err
    assert "Traceback" not in err
    assert (tmp_path / "a.jsonl").read_text().count("\n") == 1


def test_a_kill_costs_no_case_that_was_done(quick: InProcess, tree: Path, tmp_path: Path) -> None:
    with half_done(tree, tmp_path) as process:
        process.kill()
    before = (tmp_path / "a.jsonl").read_bytes()
    assert before.count(b"\n") == 1
    (tree / "complaints" / "zz-hang.json.gz").rename(tree / "complaints" / "zz.json.gz")
    ran = settle(quick("eval", str(tree), "--family", "complaints", "--out", "a.jsonl"))
    assert "1 case to run, 1 done already" in ran.err
    assert (tmp_path / "a.jsonl").read_bytes().startswith(before)
    assert "complaints: 2 cases" in ran.out


def test_on_a_terminal_it_says_which_cases_run_on_one_line(monkeypatch: pytest.MonkeyPatch, setting: Settings) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    clock, running = FakeClock(), pool.Pool(setting())
    progress = Progress(False, clock, running)
    progress.began(9, 0)
    progress.tick()
    running.running |= {f"case-{number}" for number in range(5)}
    clock.advance(75)
    progress.tick()
    progress.clear()
    assert terminal.getvalue().split("\r\x1b[K") == [
        *("", "9 cases to run\n", "0 of 9 cases done; 75 s so far, now case-0, case-1, case-2…", ""),
    ]


def test_spans_in_words() -> None:
    assert [duration(one) for one in (4.4, 89, 200, 7200)] == ["4 s", "89 s", "3 min", "2.0 h"]
