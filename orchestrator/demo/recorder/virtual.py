"""The scaled clock: waiting takes no real time, and the work of a service takes `CPU_FACTOR` times what it took here.

Everything runs in one event loop on this clock, so that an hour is recorded in about a minute, and what
else this machine does meanwhile does not show.
"""

from __future__ import annotations

import asyncio
import selectors
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

CPU_FACTOR = 8.0
"""How much slower the recorded machine is than this one."""


class Meter:
    """Processor seconds that a service used."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.seconds = 0.0

    def run(self, work: Coroutine[Any, Any, Any]) -> Awaitable[Any]:
        """Await `work`, counting the processor time of each of its steps, the steps of others within not twice."""
        return self._steps(work)

    @types.coroutine
    def _steps(self, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = lambda: work.send(None)  # noqa: E731
        while True:
            before = self._loop.enter()
            try:
                waits_for = step()
            except StopIteration as ended:
                return ended.value
            finally:
                self.seconds += self._loop.leave(before)
            try:
                given = yield waits_for
            except BaseException as error:  # cancellation, too, is the service's to handle
                thrown = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)  # without this frame
                step = lambda: work.throw(thrown)  # noqa: B023, E731
            else:
                step = lambda: work.send(given)  # noqa: B023, E731


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps over every wait."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._worked = 0.0
        self._since: float | None = None
        self._inner = 0.0
        super().__init__(_NoWait(self))

    def time(self) -> float:
        """Seconds on the scaled clock since the start."""
        running = time.thread_time() - self._since if self._since is not None else 0.0
        return self._skipped + CPU_FACTOR * (self._worked + running)

    def skip(self, seconds: float) -> None:
        """Let a wait be over."""
        self._skipped += seconds

    def enter(self) -> tuple[float | None, float]:
        """Begin a step of a service; return what `leave` needs."""
        now = time.thread_time()
        outer = (self._since, self._inner)
        if self._since is not None:
            self._worked += now - self._since
            self._inner += now - self._since
        self._since, self._inner = now, 0.0
        return outer

    def leave(self, outer: tuple[float | None, float]) -> float:
        """End it; return the processor seconds of the step itself."""
        now = time.thread_time()
        spent = self._inner + (now - self._since if self._since is not None else 0.0)
        self._worked += now - self._since if self._since is not None else 0.0
        self._since, self._inner = (now if outer[0] is not None else None), outer[1]
        return spent


class _NoWait(selectors.DefaultSelector):
    """Looks for input without waiting for it, and moves the clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; nothing ready and nothing planned would be the end of time."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            raise RuntimeError("the recording waits for something that no timer brings")
        self._loop.skip(timeout)
        return ready


class VirtualClock:
    """The clock that the services are given."""

    def __init__(self, loop: VirtualLoop, epoch: float) -> None:
        self._loop, self.epoch = loop, epoch

    def now(self) -> float:
        """Seconds since the epoch, on the scaled clock."""
        return self.epoch + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait, on the scaled clock."""
        await asyncio.sleep(seconds)
