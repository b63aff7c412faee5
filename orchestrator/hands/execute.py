"""Running one tool: in a thread or in its agent's worker, within its time, until it is done or cancelled.

A worker is killed on timeout and cancel. A thread cannot be: it is told through `ToolContext.cancelled` and left
behind. Where an effect that must not be repeated may have happened, the outcome is `unknown`, never a guess.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.hands.pacing import Paced, Tell
from orchestrator.hands.results import Ran
from orchestrator.hands.threads import in_thread
from orchestrator.hands.watching import on_loop
from orchestrator.hands.worker import WATCHED, run_tool
from orchestrator.hands.workers import WorkerGone, WorkerProcess
from subagents.contract import AgentName, Clock, Finding, Outcome, Tool, ToolContext

UNKNOWN = (
    "It may or may not have taken effect. It is not run again under this id: "
    "look whether it took effect before you ask for it once more."
)


@dataclass(frozen=True)
class Job:
    """One call, ready to run: valid arguments as JSON, resolved findings, and when to stop."""

    agent: AgentName
    tool: Tool[Any, Any]
    arguments: Mapping[str, Any]
    key: str
    findings: tuple[Finding, ...] = ()
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    tell: Tell | None = None
    """Called on the event loop with how far it is; None: nobody watches."""

    def message(self) -> dict[str, Any]:
        """Return the job as a worker reads it."""
        return {
            "agent": self.agent,
            "tool": self.tool.name,
            "input": dict(self.arguments),
            "key": self.key,
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
            WATCHED: self.tell is not None,
        }


async def execute(job: Job, clock: Clock, worker: WorkerProcess | None) -> Ran:
    """Run the job; never raises for what the tool does."""
    started = clock.monotonic()
    tell = None if job.tell is None else on_loop(job.tell)
    if worker is not None:
        reply = in_thread(lambda: worker.ask(job.message(), tell), f"call-{job.key}")
        stop: Callable[[], object] = worker.kill
    else:
        context = ToolContext(job.key, clock, job.findings, _flag(job.cancelled))
        if tell is not None:
            context = replace(context, progress=Paced(tell, clock))
        reply = in_thread(lambda: run_tool(job.tool, job.arguments, context), f"call-{job.key}")
        stop = job.cancelled.set
    ran = await _race(job, reply, stop, clock)
    return Ran(ran.outcome, ran.result, ran.message, ran.trace, max(0.0, clock.monotonic() - started))


def _flag(event: asyncio.Event) -> Callable[[], bool]:
    return event.is_set


async def _race(job: Job, reply: asyncio.Future[dict[str, Any]], stop: Callable[[], object], clock: Clock) -> Ran:
    limit = asyncio.ensure_future(clock.sleep(job.tool.timeout_s))
    cancel = asyncio.ensure_future(job.cancelled.wait())
    awaited: set[asyncio.Future[Any]] = {reply, limit, cancel}
    try:
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if reply.done():
            return _told(job, reply)
        timed_out = limit.done()
    finally:
        for waiting in (limit, cancel):
            waiting.cancel()
        if not reply.done():
            stop()
            reply.cancel()
    if timed_out:
        return _stopped(job, "timeout", f"{job.tool.name}: not done after {job.tool.timeout_s:g} s, so it was stopped.")
    return _stopped(job, "cancelled", f"{job.tool.name}: cancelled while it ran.")


def _told(job: Job, reply: asyncio.Future[dict[str, Any]]) -> Ran:
    try:
        message = reply.result()
    except WorkerGone as error:
        return _stopped(job, "error", f"{job.tool.name}: {error}. The next call gets a new worker.")
    if "error" in message:
        text = str(message["error"])
        if message.get("kind") == "tool":
            return Ran("error", message=text)
        return _stopped(job, "error", f"{job.tool.name} failed: {text}", str(message.get("trace", "")))
    result = message["result"]
    if isinstance(result, bytes):
        result = json.loads(result)
    return Ran(result["outcome"], result)


def _stopped(job: Job, outcome: Outcome, message: str, trace: str = "") -> Ran:
    """Return how a run broke off: `unknown` where it may have had an effect that nobody can run again."""
    if job.tool.effect == "unkeyed":
        return Ran("unknown", message=f"{message} {UNKNOWN}", trace=trace)
    return Ran(outcome, message=message, trace=trace)
