"""What became of each draft: a fold of the journal's fix and approval events. Pure; views and hands share it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from orchestrator.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Egress,
    Event,
    FixChecked,
    FixDelivered,
    FixDrafted,
)
from orchestrator.journal.fold import APPROVAL_TYPES
from subagents.codefix.fixes import Check, Draft

FIX_TYPES = APPROVAL_TYPES | {
    "warroom.fix_drafted",
    "warroom.fix_checked",
    "warroom.fix_delivered",
    "warroom.egress",
}
"""The events that this fold reads."""

FixStanding = Literal["drafted", "waits", "approved", "rejected", "void", "delivered"]
PUSHED = "git push"
"""Purpose of the egress events of a push."""


@dataclass(frozen=True)
class Asked:
    """An approval that was asked for, and what became of it."""

    request: ApprovalRequested
    decided: ApprovalDecided | None = None

    @property
    def open(self) -> bool:
        """Say whether a person has still to decide."""
        return self.decided is None

    @property
    def approved(self) -> bool:
        """Say whether a person approved exactly what was asked for."""
        made = self.decided
        return made is not None and made.decision == "approve" and made.digest == self.request.digest

    @property
    def void(self) -> bool:
        """Say whether the decision, if any, counts no more."""
        return self.decided is not None and (
            self.decided.decision == "void" or (self.decided.decision == "approve" and not self.approved)
        )


@dataclass(frozen=True)
class Fix:
    """One draft and everything that happened to it."""

    draft: Draft
    drafted_at: datetime
    seq: int
    """Of the event that says what the draft is now."""
    check: Check | None = None
    asked: tuple[Asked, ...] = ()
    """Approvals of the fix itself, oldest first."""
    pushes: tuple[Asked, ...] = ()
    delivered: FixDelivered | None = None
    sent: tuple[Egress, ...] = ()
    """What went out, and how each attempt ended."""

    @property
    def id(self) -> str:
        """The draft's id."""
        return self.draft.id

    @property
    def last(self) -> Asked | None:
        """The approval that counts: the last one asked for."""
        return self.asked[-1] if self.asked else None

    @property
    def standing(self) -> FixStanding:
        """Where the draft stands, as a word."""
        if self.delivered is not None:
            return "delivered"
        last = self.last
        if last is None:
            return "drafted"
        if last.open:
            return "waits"
        if last.void:
            return "void"
        return "approved" if last.approved else "rejected"

    @property
    def stands(self) -> str:
        """Where the draft stands, as the rest of a sentence."""
        return "it waits for approval" if self.standing == "waits" else f"it is {self.standing}"

    @property
    def reason(self) -> str:
        """Why it was rejected or voided; empty otherwise."""
        last = self.last
        return last.decided.reason if last is not None and last.decided is not None else ""

    @property
    def outward(self) -> str:
        """How the last push ended, in words; empty where none was tried."""
        ends = [str(item.detail.get("outcome", "")) for item in self.sent if item.detail.get("outcome")]
        if ends:
            return ends[-1]
        return "a push began, and how it ended is not known" if self.sent else ""


class FixFold:
    """Fed every event, in order, once or more; others than those of fixes are ignored."""

    def __init__(self) -> None:
        self.fixes: dict[str, Fix] = {}
        self.unread: dict[str, str] = {}
        """Drafts in a shape that this version cannot read, and why."""
        self._of: dict[str, str] = {}
        """Approval id -> draft id."""
        self._seen: set[int] = set()

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        if event.type not in FIX_TYPES or event.seq in self._seen:
            return
        self._seen.add(event.seq)
        body = event.body
        match body:
            case FixDrafted():
                self._drafted(body, event)
            case FixChecked(id=draft_id, detail=detail) if draft_id in self.fixes:
                self._change(draft_id, check=_check(detail))
            case FixDelivered(id=draft_id) if draft_id in self.fixes:
                self._change(draft_id, delivered=body)
            case ApprovalRequested(subject="fix" | "push"):
                self._asked(body)
            case ApprovalDecided(id=approval_id) if approval_id in self._of:
                self._decided(self._of[approval_id], body)
            case Egress(purpose=purpose, detail=detail) if purpose == PUSHED and detail.get("draft") in self.fixes:
                fix = self.fixes[str(detail["draft"])]
                self._change(fix.id, sent=(*fix.sent, body))
            case _:
                pass

    def _change(self, draft_id: str, **changes: object) -> None:
        self.fixes[draft_id] = replace(self.fixes[draft_id], **changes)  # type: ignore[arg-type] # fields of Fix

    def _drafted(self, body: FixDrafted, event: Event) -> None:
        try:
            draft = Draft.model_validate(body.detail)
        except ValueError as error:
            self.unread[body.id] = " ".join(str(error).split())[:200]
            return
        held = self.fixes.get(draft.id)
        if held is None:
            self.fixes[draft.id] = Fix(draft, event.ts, event.seq)
        elif held.draft != draft:
            # Made anew: its tests are those of other bytes.
            self._change(draft.id, draft=draft, seq=event.seq, check=None)

    def _asked(self, body: ApprovalRequested) -> None:
        fix = self.fixes.get(str(body.detail.get("draft", "")))
        if fix is None or body.id in self._of:
            return
        self._of[body.id] = fix.id
        if body.subject == "fix":
            self._change(fix.id, asked=(*fix.asked, Asked(body)))
        else:
            self._change(fix.id, pushes=(*fix.pushes, Asked(body)))

    def _decided(self, draft_id: str, body: ApprovalDecided) -> None:
        fix = self.fixes[draft_id]

        def settled(asked: tuple[Asked, ...]) -> tuple[Asked, ...]:
            return tuple(replace(one, decided=body) if _settles(one, body) else one for one in asked)

        self._change(draft_id, asked=settled(fix.asked), pushes=settled(fix.pushes))


def _settles(asked: Asked, body: ApprovalDecided) -> bool:
    return asked.request.id == body.id and (asked.decided is None or body.decision == "void")


def _check(detail: object) -> Check | None:
    try:
        return Check.model_validate(detail)
    except ValueError:
        return None


def fixes(events: Iterable[Event]) -> dict[str, Fix]:
    """Return every draft of a journal by its id, oldest first, and what became of it."""
    fold = FixFold()
    for event in events:
        fold.learn(event)
    return fold.fixes
