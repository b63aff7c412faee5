"""How far a call is, on the line of a headless run: in place on a terminal, else now and then, if quiet not at all."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from orchestrator.hands.watching import CallPreview
from orchestrator.journal.events import StatusIdle, StopReason, ThreadStatusIdle
from orchestrator.journal.text import clean
from tui.commands.progress import EVERY_S, FIRST_S, Narrator, describe

AT = datetime(2026, 3, 29, 9, 12, 4, tzinfo=UTC)


class FakeStream(io.StringIO):
    """Standard error that may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def preview(seconds: float, text: str = "1.2 M events", call: str = "c1") -> CallPreview:
    return CallPreview("logs", call, "logs_first_look", 412_000_000, 1_100_000_000, clean(text), AT, seconds)


def narrator(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool = False, quiet: bool = False, term: str = "xterm"
) -> tuple[Narrator, FakeStream]:
    stream = FakeStream(terminal)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "66")
    monkeypatch.setenv("NO_COLOR", "1")
    return Narrator(quiet), stream


def test_on_a_terminal_a_line_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    teller, stream = narrator(monkeypatch, terminal=True)
    teller.call_preview(preview(0.3))
    teller.call_preview(preview(0.6, "界" * 60))
    teller.say("something happened")
    teller.clear()
    passing = stream.getvalue().split("\r\x1b[K")
    assert passing[1].startswith("logs         … logs_first_look 37 % · 412 MB of 1.1 GB")
    assert passing[2].count("界") == 3, "cut to the width, which wide characters fill twice as fast"
    assert passing[3] == "warroom      something happened\n"
    assert len(passing) == 4, "there was nothing left to clear"


@pytest.mark.parametrize(("terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_elsewhere_it_is_a_whole_line_now_and_then(monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str) -> None:
    teller, stream = narrator(monkeypatch, terminal=terminal, term=term)
    for quarter in range(round((FIRST_S + EVERY_S) * 4) + 1):
        teller.call_preview(preview(quarter / 4, f"at {quarter / 4}"))
    teller.call_preview(preview(FIRST_S / 2, "another", "c2"))
    lines = stream.getvalue().splitlines()
    start = "09:12:04Z logs         … logs_first_look 37 % · 412 MB of 1.1 GB · at "
    assert lines == [f"{start}{FIRST_S}", f"{start}{FIRST_S + EVERY_S}"]


def test_a_quiet_run_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    teller, stream = narrator(monkeypatch, terminal=True, quiet=True)
    teller.call_preview(preview(5))
    teller.clear()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("stop", "message", "said"),
    [
        ("end_turn", "", "done"),
        ("interrupted", "by the person", "stopped: by the person"),
        ("budget_reached", "budget reached: 2 of 2 tool calls used", "budget reached: 2 of 2 tool calls used"),
        ("error", "ValueError", "failed: ValueError"),
    ],
)
def test_an_ending_is_called_as_in_the_app(stop: str, message: str, said: str) -> None:
    reason = StopReason.model_validate({"type": stop, "message": message})
    assert describe(StatusIdle(stop_reason=reason)) == said
    assert describe(ThreadStatusIdle(session_thread_id="logs", agent_name="logs", stop_reason=reason)) == said
