"""Views of a session that a server keeps, made of events."""

from __future__ import annotations

from typing import Any

from orchestrator.journal.events import (
    AgentMessage,
    Body,
    Event,
    Mirrored,
    RemoteSession,
    StatusIdle,
    StatusRunning,
    StopReason,
    StopReasonType,
    text_content,
)
from tests.tui.story import Teller, opened, view_of
from tui.session_view import SessionView
from tui.views.paint import text_of

REMOTE = RemoteSession(
    id="sesn_01", agent="agent_01", version=3, host="api.example", models={"logs": "claude-haiku-5-5 v2"}
)
NONCE = "m-0123456789abcdef"


class Health:
    """How a connection is, made up."""

    def __init__(self, state: str = "live", **more: Any) -> None:
        self.state, self.why = state, ""
        self.event_age: float | None = more.get("event_age")
        self.byte_age: float | None = more.get("byte_age")
        self.attempts = int(more.get("attempts", 0))


def told(*bodies: Body | tuple[Body, str] | Event) -> SessionView:
    """Return the view of a session at a server in which these things happened."""
    tell = Teller()
    events = [tell(opened()), tell(REMOTE), tell(StatusRunning(reason="start"))]
    for one in bodies:
        if isinstance(one, tuple):
            events.append(tell(one[0], one[1]))
        elif isinstance(one, Event):
            events.append(one)
        else:
            events.append(tell(one))
    return numbered(events)


def numbered(events: list[Event]) -> SessionView:
    """Return the view of events in this order."""
    return view_of([event.model_copy(update={"seq": number}) for number, event in enumerate(events, 1)])


def at(body: Body, stream: str, source: str, *, processed: bool = True) -> Event:
    """Return an event that came by a stream."""
    return Teller()(body, source_id=source).model_copy(update={"stream": stream, "processed": processed})


def rows(view: SessionView, pane: str, tab: str = "") -> list[str]:
    return [text_of(row.line) for row in view.streams.ring(pane, tab or pane)]


def say(text: str) -> AgentMessage:
    return AgentMessage(content=text_content(text))


def echo(text: str, *, processed: bool) -> Event:
    content = [{"type": "text", "text": f"{text}\n\n(warroom message {NONCE})"}]
    raw = {"type": "user.message", "id": "sevt_1", "content": content, "processed_at": "now" if processed else None}
    return at(Mirrored(kind="user.message", event=raw), REMOTE.id, "sevt_1", processed=processed)


def idle(type: StopReasonType, message: str = "") -> StatusIdle:
    return StatusIdle(stop_reason=StopReason(type=type, message=message))
