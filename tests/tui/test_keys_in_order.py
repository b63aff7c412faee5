"""Keys that come at once, as over a slow line, do what they do when they come one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.command import CommandList
from textual.screen import Screen
from textual.widgets import Button, Input

from tests.tui.decisions import Case, reviewing, ticked
from tests.tui.stage import Stage, settled, until, war_room
from tests.tui.story import FakeActs, at_work, view_of
from tui.keys_in_order import KeyDone, KeysInOrder
from tui.screens.warroom import WarRoomScreen
from tui.widgets.line_view import LineView

KEYS = ("m", *"why 12zqfi?", "enter", "1", "G", "z")
NAMED = {" ": "space", "?": "question_mark"}
SAID = {"enter": "\r", "question_mark": "?"}


async def send(app: App[None], first: int, turns: int) -> None:
    """Have the first keys come, and the others when the app has had so many turns."""
    for number, key in enumerate(KEYS):
        if number == first:
            for _ in range(turns):
                await asyncio.sleep(0)
        app.post_message(key_of(key))


def key_of(key: str) -> events.Key:
    return events.Key(NAMED.get(key, key), SAID.get(key, key if len(key) == 1 else None))


@pytest.mark.parametrize("first", [1, 5, 14])
async def test_a_text_that_comes_in_two_bursts_is_what_was_typed(first: int) -> None:
    for turns in (0, 12):
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
        pilot.app.post_message(key_of("m"))
        pilot.app.post_message(events.Paste("is it"))
        for key in ("question_mark", "enter"):
            pilot.app.post_message(key_of(key))
        await until(pilot, lambda: bool(acts.done))
        assert acts.done == [("message", "is it?")]


async def test_a_key_whose_widget_went_away_holds_up_no_other() -> None:
    acts = FakeActs()
    async with war_room(view_of(at_work(), acts)) as (room, pilot):
        for key in ("question_mark", "escape", "question_mark", "escape", "m", "x", "enter"):
            pilot.app.post_message(key_of(key))
        await until(pilot, lambda: bool(acts.done))
        assert acts.done == [("message", "x")]
        await settled(pilot)
        assert isinstance(room.focused, LineView)


async def test_of_each_key_of_which_no_word_comes_back_the_next_ones_wait_a_moment_only() -> None:
    class Deaf(Stage):
        async def on_key_done(self, message: KeyDone) -> None:
            """It hears of none."""

    acts = FakeActs()
    room = WarRoomScreen("")
    async with Deaf(room).run_test(size=(200, 50)) as pilot:
        room.attach(view_of(at_work(), acts))
        await settled(pilot)
        for key in ("m", "enter", "m", "enter", "m", "x", "enter"):
            pilot.app.post_message(key_of(key))
        await until(pilot, lambda: bool(acts.done))


async def test_what_quits_comes_in_its_turn_so_no_key_before_it_answers_what_it_asks() -> None:
    class Quitting(Stage):
        asked = False

        def action_leave(self) -> None:
            self.asked = True

    room = WarRoomScreen("")
    async with Quitting(room).run_test(size=(200, 50)) as pilot:
        app = pilot.app
        assert isinstance(app, Quitting)
        room.attach(view_of(at_work(), FakeActs()))
        await settled(pilot)
        app.post_message(key_of("m"))
        app.post_message(key_of("enter"))  # on its way when the others come
        for key in ("L", "S", "ctrl+c"):
            app.post_message(key_of(key))
        await until(pilot, lambda: app.asked)
        assert not app._coming


async def test_what_is_typed_behind_a_choice_in_the_palette_goes_where_the_command_leads() -> None:
    class Palette(KeysInOrder[None]):
        def compose(self) -> ComposeResult:
            yield Button("elsewhere")
            yield Input()

        def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
            yield SystemCommand("write", "Write something.", lambda: self.query_one(Input).focus())

    async with Palette().run_test() as pilot:
        app = pilot.app
        app.action_command_palette()
        await pilot.pause()
        await pilot.press(*"write")
        listed = app.screen.query_one(CommandList)
        await until(pilot, lambda: listed.option_count == 1 and listed.highlighted == 0)
        for key in ("enter", *"hello"):
            app.post_message(key_of(key))
        await until(pilot, lambda: app.query_one(Input).value == "hello")


async def test_keys_that_were_typed_before_the_screen_was_there_are_no_yes_however_late_they_come() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        assert isinstance(pilot.app, Stage)
        pilot.app.keys_wait = True
        case.clock.advance(10.0)
        for key, age_s in (("a", 60.0), ("Y", 60.0), ("a", 0.0), ("escape", 0.0), ("a", 60.0), ("Y", 0.0)):
            typed = events.Key(key, key if len(key) == 1 else None)
            typed.time -= age_s
            pilot.app.post_message(typed)
        await settled(pilot)
        assert not case.approved
        await ticked(pilot, "a", "Y")
        assert case.approved
