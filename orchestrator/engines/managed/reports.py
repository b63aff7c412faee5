"""`report_finding` and `conclude`: answered by the engine, since they change nothing but the board and the verdict.

What does not hold goes back in the answer, while rounds are left; then it is recorded as it is, marked, and counts for
nothing (a verdict: without the parts that do not hold). Each answer is on record before it is posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.engines.base import Desk
from orchestrator.engines.managed.budgets import role_of
from orchestrator.engines.managed.rendering import words
from orchestrator.engines.reporting import CONCLUDE, REPORT_FINDING, ReportError, parse_finding, parse_verdict
from orchestrator.hands.results import plain_input
from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    FindingReported,
    UserCustomToolResult,
    VerdictReached,
    text_content,
)
from subagents.contract import ToolError


@dataclass(frozen=True)
class Answer:
    """What a report is answered."""

    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Reports:
    """Takes what agents report."""

    desk: Desk

    def stored(self, call_id: str) -> Answer | None:
        """Return what a call was answered before, if it was."""
        event = self.desk.recorded(f"result:{call_id}")
        if event is None or not isinstance(event.body, UserCustomToolResult):
            return None
        return Answer("\n".join(part.text for part in event.body.content), event.body.is_error)

    def concluded(self, call_id: str) -> bool:
        """Say whether that call of `conclude` was taken."""
        return self.desk.recorded(f"verdict-{call_id}") is not None

    async def take(self, thread: str, call_id: str, name: str, given: Mapping[str, Any]) -> Answer:
        """Take a report, or say what to mend; the answer is durable on return, and the same for the same call."""
        try:
            arguments, answer = plain_input(dict(given)), None
        except ToolError as error:
            arguments, answer = {"refused": str(error)}, Answer(f"{name} was not taken: {error}", True)
        await self.desk.record(AgentCustomToolUse(name=name, input=arguments), thread=thread, source_id=call_id)
        if (before := self.stored(call_id)) is not None:
            return before
        if answer is None:
            answer = await self._taken(thread, call_id, name, arguments)
        body = UserCustomToolResult(
            custom_tool_use_id=call_id, content=text_content(words(answer.text)), is_error=answer.is_error
        )
        await self.desk.record(body, thread=thread, source_id=f"result:{call_id}")
        return self.stored(call_id) or answer

    async def _taken(self, thread: str, call_id: str, name: str, given: Mapping[str, Any]) -> Answer:
        leads = thread == MAIN_THREAD
        if leads != (name == CONCLUDE):
            who = "the orchestrator" if name == CONCLUDE else "the specialists"
            return Answer(f"{name} was not taken: it is for {who} only.", True)
        try:
            return await (self._verdict(call_id, given) if leads else self._finding(thread, given))
        except ReportError as error:
            return Answer(str(error), True)

    async def _finding(self, thread: str, given: Mapping[str, Any]) -> Answer:
        finding = parse_finding(role_of(thread), given)
        claims = self.desk.claims
        doubts = await claims.check_finding(finding)
        if doubts and (text := await claims.hand_back(finding, doubts, thread)):
            return Answer(text, True)
        event = await self.desk.record(FindingReported(id=finding.id, finding=finding), thread=thread)
        identity = event.body.id if isinstance(event.body, FindingReported) else finding.id
        if claims.holds(identity):
            return Answer(f"On the board as {identity}.")
        marked = "\n".join(f"- {doubt.line()}" for doubt in claims.doubts.get(identity, ()))
        said = "On the board, marked: it does not hold, and counts for nothing. No correction is left."
        return Answer(f"{said}\n{marked}")

    async def _verdict(self, call_id: str, given: Mapping[str, Any]) -> Answer:
        verdict = parse_verdict(given)
        claims = self.desk.claims
        doubts = await claims.check_verdict(verdict)
        if doubts and (text := await claims.hand_back(verdict, doubts)):
            return Answer(text, True)
        await self.desk.record(VerdictReached(verdict=verdict), thread=MAIN_THREAD, source_id=f"verdict-{call_id}")
        left_out = f" {len(doubts)} parts that could not be confirmed were left out." if doubts else ""
        return Answer(f"The verdict is on record.{left_out} The investigation is over: end your turn in one sentence.")


__all__ = ["CONCLUDE", "REPORT_FINDING", "Answer", "Reports"]
