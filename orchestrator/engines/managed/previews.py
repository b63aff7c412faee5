"""Text as it is written, on the threads whose streams show it: a prefix of what will come, never a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.engines.managed.delivered import part_of, text_of

PREVIEW_TYPES: Final = frozenset({"event_start", "event_delta"})
PREVIEWED: Final = "agent.message"
Show = Callable[[str, str], None]
"""Thread and the text that is added; an empty one takes away what was shown."""


class Previews:
    """What is being written on each thread; at most one message at a time."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._open: dict[str, str] = {}
        """Thread to the id of the message that is being written."""
        self._shown: set[str] = set()

    def learn(self, thread: str, raw: Mapping[str, Any]) -> None:
        """Take a preview event into account; a piece without its beginning shows nothing."""
        if raw.get("type") == "event_start":
            event = part_of(raw, "event")
            if event.get("type") == PREVIEWED and (message := text_of(event, "id")):
                self.clear(thread)
                self._open[thread] = message
            return
        content = part_of(part_of(raw, "delta"), "content")
        text = text_of(content, "text")
        if text and content.get("type") == "text" and self._open.get(thread) == (text_of(raw, "event_id") or None):
            self._shown.add(thread)
            self._show(thread, text)

    def settle(self, thread: str, raw: Mapping[str, Any]) -> None:
        """Take a durable event into account: the message itself is the record; what ends without one vanishes."""
        if raw.get("type") == PREVIEWED and self._open.get(thread) == text_of(raw, "id"):
            del self._open[thread]
            self._shown.discard(thread)  # whoever shows the record puts it in the preview's place
        elif raw.get("type") == "span.model_request_end":
            self.clear(thread)

    def clear(self, thread: str) -> None:
        """Take away what is shown of a message that will not come on this connection."""
        self._open.pop(thread, None)
        if thread in self._shown:
            self._shown.discard(thread)
            self._show(thread, "")
