"""S1: a stream that is cut after any event, in any way, ends in the same state as one that was not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from orchestrator.engines.managed import links, streams
from orchestrator.engines.managed.answering import pairs
from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP
from orchestrator.engines.managed.merge import Merger
from orchestrator.engines.managed.state import state_hash
from tests.managed.streaming import Followed, client_of, expected_hash, following, lead, scout
from tests.standin import Actor, Call, Options, Standin, State, Step
from tests.standin.cast import provision, said
from tests.standin.faults import Deed
from tests.thinned import thinned

WAYS: dict[str, tuple[Deed, ...]] = {
    "reset": ("cut_after",),
    "close": ("cut_before",),
    "half": ("half",),
    "end": ("end",),
}
PRIMARY, CHILDREN = range(1, 37), range(1, 15)
"""Frames at which the session's own stream, and that of its thread, are cut: 50 in all."""


async def short_lead(actor: Actor) -> None:
    """Ask one scout, call a tool, say what came of it."""
    await actor.hear()
    await actor.act("I ask.", sends=[("scout", "look")], think=True)
    told = await actor.call("decide", {"text": (await actor.hear()).text})
    await actor.say(f"Done: {told.text[:6]}")


async def short_scout(actor: Actor) -> None:
    """Look, report; but only once somebody watches."""
    await actor.hear()
    await actor.gate(str(actor._thread.parent))
    await actor.act("I look.", calls=[Call("look", {"where": "here"})])
    await actor.report("I saw it")


class Scene:
    """A server with a cast, and sessions of it."""

    def __init__(self, server: Standin, client: AsyncAnthropic, lead_id: str, env: str) -> None:
        self.server, self.client = server, client
        self._lead, self._env = lead_id, env
        self.calls = 2
        """How many calls a session makes."""

    async def session(self) -> str:
        """Make a session that waits to be told to go."""
        made = await self.client.beta.sessions.create(agent=self._lead, environment_id=self._env)
        return made.id

    async def go(self, session_id: str) -> None:
        await self.client.beta.sessions.events.send(session_id, events=[said("go")])  # type: ignore[list-item]

    async def played(self, session_id: str) -> Followed:
        """Follow a session from before its start to its end; returns what came of it."""
        async with following(self.client, session_id) as followed:
            await followed.until(lambda: CAUGHT_UP in followed.types())
            await self.go(session_id)
            await self.watched(session_id)
            await followed.until(followed.done)
            await followed.streams.settle()
        return followed

    async def watched(self, session_id: str) -> None:
        """Let the scout go on once its stream is open."""

        def is_open(state: State) -> bool:
            return any(thread.parent and thread.log.feeds for thread in state.sessions[session_id].threads.values())

        await self.server.reached(is_open)
        self.server.open(self.server.state.sessions[session_id].primary.id)

    async def faults_of(self, followed: Followed) -> list[str]:
        """Return what is wrong with how a session was followed; nothing where nothing is."""
        session_id = followed.streams.session_id
        wrong = []
        if state_hash(followed.journal.events, session_id) != await expected_hash(self.server, session_id):
            wrong.append("state")
        given = Counter((one.primary, one.thread, one.id, one.processed) for one in followed.given if one.id)
        if any(times > 1 for times in given.values()):
            wrong.append("given twice")
        calls = [one.id for one in followed.given if one.type == CALL]
        if len(calls) != self.calls or any(self.server.state.posted(call) != 1 for call in calls):
            wrong.append("answers")
        return wrong


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    with Standin({"lead": short_lead, "scout": short_scout}, options=Options(delta_chars=2)) as server:
        async with client_of(server) as client:
            yield Scene(server, client, *await provision(client, "scout"))


def cut(scene: Scene, session_id: str, way: str, at: int, path: str) -> None:
    how = "reset" if way == "reset" else "close"
    steps = [Step(at, do, how) for do in WAYS[way]]  # type: ignore[arg-type]
    scene.server.faults.stream(*steps, path=f"*/sessions/{session_id}/{path}")


async def test_uncut_it_is_what_the_server_has(scene: Scene) -> None:
    scene.server.script({"lead": lead, "scout": scout})
    scene.calls = 3
    followed = await scene.played(await scene.session())
    assert await scene.faults_of(followed) == []
    assert followed.journal.notes() == []
    assert {one.thread for one in followed.given} == {"orchestrator", "scout", "scout-2"}


def stopped(followed: Followed) -> int:
    """Return how many interrupts were processed."""
    return sum(one.type == "user.interrupt" and one.processed for one in followed.given)


OPEN: list[dict[str, Any]] = [
    {"cross_ids": "different"},
    {"mirror_errors": False, "primary_status": False},
    {"interrupt_results": True, "empty_interrupt_ids": True},
]
"""What the API's reference leaves open."""


@pytest.mark.parametrize("options", OPEN, ids=lambda options: next(iter(options)))
async def test_whatever_the_api_leaves_open_it_is_what_the_server_has(scene: Scene, options: dict[str, Any]) -> None:
    for name, value in options.items():
        setattr(scene.server.options, name, value)
    session_id = await scene.session()
    cut(scene, session_id, "close", 9, "events/stream")
    followed = await scene.played(session_id)
    assert await scene.faults_of(followed) == []
    (paired,) = pairs(followed.journal.events).values()
    assert paired in [one.id for one in followed.given if one.type == CALL]
    async with following(scene.client, session_id, journal=followed.journal, clock=followed.clock) as again:
        await again.until(lambda: CAUGHT_UP in again.types())
        for times in (1, 2):
            await scene.client.beta.sessions.events.send(session_id, events=[{"type": "user.interrupt"}])
            await again.until(lambda times=times: stopped(again) == times)  # type: ignore[misc]
        await again.streams.settle()
    assert state_hash(again.journal.events, session_id) == await expected_hash(scene.server, session_id)


async def cut_everywhere(scene: Scene, way: str) -> list[str]:
    """Return what was wrong with sessions of which each is cut at another place."""

    async def one(at: int, path: str) -> list[str]:
        session_id = await scene.session()
        cut(scene, session_id, way, at, path)
        followed = await scene.played(session_id)
        streams = [one for one in scene.server.requests if one.path.endswith("/stream") and session_id in one.path]
        wrong = await scene.faults_of(followed) + ["never cut"] * (len(streams) != 3)
        return [f"{path} {at}: {one}" for one in wrong]

    places = [(at, "events/stream") for at in PRIMARY] + [(at, "threads/*/stream") for at in CHILDREN]
    wrong: list[str] = []
    for start in range(0, len(places), 10):
        for found in await asyncio.gather(*(one(*place) for place in places[start : start + 10])):
            wrong += found
    return wrong


@pytest.mark.parametrize("way", thinned(WAYS, 2))
async def test_cut_at_fifty_places(scene: Scene, way: str) -> None:
    assert await cut_everywhere(scene, way) == []


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", WAYS)
async def test_cut_at_five_hundred_places(scene: Scene, way: str) -> None:
    for turn in range(10):  # at another pace each time, so that it falls together differently
        scene.server.options.pace = turn / 2000
        assert await cut_everywhere(scene, way) == []


@pytest.mark.parametrize("way", WAYS)
async def test_every_connection_is_cut_at_its_first_frame(scene: Scene, way: str) -> None:
    session_id = await scene.session()
    how = "reset" if way == "reset" else "close"
    steps = [Step(1, do, how) for do in WAYS[way]]  # type: ignore[arg-type]
    scene.server.faults.stream(*steps, path=f"*/sessions/{session_id}/*/stream", times=10_000)
    followed = await scene.played(session_id)
    assert await scene.faults_of(followed) == []


class Deaf(links.Link):
    """Known to be bad: after a cut it goes on with the tail, and reads no history."""

    async def _last(self) -> None:
        if self.attempts == 0:
            await super()._last()


class Forgetful(Merger):
    """Known to be bad: takes what comes again for new."""

    def _is_seen(self, key: tuple[str, str], processed: bool) -> bool:
        return False


@pytest.mark.parametrize("bad", [Deaf, Forgetful])
async def test_what_is_known_to_be_bad_is_noticed(
    scene: Scene, bad: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "Link" if bad is Deaf else "Merger", bad)
    session_id = await scene.session()
    cut(scene, session_id, "close", 14, "events/stream")
    async with following(scene.client, session_id) as followed:
        await followed.until(lambda: CAUGHT_UP in followed.types())
        await scene.go(session_id)
        path = f"/v1/sessions/{session_id}/events/stream"
        await scene.server.reached(
            lambda state: (
                sum(one.path == path for one in scene.server.requests) == 2 and state.listeners(session_id) == 1
            )
        )
        await scene.watched(session_id)
        await followed.until(
            lambda: {one.id for one in followed.given} >= {scene.server.state.events(session_id)[-1]["id"]}
        )
        await followed.streams.settle()
    assert ("state" if bad is Deaf else "given twice") in await scene.faults_of(followed)
