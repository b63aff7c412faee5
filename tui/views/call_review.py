"""The card of a tool call that a person is asked about: agent, tool, every argument whole, why, what it may change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.hands.binding import digest_of
from orchestrator.journal.events import ApprovalRequested, SessionRule
from orchestrator.journal.text import hidden_count
from tui.views.diff import DiffFile, exact_line, plain_lines
from tui.views.page import PageLine, field
from tui.views.paint import flat, line
from tui.views.review import Sheet, Standing

if TYPE_CHECKING:
    from orchestrator.hands.session_rules import SessionRules

_CHANGES = {
    "read": "nothing: it reads",
    "keyed": "something; under the same id it does so once, however often it is tried",
    "unkeyed": "something, and must never be run twice: after a crash it is not tried again",
}
_KNOWN = ("agent", "tool", "input", "effect", "private", "rule", "reason")


def call_sheet(request: ApprovalRequested) -> Sheet:
    """Return the card of a tool call (or of anything else that is asked for): agent, tool, and the exact input."""
    detail = request.detail
    agent, tool = str(detail.get("agent", "")), str(detail.get("tool", ""))
    exact = digest_of(detail) == request.digest
    facts = [
        field("agent", flat(agent) or "not named"),
        field("tool", flat(tool) or "none", "strong"),
        *_facts(detail if tool else {}),
        field("approving", "runs this one call with exactly this input, once; no later call"),
        field("approval", f"{request.subject} {request.id}"),
        field("digest", request.digest),
    ]
    if tool:
        session = "S instead of a: the yes goes on for exactly this agent, tool and input, until it is taken back here"
        facts.insert(-2, field("session", session))
    trouble = "" if exact else "what is shown is not all that would be approved (something was taken out of the record)"
    title = f"{agent} wants to run {tool}" if tool else f"{request.subject} {request.id}"
    does = f"runs {tool} once with exactly this input" if tool else "says yes to exactly this"
    files = (_input_of(detail),)
    return Sheet(request.id, request.subject, request.digest, title, files, tuple(facts), does, trouble=trouble)


def rule_sheet(rule: SessionRule, request: ApprovalRequested) -> Sheet:
    """Return what a yes that goes on for the session lets through; there is nothing to approve in it."""
    facts = [
        field("agent", flat(rule.agent)),
        field("tool", flat(rule.tool), "strong"),
        *_facts(request.detail),
        field("given", f"by {flat(rule.by)}, with {request.id}"),
        field("covers", "this agent, this tool, exactly this input: nothing else; a rule that denies still wins"),
        field("rule", flat(rule.name)),
        field("digest", rule.digest),
    ]
    title = f"{rule.agent} may run {rule.tool} for this session"
    return Sheet(rule.name, "rule", "", title, (_input_of(request.detail),), tuple(facts), "nothing: it stands already")


def rule_standing(sheet: Sheet, rules: SessionRules) -> tuple[Standing, str]:
    """Return whether a rule still counts, in words."""
    if any(rule.name == sheet.approval for rule in rules.standing()):
        return "stands", "exactly this call is not asked about again in this session; r takes that back"
    return "decided", "it was taken back: the next such call is asked about"


def _facts(detail: Mapping[str, Any]) -> Iterator[PageLine]:
    """Say why it is asked and what it may change; whatever else the approval binds is shown as well."""
    if "effect" in detail:
        effect = str(detail["effect"])
        changes = "warroom's own state, and nothing else" if detail.get("private") else _CHANGES.get(effect, effect)
        yield field("may change", flat(changes), "warn")
    if detail.get("rule") or detail.get("reason"):
        yield field("asked", flat(f"{detail.get('reason') or 'by a rule'} ({detail.get('rule')})"))
    for name, value in detail.items():
        if name not in _KNOWN:
            yield field(flat(name)[:10], flat(json.dumps(value, ensure_ascii=False)))


def _input_of(detail: Mapping[str, Any]) -> DiffFile:
    given = detail.get("input", {}) if detail.get("tool") else detail
    shown = json.dumps(given, indent=2, ensure_ascii=False, sort_keys=True)
    kind = "call" if detail.get("tool") else "request"
    return DiffFile("exact input", kind, (), 0, 0, hidden_count(shown), _input_lines(given))


def _input_lines(given: Any) -> tuple[PageLine, ...]:
    """Show texts of several lines as they are: JSON would write their line ends as \\n."""
    if not isinstance(given, dict) or not given:
        return plain_lines(json.dumps(given, indent=2, ensure_ascii=False))
    made: list[PageLine] = []
    for key, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        name = line((f"{flat(str(key))} ", "accent"), ("= " if text else "= (empty)", "dim"))
        lines = text.split("\n")
        made.append(PageLine((*name, *exact_line(lines[0]))))
        made += [PageLine((*line(("  | ", "dim")), *exact_line(more))) for more in lines[1:]]
    return tuple(made)
