"""What stands in the prompt line while nothing is asked: what was said, what waits, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import seams
from tui.views.next_step import next_step
from tui.views.paint import Line, line

if TYPE_CHECKING:
    from tui.session_view import SessionView


def hint_of(view: SessionView, said: Line) -> Line:
    """Return it: what was said last first, then the session's notice, what waits, what a person can do next."""
    waiting = len(view.incident.pending)
    parts = said or line((view.notice, "warn"))
    decides = view.acts is None or not view.acts.why_not
    if parts and waiting and decides and seams.offered("review"):
        return (*parts, *line((f"  ! {waiting} waits: a reviews", "warn")))
    return parts or _waits(view, waiting) or _next(view) or line(("> ", "accent"), ("m steer or ask", "dim"))


def _waits(view: SessionView, waiting: int) -> Line:
    if not waiting:
        return ()
    elsewhere = f"warroom fix list {view.acts.session_id}" if view.acts else ""
    how = "a reviews" if seams.offered("review") else elsewhere
    return line((f"! {waiting} waits for your yes or no: {how}", "warn"))


def _next(view: SessionView) -> Line:
    if view.caught_up and not view.running:
        step = next_step(view.agents.session, view.agents.reason, view.agents.message)
        if step:
            return line((step, "warn"))
    queued = view.streams.queued.count
    goes = "" if view.running else ": r goes on, and says it"
    return line((f"{queued} message{'s' if queued > 1 else ''} not heard yet{goes}" if queued else "", "dim"))
