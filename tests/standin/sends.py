"""What a client may send to a session, and when it may not."""

from __future__ import annotations

from typing import Any

from tests.standin import life
from tests.standin.errors import invalid
from tests.standin.logbook import Event
from tests.standin.script import Heard, plain
from tests.standin.session import Session
from tests.standin.shapes import anything, array, boolean, by_type, fields, integer, nullable, one_of, tagged, text

_TEXT = tagged("text", {"text": text(1)})
_SOURCE = by_type(
    {
        "base64": tagged("base64", {"media_type": text(1), "data": text(1)}),
        "text": tagged("text", {"data": text(1)}, {"media_type": text(1)}),
        "url": tagged("url", {"url": text(1)}),
        "file": tagged("file", {"file_id": text(1)}),
    }
)
_IMAGE = tagged("image", {"source": _SOURCE})
_DOCUMENT = tagged("document", {"source": _SOURCE}, {"title": nullable(text()), "context": nullable(text())})
_SEARCH = tagged(
    "search_result", {"source": text(1), "title": text(1), "content": array(_TEXT)}, {"citations": anything}
)
_SAID = {"text": _TEXT, "image": _IMAGE, "document": _DOCUMENT}
_RESULT = {**_SAID, "search_result": _SEARCH}
_RUBRIC = by_type({"text": tagged("text", {"content": text(1, 262_144)}), "file": tagged("file", {"file_id": text(1)})})
MESSAGE = tagged("user.message", {"content": array(by_type(_SAID), 1)})
OUTCOME = tagged(
    "user.define_outcome",
    {"description": text(1), "rubric": _RUBRIC},
    {"max_iterations": nullable(integer(1, 20))},
)
_EVENT = by_type(
    {
        "user.message": MESSAGE,
        "user.define_outcome": OUTCOME,
        "user.interrupt": tagged("user.interrupt", {}, {"session_thread_id": nullable(text(1))}),
        "user.custom_tool_result": tagged(
            "user.custom_tool_result",
            {"custom_tool_use_id": text(1)},
            {"content": array(by_type(_RESULT)), "is_error": nullable(boolean)},
        ),
        "user.tool_confirmation": tagged(
            "user.tool_confirmation",
            {"tool_use_id": text(1), "result": one_of("allow", "deny")},
            {"deny_message": nullable(text())},
        ),
        "user.tool_result": tagged(
            "user.tool_result",
            {"tool_use_id": text(1)},
            {"content": array(by_type(_RESULT)), "is_error": nullable(boolean)},
        ),
        "system.message": tagged("system.message", {"content": array(_TEXT, 1, 1000)}),
    }
)
_BODY = fields({"events": array(_EVENT, 1)})
_BEFORE_SYSTEM = ("user.message", "user.tool_result", "user.custom_tool_result")


def send(session: Session, body: Any) -> dict[str, Any]:
    """Check every event of a request, then apply them all in order; one refusal refuses the request."""
    events: list[Event] = _BODY(body, "")["events"]
    if session.status == "terminated":
        raise invalid("The session is terminated and accepts no events")
    stopped = False
    for at, event in enumerate(events):
        _refuse(session, event, f"events.{at}", stopped)
        stopped = stopped or (event["type"] == "user.interrupt" and not event.get("session_thread_id"))
        if event["type"] == "system.message":
            before = events[at - 1]["type"] if at else ""
            if at != len(events) - 1 or before not in _BEFORE_SYSTEM:
                raise invalid(f"events.{at}: system.message must be last, right after what it belongs to")
    return {"data": [_apply(session, event) for event in events]}


def _refuse(session: Session, event: Event, where: str, stopped: bool) -> None:
    """Refuse an event that the session cannot take in its state."""
    kind = event["type"]
    if kind in ("user.message", "user.define_outcome", "system.message"):
        if session.at_cap():
            raise invalid(f"{where}: The session's budget is reached; raise or remove it first")
        if kind != "system.message" and session.blocked() and not stopped:
            ids = ", ".join(session.stop_reason()["event_ids"])
            raise invalid(f"{where}: The session requires action on {ids}; answer or interrupt first")
    elif kind == "user.custom_tool_result":
        key = event["custom_tool_use_id"]
        state = session.calls.get(key)
        if state is None:
            raise invalid(f"{where}.custom_tool_use_id: no agent.custom_tool_use event has the id {key}")
        if state == "closed" or (stopped and state == "open"):
            raise invalid(f"{where}.custom_tool_use_id: the call {key} is closed")
    elif kind == "user.interrupt":
        key = event.get("session_thread_id")
        if key and key not in session.threads:
            raise invalid(f"{where}.session_thread_id: no thread has the id {key}")
        if key and (session.threads[key].status == "terminated" or session.threads[key].archived_at):
            raise invalid(f"{where}.session_thread_id: the thread {key} is terminated")
    elif kind == "user.tool_result":
        raise invalid(f"{where}: user.tool_result is only for self_hosted environments")
    else:
        raise invalid(f"{where}.tool_use_id: no tool call waits under the id {event['tool_use_id']}")


def _apply(session: Session, event: Event) -> Event:
    """Store an event and let it act; returns the stored event as the sender sees it."""
    kind = event["type"]
    if kind == "user.custom_tool_result":
        return _result(session, event)
    if kind == "user.interrupt":
        return _interrupt(session, event)
    stored = {"id": session.world.ids.new("sevt"), **event, "processed_at": None}
    if kind == "user.define_outcome":
        stored["processed_at"] = session.world.stamps.now()
        stored["outcome_id"] = session.world.ids.new("outc")
        session.primary.log.add(stored)
        life.deliver(session, session.primary, Heard(event["description"]))
        return stored
    session.primary.log.add(stored)
    if kind == "system.message":
        session.primary.log.processed(stored, session.world.stamps.now())
        session.primary.history.append(Heard(plain(event["content"]), "system"))
    else:
        life.deliver(session, session.primary, Heard(plain(event["content"])), stored)
    return stored


def _result(session: Session, event: Event) -> Event:
    key = event["custom_tool_use_id"]
    session.posted[key] = session.posted.get(key, 0) + 1
    content, is_error = event.get("content"), bool(event.get("is_error"))
    if session.calls[key] == "answered":
        return session.event("user.custom_tool_result", custom_tool_use_id=key, content=content, is_error=is_error)
    return life.answer(session, key, content, is_error)


def _interrupt(session: Session, event: Event) -> Event:
    named = event.get("session_thread_id")
    empty = session.world.options.empty_interrupt_ids
    stored = {
        "id": "" if empty else session.world.ids.new("sevt"),
        "type": "user.interrupt",
        "session_thread_id": named,
        "processed_at": None,
    }
    session.primary.log.add(stored)
    for thread in list(session.threads.values()):
        if thread.archived_at is None and named in (None, thread.id):
            life.interrupt(session, thread)
    session.primary.log.processed(stored, session.world.stamps.now())
    return stored
