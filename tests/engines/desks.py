"""A strict desk in memory: idempotent like the real one, refusing what the real one refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from orchestrator.engines.base import Incoming, ToolUse
from orchestrator.hands.budget import Budget
from orchestrator.hands.budget_fold import SpentFold
from orchestrator.journal.events import AgentCustomToolUse, Body, Event, FindingReported, RemoteSession, VerdictReached
from orchestrator.verdict.board_edits import Edit
from orchestrator.verdict.claim_lookups import Sources, ToolRecord
from orchestrator.verdict.claim_rounds import ClaimRounds
from orchestrator.verdict.claims import ClaimsChecker
from subagents.contract import Brief, Clock, Finding, ToolContext, ToolError, ToolResult
from subagents.specialist import Roster
from tests.fakes import FakeClock


class FakeInbox:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[Incoming] = asyncio.Queue()

    async def get(self) -> Incoming:
        return await self.queue.get()

    def drain(self) -> list[Incoming]:
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]


class FakeDesk:
    def __init__(self, roster: Roster, brief: Brief) -> None:
        self.roster, self.brief = roster, brief
        self.clock: Clock = FakeClock()
        self.budget = Budget(SpentFold(), self.clock)
        self.inbox = FakeInbox()
        self.cancel = asyncio.Event()
        self.started_at = datetime(2026, 3, 1, tzinfo=UTC)
        self.events: list[Event] = []
        self.runs: list[str] = []
        self._grew = asyncio.Condition()
        self._results: dict[str, tuple[ToolUse, ToolResult[Any]]] = {}
        self.known = ToolRecord()
        self.board_edits: tuple[Edit, ...] = ()
        self.claims = ClaimRounds(self._checker, self._check, self.clock)

    def _checker(self) -> Callable[[], ClaimsChecker]:
        found = self.findings()
        return lambda: ClaimsChecker(self.known, Sources(self.roster), self.brief, found)

    async def _check(self, body: Body, thread: str, source_id: str) -> Event:
        return await self._append(body, thread, source_id)

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        await asyncio.sleep(0)
        for event in self.events:
            same = source_id is not None and (event.stream, event.source_id) == (stream, source_id)
            if same and (event.processed or not processed):
                return event
        if isinstance(body, FindingReported | VerdictReached):
            check, body = await self.claims.ruled(body)
            if check is not None:
                await self._append(check, thread, None)
        return await self._append(body, thread, source_id, stream, processed)

    async def _append(
        self, body: Body, thread: str, source_id: str | None, stream: str = "local", processed: bool = True
    ) -> Event:
        event = Event(
            seq=len(self.events) + 1,
            ts=self.started_at,
            mono=0,
            thread=thread,
            stream=stream,
            source_id=source_id,
            processed=processed,
            body=body,
            hash="",
        )
        self.events.append(event)
        self.claims.learn(event)
        async with self._grew:
            self._grew.notify_all()
        return event

    session_id = "20260301-120000-0a1b2c"

    @property
    def remote(self) -> RemoteSession | None:
        return next((event.body for event in reversed(self.events) if isinstance(event.body, RemoteSession)), None)

    def recorded(self, source_id: str, stream: str = "local") -> Event | None:
        if source_id in self._results:
            use, _ = self._results[source_id]
            body = AgentCustomToolUse(name=use.name, input=dict(use.input))
            return Event(
                seq=0, ts=self.started_at, mono=0, thread="", stream=stream, source_id=source_id, body=body, hash=""
            )
        held = (event for event in self.events if (event.stream, event.source_id) == (stream, source_id))
        return next(held, None)

    async def abandon(self, thread: str, use: ToolUse) -> None:
        raise AssertionError("the offline engine abandons nothing")

    async def until(self, holds: Callable[[], object]) -> None:
        """Return once an event made `holds()` true."""
        async with self._grew:
            await self._grew.wait_for(lambda: bool(holds()))

    def preview(self, thread: str, text: str) -> None:
        raise AssertionError("the offline engine streams nothing")

    async def call(self, thread: str, use: ToolUse) -> ToolResult[Any]:
        await asyncio.sleep(0)
        if use.id in self._results:
            asked, result = self._results[use.id]
            assert asked == use, "one id, one call"
            return result
        tool = self.roster.tool(thread, use.name)
        assert tool is not None, f"{thread} does not hold {use.name}"
        self.runs.append(use.id)
        params = tool.params.model_validate(use.input)
        named = frozenset(getattr(params, "finding_ids", ()))
        told = tuple(finding for finding in self.findings() if finding.id in named)
        try:
            result = tool.run(params, ToolContext(key=use.id, clock=self.clock, findings=told))
        except ToolError as error:
            result = ToolResult[Any](text=str(error), outcome="error")
        self._results[use.id] = (use, result)
        self.known.add(result.citations)
        return result

    def edits(self) -> tuple[Edit, ...]:
        return self.board_edits

    def findings(self) -> tuple[Finding, ...]:
        held = (event.body for event in self.events if isinstance(event.body, FindingReported))
        return tuple(body.finding for body in held if self.claims.holds(body.id))
