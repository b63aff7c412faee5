"""The app: home, opening, leaving, faults; on kept sessions, with the clock of tests."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from orchestrator.compose import Surroundings
from orchestrator.journal.home import StateHome
from orchestrator.journal.lock import SessionLock
from tests.cli.kept import keep
from tests.fakes import FakeClock
from tests.tui.stage import press, settled, shown, until
from tests.tui.story import FakeActs, at_work, finished, view_of
from tui import position
from tui.app import WarRoomApp
from tui.position import Position
from tui.screens.help import HelpScreen
from tui.screens.sessions import SessionsScreen
from tui.screens.warroom import WarRoomScreen
from tui.start import Start
from tui.views.paint import text_of
from tui.watching import WATCH_S
from tui.widgets.prompt import PromptBar


def surroundings(home: Path) -> Surroundings:
    return Surroundings(StateHome(home / "state"), home, {}, None, FakeClock(), attended=True)


@asynccontextmanager
async def app_on(
    home: Path, start: Start | None = None, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[WarRoomApp, Pilot[int]]]:
    app = WarRoomApp(start or Start(), surroundings(home))
    async with app.run_test(size=size) as pilot:
        try:
            yield app, pilot
        finally:
            for one in app.opened.values():
                await one.close()


class FakeOpened(FakeActs):
    """An opened session that works until it is stopped or closed."""

    def __init__(self, directory: Path) -> None:
        super().__init__(running=True)
        self.directory = directory
        self.view = view_of(at_work(), self)
        self.ends: list[str] = []

    async def stop(self) -> None:
        self.ends.append("stop")
        self.running = False

    async def close(self) -> None:
        self.ends.append("close")
        self.running = False


def listed(pilot: Pilot[int]) -> bool:
    return "INC-" in shown(pilot.app) or "unread" in shown(pilot.app)


async def test_home_lists_opens_and_comes_back(tmp_path: Path) -> None:
    await asyncio.to_thread(keep, tmp_path, finished())
    async with app_on(tmp_path) as (app, pilot):
        assert isinstance(app.screen, SessionsScreen)
        await until(cast(Pilot[None], pilot), lambda: "checkout answers 5xx" in shown(app))
        assert "APPROVALS" in shown(app)
        assert "1 to decide" in shown(app)
        await press(cast(Pilot[None], pilot), "enter")
        await until(cast(Pilot[None], pilot), lambda: isinstance(app.screen, WarRoomScreen) and "CAUSE" in shown(app))
        await until(cast(Pilot[None], pilot), lambda: "dispatched 4" in shown(app))
        await press(cast(Pilot[None], pilot), "s")
        assert isinstance(app.screen, SessionsScreen)
        await press(cast(Pilot[None], pilot), "escape")
        await until(cast(Pilot[None], pilot), lambda: isinstance(app.screen, WarRoomScreen))


async def test_a_session_held_elsewhere_is_watched_and_opens_here_once_it_is_free(tmp_path: Path) -> None:
    session = await asyncio.to_thread(keep, tmp_path, finished())
    elsewhere = SessionLock(tmp_path / "state" / "sessions" / session)
    async with app_on(tmp_path, Start(session=session), size=(80, 24)) as (app, pilot):
        stage = cast(Pilot[None], pilot)
        await until(stage, lambda: "watching only" in shown(app) and "CAUSE" in shown(app))
        why = f"watching only: open in another warroom (process {os.getpid()}); close it there first"
        assert why in " ".join(shown(app).split())
        await press(stage, "r")
        assert app.opened[session].why_not
        elsewhere.release()
        cast(FakeClock, app.around.clock).advance(WATCH_S)
        await until(stage, lambda: "watching only: no other window has it open any more: r opens it here" in shown(app))
        await press(stage, "r", "r")
        await until(stage, lambda: not app.opened[session].why_not)
        await until(stage, lambda: "watching only" not in shown(app) and "dispatched 4" in shown(app))


async def test_opening_again_is_where_it_was(tmp_path: Path) -> None:
    session = await asyncio.to_thread(keep, tmp_path, finished())
    folder = tmp_path / "state" / "sessions" / session
    position.write(folder, Position(place="deploys", zoomed=True, seen=3))
    async with app_on(tmp_path, Start(session=session)) as (app, pilot):
        await until(cast(Pilot[None], pilot), lambda: "CAUSE" in shown(app))
        room = app.screen
        assert isinstance(room, WarRoomScreen)
        assert (room.place, room.zoomed) == ("deploys", True)
        await press(cast(Pilot[None], pilot), "z", "2")
        await until(cast(Pilot[None], pilot), lambda: position.read(folder).place == "metrics")
        assert position.read(folder).seen >= len(finished())


async def test_delete_takes_another_key_and_esc_keeps(tmp_path: Path) -> None:
    session = await asyncio.to_thread(keep, tmp_path, finished())
    folder = tmp_path / "state" / "sessions" / session
    async with app_on(tmp_path) as (app, pilot):
        stage = cast(Pilot[None], pilot)
        await until(stage, lambda: "checkout" in shown(app))
        await press(stage, "d")
        assert session in shown(app)
        await pilot.resize_terminal(80, 24)
        await until(stage, lambda: "…? X delete  esc keep" in shown(app))
        await press(stage, "d", "enter", "y", "x", "escape")
        assert folder.exists()
        await press(stage, "d", "X")
        await until(stage, lambda: not folder.exists())
        await until(stage, lambda: "no sessions yet" in shown(app))


async def test_the_ticker_leaves_screens_alone_while_the_app_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_on(tmp_path) as (app, _):
        seen: list[bool] = []
        monkeypatch.setattr(app.screen, "tick", lambda: seen.append(app.is_running))
        app._tick()
        assert seen == [True]
        with monkeypatch.context() as ending:
            ending.setattr(app, "_running", False)
            app._tick()
        assert False not in seen


async def test_a_tab_takes_no_question_out_of_reach(tmp_path: Path) -> None:
    async with app_on(tmp_path) as (app, pilot):
        stage = cast(Pilot[None], pilot)
        await until(stage, lambda: "no sessions yet" in shown(app))
        await press(stage, "c", *"/nowhere", "tab", "shift+tab", "escape")
        assert not app.screen.query_one(PromptBar).kind
        await press(stage, "c", *"/nowhere", "tab", "enter")
        await until(stage, lambda: "/nowhere: cannot be opened" in shown(app))


async def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with app_on(tmp_path) as (app, pilot):
        stage = cast(Pilot[None], pilot)
        await press(stage, "c", *"nothere", "enter")
        await until(stage, lambda: "nothing usable" in shown(app))
        assert isinstance(app.screen, SessionsScreen)


async def test_what_was_asked_for_and_cannot_be_opened_ends_with_status_2(tmp_path: Path) -> None:
    async with app_on(tmp_path, Start(session="20260101-000000-abcdef")) as (app, pilot):
        await until(cast(Pilot[None], pilot), lambda: app._exit)
    assert app.return_code == 2
    assert "20260101-000000-abcdef" in app.farewell


@pytest.mark.parametrize(("key", "ends", "left"), [("L", ["close"], True), ("S", ["stop", "close"], False)])
async def test_leaving_work_asks_first(tmp_path: Path, key: str, ends: list[str], left: bool) -> None:
    fake = FakeOpened(tmp_path)
    async with app_on(tmp_path) as (app, pilot):
        stage = cast(Pilot[None], pilot)
        app._admit(cast(Any, fake), None)
        await until(stage, lambda: isinstance(app.screen, WarRoomScreen))
        await press(stage, "q")
        assert app.screen.query_one(PromptBar).kind == "quit"
        assert "goes on when it is opened again" in shown(app)
        await press(stage, "q", "enter", "y", "l", "s", "escape")
        assert not fake.ends
        await press(stage, "q", key)
        await until(stage, lambda: bool(app._exit))
    assert fake.ends[: len(ends)] == ends
    assert position.read(tmp_path).left is left
    assert app.return_code == 0


async def test_nothing_at_work_quits_at_once(tmp_path: Path) -> None:
    async with app_on(tmp_path) as (app, pilot):
        await press(cast(Pilot[None], pilot), "q")
        await until(cast(Pilot[None], pilot), lambda: bool(app._exit))
    assert app.return_code == 0


async def test_a_session_that_was_left_goes_on_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeOpened(tmp_path)
    fake.running = False
    position.write(tmp_path, Position(left=True))

    async def reopen(*_: object) -> FakeOpened:
        return fake

    from tui import live

    monkeypatch.setattr(live, "reopen", reopen)
    async with app_on(tmp_path, Start(session="x")) as (_, pilot):
        await until(cast(Pilot[None], pilot), lambda: fake.running)
    assert fake.done == [("go_on", "")]


async def test_help_opens_over_any_screen_and_closes(tmp_path: Path) -> None:
    async with app_on(tmp_path) as (app, pilot):
        stage = cast(Pilot[None], pilot)
        await press(stage, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "Start a session on a folder or a file." in shown(app)
        await press(stage, "question_mark", "escape")
        assert isinstance(app.screen, SessionsScreen)


async def test_the_palette_offers_what_can_be_done_now(tmp_path: Path) -> None:
    async with app_on(tmp_path) as (app, pilot):
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert any("session.new" in name for name in names)
        assert not any("session.delete" in name for name in names)
        app._admit(cast(Any, FakeOpened(tmp_path)), None)
        await settled(cast(Pilot[None], pilot))
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert any("interrupt" in name for name in names)
        assert not any("approvals" in name for name in names)


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"place": 3, "seen": "x"}', '{"zoomed": 1}', "\x00" * 9000])
def test_a_torn_position_costs_the_place_and_no_more(tmp_path: Path, raw: str) -> None:
    (tmp_path / "screen.json").write_text(raw)
    assert position.read(tmp_path) == Position()
    assert position.read(tmp_path / "nowhere") == Position()
    position.write(tmp_path / "nowhere", Position())


def test_a_position_is_private_and_comes_back(tmp_path: Path) -> None:
    kept = Position(place="board", zoomed=True, seen=9, left=True)
    position.write(tmp_path, kept)
    assert position.read(tmp_path) == kept
    assert (tmp_path / "screen.json").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["screen.json"]


FIRST_FRAME = """
import asyncio, sys
from tui.app import WarRoomApp
from tui.start import Start
from tui.cli import cli

class Looking(WarRoomApp):
    def _begin(self):
        print("\\n@", *sorted(sys.modules), file=sys.__stdout__)
        self.exit(0)

async def main():
    start = Start(session="20260101-000000-abcdef") if sys.argv[1] == "open" else Start()
    async with Looking(start).run_test(size=(120, 36)) as pilot:
        await pilot.pause()

asyncio.run(main())
"""


@pytest.mark.parametrize("what", ["open", "home"])
def test_before_the_first_frame_nothing_heavy_is_imported(what: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", FIRST_FRAME, what], capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(ran.stdout.rpartition("\n@")[2].split())
    assert "textual.app" in modules
    heavy = {
        "anthropic",
        "polars",
        "numpy",
        "pydantic",
        "git",
        "sqlite3",
        "orchestrator.compose",
        "textual.widgets._markdown",
    }
    assert not modules & heavy


def test_a_screen_that_is_not_there_yet_takes_words_and_ticks() -> None:
    """Under load the app's ticker, and what is said while a session is opened, come before the first frame."""
    room, home = WarRoomScreen(), SessionsScreen()
    for screen in (room, home):
        screen.tick()
        screen.tell("looking at x …", "good")
        assert text_of(screen.said) == "looking at x …"
        screen.unsay()
        assert screen.said == ()
