"""`make live` without a key is one line; a recorded session needs no server to be reported, exported or opened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.asked import Surroundings
from tests.fakes import FakeClock
from tests.live import live
from tests.managed.conftest import KEY, Command
from tests.managed.elsewhere import began, made_by, only_here, rest
from tests.standin import Options, Standin
from tests.standin.cast import connected, lead, play, scout
from tui.live import reopen
from tui.watching import WatchedSession


def test_without_a_key_nothing_is_run(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    ran: list[str] = []
    assert live([], {"HOME": str(command.cwd)}, lambda arguments: len(ran)) == 2
    said = capsys.readouterr().err
    assert (len(said.splitlines()), ran) == (1, [])
    assert "ANTHROPIC_API_KEY" in said


def test_with_a_key_it_syncs_and_then_runs_the_bundled_incident(command: Command) -> None:
    ran: list[list[str]] = []

    def run(arguments: Sequence[str]) -> int:
        ran.append(list(arguments))
        return stops_at if arguments[0] == "agents" else 0

    stops_at = 0
    env = {"HOME": str(command.cwd), "ANTHROPIC_API_KEY": KEY}
    assert live(["--yes", "--headless"], env, run) == 0
    assert ran == [["agents", "sync", "--yes"], ["demo", "--engine", "managed", "--headless"]]
    stops_at = 4
    ran.clear()
    assert live([], env, run) == 4
    assert ran == [["agents", "sync"]], "nobody said yes, so nothing is run"


def test_a_recorded_session_replays_without_the_server(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = recorded(command, monkeypatch)
    for variable in ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable)
    assert "it burns" in command("report", name).out
    exported = [json.loads(row) for row in command("sessions", "export", name).out.splitlines()]
    assert "warroom.remote_session" in json.dumps(exported)
    assert command("sessions", "show", name).status == 0
    assert command("audit", name).status == 0
    asyncio.run(opened_in_the_app(name, Surroundings(command.home, tmp_path, {}, clock=FakeClock())))


async def opened_in_the_app(name: str, around: Surroundings) -> None:
    opened = await reopen(name, around)
    try:
        assert isinstance(opened, WatchedSession)
        assert "ANTHROPIC_API_KEY" in opened.why_not
        for event in opened.events():
            opened.view.learn(event)
        assert opened.view.remote is not None
        texts = ["".join(part.text for part in row.line) for ring in opened.view.streams.panes.values() for row in ring]
        assert any("Decided:" in text for text in texts)
        assert any("further away" in text for text in texts), "what a specialist said is there"
    finally:
        await opened.close()


def recorded(command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """Record a session of two agents, through a stand-in that is gone afterwards."""
    with Standin({"lead": lead, "logs": scout}, options=Options(key=KEY)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        there = began(server, "logs", metadata=made_by("another"), title="INC-3: it burns")

        async def drive() -> None:
            async with connected(server) as client:
                await play(client, there, lambda name, given: f"{name} says nothing")

        asyncio.run(drive())
        rest(server, there)
        said = command("attach", there, "--headless")
        assert said.status == 0, said.err
    return only_here(command.home)
