"""Event streams: no replay, previews in order, and every way that a stream goes wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from tests.standin import Actor, Options, Standin, Step
from tests.standin.cast import begin, connected, play, said, send, talker

ERROR = b'event: error\ndata: {"error": {"type": "api_error"}}\n\n'
Read = tuple[list[Any], Exception | None]


async def read(client: AsyncAnthropic, session: str, text: str = "go", **more: Any) -> Read:
    """Open a stream, send a text, read until the stream ends or the session is idle."""
    seen: list[Any] = []
    try:
        async with await client.beta.sessions.events.stream(session, **more) as stream:
            await send(client, session, said(text))
            async for event in stream:
                seen.append(event)
                if event.type == "session.status_idle":
                    break
    except (httpx2.HTTPError, anthropic.APIError, json.JSONDecodeError) as fault:
        return seen, fault
    return seen, None


async def test_a_stream_shows_later_events_only(client: AsyncAnthropic) -> None:
    session = await begin(client, text="first")
    await play(client, session, lambda name, given: "")
    seen, fault = await read(client, session, "second")
    assert fault is None
    texts = [event.content[0].text for event in seen if event.type == "agent.message"]
    assert texts == ["You said second"]


async def test_previews_come_in_order_and_only_where_asked_for(client: AsyncAnthropic) -> None:
    session = await begin(client)
    text = "a long text that takes more than one delta to show"
    seen, _ = await read(client, session, text, event_deltas=["agent.message", "agent.thinking"])
    start = next(at for at, event in enumerate(seen) if event.type == "event_start")
    assert seen[start - 1].type == "span.model_request_start"
    deltas = [event for event in seen if event.type == "event_delta"]
    final = next(event for event in seen if event.type == "agent.message")
    assert len(deltas) > 2
    assert {seen[start].event.id, *(delta.event_id for delta in deltas)} == {final.id}
    assert "".join(delta.delta.content.text for delta in deltas) == final.content[0].text == f"You said {text}"
    assert seen.index(deltas[-1]) < seen.index(final)
    end = next(event for event in seen if event.type == "span.model_request_end")
    assert seen.index(final) < seen.index(end)
    assert end.model_request_start_id == seen[start - 1].id
    plain, _ = await read(client, session)
    assert not any(event.type.startswith("event_") for event in plain)


async def test_a_shed_preview_is_a_prefix_and_an_interrupted_one_gets_no_event() -> None:
    async def sheds(actor: Actor) -> None:
        await actor.hear()
        await actor.say("0123456789" * 10, shed=1)

    with Standin({"lead": sheds}) as server:
        async with connected(server) as client:
            session = await begin(client)
            seen, _ = await read(client, session, event_deltas=["agent.message"])
            (delta,) = [event for event in seen if event.type == "event_delta"]
            final = next(event for event in seen if event.type == "agent.message")
            assert final.content[0].text.startswith(delta.delta.content.text)
            server.options.pace = 60.0
            async with await client.beta.sessions.events.stream(session, event_deltas=["agent.message"]) as stream:
                await send(client, session, said("again"))
                server.until(lambda state: state.only().primary.task is not None)
                await send(client, session, {"type": "user.interrupt"})
                async for event in stream:
                    assert event.type != "agent.message"
                    if event.type == "session.status_idle":
                        break


@pytest.mark.parametrize(
    ("step", "count", "fault"),
    [
        (Step(3, "cut_before"), 2, httpx2.HTTPError),
        (Step(3, "cut_after"), 3, httpx2.HTTPError),
        (Step(3, "cut_after", how="close"), 3, httpx2.RemoteProtocolError),
        (Step(3, "half"), 2, httpx2.HTTPError),
        (Step(3, "half", how="close"), 2, httpx2.RemoteProtocolError),
        (Step(3, "end"), 2, None),
        (Step(3, "garbage"), 2, json.JSONDecodeError),
        (Step(3, "garbage", data=ERROR), 2, anthropic.APIError),
    ],
)
async def test_a_stream_breaks_where_it_was_planned(step: Step, count: int, fault: type[Exception] | None) -> None:
    with Standin({"lead": talker}) as server:
        async with connected(server) as client:
            session = await begin(client)
            server.faults.stream(step)
            seen, found = await read(client, session)
            assert len(seen) == count
            assert found is None if fault is None else isinstance(found, fault)
            server.until(lambda state: state.only().status == "idle")
            again, none = await read(client, session)
            assert (none, again[-1].type) == (None, "session.status_idle")


@pytest.mark.parametrize(("do", "change"), [("duplicate", 1), ("nameless", -1), ("drop", -1), ("swap", 0)])
async def test_frames_that_are_doubled_nameless_lost_or_swapped(
    client: AsyncAnthropic, quiet: Standin, do: Any, change: int
) -> None:
    session = await begin(client)
    whole, _ = await read(client, session)
    quiet.faults.stream(Step(2, do))
    seen, fault = await read(client, session)
    quiet.faults.clear()
    assert fault is None
    assert len(seen) == len(whole) + change
    if do == "swap":
        assert [e.type for e in seen[1:3]] == [e.type for e in whole[2:0:-1]]


@pytest.mark.parametrize("do", ["silence", "pings"])
async def test_a_half_open_stream_says_nothing_or_only_pings(do: Any) -> None:
    with Standin({"lead": talker}, options=Options(ping_seconds=0.01)) as server:
        async with connected(server) as client:
            session = await begin(client)
            server.faults.stream(Step(2, do))
            stream = await client.beta.sessions.events.stream(session, timeout=httpx2.Timeout(5.0, read=1.0))
            await send(client, session, said("go"))
            async with stream:
                assert (await anext(stream)).type
                assert (await anext(stream)).type
                if do == "silence":
                    with pytest.raises(httpx2.ReadTimeout):
                        await anext(stream)
            server.until(lambda state: state.listeners() == 0)


async def test_a_held_frame_waits_for_its_gate_and_unknown_types_pass(quiet: Standin, client: AsyncAnthropic) -> None:
    session = await begin(client)
    quiet.faults.stream(Step(1, "hold", gate="now"))
    async with await client.beta.sessions.events.stream(session) as stream:
        quiet.inject({"type": "agent.levitated", "height": 3}, session=session)
        quiet.inject({"type": "agent.whispered"}, session=session, stored=False)
        quiet.open("now")
        first: Any = await anext(stream)
        second: Any = await anext(stream)
    quiet.faults.clear()
    assert (first.type, first.height, second.type) == ("agent.levitated", 3, "agent.whispered")
    assert [event["type"] for event in quiet.state.events(session)] == ["agent.levitated"]


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_open_streams_are_cut_on_demand(client: AsyncAnthropic, quiet: Standin, how: Any) -> None:
    session = await begin(client)
    async with await client.beta.sessions.events.stream(session) as stream:
        quiet.inject({"type": "agent.thinking"}, session=session)
        assert (await anext(stream)).type == "agent.thinking"
        assert quiet.cut(f"*/{session}/events/stream", how) == 1
        with pytest.raises(httpx2.HTTPError):
            await anext(stream)
    quiet.until(lambda state: state.listeners(session) == 0)
    assert quiet.cut(f"*/{session}/events/stream") == 0


async def test_a_run_is_the_same_whoever_looks_on() -> None:
    async def run(reads: int) -> list[dict[str, Any]]:
        epoch = datetime(2026, 1, 1, tzinfo=UTC)
        with Standin({"lead": talker}, options=Options(epoch=epoch)) as server:
            async with connected(server) as client:
                session = await begin(client)
                for _ in range(reads):
                    await client.beta.agents.list()
                await read(client, session)
                return [{k: v for k, v in e.items() if k != "usage"} for e in server.state.events()]

    assert await run(0) == await run(3)
