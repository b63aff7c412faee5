"""What waits for a person in a session, and what a person let through for all of it: told whole; and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from orchestrator.hands.session_rules import SessionRules
    from orchestrator.journal.events import ApprovalRequested, Event

WAITING_TYPES = frozenset({"warroom.approval_requested", "warroom.approval_decided", "warroom.session_rule"})
"""The events that this looks at."""


class Waiting:
    """What waits, oldest first, and what stands for the session."""

    def __init__(self, events: Iterable[Event]) -> None:
        from orchestrator.hands.session_rules import SessionRules
        from orchestrator.journal.fold import pending_approvals

        kept = list(events)
        self.pending: Mapping[str, ApprovalRequested] = pending_approvals(kept)
        self.rules: SessionRules = SessionRules()
        for event in kept:
            self.rules.learn(event)

    def as_json(self) -> dict[str, Any]:
        """Return both, whole."""
        return {
            "waiting": [request.model_dump(mode="json") for request in self.pending.values()],
            "session_rules": [
                {**rule.model_dump(mode="json"), "input": self.rules.request_of(rule).detail.get("input")}
                for rule in self.rules.standing()
            ],
        }

    def lines(self, session: str) -> list[str]:
        """Return both for people: exactly what would be done, and how to decide."""
        told: list[str] = []
        for request in self.pending.values():
            told += ["", *_card(request)]
        if any(request.subject == "tool_call" for request in self.pending.values()):
            told.append(f"  a call is decided on in the war room: warroom open {session}, then a")
        for rule in self.rules.standing():
            request = self.rules.request_of(rule)
            told += ["", f"for this session, unasked: {_shown(rule.agent)} runs {_shown(rule.tool)} with exactly"]
            told += _arguments(request.detail)
            told.append(f"  given by {_shown(rule.by)}; to take it back: warroom sessions revoke {session} {rule.name}")
        return told


def _card(request: ApprovalRequested) -> list[str]:
    detail = request.detail
    if request.subject != "tool_call":
        draft = detail.get("draft")
        more = f": {_shown(str(draft))}" if draft else ""
        return [f"waits: {request.subject}{more} ({_shown(request.id)})", f"  binds {request.digest}"]
    told = [f"waits: {_shown(str(detail.get('agent')))} wants to run {_shown(str(detail.get('tool')))} with exactly"]
    told += _arguments(detail)
    if "effect" in detail:
        what = "warroom's own state only" if detail.get("private") else f"effect: {detail['effect']}"
        told.append(f"  may change: {_shown(what)}")
        why = f"{detail.get('reason') or 'a rule says so'} ({detail.get('rule')})"
        told.append(f"  asked because: {_shown(why)}")
    return [*told, f"  binds {request.digest}"]


def _arguments(detail: Mapping[str, Any]) -> list[str]:
    """Every argument in full, nothing hidden."""
    from orchestrator.journal.text import clean

    given = detail.get("input")
    if not isinstance(given, dict) or not given:
        return ["    (no arguments)"]
    told = []
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        first, *rest = clean(text, exact=True).split("\n")
        told.append(f"    {_shown(name)} = {first}")
        told += [f"      | {line}" for line in rest]
    return told


def _shown(text: str) -> str:
    from orchestrator.journal.text import clean

    return str(clean(text, newlines=False, exact=True))


@click.command()
@click.argument("session")
@click.argument("rule")
@click.option("--reason", default="", help="Why; it is kept.")
def revoke(session: str, rule: str, reason: str) -> int:
    """Take back RULE, a yes that was given for the whole of SESSION: the next such call is asked about again."""
    import asyncio

    from tui.commands.faults import narrate
    from tui.commands.fix_reading import opened
    from tui.commands.opening import session_folder

    async def take_back(name: str) -> None:
        async with opened(name) as held:
            await held.approvals.revoke(rule, "person", reason)

    asyncio.run(take_back(session_folder(session).name))
    narrate(f"taken back: {rule}; what it let through before is not undone")
    return 0
