"""What the screens look like at three sizes, as text. To accept a change: WARROOM_SNAPSHOTS=write pytest tests/tui."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.journal.events import Event
from tests.tui.stage import SIZES, shown, war_room
from tests.tui.story import at_work, finished, view_of

KEPT = Path(__file__).parent / "screens"


def compare(name: str, text: str) -> None:
    path = KEPT / f"{name}.txt"
    if os.environ.get("WARROOM_SNAPSHOTS") == "write":
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is not kept yet"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("story", [at_work, finished], ids=["at_work", "finished"])
async def test_the_war_room(story: Callable[[], list[Event]], size: tuple[int, int]) -> None:
    async with war_room(view_of(story()), size) as (_, pilot):
        compare(f"warroom_{story.__name__}_{size[0]}x{size[1]}", shown(pilot.app))


async def test_too_small_says_so() -> None:
    async with war_room(view_of(finished()), (59, 20)) as (_, pilot):
        assert "needs 60 columns and 16 rows" in shown(pilot.app)


async def test_the_frame_stands_before_there_is_a_session() -> None:
    async with war_room(None) as (_, pilot):
        assert "opening INC-7" in shown(pilot.app)
        assert "0 orchestrator" in shown(pilot.app)
