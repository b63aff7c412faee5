"""From an engine's call to a person's keys and back: asked, shown, approved for the session, taken back, for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.compose import Surroundings
from orchestrator.engines.base import Desk, StopReason
from orchestrator.hands.policy import Policy
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from tests.fakes import FakeClock
from tests.hands.conftest import RECIPE, effects
from tests.session.conftest import INCIDENT, FakeEngine, call
from tests.tui.decisions import ticked
from tests.tui.stage import Stage, settled, shown, until
from tui.live import LiveSession
from tui.screens.review import ReviewScreen
from tui.session_view import ActFault


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveSession]:
    """A session whose engine asks for the same call twice, and then for another."""

    async def script(desk: Desk) -> StopReason:
        for name in ("c1", "c2"):
            await call(desk, "toys_unkeyed", name, path=str(tmp_path))
        await call(desk, "toys_unkeyed", "c3", path=str(tmp_path / "other"))
        return "end_turn"

    clock, home = FakeClock(), StateHome(tmp_path / "state")
    settings = Settings(recipe=RECIPE, policy=Policy(), own_secrets=(), clock=clock, version="0", attended=True)
    session = await Session.create(home, INCIDENT, [], [], FakeEngine(script), settings)
    made = LiveSession(session, Surroundings(home, tmp_path, {}, clock=clock, attended=True))
    yield made
    await made.close()


async def test_two_keys_let_the_same_call_through_twice_and_no_other(live: LiveSession, tmp_path: Path) -> None:
    clock = live.view.clock
    assert isinstance(clock, FakeClock)
    live.go_on()
    while not live.view.to_review:  # noqa: ASYNC110 - the follower has no event for it
        await asyncio.sleep(0)
    screen = ReviewScreen(view=live.view, approval="call:c1")
    async with Stage(screen).run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: screen.sheet is not None)
        clock.advance(1.0)
        await settled(pilot)
        assert screen.sheet is not None
        assert [one.text for one in screen.sheet.files[0].lines] == [f"path = {tmp_path}"]
        assert "toys wants to run toys_unkeyed" in shown(pilot.app)
        assert not effects(tmp_path)
        await ticked(pilot, "S", "Y")
        await until(pilot, lambda: "call:c3" in live.view.incident.pending)
        assert len(effects(tmp_path)) == 2, "the second was not asked about"
        await settled(pilot)
        assert "APPROVED" in shown(pilot.app)
        assert live.view.to_review == ["call:c3", "session:call:c1"]
        with pytest.raises(ActFault, match="no approval of that name"):
            await live.revoke("session:call:c3")
        await live.revoke("session:call:c1", "enough")
        await until(pilot, lambda: live.view.to_review == ["call:c3"])
        await live.decide("call:c3", "reject", live.view.incident.pending["call:c3"].digest, "no")
        await until(pilot, lambda: not live.running)
    assert len(effects(tmp_path)) == 2
