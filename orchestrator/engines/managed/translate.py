"""From a server's event to ours: a body of our vocabulary, or the whole of it where we have no word or another one.

What our journal says in words of its own is kept whole as `warroom.mirrored`, which no view folds: the session's
status there, echoes of what we sent, calls and their results (hands record those), the second copy of what is posted on
two streams. A server cannot speak in warroom's own words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue

from orchestrator.engines.managed.delivered import part_of, text_of, without_nulls
from orchestrator.journal.codec import encode
from orchestrator.journal.events import KNOWN_TYPES, Body, Mirrored, StopReason, Text, UnknownBody, parse_body
from orchestrator.journal.faults import BodyRefused

OWN: Final = "warroom."
SAID_BY_HANDS: Final = frozenset(
    {"agent.custom_tool_use", "user.custom_tool_result", "user.tool_confirmation", "user.tool_result"}
)
SAID_BY_SESSION: Final = frozenset(
    {
        "session.status_running",
        "session.status_idle",
        "session.status_rescheduled",
        "session.status_terminated",
        "session.thread_created",
    }
)
PRIMARY_ONLY: Final = frozenset(
    {"session.thread_status_running", "session.thread_status_rescheduled", "session.thread_status_terminated"}
    | {"session.thread_status_idle", "session.usage"}
)
"""What counts as it comes on the primary stream; on a thread's own it is the second copy."""
_STOPS = frozenset({"end_turn", "requires_action", "retries_exhausted", "budget_reached", "interrupted", "refusal"})
_KEPT_HEAD = 32 * 1024


def mirrored(raw: Mapping[str, Any]) -> Mirrored:
    """Return an event as it came, for nobody to fold."""
    return Mirrored(kind=str(raw.get("type", ""))[:200], event=dict(raw))


def is_mirrored(raw: Mapping[str, Any], *, primary: bool) -> bool:
    """Say whether our journal has words of its own for it; echoes of people's words are the caller's to know."""
    kind = str(raw.get("type", ""))
    if kind in SAID_BY_HANDS or kind in SAID_BY_SESSION or kind.startswith(OWN):
        return True
    if kind in PRIMARY_ONLY:
        waits = text_of(part_of(raw, "stop_reason"), "type") == "requires_action"  # on us: the agent is at work
        return waits or not primary
    return False


def translated(raw: Mapping[str, Any], thread: str = "") -> Body:
    """Return the body of our vocabulary, or the whole event where its type or shape is not known here."""
    kind = str(raw.get("type", ""))
    if kind.startswith(OWN):
        return mirrored(raw)
    if kind not in KNOWN_TYPES:
        return UnknownBody.model_validate(dict(raw))
    shaped: dict[str, Any] = {key: value for key, value in raw.items() if key not in ("id", "processed_at", "input")}
    shaped = without_nulls(shaped) | {key: raw[key] for key in ("input",) if key in raw}
    if "content" in shaped:
        shaped["content"] = _content(shaped["content"])
    if kind == "session.error":
        shaped["error"] = _error(part_of(raw, "error"))
    if "stop_reason" in shaped:
        shaped["stop_reason"] = _stop_reason(raw)
        shaped.pop("stop_details", None)  # it is in the reason's message
    if kind == "session.usage" and "budget" in shaped:
        shaped["usage"] = {**part_of(raw, "usage"), "budget": shaped.pop("budget")}
    if kind.startswith("session.thread_") and thread:
        shaped["session_thread_id"] = thread
        shaped.setdefault("agent_name", thread)
    body = parse_body(shaped)
    return UnknownBody.model_validate(dict(raw)) if isinstance(body, UnknownBody) else body


def fitting(body: Body) -> Body:
    """Return a body that can be stored: one that is too large or too deep is kept by its head and digest."""
    try:
        encode(body)
    except BodyRefused as refused:
        text = repr(body.model_dump(mode="python"))
        kind = body.kind if isinstance(body, Mirrored) else body.type
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        cut: dict[str, JsonValue] = {
            "type": kind,
            "cut": str(refused)[:300],
            "sha256": digest,
            "head": text[:_KEPT_HEAD].encode("utf-8", "replace").decode(),
        }
        return Mirrored(kind=kind, event=cut)
    return body


def _content(blocks: object) -> list[dict[str, str]]:
    """Return content as text: what is no text is named in its place."""
    if isinstance(blocks, str):
        return [Text(text=blocks).model_dump()]
    made: list[dict[str, str]] = []
    for block in blocks if isinstance(blocks, list) else ():
        kind = text_of(block, "type") if isinstance(block, Mapping) else ""
        if kind == "text" and isinstance(block.get("text"), str):
            text = block["text"]
        elif kind == "redacted":
            text = "[redacted by the service]"
        else:
            text = f"[{kind[:60] or 'unreadable'} block: not shown here]"
        made.append(Text(text=text).model_dump())
    return made


def _error(error: Mapping[str, Any]) -> dict[str, str]:
    status = text_of(part_of(error, "retry_status"), "type")
    about = [f"{key} {error[key]}" for key in ("mcp_server_name", "credential_id") if isinstance(error.get(key), str)]
    message = text_of(error, "message") or "no more is said"
    return {
        "type": text_of(error, "type") or "unknown_error",
        "message": f"{message} ({', '.join(about)})" if about else message,
        "retry_status": status if status in ("retrying", "exhausted", "terminal") else "exhausted",
    }


def _stop_reason(raw: Mapping[str, Any]) -> dict[str, Any]:
    reason, details = part_of(raw, "stop_reason"), part_of(raw, "stop_details")
    kind = text_of(reason, "type")
    said = ": ".join(part for part in (text_of(details, "category"), text_of(details, "explanation")) if part)
    if kind not in _STOPS:
        return StopReason(type="error", message=f"stopped for a reason not known here: {kind[:100]}").model_dump()
    ids = reason.get("event_ids")
    kept = tuple(one for one in ids if isinstance(one, str)) if isinstance(ids, list) else ()
    return {"type": kind, "event_ids": kept, "message": said}
