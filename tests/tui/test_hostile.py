"""Foreign text through every widget in use: nothing of it acts on the terminal, markup stays text, nothing crashes."""

from __future__ import annotations

from typing import Any

import pytest
from rich.control import Control
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.widgets import Input, Static

from orchestrator.journal.events import (
    AgentCustomToolUse,
    AgentMessage,
    ApprovalRequested,
    Event,
    FindingReported,
    Note,
    SessionError,
    SessionErrorDetail,
    SourceAddedEvent,
    StatusIdle,
    StatusRunning,
    StopReason,
    ThreadStatusIdle,
    ToolFinished,
    UnknownBody,
    UserMessage,
    VerdictReached,
    text_content,
)
from orchestrator.journal.index import SessionRow
from subagents.contract import SourceSpec
from tests.tui.payloads import CONTROL, MARKUP, forbidden
from tests.tui.stage import Stage, painted, press, settled, shown, war_room
from tests.tui.story import START, FakeActs, Teller, accusation, call, dispatched, opened, symptom, verdict, view_of
from tui.screens.help import HelpScreen
from tui.session_view import SessionView
from tui.text import ExitFilter
from tui.views.paint import text_of
from tui.views.sessions import session_rows

ALL = {**CONTROL, **MARKUP}


def without_surrogates(text: str) -> str:
    """What the journal can hold: JSON cannot keep a lone surrogate."""
    return text.encode("utf-8", "replace").decode()


def everywhere(text: str) -> list[Event]:
    """The text in every field that a screen shows."""
    tell = Teller()
    bad = without_surrogates(text)
    ruling = verdict().model_dump()
    ruling |= {
        "headline": bad,
        "service": bad,
        "affected": (bad,),
        "actions": ({**ruling["actions"][1], "text": bad, "command": bad},),
    }
    ruling["culprit"] |= {"author": bad, "subject": bad, "service": bad}
    ruling["symptom"] |= {"service": bad, "metric": bad}
    made = [
        tell(opened(title=bad, severity=bad, text=bad, id=bad)),
        tell(SourceAddedEvent(spec=SourceSpec(id="s", kind="logs", path="/x", origin=bad))),
        tell(StatusRunning(reason=bad)),
        tell(UserMessage(content=text_content(bad), to=bad)),
        tell(Note(text=bad, by=bad)),
        tell(AgentMessage(content=text_content(bad))),
        tell(UnknownBody.model_validate({"type": bad, bad: bad})),
        *dispatched(tell, "logs"),
        *call(tell, "logs", bad, "c1", bad, input={bad: bad}),
        *call(tell, "logs", "logs_x", "c2", f"{bad}\n{bad}", input={"q": [bad]}, outcome="error"),
        tell(AgentMessage(content=text_content(bad)), bad),
        tell(FindingReported(id="f", finding=symptom(claim=bad)), "metrics"),
        tell(FindingReported(id="g", finding=accusation(claim=bad, label=bad)), "deploys"),
        tell(FindingReported(id="h", finding=accusation(sha=bad, claim=bad)), "deploys"),
        tell(ApprovalRequested(id=bad, subject="fix", digest=bad, detail={bad: bad}), "codefix"),
        tell(
            ThreadStatusIdle(
                session_thread_id="logs", agent_name="logs", stop_reason=StopReason(type="error", message=bad)
            ),
            "logs",
        ),
        tell(SessionError(error=SessionErrorDetail(type=bad, message=bad))),
        tell(VerdictReached(verdict=type(verdict()).model_validate(ruling))),
        tell(AgentCustomToolUse(name=bad, input={bad: bad}), "deploys", "c3"),
        tell(ToolFinished(tool_use_id="c9", tool=bad, outcome="ok", seconds=1.0, text=bad), "metrics"),
        tell(StatusIdle(stop_reason=StopReason(type="error", message=bad))),
    ]
    return made


async def unfolded(pilot: Any, room: Any) -> None:
    """Unfold every row of every list."""
    for place in ("board", "orchestrator", "logs", "metrics", "deploys", "codefix"):
        here = room.list_of(place)
        for row in list(here.shown.source):
            if not here.shown.is_unfolded(row.key):
                here.shown.toggle(row.key)
        here.action_first()
    await settled(pilot)


def check(app: App[Any]) -> None:
    for line in painted(app):
        assert not [char for char in line if forbidden(char)], repr(line)
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            assert segment.control is None
            assert segment.style is None or segment.style.link is None
            assert segment.style is None or not (segment.style.meta or {}).get("@click")


@pytest.fixture(scope="module")
def hostile_view() -> SessionView:
    """All payloads in one session: the folds take each, whatever came before."""
    view: SessionView | None = None
    events: list[Event] = []
    for text in ALL.values():
        for event in everywhere(text):
            seq = len(events) + 1
            body = event.body
            if isinstance(body, FindingReported):
                body = body.model_copy(update={"id": f"{body.id}{seq}"})
            events.append(event.model_copy(update={"seq": seq, "body": body}))
    view = view_of(events)
    return view


@pytest.mark.parametrize(
    ("size", "guarded"), [((200, 50), True), ((80, 24), False)], ids=["with the exit filter", "by clean() alone"]
)
async def test_a_whole_session_of_payloads_acts_on_nothing(
    hostile_view: SessionView, size: tuple[int, int], guarded: bool
) -> None:
    async with war_room(hostile_view, size, guarded=guarded) as (room, pilot):
        await unfolded(pilot, room)
        for key in ("b", "0", "1", "2", "3", "4"):
            await press(pilot, key, "G", "pageup", "pagedown")
            check(pilot.app)


def test_what_the_folds_make_is_clean_and_markup_is_literal() -> None:
    for name, text in ALL.items():
        view = view_of(everywhere(text))
        lines = [row.line for ring in view.streams.panes.values() for row in ring]
        lines += [part for ring in view.streams.panes.values() for row in ring for part in row.detail]
        for one in lines:
            assert not [char for char in text_of(one) if forbidden(char)], name
        if name in MARKUP:
            assert any(text in text_of(one) for one in lines), name


@pytest.mark.parametrize("name", list(MARKUP))
async def test_markup_is_shown_as_it_is(name: str) -> None:
    async with war_room(view_of(everywhere(MARKUP[name])), (200, 50)) as (_, pilot):
        check(pilot.app)
        assert MARKUP[name] in shown(pilot.app)


async def test_prompt_notice_and_notification_take_anything() -> None:
    acts = FakeActs()
    acts.takes_up = "".join(map(without_surrogates, ALL.values()))
    view = view_of(everywhere("x"), acts)
    async with war_room(view, (120, 36), guarded=False) as (room, pilot):
        for text in map(without_surrogates, ALL.values()):
            room.tell(text)
            view.say(text)
            await settled(pilot)
            check(pilot.app)
        await press(pilot, "m")
        check(pilot.app)
    async with war_room(view, (120, 36)) as (room, pilot):
        await press(pilot, "m")
        typed = room.query_one(Input)
        for text in CONTROL.values():
            typed.value = without_surrogates(text)
            await settled(pilot)
            check(pilot.app)
        await press(pilot, "enter")
        assert not [char for char in acts.done[-1][1] if forbidden(char)]


def test_the_list_of_sessions_takes_anything() -> None:
    for text in map(without_surrogates, ALL.values()):
        names = ("incident", "title", "service", "engine", "reason", "verdict", "problem")
        row = SessionRow.model_validate(
            {"id": "20260329-091200-0a1b2c", "approvals": (text,), "updated": START} | dict.fromkeys(names, text)
        )
        (made,) = session_rows(
            [
                row,
            ],
            {},
            frozenset(),
            frozenset(),
            START,
        )
        for one in (made.line, *made.detail):
            assert not [char for char in text_of(one) if forbidden(char)]


async def test_help_holds_nothing_foreign() -> None:
    async with Stage(HelpScreen("warroom")).run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        check(pilot.app)
        assert "Steer the agents, or ask." in shown(pilot.app)


class Leaky(App[None]):
    """A stock widget that is handed raw text: what the exit filter is for."""

    def __init__(self, text: str, guarded: bool) -> None:
        super().__init__()
        self._text, self._guard = text, [ExitFilter()] if guarded else []

    def get_line_filters(self) -> Any:
        return [*super().get_line_filters(), *self._guard]

    def compose(self) -> ComposeResult:
        yield Static(self._text, markup=False)


async def test_the_exit_filter_closes_a_sink_that_leaks() -> None:
    leaks = 0
    raw = "".join(text for name, text in CONTROL.items() if name != "surrogate")
    async with Leaky(raw, guarded=False).run_test(size=(100, 10)) as pilot:
        leaks = sum(forbidden(char) for line in painted(pilot.app) for char in line)
    assert leaks, "the stock widget no longer leaks: this test shows nothing"
    async with Leaky(raw, guarded=True).run_test(size=(100, 10)) as pilot:
        check(pilot.app)


def test_the_exit_filter_takes_control_segments_and_leaves_the_rest_alone() -> None:
    whole = [Segment("plain ▁▂ ü 漢")]
    assert ExitFilter().apply(whole, Color(0, 0, 0)) is whole
    control = Control.title("owned").segment
    assert ExitFilter().apply([control, Segment("a\x9bb\u202ec")], Color(0, 0, 0)) == [Segment("abc")]
