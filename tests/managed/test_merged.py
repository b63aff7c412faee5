"""What each event of a server becomes in our journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.engines.managed.answering import OpenCalls, pairs
from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP, Delivered
from orchestrator.engines.managed.merge import Arrived, Occurrences, Origin
from orchestrator.engines.managed.state import state_of
from orchestrator.journal.events import MAIN_THREAD, Mirrored, UnknownBody
from tests.fakes import FakeClock
from tests.managed.histories import AT, LEAD, A, B, S, arrivals, child, event, history, origin, says
from tests.managed.streaming import FakeJournal, merged, merger_of

# -- what each becomes -------------------------------------------------------------------------


async def test_copies_of_a_specialist_get_names_of_their_own_that_outlive_the_process() -> None:
    journal = await merged(arrivals(), LEAD)
    threads = {one.thread for one in journal.events}
    assert threads == {MAIN_THREAD, "scout", "scout-2"}
    again = merger_of(journal, LEAD)

    async def nothing(one: Delivered) -> None:
        assert one.type

    turned = sorted(arrivals(), key=lambda one: one.raw["id"] != "sevt_7")  # the second thread shows up first now
    before = len(journal.events)
    await again.take(turned, nothing)
    assert len(journal.events) == before, "another process added nothing"
    assert again._threads.id_of("scout") == A
    assert again._threads.id_of("scout-2") == B


async def test_what_our_journal_says_itself_is_kept_whole_and_folded_by_nobody() -> None:
    events = (await merged(arrivals(), LEAD)).events
    kept = {one.body.kind for one in events if isinstance(one.body, Mirrored)}
    assert kept >= {"session.status_running", "session.status_idle", "user.message", CALL, "user.custom_tool_result"}
    assert "warroom.approval_decided" in kept, "a server cannot approve"
    ours = {one.type for one in events}
    assert not ours & {
        "session.status_idle",
        "session.status_running",
        CALL,
        "user.message",
        "warroom.approval_decided",
    }
    idles = [one for one in events if one.type == "session.thread_status_idle"]
    assert [(one.thread, one.body.stop_reason.type) for one in idles] == [("scout", "end_turn")]  # type: ignore[union-attr]


async def test_unknown_types_are_kept_whole() -> None:
    events = (await merged(arrivals(), LEAD)).events
    (unknown,) = [one for one in events if one.type == "agent.future_thing"]
    assert isinstance(unknown.body, UnknownBody)
    assert unknown.body.model_dump() == history()[S][15]
    assert unknown.source_id == "sevt_25"


def written_out(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as a server has it that writes every optional field out, and leaves names of agents out."""
    empty = dict.fromkeys(("session_thread_id", "stop_details", "is_error", "content", "evaluation", "to_agent_name"))
    made = {**empty, **raw}
    if "model_usage" in made:
        made["model_usage"] = {**made["model_usage"], "speed": None}
    if made["type"].startswith("session.thread_status_"):
        made["agent_name"] = None
    return made


async def test_a_null_is_what_was_left_out() -> None:
    given = [Arrived(one.origin, written_out(one.raw)) for one in arrivals() if one.raw["id"]]
    usual = [one for one in arrivals() if one.raw["id"]]
    found, expected = (await merged(given, LEAD)).events, (await merged(usual, LEAD)).events
    assert [one.type for one in found] == [one.type for one in expected]
    known = [(one.type, isinstance(one.body, UnknownBody)) for one in found]
    assert known == [(one.type, isinstance(one.body, UnknownBody)) for one in expected], "its shape was not known"


async def test_content_that_is_no_text_is_named_in_its_place() -> None:
    events = (await merged(arrivals(), LEAD)).events
    (message,) = [one for one in events if one.source_id == "sevt_5"]
    texts = [part["text"] for part in message.body.model_dump()["content"]]
    assert texts == ["I ask.", "[redacted by the service]", "[image block: not shown here]"]


async def test_what_comes_on_two_streams_counts_on_one() -> None:
    events = (await merged(arrivals(), LEAD)).events
    assert [one.type for one in events if one.source_id == "sevt_24"] == ["session.error", "warroom.mirrored"]
    running = [one for one in events if one.type == "session.thread_status_running" and one.thread == "scout"]
    assert [one.source_id for one in running] == ["sevt_9"]


@pytest.mark.parametrize("same", [True, False])
async def test_both_copies_of_a_call_are_kept_and_paired(same: bool) -> None:
    def call(number: int, **more: Any) -> dict[str, Any]:
        return event(number, CALL, name="look", input={"q": "x"}, **more)

    crossed = [call(1, session_thread_id=A), call(2, session_thread_id=A), call(3, session_thread_id=B)]
    own = [call(1 if same else 11), call(2 if same else 12)]
    taken = [Arrived(origin(S), event(9, "session.thread_created", **child(A)))]
    taken += [Arrived(origin(A), raw) for raw in own] + [Arrived(origin(S), raw) for raw in crossed]
    handed: list[Delivered] = []

    async def handle(one: Delivered) -> None:
        handed.append(one)

    journal = FakeJournal(FakeClock())
    await merger_of(journal, LEAD).take(taken, handle)
    first, second = ("sevt_1", "sevt_2") if same else ("sevt_11", "sevt_12")
    assert pairs(journal.events) == {(A, first): "sevt_1", (A, second): "sevt_2"}
    given = [(one.id, one.thread) for one in handed if one.type == CALL]
    assert given == [("sevt_1", "scout"), ("sevt_2", "scout"), ("sevt_3", "scout-2")]


async def test_two_events_without_an_id_are_two() -> None:
    one = {"id": "", "type": "user.interrupt", "processed_at": AT}
    same = Occurrences()
    taken = [Arrived(origin(S), one, occurrence=same.of(one)) for _ in range(2)]
    journal = await merged(taken, LEAD)
    assert len(state_of(journal.events, S)["streams"][S]) == 2
    again = Occurrences()
    await merged([Arrived(origin(S), one, True, again.of(one)) for _ in range(2)], LEAD, journal)
    assert len(journal.events) == 2


async def test_a_person_who_wrote_elsewhere_is_shown_as_that() -> None:
    journal = FakeJournal(FakeClock())
    merger = merger_of(journal, LEAD)
    object.__setattr__(merger._terms, "echoed", lambda raw: False)

    async def nothing(one: Delivered) -> None:
        assert one.type

    await merger.take(arrivals()[:3], nothing)
    assert [one.type for one in journal.events][-1] == "user.message"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ({"content": says("x" * 2_000_000)}, "1048576"),
        ({"content": [], "deep": None}, None),
        ({"content": "plain"}, None),
        ({"content": 7}, None),
        ({}, None),
    ],
)
async def test_a_body_of_any_shape_and_size_is_kept(raw: Mapping[str, Any], kept: str | None) -> None:
    nested: Any = 1
    for _ in range(80):
        nested = [nested]
    raw = {**raw, "deep": nested} if "deep" in raw else raw
    journal = await merged([Arrived(origin(S), event(1, "agent.message", **raw)), *arrivals()[-1:]], LEAD)
    assert journal.events[0].source_id == "sevt_1"
    if kept is not None:
        body = journal.events[0].body
        assert isinstance(body, Mirrored)
        assert kept in str(body.event["cut"])
        assert len(str(body.event["head"])) <= 32 * 1024


# -- what can still take a result --------------------------------------------------------------


def open_after(*raws: Mapping[str, Any]) -> set[str]:
    calls = OpenCalls()
    for raw in raws:
        calls.learn(raw)
    return set(calls.ids)


CALL_A, CALL_LEAD = event(1, CALL, session_thread_id=A, name="n", input={}), event(2, CALL, name="n", input={})
WAITS = {"type": "requires_action", "event_ids": ["sevt_1"]}


@pytest.mark.parametrize(
    ("then", "left"),
    [
        ({"type": "user.custom_tool_result", "custom_tool_use_id": "sevt_1"}, {"sevt_2"}),
        ({"type": "session.status_idle", "stop_reason": WAITS}, {"sevt_1", "sevt_2"}),
        ({"type": "session.status_idle", "stop_reason": {"type": "end_turn"}}, set()),
        ({"type": "session.status_idle", "stop_reason": {"type": "of tomorrow"}}, set()),
        ({"type": "session.thread_status_idle", "session_thread_id": A, "stop_reason": WAITS}, {"sevt_1", "sevt_2"}),
        (
            {"type": "session.thread_status_idle", "session_thread_id": A, "stop_reason": {"type": "end_turn"}},
            {"sevt_2"},
        ),
        ({"type": "session.thread_status_terminated", "session_thread_id": A}, {"sevt_2"}),
        ({"type": "session.status_terminated"}, set()),
    ],
)
def test_calls_that_can_take_a_result(then: Mapping[str, Any], left: set[str]) -> None:
    assert open_after(CALL_A, CALL_LEAD, then) == left


def test_a_call_that_comes_after_its_result_is_not_open() -> None:
    result = {"type": "user.custom_tool_result", "custom_tool_use_id": "sevt_1"}
    assert open_after(result, CALL_A) == set()


async def test_history_hands_on_which_calls_are_open_and_only_once_it_is_read() -> None:
    journal, handed = FakeJournal(FakeClock()), list[Delivered]()
    merger = merger_of(journal, LEAD)

    async def handle(one: Delivered) -> None:
        handed.append(one)

    listed = [event(5, "session.thread_created", **child(A)), CALL_A, CALL_LEAD]
    listed.append({**event(6, "user.custom_tool_result"), "custom_tool_use_id": "sevt_1"})
    await merger.begin(origin(S), handle)
    await merger.take([Arrived(origin(S), raw, replayed=True) for raw in listed[:2]], handle)
    assert handed == []
    await merger.begin(origin(S), handle)  # the connection broke off: what it held is not lost
    await merger.take([Arrived(origin(S), raw, replayed=True) for raw in listed], handle)
    await merger.caught_up(origin(S), handle)
    calls = {one.id: one.open for one in handed if one.type == CALL}
    assert calls == {"sevt_1": False, "sevt_2": True}
    assert all(one.replayed for one in handed)
    assert handed[-1].type == CAUGHT_UP
    assert handed[-1].open_calls == merger.open_calls == {"sevt_2"}


async def test_previews_vanish_unless_their_message_comes() -> None:
    journal = FakeJournal(FakeClock())
    merger = merger_of(journal, LEAD)

    async def nothing(one: Delivered) -> None:
        assert one.type

    async def come(*raws: dict[str, Any]) -> None:
        await merger.take([Arrived(origin(S), raw) for raw in raws], nothing)

    def begins(message: str, kind: str = "agent.message") -> dict[str, Any]:
        return {"type": "event_start", "event": {"type": kind, "id": message}}

    def piece(message: str, text: str) -> dict[str, Any]:
        delta = {"type": "content_delta", "index": 0, "content": {"type": "text", "text": text}}
        return {"type": "event_delta", "event_id": message, "delta": delta}

    await come(piece("sevt_0", "no beginning"), begins("sevt_1", "agent.thinking"), piece("sevt_1", "thought"))
    assert journal.previewed == []
    await come(begins("sevt_2"), piece("sevt_2", "I "), piece("sevt_2", "ask"))
    assert journal.shown == {MAIN_THREAD: "I ask"}
    await come(event(2, "agent.message", content=says("I ask.")))
    assert journal.previewed[-1] == (MAIN_THREAD, "ask"), "the record takes its place"
    journal.shown.clear()
    await come(begins("sevt_3"), piece("sevt_3", "Tru"), event(4, "span.model_request_end", model_request_start_id="x"))
    assert journal.shown == {MAIN_THREAD: ""}
    await come(begins("sevt_5"), piece("sevt_5", "cut"))
    await merger.begin(origin(S), nothing)
    assert journal.shown == {MAIN_THREAD: ""}
    await merger.caught_up(origin(S), nothing)
    assert {one.type for one in journal.events} == {"agent.message", "span.model_request_end"}


async def test_no_name_that_a_server_gives_meets_one_of_ours() -> None:
    """A thread named like a stream of hands, an event named like a step or a key of ours: kept apart."""
    taken = [
        Arrived(origin(S), event(1, "session.thread_created", session_thread_id="hands", agent_name="local")),
        Arrived(Origin(S, "hands"), {**event(2, "agent.thinking"), "id": "finished:sevt_1"}),
        Arrived(origin(S), {**event(3, "agent.thinking"), "id": "thread:hands"}),
        Arrived(origin(S), {**event(4, "agent.thinking"), "id": "x" * 5000}),
        Arrived(origin(S), {**event(5, "agent.thinking"), "id": 7}),
    ]
    journal = await merged(taken, LEAD)
    assert {one.stream for one in journal.events} == {S, "sthr_?hands"}
    assert len(journal.events) == 6
    assert all(one.source_id != "finished:sevt_1" for one in journal.events)
    assert set(state_of(journal.events, S)["streams"]) == {S, "sthr_?hands"}
