"""Streams into the spool: standard input, pipes, and the output of a command that the person typed.

What came before an end that nobody wanted (a limit, Ctrl-C, a failing command) is always kept.
"""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.naming import shown
from subagents.contract import Clock, Problem

Ending = Literal["end", "cap", "idle", "total", "stopped", "left"]
CHUNK = 1 << 20
_TICK_S = 0.5
_GRACE_S = 2.0


@dataclass(frozen=True)
class Bounds:
    """How much of one stream is taken."""

    bytes: int
    idle_s: float
    total_s: float


class Pour:
    """Pours one descriptor into a file until it ends, a bound is reached, or the person stops it."""

    def __init__(self, fd: int, bounds: Bounds, clock: Clock, stop: asyncio.Event) -> None:
        self._fd, self._bounds, self._clock, self._stop = fd, bounds, clock, stop
        self._began = self._last = clock.monotonic()
        self.taken = 0

    async def into(self, out: BinaryIO, alive: Callable[[], bool] = lambda: True) -> Ending:
        """Copy; say how it ended. `alive` False: the writer is gone, so silence is the end (`left`)."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        if not os.get_blocking(self._fd):  # a pipe that nobody writes to is at its end, and never becomes ready
            ready.set()
        try:
            loop.add_reader(self._fd, ready.set)
        except (OSError, ValueError):  # a regular file: it never blocks
            return await self._regular(out)
        try:
            while True:
                ending = self._over(alive)
                if ending is None and ready.is_set():
                    ready.clear()
                    ending = self._take(out) if self._is_readable() else None
                if ending is not None:
                    return ending
                await asyncio.sleep(0)
                if not ready.is_set():
                    await self._wait(ready)
        finally:
            loop.remove_reader(self._fd)

    def _is_readable(self) -> bool:
        """Say whether a read would return at once: the loop may tell of bytes that are taken already."""
        if not os.get_blocking(self._fd):
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(0))

    async def _regular(self, out: BinaryIO) -> Ending:
        while True:
            ending = self._take(out)
            if ending is not None:
                return ending
            if self._stop.is_set():
                return "stopped"
            await asyncio.sleep(0)

    def _take(self, out: BinaryIO) -> Ending | None:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return "end"
        if not data:
            return "end"
        room = self._bounds.bytes - self.taken
        out.write(data[:room])
        self.taken += min(len(data), room)
        self._last = self._clock.monotonic()
        return "cap" if len(data) > room else None

    def _over(self, alive: Callable[[], bool]) -> Ending | None:
        now = self._clock.monotonic()
        if self._stop.is_set():
            return "stopped"
        if now - self._began >= self._bounds.total_s:
            return "total"
        if now - self._last >= self._bounds.idle_s:
            return "idle"
        return None if now - self._last < _GRACE_S or alive() else "left"

    async def _wait(self, ready: asyncio.Event) -> None:
        now = self._clock.monotonic()
        idle, total = self._bounds.idle_s - (now - self._last), self._bounds.total_s - (now - self._began)
        tasks = [
            asyncio.ensure_future(coroutine)
            for coroutine in (ready.wait(), self._stop.wait(), self._clock.sleep(max(0.0, min(idle, total, _TICK_S))))
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _stop_on_interrupt() -> Iterator[asyncio.Event]:
    """While a stream is read, the first Ctrl-C ends the stream and not the program."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    previous = signal.getsignal(signal.SIGINT)
    try:
        loop.add_signal_handler(signal.SIGINT, stop.set)
    except (ValueError, RuntimeError, NotImplementedError):  # not the main thread: it owns no signals
        yield stop
        return
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, previous)


def _shortfall(ending: Ending, pour: Pour, bounds: Bounds, where: str) -> Problem | None:
    words = {
        "cap": (f"more than {bounds.bytes >> 20} MiB", "the rest", "narrow it, or save it to a file and give a part"),
        "idle": (f"silent for {bounds.idle_s:.0f} s: not waited for any longer", "what would have come", ""),
        "total": (f"still going after {bounds.total_s:.0f} s: stopped", "what would have come", ""),
        "stopped": ("stopped by Ctrl-C", "what would have come", ""),
    }
    if ending not in words:
        return None
    what, lost, todo = words[ending]
    return Problem(what=what, where=where, lost=f"{lost} (after {pour.taken} bytes, which are kept)", todo=todo)


async def spool_stream(fd: int, where: str, into: Path, limits: IntakeLimits, clock: Clock) -> list[Problem]:
    """Copy a descriptor (standard input, a pipe) to a file, within the limits."""
    bounds = Bounds(limits.stream_bytes, limits.stream_idle_s, limits.stream_total_s)
    with _stop_on_interrupt() as stop, into.open("wb", buffering=0) as out:
        pour = Pour(fd, bounds, clock, stop)
        problem = _shortfall(await pour.into(out), pour, bounds, where)
    return [problem] if problem else []


async def spool_input(stdin: BinaryIO, into: Path, limits: IntakeLimits, clock: Clock) -> list[Problem]:
    """Copy standard input to a file; one that is no descriptor (in tests) is read as it is."""
    try:
        fd = stdin.fileno()
    except OSError:
        fd = None
    if fd is None:
        await asyncio.to_thread(lambda: into.write_bytes(stdin.read(limits.stream_bytes)))
        return []
    return await spool_stream(fd, "standard input", into, limits, clock)


async def spool_pipe(path: Path, into: Path, limits: IntakeLimits, clock: Clock) -> list[Problem]:
    """Copy a named pipe to a file; opening it never waits for a writer."""
    name = shown(os.fspath(path))
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        return [Problem(what=f"cannot be read ({error.strerror})", where=name)]
    try:
        if not stat.S_ISFIFO(os.fstat(fd).st_mode):
            return [Problem(what="no longer a pipe", where=name)]
        return await spool_stream(fd, name, into, limits, clock)
    finally:
        os.close(fd)


def find_command(name: str) -> str | None:
    """Return the program that a typed name means; relative entries of PATH do not count."""
    if "/" in name:
        return name
    absolute = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(entry)]
    return shutil.which(name, path=os.pathsep.join(absolute) or os.defpath)


def _start(argv: Sequence[str], program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  the person typed it; argv goes through unchanged
        [*argv],
        executable=program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


async def spool_command(argv: Sequence[str], into: Path, limits: IntakeLimits, clock: Clock) -> list[Problem]:
    """Run a command that the person typed, exactly as typed, no shell; keep what it writes on standard output."""
    where = shown(" ".join(argv), 120)
    program = find_command(argv[0])
    if program is None:
        return [Problem(what="command not found", where=where, todo=f"is {shown(argv[0])} installed and in PATH?")]
    try:
        process = _start(argv, program)
    except (OSError, ValueError) as error:
        return [Problem(what=f"cannot be run ({getattr(error, 'strerror', None) or error})", where=where)]
    assert process.stdout is not None  # noqa: S101  PIPE was asked for
    assert process.stderr is not None  # noqa: S101
    bounds = Bounds(limits.stream_bytes, limits.command_idle_s, limits.command_total_s)
    tail = _Tail(limits.stderr_bytes)
    os.set_blocking(process.stderr.fileno(), False)
    loop = asyncio.get_running_loop()
    loop.add_reader(process.stderr.fileno(), tail.take, process.stderr.fileno(), loop)
    try:
        with _stop_on_interrupt() as stop, into.open("wb", buffering=0) as out:
            pour = Pour(process.stdout.fileno(), bounds, clock, stop)
            ending = await pour.into(out, alive=lambda: process.poll() is None)
        problem = _shortfall(ending, pour, bounds, where)
        status = await _finished(process, wait=ending in ("end", "left"))
        tail.take(process.stderr.fileno(), loop)
    finally:
        loop.remove_reader(process.stderr.fileno())
        _kill(process, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
    return [problem] if problem else _verdict_on(status, tail.text(), pour.taken, where)


async def _finished(process: subprocess.Popen[bytes], wait: bool) -> int:
    """Return the exit status; a command that must end is asked to, and is given a moment."""
    if not wait:
        _kill(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        return await asyncio.to_thread(process.wait, _GRACE_S)
    _kill(process, signal.SIGKILL)
    return await asyncio.to_thread(process.wait)


def _kill(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the command and all that it started in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _verdict_on(status: int, stderr: str, taken: int, where: str) -> list[Problem]:
    said = f"; it wrote: {stderr}" if stderr else ""
    if status != 0:
        how = f"ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
        return [Problem(what=how + said, where=where, lost=f"what came after {taken} bytes, which are kept")]
    if stderr:
        return [Problem(what=f"wrote on standard error: {stderr}", where=where)]
    return []


class _Tail:
    """The last bytes of a stream."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = b""

    def take(self, fd: int, loop: asyncio.AbstractEventLoop) -> None:
        """Read what is there; at the end, stop watching."""
        for _ in range(64):
            try:
                data = os.read(fd, 1 << 16)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                loop.remove_reader(fd)
                return
            self._data = (self._data + data)[-self._limit :]

    def text(self) -> str:
        """Return the tail as text on one line."""
        lines = (shown(line.strip()) for line in self._data.decode("utf-8", "replace").splitlines())
        return " | ".join(line for line in lines if line)[-1000:]
