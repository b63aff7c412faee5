"""A watched session in the app: it follows by itself, refuses what would touch it, and is deleted with care."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.asked import Surroundings
from orchestrator.journal.index import summarise
from tests.managed.conftest import KEY, Command
from tests.managed.elsewhere import OTHER, began, install_of, made_by, only_here, rest, writes
from tests.standin import Standin
from tests.standin.cast import talker
from tui.app import WarRoomApp
from tui.attached import AttachedSession
from tui.live import reopen
from tui.removing import remove
from tui.session_view import ActFault
from tui.start import Start


@pytest.fixture
def keyed(command: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr("orchestrator.engines.managed.deletion.POLL_S", (0.0,))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return command


@pytest.fixture
def around(keyed: Command, standin: Standin, tmp_path: Path) -> Surroundings:
    env = {"HOME": str(keyed.cwd), "ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY}
    return Surroundings(keyed.home, tmp_path, env, attended=True)


@pytest.fixture
def watched(keyed: Command, standin: Standin) -> tuple[str, str]:
    """A session of another installation that is watched here: its id here and there."""
    standin.script({"lead": talker})
    there = began(standin, title="it burns", metadata=made_by(OTHER))
    rest(standin, there)
    assert keyed("attach", there, "--headless").status == 0
    return only_here(keyed.home), there


async def test_nothing_can_be_done_to_it(watched: tuple[str, str], around: Surroundings, standin: Standin) -> None:
    before = writes(standin)
    opened = await reopen(watched[0], around)
    try:
        assert isinstance(opened, AttachedSession)
        assert "--take-over" in opened.why_not
        for act in (
            opened.message("stop"),
            opened.interrupt(),
            opened.decide("a", "approve", "d"),
            opened.decide_for_session("a", "d"),
            opened.revoke("r"),
            opened.attach("/tmp"),
            opened.raise_budget("9usd"),
        ):
            with pytest.raises(ActFault, match="take-over"):
                await act
        await opened.stop()
    finally:
        await opened.close()
    assert writes(standin) == before


async def test_the_app_follows_it_by_itself(watched: tuple[str, str], around: Surroundings, standin: Standin) -> None:
    before = writes(standin)
    app = WarRoomApp(Start(session=watched[0]), around)
    async with app.run_test(size=(160, 40)) as pilot:
        while not (app.opened and any(not one.running and one.view.caught_up for one in app.opened.values())):
            await pilot.pause()
        (opened,) = app.opened.values()
        while opened.view.agents.reason != "end_turn":
            await pilot.pause()
        assert isinstance(opened, AttachedSession)
        assert "watching only" in opened.view.notice
        assert opened.view.remote is not None
        assert opened.view.remote.id == watched[1]
    assert writes(standin) == before


async def test_deleting_it_here_leaves_others_theirs(
    watched: tuple[str, str], around: Surroundings, standin: Standin
) -> None:
    name, there = watched
    said = await remove(around, summarise(around.home.session_dir(name)))
    assert "--foreign" in said
    assert there in standin.state.sessions
    assert around.home.session_ids() == []


async def test_deleting_ones_own_covers_the_server_and_keeps_what_cannot_go(
    watched: tuple[str, str], around: Surroundings, standin: Standin
) -> None:
    name, there = watched
    standin.run(lambda: standin.state.only().record["metadata"].update(made_by(install_of(around.home))))
    row = summarise(around.home.session_dir(name))
    standin.faults.refuse(403, "DELETE", "/v1/sessions/*", times=9)
    with pytest.raises(ActFault, match="--local-only"):
        await remove(around, row)
    assert around.home.session_ids() == [name]
    standin.faults.clear()
    keyless = Surroundings(around.home, around.cwd, {"HOME": str(around.cwd)})
    with pytest.raises(ActFault, match="ANTHROPIC_API_KEY"):
        await remove(keyless, row)
    assert there in await remove(around, row)
    assert there in standin.state.deleted
    assert around.home.session_ids() == []
