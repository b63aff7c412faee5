"""Events in: queued and processed, refused by state, results, interrupts, errors."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from tests.standin import Actor, Call, Options, Script, Standin
from tests.standin.cast import begin, caller, connected, lead, play, result, said, scout, send, talker


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "events"),
        ([{"type": "user.shout"}], "events.0.type"),
        ([{**said("x"), "session_thread_id": "sthr_1"}], "Extra inputs"),
        ([{"type": "user.message", "content": []}], "content"),
        ([{"type": "user.message", "content": [{"type": "redacted"}]}], "content.0.type"),
        ([result("sevt_none")], "no agent.custom_tool_use"),
        ([{"type": "user.tool_confirmation", "tool_use_id": "x", "result": "maybe"}], "result"),
        ([{"type": "user.tool_confirmation", "tool_use_id": "x", "result": "allow"}], "no tool call"),
        ([{"type": "user.tool_result", "tool_use_id": "x", "content": []}], "self_hosted"),
        ([{"type": "user.interrupt", "session_thread_id": "sthr_none"}], "no thread"),
        ([{"type": "system.message", "content": [{"type": "text", "text": "x"}]}], "system.message"),
        ([said("good"), result("sevt_none")], "events.1"),
    ],
)
async def test_what_is_refused_and_that_nothing_of_it_is_stored(
    quiet: Standin, client: anthropic.AsyncAnthropic, events: list[dict[str, Any]], words: str
) -> None:
    session = await begin(client)
    with pytest.raises(anthropic.BadRequestError) as refused:
        await send(client, session, *events)
    assert words in str(refused.value.api_message)
    assert quiet.state.events(session) == []


async def test_a_message_shows_twice_under_one_id() -> None:
    with Standin({"lead": talker}) as server:
        async with connected(server) as client:
            session = await begin(client)
            async with await client.beta.sessions.events.stream(session) as stream:
                (stored,) = await send(client, session, said("hello"))
                assert stored.processed_at is None
                seen: list[Any] = []
                async for event in stream:
                    seen.append(event)
                    if event.type == "session.status_idle":
                        break
            echoes = [event for event in seen if event.type == "user.message"]
            assert [(echo.id, echo.processed_at is None) for echo in echoes] == [(stored.id, True), (stored.id, False)]
            listed = [e async for e in client.beta.sessions.events.list(session, types=["user.message"])]
            assert [(one.id, one.processed_at is None) for one in listed] == [(stored.id, False)]


async def test_a_blocked_session_takes_results_and_no_messages() -> None:
    with Standin({"lead": caller}) as server:
        async with connected(server) as client:
            session = await begin(client, text="go")
            server.until(lambda state: state.only().blocked())
            first, second = server.state.only().primary.pending
            with pytest.raises(anthropic.BadRequestError, match="requires action"):
                await send(client, session, said("hurry"))
            (stored,) = await send(client, session, result(first, "one"))
            assert stored.processed_at is not None
            idles = [e["stop_reason"] for e in server.state.events() if e["type"] == "session.status_idle"]
            assert idles[-2:] == [
                {"type": "requires_action", "event_ids": [first, second]},
                {"type": "requires_action", "event_ids": [second]},
            ]
            await send(client, session, result(first, "again"))
            assert server.state.posted(first) == 2
            await send(client, session, result(second, "two"))
            server.until(lambda state: state.only().status == "idle")
            said_last = [e for e in server.state.events() if e["type"] == "agent.message"][-1]
            assert said_last["content"][0]["text"] == "one; two"
            assert kinds(server.state.events()).count("user.custom_tool_result") == 2
            assert kinds(server.state.events())[-2:] == ["session.usage", "session.status_idle"]


@pytest.mark.parametrize("synthetic", [False, True])
async def test_an_interrupt_closes_calls_and_a_message_may_follow_it(synthetic: bool) -> None:
    async def once(actor: Actor) -> None:
        heard = await actor.hear()
        if heard.text == "go":
            await actor.act(calls=[Call("decide"), Call("decide")])
        await actor.say(f"Now: {heard.text}")

    with Standin({"lead": once}, options=Options(interrupt_results=synthetic)) as server:
        async with connected(server) as client:
            session = await begin(client, text="go")
            server.until(lambda state: state.only().blocked())
            (call, _) = server.state.only().primary.pending
            stored = await send(client, session, {"type": "user.interrupt"}, said("else"))
            assert [one.processed_at for one in stored] == [None, None]
            server.until(lambda state: state.only().status == "idle")
            with pytest.raises(anthropic.BadRequestError, match="closed"):
                await send(client, session, result(call))
            events = server.state.events()
            assert [e["content"][0]["text"] for e in events if e["type"] == "agent.message"] == ["Now: else"]
            assert kinds(events).count("user.custom_tool_result") == (2 if synthetic else 0)


async def test_an_interrupt_jumps_the_queue_of_a_running_session() -> None:
    async def slow(actor: Actor) -> None:
        heard = await actor.hear()
        if heard.text == "go":
            await actor.gate("never")
        await actor.say(heard.text)

    with Standin({"lead": slow}, options=Options(empty_interrupt_ids=True)) as server:
        async with connected(server) as client:
            session = await begin(client, text="go")
            server.until(lambda state: bool(state.only().primary.history))
            (queued,) = await send(client, session, said("later"))
            (stop,) = await send(client, session, {"type": "user.interrupt"})
            assert stop.id == ""
            server.until(lambda state: state.only().status == "idle")
            order = [e.get("id") for e in server.state.events() if e["type"] in ("user.interrupt", "user.message")]
            assert order.index("") < order.index(queued.id)
            last = [e for e in server.state.events() if e["type"] == "agent.message"][-1]
            assert last["content"][0]["text"] == "later"


async def test_interrupting_one_thread_leaves_no_report_and_the_lead_goes_on_when_told() -> None:
    with Standin({"lead": lead, "scout": scout}) as server:
        async with connected(server) as client:
            session = await begin(client, "scout", text="go")
            server.until(lambda state: state.only().blocked())
            child = next(t for t in server.state.only().threads.values() if t.parent)
            (call,) = child.pending
            await send(client, session, {"type": "user.interrupt", "session_thread_id": child.id})
            with pytest.raises(anthropic.BadRequestError, match="closed"):
                await send(client, session, result(call))
            assert "agent.thread_message_received" not in kinds(server.state.events())
            assert server.state.only().stop_reason() == {"type": "end_turn"}
            await send(client, session, said("go on without"))
            seen = await play(client, session, lambda name, given: "fine")
            assert seen


async def fails(actor: Actor) -> None:
    heard = await actor.hear()
    if heard.text == "refuse":
        await actor.refuse("bio")
    if heard.text != "go":
        await actor.fail("model_overloaded_error", heard.text)
    await actor.say("fine")


@pytest.mark.parametrize(
    ("word", "last", "reason"),
    [
        ("retrying", "session.status_idle", {"type": "end_turn"}),
        ("exhausted", "session.status_idle", {"type": "retries_exhausted"}),
        ("terminal", "session.status_terminated", None),
        ("refuse", "session.status_idle", {"type": "refusal"}),
    ],
)
async def test_every_way_that_a_turn_can_fail(word: str, last: str, reason: dict[str, str] | None) -> None:
    with Standin({"lead": fails}) as server:
        async with connected(server) as client:
            session = await begin(client)
            await send(client, session, said(word))
            server.until(lambda state: state.only().status in ("idle", "terminated"))
            events = server.state.events()
            assert (events[-1]["type"], events[-1].get("stop_reason")) == (last, reason)
            assert ("session.status_rescheduled" in kinds(events)) is (word == "retrying")
            errors = [event["error"] for event in events if event["type"] == "session.error"]
            assert [one["retry_status"]["type"] for one in errors] == ([] if word == "refuse" else [word])
            if word == "refuse":
                assert events[-1]["stop_details"]["category"] == "bio"
            if word in ("exhausted", "refuse"):
                await send(client, session, said("go"))
                server.until(lambda state: state.only().stop_reason() == {"type": "end_turn"})


async def test_exhausted_flushes_what_was_queued_and_ends_a_child() -> None:
    async def waits(actor: Actor) -> None:
        await actor.hear()
        await actor.gate("fail")
        await actor.fail("model_rate_limited_error", "exhausted")

    async def asks(actor: Actor) -> None:
        await actor.hear()
        await actor.delegate("scout", "x")
        while True:
            await actor.hear()

    script: Script = {"lead": asks, "scout": waits}
    with Standin(script) as server:
        async with connected(server) as client:
            await begin(client, "scout", text="go")
            server.open("fail")
            server.until(lambda state: state.only().status == "idle")
            child = next(t for t in server.state.only().threads.values() if t.parent)
            assert child.status == "terminated"
            assert kinds(server.state.events())[-3:] == [
                "session.usage",
                "session.status_idle",
                "session.thread_status_terminated",
            ]
            with pytest.raises(anthropic.BadRequestError, match="terminated"):
                await send(client, server.state.only().id, {"type": "user.interrupt", "session_thread_id": child.id})


async def test_lists_filter_by_type_and_moment_and_never_hold_previews(client: anthropic.AsyncAnthropic) -> None:
    session = await begin(client, text="go")
    seen = await play(client, session, lambda name, given: "")
    assert seen
    listed: list[Any] = [e async for e in client.beta.sessions.events.list(session, limit=2)]
    assert len({e.id for e in listed}) == len(listed) > 4
    back: list[Any] = [e async for e in client.beta.sessions.events.list(session, limit=2, order="desc")]
    assert [e.id for e in back] == [e.id for e in reversed(listed)]
    later = client.beta.sessions.events.list(session, created_at_gt=listed[2].processed_at)
    assert [e.id async for e in later] == [e.id for e in listed[3:]]
    with pytest.raises(anthropic.BadRequestError, match="never stored"):
        await client.beta.sessions.events.list(session, types=["event_delta"])  # type: ignore[list-item]
