"""The session's status machine: exactly four statuses, and which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.journal.events import Body, StatusIdle, StatusRescheduled, StatusRunning, StatusTerminated
from orchestrator.journal.fold import SessionStatus

TRANSITIONS: Mapping[SessionStatus, frozenset[SessionStatus]] = {
    "idle": frozenset({"running", "terminated"}),
    "running": frozenset({"idle", "rescheduling", "terminated"}),
    "rescheduling": frozenset({"running", "idle", "terminated"}),
    "terminated": frozenset(),
}
"""From each status, those that may follow. A status never follows itself; nothing follows `terminated`."""


SETTLED_REASONS = frozenset({"end_turn", "budget_reached", "refusal"})
"""Reasons of `idle` at which no call is left open. After the others, what was open goes on when the session does."""


class IllegalTransition(Exception):
    """A status cannot follow the present one; a defect of whoever asked for it."""


@dataclass(frozen=True)
class Standing:
    """What the session is and why: the status, its reason as a word, and a line for people."""

    status: SessionStatus = "idle"
    reason: str = ""
    """For `idle` the stop reason's type; else what started or ended it. Empty before the first run."""
    message: str = ""

    def then(self, body: Body) -> Standing:
        """Return what a status event leads to; raises IllegalTransition."""
        following = standing_of(body)
        if following is None:
            raise IllegalTransition(f"{body.type} is not a status")
        if following.status not in TRANSITIONS[self.status]:
            raise IllegalTransition(f"{following.status} cannot follow {self.status}")
        return following


def standing_of(body: Body) -> Standing | None:
    """Return the standing that a status event states; None for any other event."""
    if isinstance(body, StatusIdle):
        return Standing("idle", body.stop_reason.type, body.stop_reason.message)
    if isinstance(body, StatusRunning):
        return Standing("running", body.reason)
    if isinstance(body, StatusRescheduled):
        return Standing("rescheduling", body.reason)
    if isinstance(body, StatusTerminated):
        return Standing("terminated", body.reason)
    return None
