"""A session that a server keeps, on the screen: copies, what is queued, the connection, endings, others' hands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.hands.usage import COST
from orchestrator.journal.events import (
    Body,
    Event,
    Mirrored,
    ModelRequestEnd,
    ModelRequestStart,
    StatusIdle,
    StatusTerminated,
    StopReason,
    ThreadCreated,
    ThreadMessageReceived,
    ThreadMessageSent,
    ThreadStatusIdle,
    ThreadStatusRunning,
    UserMessage,
    text_content,
)
from tests.tui.hosting import REMOTE, Health, at, idle, numbered, rows, say, told
from tests.tui.stage import press, settled, shown, until, war_room
from tests.tui.story import FakeActs, Teller, opened
from tui.session_view import SessionView
from tui.views.connection import age_words, lost_words
from tui.views.incident import engine_words
from tui.views.next_step import next_step
from tui.views.paint import Row, line, text_of
from tui.views.ring import Ring
from tui.views.thread_meter import short

# -- copies


def two_scouts() -> SessionView:
    return told(
        ThreadCreated(session_thread_id="logs", agent_name="logs"),
        ThreadCreated(session_thread_id="logs-2", agent_name="logs"),
        (ThreadStatusRunning(session_thread_id="logs", agent_name="logs"), "logs"),
        (say("I am the first"), "logs"),
        (say("I am the second"), "logs-2"),
        (ThreadStatusRunning(session_thread_id="logs-2", agent_name="logs"), "logs-2"),
        (
            ThreadStatusIdle(session_thread_id="logs", agent_name="logs", stop_reason=StopReason(type="end_turn")),
            "logs",
        ),
    )


def test_copies_have_tabs_of_their_own_and_states_of_their_own() -> None:
    view = two_scouts()
    assert view.streams.tabs("logs") == ("logs", "logs-2")
    assert not any("second" in row for row in rows(view, "logs"))
    assert any("I am the second" in row for row in rows(view, "logs", "logs-2"))
    now = view.clock.now()
    assert (view.agents.words("logs", now).state, view.agents.words("logs-2", now).state) == ("done", "busy")
    assert view.agents.most("logs", now).state == "busy"
    assert view.agents.at_work == ("logs-2",)


async def test_a_key_turns_to_the_next_copy_and_back() -> None:
    async with war_room(two_scouts()) as (room, pilot):
        await press(pilot, "1")
        assert "I am the first" in shown(pilot.app)
        assert "1 logs [1/2 logs]" in shown(pilot.app)
        await press(pilot, "t")
        assert "I am the second" in shown(pilot.app)
        assert "[2/2 logs-2]" in shown(pilot.app)
        await press(pilot, "t")
        assert "I am the first" in shown(pilot.app)
        await press(pilot, "2", "t")
        assert "there is only one of it" in text_of(room.said)


async def test_one_copy_alone_can_be_stopped() -> None:
    view = two_scouts()
    acts = FakeActs(running=True)
    view.acts = acts
    async with war_room(view) as (_, pilot):
        await press(pilot, "i")
        assert "5 logs-2" in shown(pilot.app)
        await press(pilot, "5", "exclamation_mark")
        await until(pilot, lambda: bool(acts.done))
    assert acts.done == [("interrupt", "logs-2")]


def test_what_is_said_of_the_connection() -> None:
    lost = Health("waiting", byte_age=12.4, attempts=3)
    assert lost_words(lost) == "no connection for 12 s, trying again; the investigation goes on at the server"
    assert lost_words(Health("connecting")) == "connecting …"
    assert lost_words(Health("connecting", byte_age=1.0)) == ""
    assert lost_words(Health("live")) == ""
    assert lost_words(None) == ""
    assert age_words(Health("live", event_age=31.7)) == "last event 31 s ago"
    assert age_words(Health("live", event_age=2.0)) == ""
    assert age_words(lost) == ""


async def test_the_header_says_that_the_connection_is_lost_and_which_session_it_is() -> None:
    view = told()
    view.caught_up = True
    view.health = lambda: Health("waiting", byte_age=12.0, attempts=2)
    async with war_room(view) as (_, pilot):
        await settled(pilot)
        top = shown(pilot.app).splitlines()[0]
    assert "no connection for 12 s" in top
    assert "agent_01 v3 · sesn_01" in top


@pytest.mark.parametrize(
    ("width", "engine"), [(170, "agent_01 v3 · sesn_01"), (120, "sesn_01"), (80, "offline"), (60, "")]
)
def test_the_engine_takes_the_room_there_is(width: int, engine: str) -> None:
    assert engine_words(told().incident, width) == engine


async def test_what_nobody_heard_yet_goes_on_with_r() -> None:
    view = told(UserMessage(content=text_content("look there")), idle("end_turn"))
    async with war_room(view) as (_, pilot):
        assert "1 message not heard yet: r goes on, and says it" in shown(pilot.app)


def test_a_specialist_reports_to_its_coordinator_by_name() -> None:
    report = ThreadMessageSent(to_session_thread_id="sthr_9", content=text_content("all quiet"))
    task = ThreadMessageReceived(from_session_thread_id="sthr_9", content=text_content("look"))
    assert rows(told((task, "logs"), (report, "logs")), "logs") == [
        "from orchestrator: look",
        "to orchestrator: all quiet",
    ]


# -- what a thread used


def test_a_thread_tells_its_model_and_what_it_used() -> None:
    usage: dict[str, Any] = {"model": "claude-haiku-5-5", "input_tokens": 11_000, "output_tokens": 400, COST: 31_000}
    end = ModelRequestEnd(model_request_start_id="r1", model_usage=usage)
    view = told((ModelRequestStart(), "logs"), (end, "logs"), (end, "logs"), (ModelRequestStart(), "logs"))
    assert view.meters.words("logs") == "haiku-5-5 v2 · 11k tok+ · $0.03"
    assert view.meters.words("metrics") == ""
    assert [short(count) for count in (7, 1_200, 2_500_000)] == ["7", "1k", "2.5M"]


# -- endings


@pytest.mark.parametrize(
    ("body", "has"),
    [
        (
            StatusIdle(stop_reason=StopReason(type="retries_exhausted", message="overloaded")),
            ("overloaded", "r goes on"),
        ),
        (idle("refusal", "declined (cyber)"), ("declined", "m says")),
        (idle("budget_reached"), ("$ raises it",)),
        (idle("error", "it broke"), ("it broke", "r tries again")),
        (idle("interrupted"), ("r goes on",)),
        (idle("requires_action"), ("your yes or no",)),
        (StatusTerminated(reason="archived there"), ("archived there", "over for good")),
    ],
)
def test_each_ending_has_its_state_and_the_next_step(body: Body, has: tuple[str, ...]) -> None:
    agents = told(body).agents
    step = next_step(agents.session, agents.reason, agents.message)
    for words in has:
        assert words in step


async def test_the_next_step_stands_where_a_person_types() -> None:
    view = told(idle("retries_exhausted", "the service gave up"))
    async with war_room(view) as (_, pilot):
        assert "the service gave up · m says something more, r goes on" in shown(pilot.app)


def test_what_is_done_needs_no_step() -> None:
    assert next_step("idle", "end_turn", "") == ""
    assert next_step("idle", "", "") == ""


# -- others' hands


def watched(*more: Event) -> SessionView:
    tell = Teller()
    bound = REMOTE.model_copy(update={"act": "attached"})
    events = [tell(opened()), tell(bound), *more]
    return numbered(events)


def mirrored(kind: str, source: str, stream: str = REMOTE.id, **raw: Any) -> Event:
    return at(Mirrored(kind=kind, event={"type": kind, **raw}), stream, source)


def test_calls_of_a_watched_session_show_as_somebody_elses() -> None:
    asked = mirrored("agent.custom_tool_use", "c1", name="logs_search", input={"query": "503"})
    copy = mirrored("agent.custom_tool_use", "c1", "sthr_1", name="logs_search", input={"query": "503"})
    told_ = mirrored(
        "user.custom_tool_result", "r1", custom_tool_use_id="c1", content=[{"type": "text", "text": "12 lines"}]
    )
    view = watched(asked, copy)
    assert [row for row in rows(view, "orchestrator") if "search" in row] == [
        "> search(query=503)  is somebody else's to run"
    ]
    view = watched(asked, copy, told_)
    (row,) = [row for row in rows(view, "orchestrator") if "search" in row]
    assert row.endswith("was run elsewhere  12 lines")
    assert not view.incident.pending
    assert "watching agent_01 v3 · sesn_01" in text_of(_header(view))


def _header(view: SessionView) -> Any:
    from tui.views.incident import header

    return header(view.incident, view.clock.now(), 200)


def test_our_own_session_does_not_show_its_calls_twice() -> None:
    view = told(mirrored("agent.custom_tool_use", "c1", name="logs_search", input={}))
    assert not any("search" in row for row in rows(view, "orchestrator"))


# -- a preview that is taken back


def keyed(ring: Ring) -> Iterator[str]:
    return (row.key for row in ring)


def test_the_newest_row_can_be_taken_back_and_no_other() -> None:
    ring = Ring()
    ring.put(Row("a", line("a")))
    ring.put(Row("b", line("b")))
    seen = ring.changes
    assert not ring.take_back("a")
    assert ring.take_back("b")
    assert list(keyed(ring)) == ["a"]
    assert ring.number_of("b") is None
    assert ring.since(seen) is None, "whoever looks at what is new looks at all"
    assert ring.put(Row("c", line("c"))) == 1
    assert not Ring().take_back("a")
