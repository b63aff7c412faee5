"""A specialist's workbench over the Desk: the offline engine's way of letting a procedure work.

Ids are made from content, so that a run which is started again after a crash asks for the same calls
and reports the same findings, and the journal answers with what is already there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from orchestrator.engines.base import Desk, ToolUse
from orchestrator.engines.offline.cut_short import BudgetSpent
from orchestrator.hands.budget import SPENT
from orchestrator.journal.events import AgentCustomToolUse, AgentMessage, FindingReported, text_content
from subagents.contract import AgentName, D, Finding, Params, ToolResult


class Floor:
    """What the specialists of one round share: the findings so far, who works, who waits."""

    def __init__(self, agents: Sequence[str]) -> None:
        self.agents = tuple(agents)
        self._working = set(agents)
        self._waiting: set[str] = set()
        self._changed = asyncio.Condition()
        self.findings: dict[str, Finding] = {}
        """Those that count."""
        self.doubted: dict[str, Finding] = {}
        """Those that do not hold."""

    async def add(self, finding: Finding) -> None:
        """Put a finding on the floor and wake who waits."""
        async with self._changed:
            self.findings.setdefault(finding.id, finding)
            self._changed.notify_all()

    async def done(self, agent: str) -> None:
        """Say that `agent` works no more."""
        async with self._changed:
            self._working.discard(agent)
            self._changed.notify_all()

    async def more(self, agent: str, seen: int) -> bool:
        """Wait for more than `seen` findings (True) or until nobody ahead of `agent` is still working (False).

        When all who are left wait for each other, the first in roster order goes on: changes are judged
        before a fix for them is looked for.
        """
        async with self._changed:
            self._waiting.add(agent)
            self._changed.notify_all()
            try:
                while len(self.findings) <= seen:
                    stuck = self._working <= self._waiting
                    if stuck and agent == min(self._waiting & self._working, key=self.agents.index, default=agent):
                        return False
                    await self._changed.wait()
                return True
            finally:
                self._waiting.discard(agent)


class OfflineBench:
    """Implements `subagents.specialist.Workbench` for one specialist."""

    def __init__(self, agent: str, desk: Desk, floor: Floor, edition: str, round_: str = "") -> None:
        """`edition` names the calls, `round_` what is reported: who starts over reports what it holds again."""
        self._agent, self._desk, self._floor, self._edition = agent, desk, floor, edition
        self._round = round_ or edition
        self._asked: Counter[str] = Counter()

    @property
    def agent(self) -> str:
        """Whose bench this is."""
        return self._agent

    def _id(self, *parts: str) -> str:
        content = hashlib.sha256("\0".join((self._agent, self._edition, *parts)).encode()).hexdigest()[:12]
        self._asked[content] += 1
        return f"{self._agent}-{content}-{self._asked[content]}"

    async def call(self, tool: str, params: Params, returns: type[D]) -> ToolResult[D]:
        """Run one of the agent's tools through hands; raises BudgetSpent where the budget does not allow it."""
        arguments = params.model_dump(mode="json", exclude_defaults=True)
        key = "" if params.once else json.dumps(arguments, sort_keys=True)
        use = ToolUse(id=self._id(tool, key), name=tool, input=arguments)
        before = self._desk.recorded(use.id) if params.once else None
        if before is not None and isinstance(before.body, AgentCustomToolUse):
            use = use.model_copy(update={"input": before.body.input})
            arguments = use.input
        result: ToolResult[D] = await self._desk.call(self._agent, use)
        if result.outcome == "cancelled":
            # Only an earlier life of the session can have cancelled it: this one would have been cancelled with it.
            again = ToolUse(id=self._id(tool, key), name=tool, input=arguments)
            result = await self._desk.call(self._agent, again)
        for raised in range(1, self._desk.budget.resumptions + 1):
            # Refused in an earlier life of the session, which has been given more since: asked again under a new id.
            if not result.text.startswith(SPENT):
                break
            again = ToolUse(id=f"{use.id}+{raised}", name=tool, input=arguments)
            result = await self._desk.call(self._agent, again)
        if result.outcome != "ok" and result.text.startswith(SPENT):
            raise BudgetSpent(result.text)
        return result

    async def report(self, finding: Finding) -> None:
        """Put a finding on the board."""
        if finding.id in self._floor.findings or finding.id in self._floor.doubted:
            return
        body = FindingReported(id=finding.id, finding=finding)
        await self._desk.record(body, thread=self._agent, source_id=f"{finding.id}-{self._round}")
        if self._desk.claims.holds(finding.id):
            await self._floor.add(finding)
            return
        # There is nobody to correct it: it stands marked in the journal, counts nowhere, and its agent says so.
        self._floor.doubted.setdefault(finding.id, finding)
        first = self._desk.claims.doubts[finding.id][0]
        await self.say(f"does not hold and does not count: {finding.claim} ({first.line()})")

    async def say(self, text: str) -> None:
        """Write one line to the agent's own stream."""
        body = AgentMessage(content=text_content(text))
        await self._desk.record(body, thread=self._agent, source_id=self._id("say", text))

    def board(self) -> tuple[Finding, ...]:
        """Return every finding of this round so far."""
        return tuple(self._floor.findings.values())

    async def more(self, seen: int) -> bool:
        """Wait until the board holds more than `seen` findings, or nobody ahead still works."""
        return await self._floor.more(self._agent, seen)


def bench_of(agent: AgentName, desk: Desk, floor: Floor, names: tuple[str, str]) -> OfflineBench | None:
    """Return a bench to ask an agent's tools at, None where there is no such agent; `names` are its two editions."""
    return OfflineBench(agent, desk, floor, *names) if agent in desk.roster.agents else None
