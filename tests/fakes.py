"""Strict stand-ins that tests share. A fake refuses what the real thing would refuse."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from subagents.contract import Brief, Clock, D, Finding, Params, ToolContext, ToolError, ToolResult
from subagents.specialist import Agent


class FakeClock:
    """A clock that moves only when it is told to, or when something sleeps on it."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds
        for due, woken in self._sleepers:
            if due <= self._elapsed:
                woken.set()

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        sleeper = (self._elapsed + seconds, woken)
        self._sleepers.append(sleeper)
        if seconds <= 0:
            woken.set()
        try:
            await woken.wait()
        finally:
            self._sleepers.remove(sleeper)

    @property
    def sleeping(self) -> int:
        """How many sleep on this clock now."""
        return len(self._sleepers)


class FakeWorkbench:
    """Runs an agent's tools in this process, without hands; keeps what the procedure reported and said."""

    def __init__(self, agent: Agent, findings: tuple[Finding, ...] = (), clock: Clock | None = None) -> None:
        self._agent = agent
        self._findings = list(findings)
        self._clock = clock or FakeClock()
        self.reported: list[Finding] = []
        self.said: list[str] = []
        self.calls: list[tuple[str, Params, ToolResult[Any]]] = []

    @property
    def agent(self) -> str:
        return self._agent.name

    async def call(self, tool: str, params: Params, returns: type[D]) -> ToolResult[D]:
        found = next((t for t in self._agent.tools if t.name == tool), None)
        if found is None:
            raise AssertionError(f"{self._agent.name} holds no tool {tool!r}")
        assert found.result is returns, f"{tool} returns {found.result.__name__}, not {returns.__name__}"
        arguments = found.params.model_validate_json(params.model_dump_json())
        wanted = set(getattr(arguments, "finding_ids", ()))
        context = ToolContext(
            key=f"fake-{len(self.calls)}",
            clock=self._clock,
            findings=tuple(f for f in self._findings if f.id in wanted),
        )
        result: ToolResult[D]
        try:
            raw = found.run(arguments, context)
            data = None if raw.data is None else found.result.model_validate_json(raw.data.model_dump_json())
            result = ToolResult[D](data=data, text=raw.text, citations=raw.citations, more=raw.more)
        except ToolError as error:
            result = ToolResult[D](text=str(error), outcome="error")
        self.calls.append((tool, params, result))
        return result

    async def report(self, finding: Finding) -> None:
        Finding.model_validate_json(finding.model_dump_json())
        if finding.id not in {f.id for f in self._findings}:
            self._findings.append(finding)
            self.reported.append(finding)

    async def say(self, text: str) -> None:
        self.said.append(text)

    def board(self) -> tuple[Finding, ...]:
        return tuple(self._findings)

    async def more(self, seen: int) -> bool:
        return len(self._findings) > seen


async def run_procedure(agent: Agent, brief: Brief, findings: tuple[Finding, ...] = ()) -> tuple[FakeWorkbench, Any]:
    """Run an agent's procedure to its end; return the bench and what the procedure returned."""
    bench = FakeWorkbench(agent, findings)
    assert agent.procedure is not None
    return bench, await agent.procedure(brief, bench)
