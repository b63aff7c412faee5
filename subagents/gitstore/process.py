"""One git process at a time: a closed environment, a deadline, a bound on its output, and no survivors."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO

from subagents.gitstore.environment import WORKING_DIRECTORY, closed_environment, git_program

CHUNK = 1 << 18
"""Bytes of one read, and of what git may give ahead of it where the system lets us say so."""
DEFAULT_TIMEOUT_S = 60.0
ASKED_EVERY_S = 0.25
"""How often it is asked whether a process is still waited for."""
DEFAULT_CAP = 64 << 20


class GitFailed(Exception):
    """A git process did not do its work; the message is one line for people."""


class GitStopped(GitFailed):
    """A git process was ended before it was done: at its deadline, or because nobody waits for it any more."""


class GitCancelled(GitStopped):
    """Nobody waits for what was asked any more: the answer is to be dropped, and not remembered as a failure."""


_STOPS: ContextVar[Callable[[], bool]] = ContextVar("stops")


@contextmanager
def stopped_by(cancelled: Callable[[], bool]) -> Iterator[None]:
    """End every git process of this block, in this thread, as soon as `cancelled` says so (asked 4 times a second)."""
    held = _STOPS.set(cancelled)
    try:
        yield
    finally:
        _STOPS.reset(held)


def carried_through() -> AbstractContextManager[None]:
    """Let git end what it does in this block whatever is cancelled: for what is read once and remembered."""
    return stopped_by(lambda: False)


@dataclass(frozen=True)
class Bounds:
    """How long a process may take and how many bytes of output it may give."""

    timeout_s: float = DEFAULT_TIMEOUT_S
    cap: int = DEFAULT_CAP
    cancelled: Callable[[], bool] = lambda: False


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True)
class Output:
    """What a process gave."""

    stdout: bytes
    status: int
    stderr: str
    truncated: bool


class GitProcess:
    """A running git; use as a context manager. Leaving it kills what still runs."""

    def __init__(
        self,
        arguments: Sequence[str],
        stdin: bytes = b"",
        bounds: Bounds = DEFAULT_BOUNDS,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        program = git_program()
        if program is None:
            raise GitFailed("git is not installed")
        self._name = next((a for a in arguments if not a.startswith("-") and "/" not in a), "git")
        self._bounds = bounds
        self._stops = _STOPS.get(bounds.cancelled)
        # Files, not pipes: the process can neither block on a full stderr nor we on a full stdin.
        self._stdin: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        self._stdin.write(stdin)
        self._stdin.seek(0)
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        self._deadline = time.monotonic() + bounds.timeout_s
        self._process = subprocess.Popen(  # noqa: S603  arguments are ours; validated ids and tree paths only
            [program, *arguments],
            stdin=self._stdin,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=closed_environment(extra),
            cwd=WORKING_DIRECTORY,  # and our process group: whoever kills a worker's group kills its git too
        )
        self.truncated = False
        _widen(self._process.stdout)

    def __enter__(self) -> GitProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield output as it comes; raise GitFailed at the deadline, stop at the cap (`truncated`)."""
        assert self._process.stdout is not None  # noqa: S101  for the type checker
        stream = self._process.stdout.fileno()
        given = 0
        while True:
            ready, _, _ = select.select([stream], [], [], min(self._left(), ASKED_EVERY_S))
            if not ready:
                continue
            data = os.read(stream, CHUNK)
            if not data:
                return
            given += len(data)
            if given > self._bounds.cap:
                self.truncated = True
                yield data[: len(data) - (given - self._bounds.cap)]
                return
            yield data

    def finish(self) -> tuple[int, str]:
        """Wait for the end; return (exit status, the first of what it said on stderr)."""
        if self.truncated:
            self._kill()
        status = self._wait(0.0)
        while status is None:
            status = self._wait(min(self._left(), ASKED_EVERY_S))
        self._errors.seek(0)
        return status, self._errors.read(4096).decode("utf-8", "replace").strip()

    def _left(self) -> float:
        """Return the seconds until the deadline; raise GitStopped after it, or where it was cancelled."""
        if self._bounds.cancelled() or self._stops():
            raise GitCancelled(f"git {self._name} was stopped: it is not needed any more")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise GitStopped(f"git {self._name} was stopped after {self._bounds.timeout_s:g} s")
        return left

    def _wait(self, seconds: float) -> int | None:
        """Wait for the end, without asking again and again where the system has a handle for that; None: not yet."""
        status = self._process.poll()
        if status is not None or seconds <= 0:
            return status
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # not on this kernel
                handle = os.pidfd_open(self._process.pid)
                try:
                    select.select([handle], [], [], seconds)
                finally:
                    os.close(handle)
                return self._process.poll()
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Kill what still runs and let go of the files."""
        self._kill()
        self._process.wait()
        for stream in (self._process.stdout, self._stdin, self._errors):
            if stream is not None:
                stream.close()

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()


def _widen(stream: IO[bytes] | None) -> None:
    """Let git run ahead of us; where the system does not allow that, it waits for us more often."""
    if stream is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, CHUNK)


def run(
    arguments: Sequence[str],
    stdin: bytes = b"",
    bounds: Bounds = DEFAULT_BOUNDS,
    extra: Mapping[str, str] | None = None,
) -> Output:
    """Run git to its end and return all it gave, up to the bounds."""
    with GitProcess(arguments, stdin, bounds, extra) as process:
        data = b"".join(process.chunks())
        status, errors = process.finish()
        return Output(data, status, errors, process.truncated)


def first_line(text: str) -> str:
    """Return the first line of what git said, without its `fatal:`."""
    line = next(iter(text.splitlines()), "").strip()
    return line.removeprefix("fatal: ").removeprefix("error: ")[:200]
