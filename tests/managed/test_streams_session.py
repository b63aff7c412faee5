"""The streams at a real desk: a journal on disk, redaction, a status machine that is ours, a process that dies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from orchestrator.engines.base import Desk, StopReason
from orchestrator.engines.managed.delivered import CALL, Delivered
from orchestrator.engines.managed.state import state_hash
from orchestrator.engines.managed.streams import Streams, Terms
from orchestrator.hands.policy import Policy
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from tests.fakes import FakeClock
from tests.hands.conftest import LOOSE, OWN, RECIPE
from tests.managed.streaming import HurriedClock, client_of, expected_hash, lead, scout
from tests.session.conftest import INCIDENT, FakeEngine
from tests.standin import Actor, Standin
from tests.standin.cast import begin, result


async def tells(actor: Actor) -> None:
    """Say what it must not keep, then work as usual."""
    await actor.say(f"The key is {OWN}, I think.")
    await lead(actor)


@pytest.fixture
def settings() -> Settings:
    return Settings(recipe=RECIPE, policy=Policy(LOOSE), own_secrets=(OWN,), clock=FakeClock(), version="0")


async def until_done(desk: Desk, client: AsyncAnthropic, session_id: str, calls: int = 99) -> StopReason:
    """Follow to the end_turn, or until so many calls came; answer each."""
    streams = Streams(client, session_id, desk, HurriedClock(), Terms(roles={"lead": "orchestrator"}))
    done = asyncio.Event()
    came = 0

    async def handle(one: Delivered) -> None:
        nonlocal came
        if one.type == CALL:
            came += 1
            if came >= calls:
                done.set()
            elif one.open:
                answer: Any = [result(one.id)]
                await client.beta.sessions.events.send(session_id, events=answer)
        if one.type == "session.status_idle" and one.stop_reason == "end_turn" and not one.replayed:
            done.set()

    following = asyncio.ensure_future(streams.run(handle))
    await done.wait()
    if came < calls:
        await streams.settle()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return "end_turn" if came < calls else "interrupted"


async def test_a_session_keeps_what_its_server_says_and_its_own_status(tmp_path: Path, settings: Settings) -> None:
    with Standin({"lead": tells, "scout": scout}) as server:
        async with client_of(server) as client:
            remote = await begin(client, "scout", text="go")

            async def first(desk: Desk) -> StopReason:
                return await until_done(desk, client, remote, calls=2)

            home = StateHome(tmp_path)
            async with await Session.create(home, INCIDENT, [], [], FakeEngine(first), settings) as session:
                assert await session.run() == "interrupted"
                name = session.id

            async def second(desk: Desk) -> StopReason:
                return await until_done(desk, client, remote)

            async with await Session.open(home, name, FakeEngine(second), settings) as session:
                assert await session.run() == "end_turn"
                events = list(session.journal.events())
                assert (session.standing.status, session.standing.reason) == ("idle", "end_turn")
                assert session.desk.fold.open_calls == {}, "calls are on record once hands have them"
                assert session.desk.fold.agent_of("scout-2") == "scout"
                assert session.desk.brief.notes == (), "what was sent is nothing that the person said"
            statuses = [one for one in events if one.type.startswith("session.status_")]
            assert {one.stream for one in statuses} == {"local"}
            redacted = next(one for one in events if one.type == "agent.message")
            assert OWN not in str([one.body for one in events])
            assert "The key is" in str(redacted.body)
            assert "warroom.redacted" in {one.type for one in events}
            # The server's own log has the secret, so it is compared without that message.
            told = [one for one in events if one.source_id != redacted.source_id]
            kept = state_hash(told, remote)
            server.run(lambda: forget(server, remote, str(redacted.source_id)))
            assert kept == await expected_hash(server, remote)


def forget(server: Standin, session_id: str, event_id: str) -> None:
    log = server.state.sessions[session_id].primary.log
    log.rows = [row for row in log.rows if row[1]["id"] != event_id]


async def test_what_is_queued_is_recorded_again_when_it_is_processed(tmp_path: Path, settings: Settings) -> None:
    from orchestrator.engines.managed.translate import mirrored

    raw = {"id": "sevt_1", "type": "user.message", "content": []}

    async def script(desk: Desk) -> StopReason:
        for processed in (False, True, False):
            body = mirrored({**raw, "processed_at": "t" if processed else None})
            await desk.record(body, thread="orchestrator", source_id="sevt_1", stream="sesn_1", processed=processed)
        return "end_turn"

    async with await Session.create(StateHome(tmp_path), INCIDENT, [], [], FakeEngine(script), settings) as session:
        await session.run()
        kept = [one for one in session.journal.events() if one.stream == "sesn_1"]
        assert [one.processed for one in kept] == [False, True]
