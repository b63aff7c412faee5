"""In a real terminal: the way through by keys, and a sane terminal after every kind of end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.command import WARROOM
from tests.cli.incidents import write_alert, write_logs, write_metrics
from tests.tui.terminal import Terminal, terminal

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def incident(tmp_path: Path) -> Path:
    folder = tmp_path / "incident"
    folder.mkdir()
    write_logs(folder / "orders.jsonl")
    write_metrics(folder / "metrics.csv")
    write_alert(folder / "alert.json")
    return folder


def said(seen: str) -> str:
    """What the first line of the person's says on the screen, without its blanks."""
    return "".join(seen.partition("you: ")[2].split("┃")[0].split())[:7]


def child(tmp_path: Path) -> int:
    """The process that the shell reported as `pid`."""
    return int((tmp_path / "pid").read_text())


def settings(tty: Terminal, place: Path) -> str:
    """What the terminal's line is set to."""
    (place / "stty").unlink(missing_ok=True)
    tty.type(f"clear; stty -g > {place}/stty.new; mv {place}/stty.new {place}/stty")
    tty.until(lambda _: (place / "stty").exists())
    return (place / "stty").read_text()


def sane(tty: Terminal, place: Path, before: str) -> None:
    """Fail where anything of the terminal is not as it was."""
    assert settings(tty, place) == before
    assert tty.flag("alternate_on") == "0"
    assert tty.flag("cursor_flag") == "1"
    assert tty.flag("mouse_any_flag") == "0"


@pytest.mark.parametrize("size", [(200, 50), pytest.param((80, 24), marks=pytest.mark.soak)], ids=["200x50", "80x24"])
def test_run_watch_move_copy_and_quit(tmp_path: Path, incident: Path, size: tuple[int, int]) -> None:
    with terminal(tmp_path, size) as tty:
        before = settings(tty, tmp_path)
        tty.type(f"{WARROOM} run {incident}; echo ended with $?")
        tty.shows_all("NEXT", "orders", "offline", "done")
        tty.keys("1")
        tty.shows("1 logs")
        tty.keys("z", "g", "Space")
        tty.keys("z", "b")
        tty.shows("hypotheses")
        tty.tmux("send-keys", "0", "z", "m", *"qzfi 123", "Enter", "1", "G", "k", "Space")  # faster than anyone types
        tty.shows("said; it is in the session")
        tty.keys("0")
        tty.until(lambda seen: said(seen) == "qzfi123")
        tty.keys("z")
        tty.keys("?")
        tty.shows("Go to the hypotheses.")
        tty.keys("Escape")
        tty.shows("NEXT")
        tty.keys("s")
        tty.shows("1 session")
        tty.keys("q")
        tty.shows("ended with 0")
        sane(tty, tmp_path, before)


def test_colours_are_not_needed(tmp_path: Path, incident: Path) -> None:
    with terminal(tmp_path, (120, 36), NO_COLOR="1", TEXTUAL_COLOR_SYSTEM="standard") as tty:
        tty.type(f"{WARROOM} run {incident}")
        tty.shows_all("NEXT", "1 logs =")
        coloured = tty.tmux("capture-pane", "-p", "-e")
        assert "\x1b[7m" in coloured, "the cursor is told by reverse video"
        tty.keys("q")
        tty.shows("ready$")


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.soak), signal.SIGKILL])
def test_killed_at_work_it_is_where_it_was(tmp_path: Path, incident: Path, number: signal.Signals) -> None:
    with terminal(tmp_path, (120, 36), PYTHONPATH=str(ROOT)) as tty:
        before = settings(tty, tmp_path)
        run = f"{sys.executable} -m tests.tui.waiting run {incident}"
        tty.type(f"sh -c 'echo $$ > {tmp_path}/pid; exec {run}'; echo ended with $?")
        tty.shows("running 00:0")
        tty.keys("2", "z")
        session = next(iter((tmp_path / "state" / "sessions").iterdir()))
        tty.until(lambda _: "metrics" in read(session / "screen.json"))
        os.kill(child(tmp_path), number)
        tty.shows(f"ended with {128 + number}" if number != signal.SIGKILL else "ended with 137")
        if number == signal.SIGTERM:
            sane(tty, tmp_path, before)
        else:
            tty.keys("C-j", "stty sane", "C-j")  # nothing could be put back: that is the person's to do
            tty.type("reset")
            tty.tmux("clear-history")
        tty.type(f"clear; {WARROOM} open {session.name}")
        if number == signal.SIGTERM:
            tty.until(lambda seen: "NEXT" in seen and "no verdict" not in seen)  # it was left at work: it goes on
        else:
            tty.shows_all("r goes on", "[2 metrics]", "stopped")
            tty.keys("r")
            tty.until(lambda seen: "NEXT" in seen and "no verdict" not in seen)
        tty.shows_all("done 00:", "r go on")  # it has ended, too: with work still running, q would ask first
        tty.keys("q")
        tty.shows("ready$")


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_defect_prints_its_type_and_no_value(tmp_path: Path) -> None:
    with terminal(tmp_path, (120, 36), PYTHONPATH=str(ROOT)) as tty:
        before = settings(tty, tmp_path)
        tty.type(f"{sys.executable} -m tests.tui.crashing; echo ended with $?")
        tty.shows("no sessions yet")
        tty.keys("x")
        seen = tty.shows_all("ended with 1", "LookupError", "warroom.log")
        assert "Traceback" not in seen
        assert "battery" not in seen
        sane(tty, tmp_path, before)
        assert "in key_x" in read(tmp_path / "state" / "warroom.log")


@pytest.mark.parametrize("leader", ["", "trap : HUP; "], ids=["alone", "below one that keeps it to itself"])
def test_a_terminal_that_goes_away_leaves_the_work_to_go_on_later(tmp_path: Path, incident: Path, leader: str) -> None:
    with terminal(tmp_path, (120, 36), PYTHONPATH=str(ROOT)) as tty:
        run = f"{sys.executable} -m tests.tui.waiting run {incident}"
        tty.type(f"{leader}sh -c 'echo $$ > {tmp_path}/pid; exec {run}'")
        tty.shows("running 00:0")
        number = child(tmp_path)
        tty.tmux("new-session", "-d", "-s", "other", "-x", "80", "-y", "24", "sh")
        tty.tmux("kill-session", "-t", "0")
        tty.until(lambda _: not alive(number))
        session = next(iter((tmp_path / "state" / "sessions").iterdir()))
        assert '"left": true' in read(session / "screen.json")


def alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return "Z" not in read(Path(f"/proc/{number}/stat")).rpartition(")")[2].split()[0]
