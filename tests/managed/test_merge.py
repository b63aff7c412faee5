"""S2: duplicates, any order, queued then processed, overlaps, unknown types, missing ids: the same state, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.engines.managed.answering import OpenCalls, pairs
from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP, Delivered
from orchestrator.engines.managed.merge import Arrived, Merger, Occurrences, Origin, key_of
from orchestrator.engines.managed.state import state_hash, state_of
from orchestrator.journal.events import MAIN_THREAD, Mirrored, UnknownBody
from orchestrator.journal.faults import DiskFull
from tests.fakes import FakeClock
from tests.managed.streaming import FakeJournal, merged, merger_of

S, LEAD, A, B = "sesn_1", "sthr_lead", "sthr_a", "sthr_b"
AT = "2026-03-01T12:00:00Z"
QUEUED = frozenset({"user.message", "user.interrupt"})
"""Types that come twice: queued, then processed."""


def event(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"sevt_{number}", "type": kind, "processed_at": AT, **more}


def says(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def child(thread: str) -> dict[str, str]:
    return {"session_thread_id": thread, "agent_name": "scout"}


def history() -> dict[str, list[dict[str, Any]]]:
    """Return a session as its server has it: the primary's events and those of two threads of one agent."""
    idle = {"type": "requires_action", "event_ids": ["sevt_20"]}
    error = {"type": "model_overloaded_error", "message": "busy", "retry_status": {"type": "retrying"}}
    return {
        S: [
            event(1, "session.status_running"),
            event(2, "session.thread_status_running", session_thread_id=LEAD, agent_name="lead"),
            event(3, "user.message", content=says("go")),
            event(4, "span.model_request_start"),
            event(5, "agent.message", content=[*says("I ask."), {"type": "redacted"}, {"type": "image"}]),
            event(6, "session.thread_created", **child(A)),
            event(7, "session.thread_created", **child(B)),
            event(8, "agent.thread_message_sent", to_session_thread_id=A, to_agent_name="scout", content=says("look")),
            event(9, "session.thread_status_running", **child(A)),
            event(10, "span.model_request_end", model_request_start_id="sevt_4", model_usage={"input_tokens": 1}),
            event(20, CALL, name="look", input={"q": "x"}, session_thread_id=A),
            event(21, "session.thread_status_idle", **child(A), stop_reason=idle),
            event(22, "session.status_idle", stop_reason=idle, stop_details=None),
            event(23, "user.custom_tool_result", custom_tool_use_id="sevt_20", content=says("seen")),
            event(24, "session.error", error=error),
            event(25, "agent.future_thing", weight=3, nested={"a": [1, 2]}),
            {"id": "", "type": "user.interrupt", "processed_at": AT, "session_thread_id": B},
            event(27, "session.thread_status_idle", **child(A), stop_reason={"type": "end_turn"}),
            event(28, "session.usage", usage={"input_tokens": 9}),
            event(29, "session.status_idle", stop_reason={"type": "end_turn"}),
        ],
        A: [
            event(30, "session.thread_status_running", **child(A)),
            event(31, "agent.message", content=says("I look.")),
            event(20, CALL, name="look", input={"q": "x"}),
            event(24, "session.error", error=error),
            event(33, "user.custom_tool_result", custom_tool_use_id="sevt_20", content=says("seen")),
            event(34, "session.thread_status_idle", **child(A), stop_reason={"type": "end_turn"}),
        ],
        B: [event(40, "agent.thinking"), event(41, "warroom.approval_decided", id="a1", decision="approve")],
    }


def origin(stream: str) -> Origin:
    return Origin(S, "" if stream == S else stream)


def arrivals(replayed: bool = False) -> list[Arrived]:
    return [Arrived(origin(name), raw, replayed) for name, events in history().items() for raw in events]


@pytest.fixture(scope="module")
def expected() -> str:
    return state_hash(asyncio.run(merged(arrivals(), LEAD)).events, S)


Plan = Sequence[tuple[int, Sequence[tuple[int, bool]]]]
"""Connections: how much of each history it lists, and which events its tail brings, queued or processed."""
COUNT = len(arrivals())
PLANS = st.lists(
    st.tuples(st.integers(0, 20), st.lists(st.tuples(st.integers(0, COUNT - 1), st.booleans()), max_size=25)),
    max_size=4,
)


async def run_plan(plan: Plan, kind: type[Merger] = Merger) -> tuple[FakeJournal, list[Delivered]]:
    """Let a merger have connections as planned, and at last one that lists everything."""
    journal, handed = FakeJournal(FakeClock()), list[Delivered]()
    merger = merger_of(journal, LEAD, kind)

    async def handle(one: Delivered) -> None:
        handed.append(one)

    for upto, tail in [*plan, (99, [])]:
        for name, events in history().items():
            await merger.begin(origin(name), handle)
            same = Occurrences()
            listed = [Arrived(origin(name), raw, replayed=True, occurrence=same.of(raw)) for raw in events[:upto]]
            await merger.take(listed, handle)
            await merger.caught_up(origin(name), handle)
        await merger.take(list(_tail(tail)), handle)
    return journal, handed


def _tail(tail: Sequence[tuple[int, bool]]) -> list[Arrived]:
    found = []
    nameless = False
    for index, queued in tail:
        arrived = arrivals()[index]
        if not arrived.raw["id"]:
            if nameless:
                continue  # without an id, a second one is another one
            nameless = True
        elif queued and arrived.raw["type"] in QUEUED:
            arrived = Arrived(arrived.origin, {**arrived.raw, "processed_at": None})
        found.append(arrived)
    return found


def check(expected: str, journal: FakeJournal, handed: list[Delivered]) -> None:
    assert state_hash(journal.events, S) == expected
    times = Counter((one.primary, one.id, one.processed) for one in handed if one.id)
    assert max(times.values()) == 1, "handed on twice"
    whole = {raw["id"] for raw in history()[S] if raw["id"]}
    assert {one.id for one in handed if one.primary and one.processed and one.id} == whole, "something is missing"
    kept = Counter((one.stream, one.source_id, one.processed) for one in journal.events)
    assert max(kept.values()) == 1


@settings(max_examples=300, deadline=None)
@given(PLANS)
def test_whatever_comes_in_whatever_order_it_counts_once(expected: str, plan: Plan) -> None:
    check(expected, *asyncio.run(run_plan(plan)))


@pytest.mark.soak
@settings(max_examples=2000, deadline=None)
@given(PLANS)
def test_whatever_comes_in_whatever_order_it_counts_once_at_length(expected: str, plan: Plan) -> None:
    check(expected, *asyncio.run(run_plan(plan)))


class Hasty(Merger):
    """Known to be bad: takes an event for seen before it is durable."""

    async def _take(self, arrived: Arrived, handle: Any) -> None:
        await super()._take(arrived, handle)
        self._seen[arrived.origin.stream, key_of(arrived)] = True


async def interrupted_at(number: int, kind: type[Merger]) -> str:
    """Return the state where the journal refuses the n-th event once, and all is read again after that."""
    journal = FakeJournal(FakeClock())
    merger = merger_of(journal, LEAD, kind)
    asked = 0

    def refuse(body: object) -> Exception | None:
        nonlocal asked
        asked += 1
        return DiskFull("no room") if asked == number else None

    async def nothing(one: Delivered) -> None:
        assert one.type

    journal.failing = refuse
    for _ in range(2):
        try:
            await merger.take(arrivals(), nothing)
        except DiskFull:
            continue
    return state_hash(journal.events, S)


async def test_an_event_is_seen_only_once_it_is_durable(expected: str) -> None:
    for number in range(1, COUNT):
        assert await interrupted_at(number, Merger) == expected


async def test_taking_it_for_seen_before_that_is_noticed(expected: str) -> None:
    assert any([await interrupted_at(number, Hasty) != expected for number in range(1, COUNT)])


async def test_what_is_not_durable_is_not_handed_on() -> None:
    journal = FakeJournal(FakeClock())
    handed: list[str] = []

    async def handle(one: Delivered) -> None:
        handed.append(one.id)

    journal.failing = lambda body: DiskFull("no room") if body.type == "agent.message" else None
    with pytest.raises(DiskFull):
        await merger_of(journal, LEAD).take(arrivals()[:6], handle)
    assert "sevt_5" not in handed


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
