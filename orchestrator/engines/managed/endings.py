"""How a run at a session ends: as which stop of ours, why, and what a person does next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestrator.engines.base import StopReason
from orchestrator.engines.managed.delivered import Delivered, text_of
from orchestrator.engines.managed.streams import Ending as StreamEnding
from orchestrator.engines.managed.streams import Health

LOST_S: Final = 300.0
"""Seconds without any word, in which coming back failed, after which a run ends here: the session goes on there."""


@dataclass(frozen=True)
class Ending:
    """How it ended."""

    stop: StopReason
    why: str = ""
    """A line for people: what happened, and what to do. Empty where there is nothing to say."""
    final: bool = False
    """There is nothing at the server any more to go on with."""
    absent: bool = False
    """It is not there for this key: it may be there for another one."""

    @property
    def needs_verdict(self) -> bool:
        """Whether the board's own verdict stands in where the model gave none."""
        return self.final or self.absent or self.stop in ("end_turn", "budget_reached")


def ending_of(idle: Delivered, error: str) -> Ending:
    """Return what the server's stop reason is to us; `error` is what its last error said."""
    reason = idle.stop_reason
    if reason == "end_turn":
        return Ending("end_turn")
    if reason == "budget_reached":
        return Ending("budget_reached")
    if reason == "retries_exhausted":
        said = f": {error}" if error else ""
        return Ending(
            "retries_exhausted",
            f"the service gave up on the turn{said}; what was queued there is gone; a message, or resume, goes on",
        )
    if reason == "refusal":
        category = text_of(idle.stop_details, "category") or "no category"
        explanation = text_of(idle.stop_details, "explanation")
        more = f": {explanation}" if explanation else ""
        return Ending(
            "refusal", f"the model declined ({category}){more}; say in a message what it should do instead, then resume"
        )
    return Ending("error", f"the session stopped for a reason not known here ({reason[:100]}); a message, or resume")


def ending_of_stream(ended: StreamEnding) -> Ending:
    """Return what the end of a session at the server is to us."""
    what = "was deleted at the service" if ended == "deleted" else "was terminated at the service, or archived there"
    return Ending(
        "error", f"the session {what}; what was found is kept and can be reported; start a new one to go on", final=True
    )


def not_there(session: str, host: str) -> Ending:
    """Return the end of a run whose session is not there for this key, which a person may yet put right."""
    return Ending(
        "error",
        f"{host} has no session {session} for this key: with a key of its workspace, resume goes on; "
        "if it was deleted there, what was found is kept, and a new one begins anew",
        absent=True,
    )


def taken_over_by(host: str) -> Ending:
    """Return the end of a run whose calls another host carries out from now on."""
    return Ending(
        "interrupted", f"host {host} has taken the hands over; resume watches, warroom attach takes them back"
    )


def lost_for_long(health: Health, host: str) -> Ending | None:
    """Return the end of a run whose connection is gone for too long; None while there is hope."""
    silent = health.byte_age or 0.0
    if health.state == "live" or health.attempts < 2 or silent < LOST_S:
        return None
    return Ending(
        "retries_exhausted",
        f"no connection to {host} for {silent / 60:.0f} min ({health.why}); the session goes on there as far as it can "
        "without tools, and what happened is read when you resume",
    )
