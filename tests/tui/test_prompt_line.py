"""What is said in the line above the keys: whole, and no longer than it is so."""

from __future__ import annotations

import pytest

from tests.tui.stage import painted, press, settled, shown, war_room
from tests.tui.story import FakeActs, at_work, finished, view_of
from tui.views.paint import text_of


@pytest.mark.parametrize("running", [True, False])
async def test_what_is_said_while_nobody_is_at_work_says_when_it_is_heard(running: bool) -> None:
    async with war_room(view_of(at_work() if running else finished(), FakeActs(running=running))) as (room, pilot):
        await press(pilot, "m", "x", "enter")
        await settled(pilot)
        assert text_of(room.said).startswith("said; it is in the session")
        assert ("r goes on, and says it" in text_of(room.said)) is not running


@pytest.mark.parametrize("width", [80, 120, 60])
async def test_what_is_said_is_there_to_its_end_however_narrow_the_window(width: int) -> None:
    """What to do about a fault stands at the end of its sentence, where a narrow window would cut."""
    fault = "/srv/incident/metrics.csv: it cannot be read (Permission denied); nothing was attached; chmod it first"
    async with war_room(view_of(at_work()[:2], FakeActs()), (width, 24)) as (room, pilot):
        room.tell(fault)
        await settled(pilot)
        assert fault in " ".join(shown(pilot.app).split())
        await press(pilot, "m")
        assert painted(pilot.app)[-2].startswith("steer or ask >")
        await press(pilot, "escape")
        assert fault in " ".join(shown(pilot.app).split())
        await pilot.resize_terminal(200, 50)
        await settled(pilot)
        assert painted(pilot.app)[-2].startswith(fault)


async def test_what_was_said_while_it_was_opened_does_not_outlive_that() -> None:
    async with war_room(None, (80, 24)) as (room, pilot):
        await press(pilot, "a")
        assert painted(pilot.app)[-2].startswith("it is still being opened")
        room.attach(view_of(at_work()[:2], FakeActs()))
        await settled(pilot)
        assert painted(pilot.app)[-2].startswith("> m steer or ask")
