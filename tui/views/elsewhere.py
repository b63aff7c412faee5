"""Calls of a session that is only watched: somebody else carries them out, and the server's own copies tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.journal.events import Event, Mirrored, RemoteSession
from tui.views.paint import Row, line
from tui.views.stream_rows import Call, brief, first_line, rest_of, stamp_of

CALL, RESULT = "agent.custom_tool_use", "user.custom_tool_result"


class Elsewhere:
    """Fed every event once, in order; makes rows while the hands are not here."""

    def __init__(self) -> None:
        self._bound: RemoteSession | None = None
        self._calls: dict[str, tuple[Call, str]] = {}

    @property
    def watched(self) -> bool:
        """Whether calls are somebody else's now."""
        return self._bound is not None and not self._bound.hands

    def row(self, event: Event) -> tuple[str, Row] | None:
        """Return the row of a call, and whose thread it is on; None for what is none."""
        body = event.body
        if isinstance(body, RemoteSession):
            self._bound = body
        if not isinstance(body, Mirrored) or not self.watched or self._bound is None or event.stream != self._bound.id:
            return None
        if body.kind == CALL and event.source_id:
            given = body.event.get("input")
            arguments: Mapping[str, Any] = given if isinstance(given, dict) else {}
            call = Call(event.source_id, str(body.event.get("name") or "?"), arguments, stamp_of(event))
            call.state = ("is somebody else's to run", "dim")
            self._calls[call.id] = call, event.thread
            return event.thread, call.row()
        if body.kind == RESULT and (known := self._calls.pop(str(body.event.get("custom_tool_use_id")), None)):
            return known[1], _answered(known[0], body.event)
        return None


def _answered(call: Call, result: Mapping[str, Any]) -> Row:
    content = result.get("content")
    blocks = content if isinstance(content, list) else []
    text = "\n".join(str(one.get("text") or "") for one in blocks if isinstance(one, Mapping))
    failed = bool(result.get("is_error"))
    call.state = ("failed elsewhere" if failed else "was run elsewhere", "bad" if failed else "dim")
    row = call.row()
    verb = call.tool.partition("_")[2] or call.tool
    said = line(
        ("> ", "dim"),
        verb,
        (brief(call.arguments), "dim"),
        ("  ", "dim"),
        call.state,
        ("  ", "dim"),
        (first_line(text), "bad" if failed else "dim"),
    )
    return Row(row.key, said, (*row.detail, *rest_of(text)), row.ref, row.stamp)
