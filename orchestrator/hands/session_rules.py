"""What a person approved for the rest of a session: one agent, one tool, exactly the arguments that were shown.

A pure fold of the journal. A rule counts only with the approval that it repeats: a person's yes, to these very bytes,
that was not taken back. It answers what would be asked; what is denied stays denied, and it never reaches a tool that
sends bytes off this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.hands.binding import digest_of
from orchestrator.hands.policy import Decision
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested, Event, SessionRule
from subagents.contract import AgentName, Tool

RULE_TYPES = frozenset({"warroom.session_rule"})
_COVERED = ("agent", "tool", "input", "effect", "private")


def call_detail(agent: AgentName, tool: Tool[Any, Any], arguments: Mapping[str, Any], why: Decision) -> dict[str, Any]:
    """Return what is put before a person of a call that is asked about: all of it, and why it is asked."""
    return {
        "agent": agent,
        "tool": tool.name,
        "input": dict(arguments),
        "effect": tool.effect,
        "private": tool.private,
        "rule": why.rule,
        "reason": why.reason,
    }


def coverage(detail: Mapping[str, Any]) -> str:
    """Return the digest of the call in an approval's detail, without why it was asked."""
    return digest_of({name: detail.get(name) for name in _COVERED})


def rule_from(request: ApprovalRequested, by: str) -> SessionRule:
    """Return the rule that repeats an approval of a call."""
    detail = request.detail
    return SessionRule(
        name=f"session:{request.id}",
        action="allow",
        approval=request.id,
        agent=str(detail.get("agent", "")),
        tool=str(detail.get("tool", "")),
        digest=coverage(detail),
        by=by,
    )


class SessionRules:
    """The rules of one session, from its journal."""

    def __init__(self) -> None:
        self._requests: dict[str, ApprovalRequested] = {}
        self._decided: dict[str, ApprovalDecided] = {}
        self._rules: dict[str, SessionRule] = {}

    def learn(self, event: Event) -> None:
        """Take one event into account; seeing it twice changes nothing."""
        body = event.body
        if isinstance(body, ApprovalRequested):
            self._requests.setdefault(body.id, body)
        elif isinstance(body, ApprovalDecided):
            if body.id not in self._decided or body.decision == "void":
                self._decided[body.id] = body
        elif isinstance(body, SessionRule):
            known = self._rules.get(body.name)
            if known is None or known.action == "allow":  # once ended it stays ended
                self._rules[body.name] = body

    def request_of(self, rule: SessionRule) -> ApprovalRequested:
        """Return what was shown when the rule was given."""
        return self._requests[rule.approval]

    def standing(self) -> tuple[SessionRule, ...]:
        """Return the rules that count now, oldest first."""
        return tuple(rule for rule in self._rules.values() if self._counts(rule))

    def answer(self, detail: Mapping[str, Any]) -> Decision | None:
        """Return the yes that was given for exactly this call (`call_detail`), if one stands."""
        wanted = coverage(detail)
        rule = next((rule for rule in self.standing() if rule.digest == wanted), None)
        if rule is None:
            return None
        return Decision(answer="allow", rule=rule.name, reason=f"{rule.by} approved exactly this for the session")

    def _counts(self, rule: SessionRule) -> bool:
        request, decided = self._requests.get(rule.approval), self._decided.get(rule.approval)
        if rule.action != "allow" or request is None or decided is None or decided.decision != "approve":
            return False
        if request.subject != "tool_call" or decided.digest != request.digest:
            return False
        return request.digest == digest_of(request.detail) and rule == rule_from(request, rule.by)
