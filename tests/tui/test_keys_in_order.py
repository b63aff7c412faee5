"""Keys that come at once, as over a slow line, do what they do when they come one by one."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import App

from tests.tui.stage import settled, until, war_room
from tests.tui.story import FakeActs, at_work, view_of
from tui.widgets.line_view import LineView

KEYS = ("m", *"why 12zqfi?", "enter", "1", "G", "z")
NAMED = {" ": "space", "?": "question_mark"}


async def send(app: App[None], first: int, turns: int) -> None:
    """Have the first keys come, and the others when the app has had so many turns."""
    for number, key in enumerate(KEYS):
        if number == first:
            for _ in range(turns):
                await asyncio.sleep(0)
        app.post_message(events.Key(NAMED.get(key, key), "\r" if key == "enter" else key))


@pytest.mark.parametrize("first", [1, 2, 5, 12, 14])
async def test_a_text_that_comes_in_two_bursts_is_what_was_typed(first: int) -> None:
    for turns in (0, 4, 12, 30):
        acts = FakeActs()
        async with war_room(view_of(at_work(), acts)) as (room, pilot):
            await send(pilot.app, first, turns)
            await until(pilot, lambda acts=acts: bool(acts.done))  # type: ignore[misc]
            assert acts.done == [("message", "why 12zqfi?")], turns
            await until(pilot, lambda room=room: room.place == "logs")  # type: ignore[misc]
            assert isinstance(room.focused, LineView)


async def test_what_is_pasted_keeps_its_place() -> None:
    acts = FakeActs()
    async with war_room(view_of(at_work(), acts)) as (_, pilot):
        pilot.app.post_message(events.Key("m", "m"))
        pilot.app.post_message(events.Paste("is it"))
        for key in ("question_mark", "enter"):
            pilot.app.post_message(events.Key(key, "?" if key == "question_mark" else "\r"))
        await until(pilot, lambda: bool(acts.done))
        assert acts.done == [("message", "is it?")]


async def test_a_key_whose_widget_went_away_holds_up_no_other() -> None:
    acts = FakeActs()
    async with war_room(view_of(at_work(), acts)) as (room, pilot):
        for key in ("question_mark", "escape", "question_mark", "escape", "m", "x", "enter"):
            pilot.app.post_message(events.Key(key, {"question_mark": "?", "enter": "\r"}.get(key, key)))
        await until(pilot, lambda: bool(acts.done))
        assert acts.done == [("message", "x")]
        await settled(pilot)
        assert isinstance(room.focused, LineView)
