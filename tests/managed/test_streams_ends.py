"""How the streams of a session end, and how another process goes on with them."""

from __future__ import annotations

import pytest
from anthropic import AsyncAnthropic

from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP
from orchestrator.engines.managed.state import state_hash
from orchestrator.engines.managed.streams import Streams
from tests.managed.streaming import (
    FakeJournal,
    HurriedClock,
    expected_hash,
    finished,
    following,
    live,
    say_go,
)
from tests.standin import Actor, Standin
from tests.standin.cast import begin


async def stops(actor: Actor) -> None:
    """Work once, then fail for good."""
    await actor.hear()
    await actor.fail("model_request_failed_error", "terminal", "no more")


async def test_a_session_that_is_over_ends_them(server: Standin, client: AsyncAnthropic) -> None:
    server.script({"lead": stops})
    session_id = await begin(client, "scout", text="go")
    async with following(client, session_id) as followed:
        assert followed.task is not None
        assert await followed.task == "terminated"
        (error,) = [one for one in followed.given if one.type == "session.error"]
        assert (error.error_type, error.retry_status) == ("model_request_failed_error", "terminal")
        assert state_hash(followed.journal.events, session_id) == await expected_hash(server, session_id)
    async with following(client, session_id) as again:
        assert again.task is not None
        assert await again.task == "terminated", "also where it was over before they came"
        assert state_hash(again.journal.events, session_id) == state_hash(followed.journal.events, session_id)


async def test_a_session_that_is_deleted_ends_them(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout")
    async with following(client, session_id) as followed:
        await live(followed)
        await client.beta.sessions.delete(session_id)
        assert followed.task is not None
        assert await followed.task == "deleted"


async def test_another_process_goes_on_with_the_same_journal(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout", text="go")
    clock = HurriedClock()
    journal = FakeJournal(clock)
    async with following(client, session_id, clock, journal, answers=False) as first:
        await first.until(lambda: first.types().count(CALL) == 2)
        waiting = {one.id for one in first.given if one.type == CALL}
    async with following(client, session_id, clock, journal) as second:
        await finished(server, second)
        replayed = {one.id: one.open for one in second.given if one.type == CALL and one.replayed}
        assert replayed == dict.fromkeys(waiting, True)
    third = FakeJournal(clock)
    async with following(client, session_id, clock, third) as late:
        await late.until(lambda: CAUGHT_UP in late.types())
        assert [one.open for one in late.given if one.type == CALL] == [False] * 3
        assert late.streams.open_calls == frozenset()
        await late.streams.settle()
        assert state_hash(third.events, session_id) == state_hash(journal.events, session_id)


async def test_what_the_journal_refuses_ends_them(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout", text="go")
    clock = HurriedClock()
    journal = FakeJournal(clock)
    journal.failing = lambda body: RuntimeError("full") if body.type == "agent.message" else None
    async with following(client, session_id, clock, journal) as followed:
        assert followed.task is not None
        with pytest.raises(RuntimeError, match="full"):
            await followed.task


async def test_previews_of_every_thread_are_shown(server: Standin, client: AsyncAnthropic) -> None:
    server.options.delta_chars = 4
    session_id = await begin(client, "scout")
    async with following(client, session_id) as followed:
        await live(followed)
        await say_go(followed)
        await finished(server, followed)
        assert followed.journal.shown["orchestrator"].startswith("I ask the scouts.")
    assert Streams.__doc__
