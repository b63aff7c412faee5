"""The worker processes: one per agent, started on first use, killed on time, started again on next use.

A killed worker is one failed call, no more. Frames are read and written in threads, so that a worker that hangs
holds nothing up; killing its process group ends the read.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from orchestrator.hands.rosters import RosterRecipe
from orchestrator.hands.threads import in_thread
from orchestrator.hands.worker import PROGRESS, WARM, read_frame, write_frame
from subagents.contract import AgentName, Clock, Progress, ServiceInfo, SourceSpec, ToolError

if TYPE_CHECKING:
    from orchestrator.hands.spare import Spare

Seat = tuple[AgentName, bool]
"""Whose worker, and whether it is the one beside, which answers a person and holds nothing for long."""
START_TIMEOUT_S = 120.0
"""Longest that a worker may take to import and to open the sources."""
_STDERR_KEPT = 4096


def closed_environment() -> dict[str, str]:
    """Return all that a worker knows of the environment: no home, no token, no Python path."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }


class WorkerGone(Exception):
    """The worker ended in the middle of an answer; the message says how."""


@dataclass(frozen=True)
class Fitting:
    """What a worker builds its roster from; a newer one is told before its next call."""

    recipe: RosterRecipe
    specs: tuple[SourceSpec, ...] = ()
    services: tuple[ServiceInfo, ...] = ()

    def message(self, agent: AgentName) -> dict[str, Any]:
        """Return the frame that fits a worker of that agent."""
        return {
            "agent": agent,
            "factory": self.recipe.factory,
            "import_path": self.recipe.import_path,
            "specs": [spec.model_dump(mode="json") for spec in self.specs],
            "services": [service.model_dump(mode="json") for service in self.services],
        }


class WorkerProcess:
    """One spawned process. `ask` blocks (call it in a thread); `kill` may be called from anywhere."""

    def __init__(self, agent: AgentName) -> None:
        self.agent = agent
        self.fitted: Fitting | None = None
        self._killed = False
        self._stderr = b""
        # The argv is fixed: our own interpreter, our own module; the environment is closed.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "orchestrator.hands.worker"],
            cwd="/",
            env=closed_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            close_fds=True,
        )
        self._stdin = cast(BinaryIO, self._process.stdin)
        self._stdout = cast(BinaryIO, self._process.stdout)
        self._drain = threading.Thread(target=self._keep_stderr, daemon=True, name=f"worker-stderr-{agent}")
        self._drain.start()

    @property
    def pid(self) -> int:
        """The process id, which is its process group's too."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Say whether the process runs and is meant to."""
        return not self._killed and self._process.poll() is None

    def ask(self, message: Mapping[str, Any], tell: Callable[[Progress], None] | None = None) -> dict[str, Any]:
        """Send one message and return the reply; raises WorkerGone when there is none.

        How far it is until then goes to `tell`, in this thread.
        """
        try:
            write_frame(self._stdin, message)
            reply = read_frame(self._stdout)
            while isinstance(reply, dict) and PROGRESS in reply:
                if tell is not None:
                    tell(Progress.model_validate(reply[PROGRESS]))
                reply = read_frame(self._stdout)
        except (OSError, ValueError) as error:
            self.kill()
            raise WorkerGone(f"the worker of {self.agent} broke off: {error}") from error
        if not isinstance(reply, dict):
            self.kill()
            raise WorkerGone(f"the worker of {self.agent} {self._ending()}")
        return reply

    def warm(self) -> None:
        """Let it import what scans need before it is asked for anything; returns at once, and there is no reply."""
        with suppress(OSError):  # it is gone: whoever takes it will see
            write_frame(self._stdin, {WARM: True})

    def kill(self) -> None:
        """Kill the process and whatever it started."""
        self._killed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Wait for a killed process and close its pipes."""
        self._process.wait()
        self._drain.join(timeout=1.0)
        for stream in (self._stdin, self._stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _ending(self) -> str:
        status = self._process.wait()
        self._drain.join(timeout=1.0)
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        last = self._stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"{how} ({last[0][:200]})" if last else how

    def _keep_stderr(self) -> None:
        stream = cast(BinaryIO, self._process.stderr)
        with suppress(OSError, ValueError):
            while chunk := os.read(stream.fileno(), 65536):
                self._stderr = (self._stderr + chunk)[-_STDERR_KEPT:]


class Workers:
    """The workers of one session."""

    def __init__(self, recipe: RosterRecipe, clock: Clock, spare: Spare | None = None) -> None:
        self._clock = clock
        self._spare = spare
        self._fitting = Fitting(recipe)
        self._processes: dict[Seat, WorkerProcess] = {}
        self._places: dict[Seat, asyncio.Lock] = {}
        self._closed = False

    def fit(self, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> None:
        """Set what workers see from their next call on."""
        self._fitting = Fitting(self._fitting.recipe, tuple(specs), tuple(services))

    def prepare(self, paths: Iterable[str]) -> None:
        """Start a worker ahead where large files are to be read and none is there for them; returns at once."""
        from orchestrator.hands.spare import prepared_for

        if self._spare is None and not self._closed and self.pid("logs") is None:
            self._spare = prepared_for(Path(path) for path in paths)

    def prepare_beside(self, agent: AgentName) -> None:
        """Start the worker beside an agent's for who is about to ask; returns at once. Call it on the loop's thread."""
        seat, place = (agent, True), self._places.get((agent, True))
        if self._closed or seat in self._processes or (place is not None and place.locked()):
            return
        process = self._spare.take(agent) if self._spare is not None else None
        self._processes[seat] = process or WorkerProcess(agent)
        self._processes[seat].warm()

    def pid(self, agent: AgentName, beside: bool = False) -> int | None:
        """Return the process id of an agent's worker, or of the one beside it, if it runs."""
        process = self._processes.get((agent, beside))
        return process.pid if process is not None and process.alive else None

    @asynccontextmanager
    async def place(
        self, agent: AgentName, cancelled: asyncio.Event, beside: bool = False
    ) -> AsyncIterator[WorkerProcess]:
        """Hold the agent's worker, or the one beside it, ready for one call; raises ToolError when it cannot start."""
        seat = (agent, beside)
        place = self._places.setdefault(seat, asyncio.Lock())
        await _take(place, cancelled, agent)
        try:
            process = await self._ready(seat, cancelled)
            try:
                yield process
            finally:
                if not process.alive:
                    await self._discard(seat)
                if beside and self._spare is not None and not self._closed:
                    self._spare.prepare()  # it may have been taken, and the agent's own may be killed yet
        finally:
            place.release()

    async def _ready(self, seat: Seat, cancelled: asyncio.Event) -> WorkerProcess:
        agent = seat[0]
        process = self._processes.get(seat)
        if process is not None and not process.alive:
            await self._discard(seat)
            process = None
        if self._closed:
            raise ToolError("the session is closing; no worker is started")
        if process is None:
            # On the loop's own thread: the kernel ends a worker with the thread that started it.
            process = self._spare.take(agent) if self._spare is not None else None
            process = self._processes[seat] = process or WorkerProcess(agent)
        if process.fitted is not self._fitting:
            try:
                await self._fit(process, self._fitting, cancelled)
            except BaseException:
                await self._discard(seat)
                raise
        return process

    async def _fit(self, process: WorkerProcess, fitting: Fitting, cancelled: asyncio.Event) -> None:
        answer = in_thread(lambda: process.ask(fitting.message(process.agent)), f"fit-{process.agent}")
        limit = asyncio.ensure_future(self._clock.sleep(START_TIMEOUT_S))
        cancel = asyncio.ensure_future(cancelled.wait())
        awaited: set[asyncio.Future[Any]] = {answer, limit, cancel}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                why = f"not ready after {START_TIMEOUT_S:.0f} s" if limit.done() else "cancelled while it started"
                raise ToolError(f"the worker of {process.agent} was {why}")
            reply = answer.result()
        except WorkerGone as error:
            raise ToolError(f"it could not start: {error}") from error
        finally:
            for waiting in awaited:
                waiting.cancel()
        if "error" in reply:
            raise ToolError(f"the worker of {process.agent} could not open the sources: {reply['error']}")
        process.fitted = fitting

    async def _discard(self, seat: Seat) -> None:
        agent, process = seat[0], self._processes.pop(seat, None)
        if process is not None:
            process.kill()
            if self._spare is not None and agent == self._spare.agent and not self._closed:
                self._spare.prepare()
            await in_thread(process.reap, f"reap-{agent}")

    async def close(self) -> None:
        """Kill every worker and wait until they are gone."""
        self._closed = True
        for seat in list(self._processes):
            await self._discard(seat)
        if self._spare is not None:
            await self._spare.close()


async def _take(place: asyncio.Lock, cancelled: asyncio.Event, agent: AgentName) -> None:
    """Take a worker's place; whoever is cancelled while others hold it does not wait for them. Raises ToolError."""
    taking = asyncio.ensure_future(place.acquire())
    cancel = asyncio.ensure_future(cancelled.wait())
    try:
        await asyncio.wait({taking, cancel}, return_when=asyncio.FIRST_COMPLETED)
        if cancelled.is_set():
            raise ToolError(f"cancelled before the worker of {agent} was free for it")
    except BaseException:
        taking.cancel()
        with suppress(asyncio.CancelledError):
            await taking
            place.release()
        raise
    finally:
        cancel.cancel()
