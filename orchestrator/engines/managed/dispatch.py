"""Carrying out calls: each as it comes, side by side, answered once.

A call event starts a task: through hands (policy, a person's yes, the run), then its result, durable already, is
posted. Nothing here holds a connection while a person thinks. A call that nobody takes the result of any more is
cancelled; one that the server closed while nobody was here is settled in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from orchestrator.engines.base import Desk, ToolUse
from orchestrator.engines.managed.answers import Answers
from orchestrator.engines.managed.delivered import Delivered
from orchestrator.engines.managed.rendering import rendered
from orchestrator.engines.managed.reports import CONCLUDE, Answer, Reports
from orchestrator.engines.reporting import REPORT_TOOLS
from orchestrator.hands.steps import HANDS
from orchestrator.journal.events import Note, ResultAcknowledged

Told = Callable[[str, str], Awaitable[None]]
"""Told of each result before it is posted: the thread and the text."""


@dataclass
class Dispatcher:
    """Belongs to one event loop and one run of the engine."""

    desk: Desk
    answers: Answers
    told: Told
    failed: Callable[[BaseException], None]
    """Told of what ended a task and is no cancellation."""
    concluded: bool = False
    """A verdict of the coordinator's is on record."""
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _threads: dict[str, str] = field(default_factory=dict)
    _posting: set[str] = field(default_factory=set)
    _others: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Take reports through the same desk."""
        self.reports = Reports(self.desk)

    def take(self, one: Delivered, *, is_open: bool) -> None:
        """Start a call, or settle one that cannot take a result any more."""
        if one.name == CONCLUDE and self.reports.concluded(one.id):
            self.concluded = True
        if not one.id or one.id in self._tasks:
            return
        if is_open:
            self._threads[one.id] = one.thread
            task = self._start(self._carry_out(one), f"call-{one.id}")
            self._tasks[one.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(one.id, None))
        elif self._is_owed(one.id):
            self._others.add(self._start(self.desk.abandon(one.thread, _use(one)), f"abandon-{one.id}"))

    def acknowledge(self, one: Delivered) -> None:
        """The server's history shows a result: nothing more is owed for that call."""
        if not self._has_result(one.answers):
            return  # somebody else's answer
        if self.desk.recorded(f"acknowledged:{one.answers}") is None:
            self._others.add(self._start(self._acknowledge(one), f"acknowledge-{one.answers}"))

    def keep_only(self, open_calls: frozenset[str]) -> None:
        """Cancel what runs for calls that cannot take a result any more."""
        for call, task in list(self._tasks.items()):
            if call not in open_calls and call not in self._posting:
                task.cancel()

    def cancel_thread(self, thread: str) -> None:
        """Cancel what runs for a thread that is interrupted."""
        for call, task in list(self._tasks.items()):
            if self._threads.get(call) == thread and call not in self._posting:
                task.cancel()

    async def settled(self) -> None:
        """Wait until nothing of what was started here is on its way."""
        while pending := [*self._tasks.values(), *self._others]:
            await asyncio.gather(*pending, return_exceptions=True)
            self._others.difference_update(pending)

    async def stop(self) -> None:
        """Cancel everything, and wait for that."""
        for task in (*self._tasks.values(), *self._others):
            task.cancel()
        await self.settled()

    # -- one call ----------------------------------------------------------------------------

    async def _carry_out(self, one: Delivered) -> None:
        if one.name in REPORT_TOOLS:
            answer = await self.reports.take(one.thread, one.id, one.name, one.input)
            self.concluded = self.concluded or (one.name == CONCLUDE and self.reports.concluded(one.id))
        else:
            result = await self.desk.call(one.thread, _use(one))
            answer = Answer(rendered(one.name, result), result.outcome != "ok")
        self._posting.add(one.id)
        try:
            await self.told(one.thread, answer.text)
            posted = await self.answers.post(one.id, answer.text, is_error=answer.is_error)
        finally:
            self._posting.discard(one.id)
        if posted == "refused":
            text = f"{one.name}: the service took neither its result nor words in its place; the call stays open there"
            await self.desk.record(Note(text=text, level="error"), thread=one.thread)

    def _is_owed(self, call: str) -> bool:
        return self.desk.recorded(call) is not None and not self._has_result(call)

    def _has_result(self, call: str) -> bool:
        """Say whether a call's result is on record: in the stream of hands, a report's in ours."""
        return any(self.desk.recorded(f"result:{call}", stream) is not None for stream in (HANDS, "local"))

    async def _acknowledge(self, one: Delivered) -> None:
        body = ResultAcknowledged(tool_use_id=one.answers)
        await self.desk.record(body, thread=one.thread, source_id=f"acknowledged:{one.answers}")

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._others.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)


def _use(one: Delivered) -> ToolUse:
    return ToolUse(id=one.id, name=one.name, input=one.input)
