"""What tests of the streams share: a sink that is a strict journal in memory, a hurried clock, a session to follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from anthropic import AsyncAnthropic

from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP, Delivered
from orchestrator.engines.managed.links import Link
from orchestrator.engines.managed.merge import Arrived, Merger, Origin
from orchestrator.engines.managed.state import state_hash
from orchestrator.engines.managed.streams import HEARTBEAT_S, Ending, Streams, Terms
from orchestrator.engines.managed.threads import Threads
from orchestrator.journal.codec import Entry, draft
from orchestrator.journal.events import Body, Egress, Event
from tests.fakes import FakeClock
from tests.standin import Actor, Standin
from tests.standin.cast import begin, said

STREAM = "*/events/stream"


class HurriedClock(FakeClock):
    """Whoever waits to try again need not; the heartbeat waits until the test moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds == HEARTBEAT_S:
            await super().sleep(seconds)
            return
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def beats(self) -> bool:
        """Say whether the heartbeat has seen the time that it is."""
        return bool(self._sleepers) and all(due > self.monotonic() for due, _ in self._sleepers)


class FakeJournal:
    """A sink: unique on (stream, id, processed), refuses what the journal refuses, durable only after a while."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.events: list[Event] = []
        self.shown: dict[str, str] = {}
        self.previewed: list[tuple[str, str]] = []
        self._known: dict[tuple[str, str, bool], Event] = {}
        self._grew = asyncio.Condition()
        self.failing: Callable[[Body], Exception | None] = lambda body: None

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        draft(Entry(body, thread, stream, source_id, processed), self.clock)
        for wanted in (True, processed):
            if source_id is not None and (there := self._known.get((stream, source_id, wanted))) is not None:
                return there
        if (fault := self.failing(body)) is not None:
            raise fault
        event = Event(
            seq=len(self.events) + 1,
            ts=self.clock.now(),
            mono=self.clock.monotonic(),
            thread=thread,
            stream=stream,
            source_id=source_id,
            processed=processed,
            body=body,
            hash="",
        )
        self.events.append(event)
        if source_id is not None:
            self._known[stream, source_id, processed] = event
        await asyncio.sleep(0)
        async with self._grew:
            self._grew.notify_all()
        return event

    def preview(self, thread: str, text: str) -> None:
        self.previewed.append((thread, text))
        self.shown[thread] = self.shown.get(thread, "") + text if text else ""

    def holds(self, stream: str, source_id: str) -> bool:
        """Say whether an event is durable."""
        return (stream, source_id, True) in self._known or (stream, source_id, False) in self._known

    def notes(self) -> list[str]:
        """Return the notes on record."""
        return [str(event.body.model_dump()["text"]) for event in self.events if event.type == "warroom.note"]


@dataclass
class Followed:
    """Streams that run, and what they handed on."""

    streams: Streams
    journal: FakeJournal
    clock: HurriedClock
    client: AsyncAnthropic
    given: list[Delivered] = field(default_factory=list)
    answers: bool = True
    posts: set[asyncio.Task[Any]] = field(default_factory=set)
    task: asyncio.Task[Ending] | None = None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, one: Delivered) -> None:
        stream = self.streams.session_id if one.primary else self.streams.thread_id(one.thread)
        if one.id:
            assert stream is not None
            assert self.journal.holds(stream, one.id), f"{one.type} was handed on before it was durable"
        self.given.append(one)
        self._moved.set()
        if one.type == CALL and one.open and self.answers:
            self.posts.add(asyncio.ensure_future(self.answer(one.id)))

    async def answer(self, call: str) -> None:
        content: Any = [{"type": "text", "text": f"result of {call}"}]
        result: Any = {"type": "user.custom_tool_result", "custom_tool_use_id": call, "content": content}
        await self.client.beta.sessions.events.send(self.streams.session_id, events=[result])

    async def until(self, holds: Callable[[], object]) -> None:
        """Return once something handed on made `holds()` true; raises what ended the streams before."""
        assert self.task is not None
        while not holds():
            self._moved.clear()
            waiting = asyncio.ensure_future(self._moved.wait())
            await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
            waiting.cancel()
            if self.task.done() and not holds():
                self.task.result()
                raise AssertionError("the streams ended before it happened")

    def types(self) -> list[str]:
        return [one.type for one in self.given]

    def done(self) -> bool:
        """Say whether the session came to its end_turn."""
        idle = [one for one in self.given if one.type == "session.status_idle" and one.primary]
        return bool(idle) and idle[-1].stop_reason == "end_turn"

    @property
    def link(self) -> Link:
        return self.streams._primary


@asynccontextmanager
async def client_of(server: Standin) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        yield client


async def start(client: AsyncAnthropic, text: str = "go") -> str:
    """Start a session of the lead with its scout; returns its id."""
    return await begin(client, "scout", text=text)


@asynccontextmanager
async def following(
    client: AsyncAnthropic,
    session_id: str,
    clock: HurriedClock | None = None,
    journal: FakeJournal | None = None,
    *,
    answers: bool = True,
    echoed: Callable[[Mapping[str, Any]], bool] = lambda raw: True,
) -> AsyncIterator[Followed]:
    clock = clock or HurriedClock()
    journal = journal or FakeJournal(clock)
    terms = Terms(roles={"lead": "orchestrator"}, echoed=echoed, random=lambda: 0.5)
    followed = Followed(Streams(client, session_id, journal, clock, terms), journal, clock, client, answers=answers)
    followed.task = asyncio.ensure_future(followed.streams.run(followed.handle))
    try:
        yield followed
    finally:
        for post in followed.posts:
            post.cancel()
        followed.task.cancel()
        await asyncio.gather(followed.task, *followed.posts, return_exceptions=True)


async def lead(actor: Actor) -> None:
    """Ask two scouts, call a tool, say what came of it."""
    await actor.hear()
    await actor.act("I ask the scouts.", sends=[("scout", "look here"), ("scout", "look there")], think=True)
    reports = [(await actor.hear()).text, (await actor.hear()).text]
    told = await actor.call("conclude", {"text": " and ".join(sorted(reports))})
    await actor.say(f"Done: {told.text[:6]}")


async def scout(actor: Actor) -> None:
    """Look twice at once, report."""
    heard = await actor.hear()
    await actor.say(f"I look as told: {heard.text}")
    told = await actor.call("look", {"where": heard.text})
    await actor.report(f"I saw {told.text[:6]} as to {heard.text}")


async def turns_until(holds: Callable[[], object]) -> None:
    """Let the loop turn until something holds that nobody tells of."""
    while True:
        if holds():
            return
        await asyncio.sleep(0)


def whole(server: Standin, session_id: str) -> list[Arrived]:
    """Return all that the server has of a session, its own stream first."""
    session = server.run(lambda: server.state.sessions[session_id])
    found: list[Arrived] = []
    for thread in session.threads.values():
        origin = Origin(session_id, "" if thread is session.primary else thread.id)
        found += [Arrived(origin, raw) for raw in server.state.events(session_id, thread.id)]
    return found


async def merged(
    arrivals: Sequence[Arrived], primary: str = "", journal: FakeJournal | None = None, session_id: str = "sesn_1"
) -> FakeJournal:
    """Return the journal of a merger that got these, and nothing else."""
    journal = journal or FakeJournal(FakeClock())

    async def nothing(one: Delivered) -> None:
        assert one.type

    await merger_of(journal, primary, session_id=session_id).take(arrivals, nothing)
    return journal


def merger_of(
    journal: FakeJournal, primary: str = "", kind: type[Merger] = Merger, session_id: str = "sesn_1"
) -> Merger:
    """Return a merger that asks no server for names."""

    async def scout_always(thread_id: str) -> str:
        return "scout"

    terms = Terms(roles={"lead": "orchestrator"})
    threads = Threads(session_id, journal, terms.roles, scout_always)
    threads.primary = primary
    return kind(journal, threads, terms)


async def expected_hash(server: Standin, session_id: str) -> str:
    """Return the state that whoever missed nothing holds."""
    primary = server.run(lambda: server.state.sessions[session_id].primary.id)
    return state_hash((await merged(whole(server, session_id), primary, session_id=session_id)).events, session_id)


async def not_recorded(body: Egress) -> None:
    assert body.host


def opened(server: Standin, path: str = "events/stream") -> int:
    return sum(one.path.endswith(path) for one in server.requests)


async def say_go(followed: Followed) -> None:
    await followed.client.beta.sessions.events.send(followed.streams.session_id, events=[said("go")])  # type: ignore[list-item]


async def finished(server: Standin, followed: Followed) -> None:
    """Wait for the session's end_turn, and check that nothing is missing and nothing came twice."""
    await followed.until(followed.done)
    await followed.streams.settle()
    session_id = followed.streams.session_id
    assert state_hash(followed.journal.events, session_id) == await expected_hash(server, session_id)
    calls = [one.id for one in followed.given if one.type == CALL]
    assert len(calls) == len(set(calls)) == 3
    assert all(server.state.posted(call) == 1 for call in calls)


async def ticks(followed: Followed, seconds: int) -> None:
    """Let seconds pass one by one, each seen by the heartbeat."""
    for _ in range(seconds):
        followed.clock.advance(1.0)
        await turns_until(followed.clock.beats)


async def live(followed: Followed) -> None:
    await followed.until(lambda: CAUGHT_UP in followed.types())
    await turns_until(lambda: followed.streams.health.state == "live" and followed.clock.beats())
