"""The streams of one Managed Agents session: the primary and one per thread, merged exactly once into the journal.

    streams = Streams(client, session_id, desk, clock)
    ending = await streams.run(handle)      # hands each event on, durable already; cancel it to stop

Every thread is followed by a link (open, list, tail, again); what they bring goes through one inbox to one merger,
which makes it durable, counts it as seen, and hands it on, in this order.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from orchestrator.engines.base import EngineError
from orchestrator.engines.managed.delivered import CAUGHT_UP, Delivered, Handle
from orchestrator.engines.managed.links import Link, LinkLost, LinkState, Passed, Ways
from orchestrator.engines.managed.merge import Arrived, Merger, Occurrences, Origin
from orchestrator.engines.managed.retrying import Fault, delay, fault_of, gives_up
from orchestrator.engines.managed.sources import PrimarySource, ThreadSource
from orchestrator.engines.managed.sse import Frame
from orchestrator.engines.managed.threads import Threads
from orchestrator.journal.events import MAIN_THREAD, Body, Event, Mirrored, Note
from subagents.contract import SPECIALISTS, AgentName, Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

Ending = Literal["terminated", "deleted"]
TERMINAL: Final[Mapping[str, Ending]] = {"session.status_terminated": "terminated", "session.deleted": "deleted"}
HEARTBEAT_S: Final = 1.0
AWAY_S: Final = 10.0
"""A gap of the clocks of more than this: the machine, or this process, was asleep."""
NO_LIST: Final = (405, 501)
"""What a server says that has no such list."""
INBOX: Final = 4096
BATCH: Final = 512


class StreamsEnded(EngineError):
    """The session cannot be followed any further; the message is one line for people."""

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.absent = absent
        """There is no such session for this key."""


class Sink(Protocol):
    """The part of a Desk that streams need."""

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        """Make an event durable, once."""

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text; an empty one takes away what was shown."""


def _ended_by(error: BaseException) -> BaseException:
    return StreamsEnded(str(error), absent=error.fault.absent) if isinstance(error, LinkLost) else error


@dataclass(frozen=True)
class Health:
    """How the primary stream is now, for a status line. Ages are seconds."""

    state: LinkState
    why: str = ""
    """What it waits or ended for."""
    event_age: float | None = None
    """Since the last event; None before the first. It grows while only keep-alives come: no progress."""
    byte_age: float | None = None
    """Since the last byte, keep-alives counted."""
    retry_in: float | None = None
    """Until it is tried again."""
    attempts: int = 0
    """Failed attempts in a row."""


@dataclass(frozen=True)
class Terms:
    """What the streams must know of the session that they follow."""

    roles: Mapping[str, AgentName] = field(default_factory=dict)
    """Names of agents to their roles; one that is not listed plays the role of its name."""
    echoed: Callable[[Mapping[str, Any]], bool] = lambda raw: True
    """Says of a `user.*` or `system.*` event whether our journal holds it already, as it does what we sent."""
    random: Callable[[], float] = random.random
    """From 0 to 1: spreads what is tried again."""


@dataclass(frozen=True)
class _Barrier:
    """Passed by the merger once all that came before it was handed on."""

    done: asyncio.Future[None]


class Streams:
    """See the module. `run` once."""

    def __init__(
        self, client: AsyncAnthropic, session_id: str, sink: Sink, clock: Clock, terms: Terms | None = None
    ) -> None:
        self._client = client.with_options(max_retries=0)
        self.session_id = session_id
        self._sink = sink
        self._clock = clock
        self._terms = terms or Terms()
        self._inbox: asyncio.Queue[Arrived | Passed | _Barrier] = asyncio.Queue(INBOX)
        self._threads = Threads(session_id, sink, self._terms.roles, self._agent_of, self._follow_thread)
        self._merger = Merger(sink, self._threads, self._terms)
        self._ways = Ways(clock, self._terms.random, self._inbox.put, self._say_lost, self._say_found, self._say_broken)
        self._primary = Link(Origin(session_id), PrimarySource(self._client, session_id), self._ways)
        self._links: dict[str, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[Ending] | None = None
        self._ending: Ending | None = None
        self._agents: dict[str, str] = {}
        self._archived: set[str] = set()
        self._lost_at: float | None = None

    # -- what it is --------------------------------------------------------------------------

    @property
    def health(self) -> Health:
        """How the primary stream is now."""
        link, now = self._primary, self._clock.monotonic()

        def age(at: float | None) -> float | None:
            return None if at is None else max(0.0, now - at)

        waits = None if link.retry_at is None else max(0.0, link.retry_at - now)
        return Health(link.state, link.why, age(link.pulse.event_at), age(link.pulse.byte_at), waits, link.attempts)

    @property
    def open_calls(self) -> frozenset[str]:
        """The calls that can take a result, as far as the events so far say."""
        return self._merger.open_calls

    def thread_id(self, thread: str) -> str | None:
        """Return the server's id of one of our threads, such as `logs-2`."""
        return self._threads.id_of(thread)

    # -- work --------------------------------------------------------------------------------

    async def run(self, handle: Handle) -> Ending:
        """Follow the session until it is over, and hand each event on, one at a time, once it is durable.

        `handle` must return soon, and must not wait for `settle`. Raises StreamsEnded where the session cannot be
        followed any further, what `handle` raises, and what the journal raises.
        """
        self._over = asyncio.get_running_loop().create_future()
        self._spawn(self._merge(handle), "merge")
        self._spawn(self._begin(), "primary")
        self._spawn(self._watch(), "watch")
        try:
            ending = await self._over
        finally:
            await self._stop()
        if ending == "terminated":
            await self._read_last(handle)
        return ending

    async def settle(self) -> None:
        """Return once all that the threads' own streams have until now is durable and handed on.

        For when the primary stream says that the work is done: what specialists said last may still be on its way.
        A thread whose history cannot be read now is left as it is; what is missing comes when the session goes on.
        """
        reading = (self._reread(link, self._inbox.put) for link in self._links.values())
        await asyncio.gather(*reading, return_exceptions=True)
        barrier = _Barrier(asyncio.get_running_loop().create_future())
        if self._over is not None and not self._over.done():
            await self._inbox.put(barrier)
            await asyncio.wait((barrier.done, self._over), return_when=asyncio.FIRST_COMPLETED)

    async def _reread(self, link: Link, put: Callable[[Arrived], Any]) -> None:
        """Put a thread's history once more; what is new of it is handed on as if it came by the stream."""
        same = Occurrences()
        async for raw in link.history():
            await put(Arrived(link.origin, raw, occurrence=same.of(raw)))

    async def _read_last(self, handle: Handle) -> None:
        """Take what is left in the inbox and in the threads' histories, once nothing is followed any more."""
        while not self._inbox.empty():
            await self._drain(self._inbox.get_nowait(), handle)
        last: list[Arrived] = []

        async def keep(arrived: Arrived) -> None:
            last.append(arrived)

        for link in list(self._links.values()):
            with contextlib.suppress(Exception):
                await self._reread(link, keep)
        await self._merger.take(last, handle)
        for link in list(self._links.values()):
            await self._merger.caught_up(link.origin, handle)

    # -- its tasks ---------------------------------------------------------------------------

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.ensure_future(work)
        task.set_name(f"streams-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._over is not None and not self._over.done():
            self._over.set_exception(_ended_by(error))

    async def _stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self) -> None:
        """Learn which threads there are, then follow the primary."""
        await self._survey()
        await self._say_found(self._primary.origin)
        await self._primary.follow()

    async def _survey(self) -> None:
        refusals = attempts = 0
        while True:
            try:
                async for thread in self._client.beta.sessions.threads.list(self.session_id):
                    self._learn_thread(thread)
                return
            except Exception as error:
                fault = fault_of(error, self._clock.now())
            if fault.absent or fault.status in NO_LIST:
                return  # whether there is such a session, its own stream says
            attempts += 1
            refusals = refusals + 1 if fault.refusal else 0
            self._primary.state, self._primary.why, self._primary.attempts = "waiting", fault.why, attempts
            if reason := gives_up(fault, refusals):
                raise LinkLost(fault, reason)
            if attempts == 2:
                await self._say_lost(self._primary.origin, fault)
            await self._clock.sleep(delay(fault, attempts, self._terms.random))

    def _learn_thread(self, thread: Any) -> None:
        agent = thread.agent if isinstance(thread.agent, str) else getattr(thread.agent, "name", None)
        leads = thread.parent_thread_id is None and (agent or MAIN_THREAD) not in SPECIALISTS
        if leads and not self._threads.primary:
            self._threads.primary = thread.id
        else:
            self._agents[thread.id] = agent or ""
            if thread.archived_at is not None or thread.status == "terminated":
                self._archived.add(thread.id)

    async def _agent_of(self, thread_id: str) -> str:
        """Return the name of a thread's agent; empty where it cannot be told."""
        if thread_id not in self._agents:
            with contextlib.suppress(Exception):
                thread = await self._client.beta.sessions.threads.retrieve(thread_id, session_id=self.session_id)
                self._learn_thread(thread)
        return self._agents.get(thread_id, "")

    def _follow_thread(self, thread_id: str) -> None:
        """Follow a thread that has just got its name."""
        if thread_id in self._links:
            return
        origin = Origin(self.session_id, thread_id)
        link = Link(origin, ThreadSource(self._client, self.session_id, thread_id), self._ways)
        link.closed = thread_id in self._archived
        self._links[thread_id] = link
        if self._over is not None and not self._over.done():
            self._spawn(self._follow(link), thread_id)

    async def _follow(self, link: Link) -> None:
        """Follow a thread; that it is gone, or refuses for now, does not end the session."""
        while True:
            try:
                return await link.follow()
            except LinkLost as lost:
                if lost.fault.absent or lost.fault.status in (400, 422):  # archived, or over: the session goes on
                    return
                if lost.fault.stops:
                    raise
                await self._clock.sleep(delay(lost.fault, 10, self._terms.random))

    async def _watch(self) -> None:
        """Look after the links once a second, and notice when the machine was asleep."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        while True:
            await self._clock.sleep(HEARTBEAT_S)
            now, mono = self._clock.now(), self._clock.monotonic()
            away = max((now - wall).total_seconds() - (mono - steady), mono - steady - HEARTBEAT_S)
            wall, steady = now, mono
            for link in (self._primary, *self._links.values()):
                if away > AWAY_S:
                    link.drop(f"this machine was away for {away:.0f} s", at_once=True)
                else:
                    link.check()

    async def _merge(self, handle: Handle) -> None:
        while self._ending is None:
            await self._drain(await self._inbox.get(), handle)
        if self._over is not None and not self._over.done():
            self._over.set_result(self._ending)

    async def _drain(self, first: Arrived | Passed | _Barrier, handle: Handle) -> None:
        """Take one thing and what waits behind it, up to what is no event."""

        async def watched(one: Delivered) -> None:
            await handle(one)
            self._look(one)

        batch: list[Arrived] = []
        item: Arrived | Passed | _Barrier | None = first
        while isinstance(item, Arrived):
            batch.append(item)
            item = None if self._inbox.empty() or len(batch) >= BATCH else self._inbox.get_nowait()
        await self._merger.take(batch, watched)
        if isinstance(item, Passed):
            passing = self._merger.begin if item.what == "begin" else self._merger.caught_up
            await passing(item.origin, watched)
        elif isinstance(item, _Barrier) and not item.done.done():
            item.done.set_result(None)

    def _look(self, one: Delivered) -> None:
        """Notice what ends a thread or the session."""
        if not one.primary or one.type == CAUGHT_UP:
            return
        self._primary.pulse.event()
        if one.type == "session.thread_status_terminated" and one.thread_id in self._links:
            self._links[one.thread_id].closed = True
        self._ending = self._ending or TERMINAL.get(one.type)

    # -- what is said of it ------------------------------------------------------------------

    async def _say_lost(self, origin: Origin, fault: Fault) -> None:
        if origin.primary and self._lost_at is None:
            self._lost_at = self._clock.monotonic()
            text = f"the connection to the session is lost ({fault.why}); it goes on there, and is tried again here"
            await self._sink.record(Note(text=text, level="warning"), thread=MAIN_THREAD)

    async def _say_found(self, origin: Origin) -> None:
        if origin.primary and self._lost_at is not None:
            seconds, self._lost_at = self._clock.monotonic() - self._lost_at, None
            text = f"the connection to the session is back after {seconds:.0f} s; what happened meanwhile was read"
            await self._sink.record(Note(text=text), thread=MAIN_THREAD)

    async def _say_broken(self, origin: Origin, frame: Frame) -> None:
        thread = self._threads.known(origin.thread_id) or MAIN_THREAD
        await self._sink.record(Mirrored(kind="unreadable", event=dict(frame.data)), thread=thread)
