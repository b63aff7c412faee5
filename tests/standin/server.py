"""The stand-in as tests use it: a server on loopback in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from tests.standin.app import App, Recorded
from tests.standin.faults import Break, Faults
from tests.standin.logbook import Event
from tests.standin.options import Options
from tests.standin.script import Script
from tests.standin.session import Session

T = TypeVar("T")


class State:
    """What the server holds. Read it through `Standin.state`, or inside a condition."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def agents(self) -> dict[str, list[dict[str, Any]]]:
        """Every agent's versions by id, oldest first."""
        return self._app.space.agents.versions

    @property
    def environments(self) -> dict[str, dict[str, Any]]:
        """Every environment by id."""
        return self._app.space.environments.all

    @property
    def sessions(self) -> dict[str, Session]:
        """Every session by id that was not deleted."""
        return self._app.space.sessions.all

    @property
    def deleted(self) -> set[str]:
        """Ids of the deleted sessions."""
        return self._app.space.sessions.deleted

    def only(self) -> Session:
        """Return the only session."""
        (session,) = self.sessions.values()
        return session

    def events(self, session: str | None = None, thread: str | None = None) -> list[Event]:
        """Return the stored events of a session's thread, the only session's primary where none is named."""
        found = self.only() if session is None else self.sessions[session]
        return list((found.primary if thread is None else found.threads[thread]).log.events)

    def posted(self, call: str) -> int:
        """Return how often a result came for a call."""
        return sum(session.posted.get(call, 0) for session in self.sessions.values())

    def listeners(self, session: str | None = None) -> int:
        """Return how many connections stream a session's primary thread."""
        found = self.only() if session is None else self.sessions[session]
        return len(found.primary.log.feeds)


class Standin:
    """Starts on enter, breaks every connection and ends on exit."""

    def __init__(self, script: Script | None = None, port: int = 0, options: Options | None = None) -> None:
        self.options = options or Options()
        self._script: Script = {} if script is None else script
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="standin", daemon=True)
        self._app = App(self._script, self.options)
        self._server: asyncio.Server | None = None
        self.base_url = ""
        self.state = State(self._app)

    @property
    def key(self) -> str:
        """The API key that is valid."""
        return self.options.key

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self._app.faults

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far."""
        return list(self._app.requests)

    def __enter__(self) -> Standin:
        self._thread.start()
        self._port = self.run(self._listen)
        self.base_url = f"http://127.0.0.1:{self._port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._app.serve, "127.0.0.1", self._port, limit=1 << 20)
        return int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._app.stop()

    def run(self, work: Callable[[], Any]) -> Any:
        """Run a function or coroutine function on the server's loop; returns what it returns."""

        async def there() -> Any:
            found = work()
            return await found if asyncio.iscoroutine(found) else found

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(60)

    def script(self, script: Script) -> None:
        """Change what agents do from their next turn on."""
        self._app.script = script

    def open(self, gate: str) -> None:
        """Open a gate that a script or a fault waits at."""
        self.run(lambda: self._app.gate(gate).set())

    def until(self, holds: Callable[[State], bool], seconds: float = 60.0) -> None:
        """Wait until a condition on the state holds; TimeoutError names it after `seconds`."""
        future = asyncio.run_coroutine_threadsafe(self._app.wait(lambda: holds(self.state)), self._loop)
        future.result(seconds)

    async def reached(self, holds: Callable[[State], bool], seconds: float = 60.0) -> None:
        """Wait as `until` does, from another loop."""
        future = asyncio.run_coroutine_threadsafe(self._app.wait(lambda: holds(self.state)), self._loop)
        await asyncio.wait_for(asyncio.wrap_future(future), seconds)

    def cut(self, path: str = "*/stream", how: Break = "reset") -> int:
        """Break the streams that are open now; returns how many there were."""
        found: int = self.run(lambda: self._app.cut(path, how))
        return found

    def fill(self, count: int, session: str | None = None) -> None:
        """Put so many messages of the primary agent into a session's history at once."""

        def there() -> None:
            found = self.state.only() if session is None else self.state.sessions[session]
            for number in range(count):
                found.emit("agent.message", content=[{"type": "text", "text": f"line {number}"}])

        self.run(there)

    def inject(self, event: Event, session: str | None = None, thread: str | None = None, stored: bool = True) -> Event:
        """Put an event of any type on a thread, stored or only streamed; returns it with its id."""

        def there() -> Event:
            found = self.state.only() if session is None else self.state.sessions[session]
            log = (found.primary if thread is None else found.threads[thread]).log
            whole = {**found.event(event["type"]), **event}
            if stored:
                log.add(whole)
            else:
                log.live(whole)
            return whole

        made: Event = self.run(there)
        return made
