"""Running an engine to its end, whatever end that is: no fault of an engine is an exception of the session."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from typing import Any, get_args

from orchestrator.engines.base import Desk, Engine, EngineError, StopReason
from subagents.contract import Clock


@dataclass(frozen=True)
class Ending:
    """How an engine ended: why, and for a fault its kind, one line for people, and its trace for the log."""

    stop: StopReason
    kind: str = ""
    message: str = ""
    trace: str = ""


async def drive(engine: Engine, desk: Desk, clock: Clock, grace_s: float) -> Ending:
    """Run the engine; once the desk is cancelled it has `grace_s` seconds to stop, then it is stopped."""
    work = asyncio.create_task(engine.run(desk), name=f"engine-{engine.name}")
    cancel = asyncio.ensure_future(desk.cancel.wait())
    try:
        await _first(work, cancel)
    finally:
        cancel.cancel()
    for _ in range(2):  # told, then cancelled; one that ignores even that is left behind
        if work.done():
            break
        grace = asyncio.ensure_future(clock.sleep(grace_s))
        await _first(work, grace)
        grace.cancel()
        if not work.done():
            work.cancel()
    return _ending(work, desk.cancel.is_set())


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _ending(work: asyncio.Task[StopReason], stopped: bool) -> Ending:
    if not work.done():
        return Ending("interrupted", message="the engine did not stop when it was told to; it was left behind")
    if work.cancelled():
        return Ending("interrupted")
    error = work.exception()
    if error is None:
        stop = work.result()
        if stop not in get_args(StopReason):
            return Ending("error", "engine", f"the engine stopped for no known reason ({stop!r:.80})")
        return Ending("interrupted" if stopped and stop == "end_turn" else stop)
    trace = "".join(traceback.format_exception(error))
    if stopped:
        return Ending("interrupted", trace=trace)
    if isinstance(error, EngineError):
        return Ending("retries_exhausted", "engine", one_line(error))
    return Ending("error", type(error).__name__, f"the engine failed: {type(error).__name__}: {one_line(error)}", trace)


def one_line(error: BaseException) -> str:
    """Return what an error says, as one line of at most 500 characters."""
    return " ".join(str(error).split())[:500] or type(error).__name__
