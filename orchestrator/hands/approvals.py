"""What waits for a person, what the decision binds to, and the decision itself.

An approval is bound to the digest of exact bytes: the canonical JSON of its detail. A decision that names any other
digest voids it. Only a person's way in (Session.decide, Session.approvals) reaches what decides here; no engine, agent
or tool does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.hands.binding import canonical, digest_of
from orchestrator.hands.session_rules import SessionRules, rule_from
from orchestrator.hands.steps import Steps
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested, Event, SessionRule
from orchestrator.journal.faults import DiskFull

Subject = Literal["tool_call", "fix", "push", "other"]

__all__ = ["NOBODY", "ApprovalError", "Approvals", "Subject", "canonical", "digest_of"]

NOBODY = "nobody is here to be asked"


class ApprovalError(Exception):
    """A decision cannot be taken; the message says which, why, and what to do."""


@dataclass
class _Case:
    request: ApprovalRequested
    thread: str
    decided: ApprovalDecided | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class Approvals:
    """The approvals of one session: a fold of its journal, and the only writer of their events."""

    def __init__(self, steps: Steps, attended: bool) -> None:
        self._steps = steps
        self._cases: dict[str, _Case] = {}
        self.rules = SessionRules()
        """What a person approved for the rest of the session."""
        self.attended = attended
        """Whether a person can be asked: false in headless runs."""

    def learn(self, event: Event) -> None:
        """Take an event of the journal into account; others than approvals are ignored."""
        self.rules.learn(event)
        if isinstance(event.body, ApprovalRequested):
            self._cases.setdefault(event.body.id, _Case(event.body, event.thread))
        elif isinstance(event.body, ApprovalDecided) and (case := self._cases.get(event.body.id)):
            if case.decided is None or event.body.decision == "void":
                case.decided = event.body
            case.settled.set()

    def pending(self) -> tuple[ApprovalRequested, ...]:
        """Return what waits for a person, oldest first."""
        return tuple(case.request for case in self._cases.values() if case.decided is None)

    def thread_of(self, approval_id: str) -> str | None:
        """Return the thread that waits for an approval."""
        case = self._cases.get(approval_id)
        return case.thread if case else None

    async def request(self, thread: str, subject: Subject, key: str, detail: Mapping[str, Any]) -> ApprovalRequested:
        """Ask for a decision on `detail`; asking again for the same key returns the first request."""
        body = ApprovalRequested(id=key, subject=subject, digest=digest_of(detail), detail=dict(detail))
        event = await self._steps.write(body, thread, f"approval:{key}")
        self.learn(event)
        return self._cases[key].request

    async def wait(self, approval_id: str) -> ApprovalDecided:
        """Wait for the decision. With nobody to ask it is rejected at once, and says so."""
        case = self._cases[approval_id]
        if case.decided is None and not self.attended:
            body = ApprovalDecided(
                id=approval_id, decision="reject", digest=case.request.digest, by="warroom", reason=NOBODY
            )
            return self._learn(await self._steps.write(body, case.thread, f"decided:{approval_id}"))
        await case.settled.wait()
        if case.decided is None:
            raise ApprovalError(f"{approval_id}: it was settled without a decision")
        return case.decided

    def binds(self, approval_id: str, detail: Mapping[str, Any]) -> bool:
        """Say whether a person approved exactly `detail`: the bytes that would be acted on now."""
        case = self._cases[approval_id]
        if case.decided is None or case.decided.decision != "approve":
            return False
        return case.decided.digest == case.request.digest == digest_of(detail)

    async def void(self, approval_id: str, digest: str, reason: str) -> ApprovalDecided:
        """Take back an approval whose bytes are not those that would be acted on."""
        body = ApprovalDecided(id=approval_id, decision="void", digest=digest, by="warroom", reason=reason)
        thread = self._cases[approval_id].thread
        return self._learn(await self._steps.write(body, thread, f"voided:{approval_id}"))

    async def decide(
        self, approval_id: str, decision: Literal["approve", "reject"], digest: str, by: str, reason: str = ""
    ) -> ApprovalDecided:
        """Record a person's decision on the bytes that `digest` names; other bytes than those asked for void it."""
        case = self._cases.get(approval_id)
        if case is None:
            raise ApprovalError(f"{approval_id}: nothing of that name waits for a decision")
        if case.decided is not None:
            raise ApprovalError(f"{approval_id}: it is decided already ({case.decided.decision} by {case.decided.by})")
        wanted: Literal["approve", "reject", "void"] = decision
        if decision == "approve" and digest != case.request.digest:
            wanted, reason = "void", "what was approved is not what was asked for"
        body = ApprovalDecided(id=approval_id, decision=wanted, digest=digest, by=by, reason=reason)
        try:
            decided = self._learn(await self._steps.write_now(body, case.thread, f"decided:{approval_id}"))
        except DiskFull as error:
            raise ApprovalError(f"{approval_id}: not decided, since it could not be kept: {error}") from error
        if (decided.decision, decided.digest, decided.by) != (wanted, digest, by):
            raise ApprovalError(f"{approval_id}: it was decided meanwhile ({decided.decision} by {decided.by})")
        return decided

    async def decide_for_session(self, approval_id: str, digest: str, by: str) -> SessionRule:
        """Say yes to a call, and to exactly the same call for the rest of the session; return the rule.

        The rule is recorded after the yes: whatever comes between leaves the one yes, and nothing wider.
        """
        case = self._cases.get(approval_id)
        if case is not None and case.request.subject != "tool_call":
            raise ApprovalError(f"{approval_id}: only a tool call can be approved for the session; approve it once")
        decided = await self.decide(approval_id, "approve", digest, by)
        if case is None or decided.decision != "approve":
            raise ApprovalError(f"{approval_id}: {decided.decision}: {decided.reason}; nothing goes on for the session")
        return await self._write_rule(rule_from(case.request, by), f"rule:{approval_id}", case.thread)

    async def revoke(self, name: str, by: str, reason: str = "") -> SessionRule:
        """End a yes that was given for the session; calls that it let through are not undone."""
        found = next((rule for rule in self.rules.standing() if rule.name == name), None)
        if found is None:
            raise ApprovalError(f"{name}: no approval of that name stands for this session")
        ended = found.model_copy(update={"action": "revoke", "by": by, "reason": reason})
        return await self._write_rule(ended, f"revoked:{found.approval}", self._cases[found.approval].thread)

    async def _write_rule(self, rule: SessionRule, key: str, thread: str) -> SessionRule:
        try:
            event = await self._steps.write_now(rule, thread, key)
        except DiskFull as error:
            kept = "this one call is approved; " if rule.action == "allow" else ""
            raise ApprovalError(f"{rule.name}: {kept}the rest could not be kept: {error}") from error
        self.learn(event)
        return rule

    def _learn(self, event: Event) -> ApprovalDecided:
        if not isinstance(event.body, ApprovalDecided):
            raise ApprovalError(f"event {event.seq} is no decision")
        self.learn(event)
        return event.body
