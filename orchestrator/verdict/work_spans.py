"""How long a session worked, and what became of it."""

from __future__ import annotations

from orchestrator.journal.events import Event, StatusIdle, StatusRescheduled, StatusRunning, StatusTerminated
from orchestrator.journal.fold import SessionStatus


class WorkSpans:
    """The session's status, and the seconds it was at work; monotonic clocks where one process wrote both ends."""

    def __init__(self) -> None:
        self.status: SessionStatus = "idle"
        self.reason = ""
        self.seconds = 0.0
        self._since: Event | None = None
        self._last: Event | None = None

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        match event.body:
            case StatusRunning(reason=reason):
                self._close(self._last)
                self._since = event
                self.status, self.reason = "running", reason
            case StatusRescheduled(reason=reason):
                self.status, self.reason = "rescheduling", reason
            case StatusIdle(stop_reason=stop):
                self._close(event)
                self.status, self.reason = "idle", ": ".join(filter(None, (stop.type, stop.message)))
            case StatusTerminated(reason=reason):
                self._close(event)
                self.status, self.reason = "terminated", reason
            case _:
                pass
        self._last = event

    def _close(self, end: Event | None) -> None:
        """Count the open span; one that a crash left open ends with the last event before the next start."""
        if self._since is None or end is None:
            return
        wall = max(0.0, (end.ts - self._since.ts).total_seconds())
        steady = end.mono - self._since.mono
        self.seconds += steady if steady >= 0 and abs(steady - wall) < 60 else wall
        self._since = None
