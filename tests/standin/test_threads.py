"""Threads: what shows where, under which ids, and what an archived one refuses."""

from __future__ import annotations

from typing import Any, Literal

import anthropic
import pytest

from tests.standin import Options, Standin
from tests.standin.cast import begin, connected, lead, play, result, scout, send


@pytest.mark.parametrize("ids", ["same", "different"])
async def test_what_shows_on_the_primary_and_on_the_child(ids: Literal["same", "different"]) -> None:
    with Standin({"lead": lead, "*": scout}, options=Options(cross_ids=ids)) as server:
        async with connected(server) as client:
            session = await begin(client, "east", "west", text="go")
            await play(client, session, lambda name, given: f"{name} {given['q']}")
            top = server.state.events()
            children = [t for t in server.state.only().threads.values() if t.parent]
            assert [t.name for t in children] == ["east", "west"]
            for child in children:
                own = server.state.events(thread=child.id)
                (crossed,) = [e for e in top if e.get("session_thread_id") == child.id and "input" in e]
                (call,) = [e for e in own if e["type"] == "agent.custom_tool_use"]
                assert "session_thread_id" not in call
                assert (call["id"] == crossed["id"]) is (ids == "same")
                results = [e for e in (*top, *own) if e.get("custom_tool_use_id") in (call["id"], crossed["id"])]
                assert len(results) == len({e["id"] for e in results}) == 2
                assert [e.get("session_thread_id") for e in results] == [child.id, None]
                assert [e["type"] for e in own if "thread_message" in e["type"]] == [
                    "agent.thread_message_received",
                    "agent.thread_message_sent",
                ]
                assert any(e["type"] == "agent.message" for e in own)
                status = [e["type"] for e in top if e.get("session_thread_id") == child.id and "status" in e["type"]]
                assert status[0] == "session.thread_status_running"
                assert status[-1] == "session.thread_status_idle"
                assert not any(e["type"] in ("session.usage", "session.thread_created") for e in own)
            assert [e["type"] for e in top].count("session.thread_created") == 2
            assert not any("looked around" in str(e) for e in top)
            assert any(e["type"] == "agent.message" and "east: look east" in str(e) for e in top)


async def test_a_session_is_idle_only_when_no_thread_works_and_any_order_of_answers_will_do() -> None:
    with Standin({"lead": lead, "*": scout}) as server:
        async with connected(server) as client:
            session = await begin(client, "east", "west", text="go")
            server.until(lambda state: state.only().blocked())
            calls = list(server.state.only().calls)
            assert sorted(server.state.only().stop_reason()["event_ids"]) == sorted(calls)
            for call in reversed(calls):
                await send(client, session, result(call))
            server.until(lambda state: len(state.only().calls) == 3)
            idle = [e for e in server.state.events() if e["type"] == "session.status_idle"]
            assert all(e["stop_reason"]["type"] == "requires_action" for e in idle)


async def test_a_child_may_be_idle_before_its_calls_show() -> None:
    with Standin({"lead": lead, "*": scout}, options=Options(late_calls=True)) as server:
        async with connected(server) as client:
            session = await begin(client, "east", text="go")
            seen = await play(client, session, lambda name, given: "ok")
            assert seen[-1].stop_reason.type == "end_turn"
            events = server.state.events()
            call = next(at for at, e in enumerate(events) if e["type"] == "agent.custom_tool_use")
            idle = next(at for at, e in enumerate(events) if events[call]["id"] in str(e.get("stop_reason")))
            assert idle < call


async def test_threads_are_listed_read_streamed_and_archived() -> None:
    with Standin({"lead": lead, "*": scout}) as server:
        async with connected(server) as client:
            session = await begin(client, "east", text="go")
            threads = client.beta.sessions.threads
            server.until(lambda state: state.only().blocked())
            primary, child = [one async for one in threads.list(session)]
            assert (primary.parent_thread_id, child.parent_thread_id) == (None, primary.id)
            assert child.status == "idle"
            with pytest.raises(anthropic.BadRequestError, match="primary"):
                await threads.archive(primary.id, session_id=session)
            seen: list[Any] = []
            async with await threads.events.stream(child.id, session_id=session, event_deltas=["agent.message"]) as s:
                await send(client, session, result(next(iter(server.state.only().calls))))
                async for event in s:
                    seen.append(event)
                    if event.type == "session.thread_status_idle":
                        break
            assert [e.type for e in seen if e.type.startswith("event_")][:2] == ["event_start", "event_delta"]
            listed = [e async for e in threads.events.list(child.id, session_id=session, limit=3)]
            assert len(listed) == len(server.state.events(thread=child.id)) > 6
            archived = await threads.archive(child.id, session_id=session)
            assert archived.archived_at is not None
            with pytest.raises(anthropic.BadRequestError, match="terminated"):
                await send(client, session, {"type": "user.interrupt", "session_thread_id": child.id})
            assert (await threads.retrieve(child.id, session_id=session)).status == "terminated"
            with pytest.raises(anthropic.NotFoundError):
                await threads.retrieve("sthr_none", session_id=session)
            with pytest.raises(anthropic.BadRequestError, match="types"):
                await threads.events.list(child.id, session_id=session, extra_query={"types[]": "agent.message"})
