"""How many secrets were replaced in a session: what its events say, counted once each."""

from __future__ import annotations

from orchestrator.journal.events import Event, Redacted, ToolFinished

REDACTION_TYPES = ("warroom.redacted", "warroom.tool_finished")


class RedactionCount:
    """Fed events in order; an event that is seen twice counts once."""

    def __init__(self) -> None:
        self.total = 0
        self._seen = 0

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        if event.seq <= self._seen:
            return
        if isinstance(event.body, Redacted):
            self._seen = event.seq
            self.total += sum(event.body.counts.values())
        elif isinstance(event.body, ToolFinished):
            self._seen = event.seq
            self.total += event.body.redacted

    @property
    def words(self) -> str:
        """Return the count as words; empty while nothing was replaced."""
        return f"{self.total:,} secret{'s' if self.total != 1 else ''} redacted" if self.total else ""
