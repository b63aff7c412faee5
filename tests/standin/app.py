"""Connections: requests in, answers and event streams out, faults where they are planned."""

from __future__ import annotations

import asyncio
import fnmatch
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standin.errors import ApiError
from tests.standin.faults import Break, Fault, Faults, Step, planned
from tests.standin.ids import Ids, Stamps
from tests.standin.logbook import Feed
from tests.standin.options import Options
from tests.standin.routes import Space, Stream, admit, respond
from tests.standin.script import Script
from tests.standin.session import World
from tests.standin.wire import KEEP_ALIVE, PING, Answer, Gone, Link, Request, frame

SECRET = ("authorization", "x-api-key")


@dataclass(frozen=True)
class Recorded:
    """A request as tests look at it: no credential."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Any
    status: int
    """What was answered; 0 where the connection was broken instead."""


class App:
    """The server's state and its one loop."""

    def __init__(self, script: Script, options: Options) -> None:
        self.options, self.script, self.faults = options, script, Faults()
        self.requests: list[Recorded] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._ids = Ids()
        self._world = World(self._ids, Stamps(options.epoch), options, self.changed, self.gate, lambda: self.script)
        self.space = Space(self._world)
        self._spaces: dict[str, Space] = {}
        self._links: set[asyncio.Task[None]] = set()
        self._streams: dict[Link, str] = {}

    def gate(self, name: str) -> asyncio.Event:
        """Return the gate of that name."""
        return self.gates.setdefault(name, asyncio.Event())

    def changed(self) -> None:
        """Wake who waits for a condition that holds now."""
        for waiter in list(self.waiters):
            if waiter[1].done():
                self.waiters.remove(waiter)
            elif waiter[0]():
                self.waiters.remove(waiter)
                waiter[1].set_result(None)

    async def wait(self, holds: Callable[[], bool]) -> None:
        """Return once the condition holds."""
        if holds():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append((holds, future))
        await future

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        link = Link(reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            while (request := await link.read()) is not None:
                await self._one(link, request)
        except (Gone, ConnectionError, asyncio.IncompleteReadError, ApiError):
            pass
        except asyncio.CancelledError:
            link.reset()
        finally:
            self._links.discard(task)
            link.close()

    async def stop(self) -> None:
        """Break every connection and end every agent."""
        spaces = [self.space, *self._spaces.values()]
        tasks = [t.task for s in spaces for x in s.sessions.all.values() for t in x.threads.values() if t.task]
        for task in [*self._links, *tasks]:
            task.cancel()
        await asyncio.gather(*self._links, *tasks, return_exceptions=True)

    def _space(self, key: str) -> Space:
        if key == self.options.key:
            return self.space
        return self._spaces.setdefault(key, Space(self._world))

    async def _one(self, link: Link, request: Request) -> None:
        fault = self.faults.of(request)
        if fault is not None and fault.gate:
            await self.gate(fault.gate).wait()
        if fault is not None and not fault.applied and (fault.broken or fault.error):
            await self._faulty(link, request, fault, Answer(200, {}))
            return
        request_id = self._ids.new("req")
        found: Any
        try:
            found = respond(self._space(admit(request, self.options)), request)
        except ApiError as refusal:
            found = Answer(refusal.status, refusal.body(request_id), refusal.headers)
        if isinstance(found, Stream) and (fault is None or not (fault.broken or fault.error or fault.body)):
            self._record(request, 200)
            await self._stream(link, request, found)
            return
        answer = found if isinstance(found, Answer) else Answer(200, found if not isinstance(found, Stream) else {})
        answer.headers = {"request-id": request_id, **answer.headers}
        if fault is not None:
            await self._faulty(link, request, fault, answer)
            return
        self._record(request, answer.status)
        await link.write(answer.encode())

    async def _faulty(self, link: Link, request: Request, fault: Fault, answer: Answer) -> None:
        if fault.late:
            self.changed()
            await self.gate(fault.late).wait()
        if fault.broken is not None:
            self._record(request, 0)
            if fault.broken == "reset":
                link.reset()
            else:
                link.close()
            raise Gone
        answer = planned(fault, answer, self._ids.new("req"))
        self._record(request, answer.status)
        raw = answer.encode()
        if fault.slow:
            for at in range(len(raw)):
                await link.write(raw[at : at + 1])
                await asyncio.sleep(0)
        else:
            await link.write(raw)

    def _record(self, request: Request, status: int) -> None:
        try:
            body = json.loads(request.raw) if request.raw else None
        except ValueError:
            body = request.raw
        headers = {name: value for name, value in request.headers.items() if name not in SECRET}
        self.requests.append(Recorded(request.method, request.path, request.query, headers, body, status))
        self.changed()

    # -- streams

    def cut(self, path: str, how: Break) -> int:
        """Break the open streams of matching paths; returns how many."""
        links = [link for link, at in self._streams.items() if fnmatch.fnmatchcase(at, path)]
        for link in links:
            if how == "reset":
                link.reset()
            else:
                link.close()
        return len(links)

    async def _stream(self, link: Link, request: Request, stream: Stream) -> None:
        plan = self.faults.steps(request)
        self._streams[link] = request.path
        feed = stream.log.open(stream.deltas)
        watch = asyncio.ensure_future(link.reader.read(1))
        watch.add_done_callback(lambda _: feed.queue.put_nowait(None))
        try:
            await link.open_stream({"request-id": self._ids.new("req")})
            await link.chunk(KEEP_ALIVE)
            await self._frames(link, feed, plan)
            await link.end_stream()
        finally:
            stream.log.feeds.discard(feed)
            del self._streams[link]
            left = watch.done()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            self.changed()
        if left:
            raise Gone

    async def _frames(self, link: Link, feed: Feed, plan: dict[int, list[Step]]) -> None:
        """Write frames until the stream ends; returns where it ends cleanly."""
        sent = 0
        held: list[bytes] = []
        while (event := await self._next(link, feed)) is not None:
            sent += 1
            data = [frame(event)]
            swapped = False
            for step in plan.get(sent, []):
                if step.do == "end":
                    return
                swapped = swapped or step.do == "swap"
                data = await self._step(link, step, data, event)
            if swapped:
                held += data
                continue
            for part in [*data, *held]:
                await link.chunk(part)
            held = []
            await self._after(link, feed, plan.get(sent, []))

    async def _next(self, link: Link, feed: Feed) -> Any:
        while feed.queue.empty():
            try:
                return await asyncio.wait_for(feed.queue.get(), self.options.ping_seconds)
            except TimeoutError:
                await link.chunk(PING)
        return feed.queue.get_nowait()

    async def _step(self, link: Link, step: Step, data: list[bytes], event: Mapping[str, Any]) -> list[bytes]:
        """Return the frames to write instead; breaks the connection where the step does so before the frame."""
        if step.do == "hold":
            await self.gate(step.gate).wait()
        elif step.do == "duplicate":
            return [*data, *data]
        elif step.do == "drop":
            return []
        elif step.do == "garbage":
            return [step.data, *data]
        elif step.do == "nameless":
            return [frame(event, named=False)]
        elif step.do == "cut_before":
            self._cut(link, step)
        elif step.do == "half":
            whole = b"".join(data)
            await link.chunk(whole[: len(whole) // 2])
            self._cut(link, step)
        return data

    async def _after(self, link: Link, feed: Feed, steps: list[Step]) -> None:
        for step in steps:
            if step.do == "cut_after":
                self._cut(link, step)
            elif step.do == "silence":
                while await feed.queue.get() is not None:
                    pass
                raise Gone
            elif step.do == "pings":
                while True:
                    await asyncio.sleep(self.options.ping_seconds)
                    await link.chunk(PING)

    def _cut(self, link: Link, step: Step) -> None:
        if step.how == "reset":
            link.reset()
        else:
            link.close()
        raise Gone
