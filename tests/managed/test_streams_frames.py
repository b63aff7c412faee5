"""S6: frames that cannot be read, and unusual ones that are events nevertheless."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from orchestrator.engines.client import make_client
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.managed.delivered import CAUGHT_UP
from orchestrator.engines.managed.state import state_hash
from orchestrator.journal.events import Mirrored
from tests.managed.streaming import (
    STREAM,
    expected_hash,
    finished,
    following,
    not_recorded,
    opened,
    say_go,
)
from tests.standin import Standin, Step
from tests.standin.cast import begin, provision, said

DEEP = b"[" * 5000 + b"]" * 5000
GOOD = b'{"id":"sevt_x","type":"agent.thinking","processed_at":null}'
HARMLESS = [
    b"\n",
    b"\n\n\n",
    b": a comment\n\n",
    b"event: ping\n\n",
    b"event: ping\ndata: not json\n\n",
    b'data: {"type":"ping"}\n\n',
    b"event: agent.message\n\n",
    b"event: agent.message\ndata:\n\n",
    b"event: agent.message\ndata:    \n\n",
    b"retry: 10\n\n",
    b"id: 7\n\n",
    b"nonsense\n\n",
    b"nonsense: more\n\n",
    b"\x00\n\n",
    b"\xff\xfe\n\n",
    b"\r\r\r\r",
    b"\r\n\r\n",
    b"event\n\n",
    b":\n\n",
    b"event: error-ish\n\n",
]
BROKEN = [
    b"data: " + data + b"\n\n"
    for data in (
        b"{",
        b"}",
        b'{"id": "sevt_',
        b'{"type":}',
        b"nothing",
        b"null",
        b"true",
        b"7",
        b'"agent.message"',
        b"[]",
        b'[{"type":"agent.message"}]',
        b"{}",
        b'{"type":null}',
        b'{"type":7}',
        b'{"type":""}',
        b'{"type":["agent.message"]}',
        b'{"type":"agent.message",}',
        b"{'type':'agent.message'}",
        b'{"type":"agent.message","n":NaN}',
        b'{"type":"agent.message","n":Infinity}',
        b'{"type":"agent.message","n":1e999}',
        b'{"type":"agent.message","t":"\\ud800"}',
        b'{"type":"agent.message","t":"\\x"}',
        b'{"type":"agent.message","t":"\x00"}',
        b'{"type":"agent.message","t":"\xff\xfe"}',
        b'{"type":"agent.message","t":"\xc3\x28"}',
        b"\xef\xbb\xbf{",
        DEEP,
        b'{"type":"agent.message","a":' + DEEP + b"}",
        b'{"type":"agent.message"}{"type":"agent.message"}',
        b'{"type":"agent.message"\ndata: ,,}',
    )
]
BROKEN += [
    b"event: agent.message\rdata: {\r\r",
    b"event: agent.message\r\ndata: {\r\n\r\n",
    b"event: x\ndata\ndata: {\n\n",
]
NEW = [
    b"data: " + GOOD + b"\n\n",
    b"event: agent.other\ndata: " + GOOD + b"\n\n",
    b"event: agent.thinking\rdata: " + GOOD + b"\r\r",
    b"event: agent.thinking\r\ndata: " + GOOD + b"\r\n\r\n",
    b'data: {"id":"sevt_x",\ndata: "type":"agent.thinking","processed_at":null}\n\n',
    b"data:" + GOOD + b"\n\n",
]
"""Unusual, and events nevertheless: they exist on the stream only, so that they are known again here."""


@pytest.mark.parametrize(("payloads", "counts"), [(HARMLESS, 0), (BROKEN, 1), (NEW, 0)])
async def test_no_frame_can_break_it(
    server: Standin, client: AsyncAnthropic, payloads: list[bytes], counts: int
) -> None:
    top, env = await provision(client, "scout")

    async def one(payload: bytes) -> list[str]:
        session: Any = await client.beta.sessions.create(agent=top, environment_id=env)
        path = f"*/{session.id}/events/stream"
        server.faults.stream(Step(2, "garbage", data=payload), path=path)
        async with following(client, session.id) as followed:
            await followed.until(lambda: CAUGHT_UP in followed.types())
            await say_go(followed)
            await followed.until(followed.done)
            await followed.streams.settle()
        events = [event for event in followed.journal.events if event.source_id != "sevt_x"]
        wrong = [] if state_hash(events, session.id) == await expected_hash(server, session.id) else ["state"]
        unreadable = [one for one in events if isinstance(one.body, Mirrored) and one.body.kind == "unreadable"]
        wrong += ["record of it"] * (len(unreadable) != counts)
        wrong += ["not taken"] * ((payload in NEW) != (len(events) < len(followed.journal.events)))
        return [f"{payload[:60]!r}: {what}" for what in wrong]

    wrong = []
    for start in range(0, len(payloads), 8):
        for found in await asyncio.gather(*map(one, payloads[start : start + 8])):
            wrong += found
    assert wrong == []


def test_there_are_sixty_of_them() -> None:
    assert len({*HARMLESS, *BROKEN, *NEW}) >= 60


async def test_the_sdk_s_own_reading_would_end_there(server: Standin, client: AsyncAnthropic) -> None:
    """Known to be bad: one broken frame, and what comes after it is never read."""
    session_id = await begin(client, "scout")
    server.faults.stream(Step(2, "garbage", data=b"event: x\ndata: {\n\n"), path=STREAM)
    stream = await client.beta.sessions.events.stream(session_id)
    await client.beta.sessions.events.send(session_id, events=[said("go")])  # type: ignore[list-item]

    async def read() -> list[str]:
        return [event.type async for event in stream]

    async with stream:
        with pytest.raises(ValueError, match="Expecting property name"):
            await read()


async def test_a_frame_of_64_mib_is_passed_over(server: Standin) -> None:
    to = Endpoint(base_url=server.base_url, key=server.key, key_name="ANTHROPIC_API_KEY")
    async with make_client(to, not_recorded) as client:
        session_id = await begin(client, "scout", text="go")
        server.faults.stream(Step(3, "garbage", data=b"data: " + b"x" * (64 << 20) + b"\n\n"), path=STREAM)
        async with following(client, session_id) as followed:
            await finished(server, followed)
            assert opened(server) == 2
