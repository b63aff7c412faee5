"""A running call in its pane: how far it is, what it found until now, and what is said once it was stopped."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.hands.pacing import GAP_S
from orchestrator.hands.watching import QUICK_S, CallPreview
from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    StatusIdle,
    StatusTerminated,
    StopReason,
    ToolStarted,
)
from orchestrator.journal.text import CleanText, clean
from orchestrator.session import Session
from subagents.contract import Incident
from tests.fakes import FakeClock
from tests.tui.payloads import CONTROL, MARKUP, forbidden
from tests.tui.stage import painted, press, settled, shown, war_room
from tests.tui.story import START, Teller, at_work, call, dispatched, finished, view_of
from tui.session_view import SessionView
from tui.views.paint import text_of
from tui.views.underway import how_far, size_in_words, underway

FOUND = '1.2 M events, errors: 2,911 of "stock: reservation lost for order *", 12 of "pool exhausted"'


def preview(done: int = 412_000_000, total: int = 1_100_000_000, text: str = FOUND, **more: Any) -> CallPreview:
    fields: dict[str, Any] = {"thread": "logs", "call_id": "l2", "tool": "logs_stacks", "at": START, "seconds": 3.0}
    return CallPreview(**{**fields, **more}, done=done, total=total, text=clean(text))


def row_of(view: SessionView, agent: str = "logs") -> str:
    return text_of(list(view.streams.panes[agent])[-1].line)


@pytest.mark.parametrize(
    ("done", "total", "said"),
    [
        (0, 0, ""),
        (812, 0, "812 B"),
        (0, 5_000, "0 % · 0 B of 5.0 kB"),
        (412_000_000, 1_100_000_000, "37 % · 412 MB of 1.1 GB"),
        (1_099_999_999, 1_100_000_000, "99 % · 1.1 GB of 1.1 GB"),
        (9_000, 4_000, "100 % · 9.0 kB of 4.0 kB"),
    ],
)
def test_how_far_is_a_share_and_two_sizes(done: int, total: int, said: str) -> None:
    assert how_far(preview(done, total)) == said
    assert underway(preview(done, total, "x")) == (f"{said} · x" if said else "x")


@pytest.mark.parametrize(
    ("done", "total", "unit", "said"),
    [
        (0, 0, "commits", ""),
        (3_200, 0, "commits", "3,200 commits"),
        (30, 120, "diffs", "30 of 120 diffs"),
        (0, 3, "runs", "0 of 3 runs"),
    ],
)
def test_what_is_no_bytes_is_counted(done: int, total: int, unit: str, said: str) -> None:
    assert how_far(preview(done, total, unit=unit)) == said
    assert underway(preview(done, total, "x", unit=unit)) == (f"{said} · x" if said else "x")


def test_sizes_are_those_of_people() -> None:
    sizes = (999, 1_000, 12_345, 1_500_000, 999_000_000, 1_073_741_824, 23_000_000_000)
    assert [size_in_words(size) for size in sizes] == [
        "999 B",
        "1.0 kB",
        "12 kB",
        "1.5 MB",
        "999 MB",
        "1.1 GB",
        "23 GB",
    ]


def test_a_running_call_s_row_says_how_far_it_is_until_it_ends() -> None:
    events = at_work()
    view = view_of(events)
    assert row_of(view) == "> stacks(limit=5)  runs"
    version = view.version
    view.call_preview(preview())
    assert view.version > version
    assert row_of(view) == f"> stacks … 37 % · 412 MB of 1.1 GB · {FOUND}"
    rows = len(view.streams.panes["logs"])
    view.call_preview(preview(1_000_000_000, text="all but done"))
    assert row_of(view) == "> stacks … 90 % · 1.0 GB of 1.1 GB · all but done"
    assert len(view.streams.panes["logs"]) == rows, "it is one row"
    (_, _, _, last) = call(Teller(), "logs", "logs_stacks", "l2", "2 groups")
    view.learn(last.model_copy(update={"seq": len(events) + 1}))
    assert row_of(view) == "> stacks 84 ms  2 groups"
    view.call_preview(preview())
    assert row_of(view) == "> stacks 84 ms  2 groups", "late word of a call that has ended"


def test_word_of_a_call_that_does_not_run_shows_nothing() -> None:
    tell = Teller()
    events = [*dispatched(tell, "logs"), tell(AgentCustomToolUse(name="logs_stacks", input={}), "logs", "l2")]
    view = view_of(events)
    view.call_preview(preview())
    view.call_preview(preview(call_id="nobody's"))
    assert row_of(view) == "> stacks()  asked for"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (StatusIdle(stop_reason=StopReason(type="interrupted")), "cancelled; resumes with the work"),
        (StatusTerminated(reason="deleted"), "cancelled"),
    ],
)
def test_a_call_that_was_stopped_with_the_session_says_so(ending: Any, said: str) -> None:
    tell = Teller()
    made = [
        *dispatched(tell, "logs"),
        tell(AgentCustomToolUse(name="logs_stacks", input={}), "logs", "l2"),
        tell(ToolStarted(tool_use_id="l2", tool="logs_stacks", effect="read"), "logs"),
        tell(AgentCustomToolUse(name="logs_search", input={}), "logs", "l3"),
    ]
    view = view_of(made)
    view.call_preview(preview())
    view.learn(tell(ending))
    view.call_preview(preview())
    rows = [text_of(row.line) for row in view.streams.panes["logs"]]
    assert rows[-2:] == [f"> stacks()  {said}", "> search()  asked for"]
    view.learn(tell(ToolStarted(tool_use_id="l2", tool="logs_stacks", effect="read", attempt=2), "logs"))
    view.call_preview(preview(text="again"))
    rows = [text_of(row.line) for row in view.streams.panes["logs"]]
    assert rows[-2].endswith("again")


@pytest.mark.parametrize("size", [(200, 50), (80, 24)])
async def test_the_telling_part_is_seen_in_a_narrow_pane_and_all_of_it_below(size: tuple[int, int]) -> None:
    view = view_of(at_work())
    async with war_room(view, size) as (_, pilot):
        await press(pilot, "1", "G")
        view.call_preview(preview(text=FOUND + ", 7 of " + '"disk full" ' * 12 + "the end of it"))
        await settled(pilot)
        said = " ".join(shown(pilot.app).split())
        assert "37 % · 412 MB of 1.1 GB" in said
        assert "2,911 of" in said
        assert "the end of it" not in said
        await press(pilot, "space")
        assert "so far" in shown(pilot.app)
        assert "the end of it" in " ".join(shown(pilot.app).split())


async def test_hostile_words_are_shown_and_do_nothing() -> None:
    view = view_of(at_work())
    async with war_room(view, (120, 36)) as (_, pilot):
        await press(pilot, "1", "G")
        for number, text in enumerate((*CONTROL.values(), *MARKUP.values())):
            view.call_preview(replace(preview(), text=cast(CleanText, text)))  # as if nobody had cleaned it
            assert not any(map(forbidden, row_of(view)))
            if number % 6 == 0:
                await settled(pilot)
                assert not any(map(forbidden, "".join(painted(pilot.app))))


async def test_a_session_s_running_call_reaches_the_view_and_not_the_journal(tmp_path: Path) -> None:
    """From the worker to the row."""
    from orchestrator.engines.base import Desk, ToolUse
    from orchestrator.engines.base import StopReason as Stop
    from orchestrator.hands.policy import Policy
    from orchestrator.journal.home import StateHome
    from orchestrator.session import Settings
    from tests.hands.conftest import LOOSE, RECIPE
    from tests.session.conftest import FakeEngine

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def script(desk: Desk) -> Stop:
        asked: dict[str, object] = {"path": str(pipe), "text": "found \x1b[31msomething"}
        await desk.call("toys", ToolUse(id="l2", name="toys_tell", input=asked))
        return "end_turn"

    clock = FakeClock()
    settings = Settings(recipe=RECIPE, policy=Policy(LOOSE), clock=clock, version="0")
    incident = Incident(id="INC-1", title="slow")
    session = await Session.create(StateHome(tmp_path / "home"), incident, [], [], FakeEngine(script), settings)
    seen: list[CallPreview] = []
    session.on_call_preview(seen.append)
    await _watched_to_its_end(session, clock, seen, pipe)
    assert [(one.share, str(one.text)) for one in seen] == [(0.25, "found something")]
    kept = [event.model_dump_json() for event in session.journal.events()]
    assert not any("share" in one or "preview" in one for one in kept)
    view = view_of([event for event in session.journal.events() if event.type != "warroom.tool_finished"][:-1])
    view.call_preview(seen[0])
    rows = [text_of(row.line) for row in view.streams.panes[MAIN_THREAD]]
    assert "> tell … 25 % · 1.0 kB of 4.0 kB · found something" in rows
    await session.close()


async def _watched_to_its_end(session: Session, clock: FakeClock, seen: list[CallPreview], pipe: Path) -> None:
    import asyncio

    run = asyncio.create_task(session.run())
    async for event in session.subscribe(0):
        if event.type == "warroom.tool_started":
            break
    while clock.sleeping < 2:  # noqa: ASYNC110 - the fake clock has no event for it
        await asyncio.sleep(0)
    clock.advance(QUICK_S + GAP_S)
    while not seen:  # noqa: ASYNC110 - nor has the sink
        await asyncio.sleep(0)
    await asyncio.to_thread(pipe.write_text, "go on")
    assert await run == "end_turn"


def test_the_story_has_no_preview_left() -> None:
    view = view_of(finished())
    assert not any(" … " in text_of(row.line)[:20] for pane in view.streams.panes.values() for row in pane)


def test_a_persons_look_is_not_said_to_be_stopped_when_the_agents_are() -> None:
    tell = Teller()
    asked, allowed, started, _ = call(tell, "logs", "logs_search", "asked-1", "")
    apart = started.model_copy(update={"body": started.body.model_copy(update={"apart": True})})
    ended = tell(StatusIdle(stop_reason=StopReason(type="end_turn")))
    view = view_of([asked, allowed, apart, ended])
    assert "cancelled" not in row_of(view)
    view.call_preview(preview(call_id="asked-1"))
    assert "37 %" in row_of(view)
    assert "cancelled" in row_of(view_of([asked, allowed, started, ended]))


async def test_nothing_is_painted_twice_for_the_same_word() -> None:
    view = view_of([*at_work()])
    async with war_room(view, (120, 36)) as (_, pilot):
        await press(pilot, "1")
        view.call_preview(preview())
        await settled(pilot)
        before = painted(pilot.app)
        view.call_preview(preview())
        await settled(pilot)
        assert painted(pilot.app) == before
