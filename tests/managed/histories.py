"""A session as its server has it, and how its events arrive."""

from __future__ import annotations

from typing import Any

from orchestrator.engines.managed.delivered import CALL
from orchestrator.engines.managed.merge import Arrived, Origin

S, LEAD, A, B = "sesn_1", "sthr_lead", "sthr_a", "sthr_b"
AT = "2026-03-01T12:00:00Z"
QUEUED = frozenset({"user.message", "user.interrupt"})
"""Types that come twice: queued, then processed."""


def event(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"sevt_{number}", "type": kind, "processed_at": AT, **more}


def says(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def child(thread: str) -> dict[str, str]:
    return {"session_thread_id": thread, "agent_name": "scout"}


def history() -> dict[str, list[dict[str, Any]]]:
    """Return a session as its server has it: the primary's events and those of two threads of one agent."""
    idle = {"type": "requires_action", "event_ids": ["sevt_20"]}
    error = {"type": "model_overloaded_error", "message": "busy", "retry_status": {"type": "retrying"}}
    return {
        S: [
            event(1, "session.status_running"),
            event(2, "session.thread_status_running", session_thread_id=LEAD, agent_name="lead"),
            event(3, "user.message", content=says("go")),
            event(4, "span.model_request_start"),
            event(5, "agent.message", content=[*says("I ask."), {"type": "redacted"}, {"type": "image"}]),
            event(6, "session.thread_created", **child(A)),
            event(7, "session.thread_created", **child(B)),
            event(8, "agent.thread_message_sent", to_session_thread_id=A, to_agent_name="scout", content=says("look")),
            event(9, "session.thread_status_running", **child(A)),
            event(10, "span.model_request_end", model_request_start_id="sevt_4", model_usage={"input_tokens": 1}),
            event(20, CALL, name="look", input={"q": "x"}, session_thread_id=A),
            event(21, "session.thread_status_idle", **child(A), stop_reason=idle),
            event(22, "session.status_idle", stop_reason=idle, stop_details=None),
            event(23, "user.custom_tool_result", custom_tool_use_id="sevt_20", content=says("seen")),
            event(24, "session.error", error=error),
            event(25, "agent.future_thing", weight=3, nested={"a": [1, 2]}),
            {"id": "", "type": "user.interrupt", "processed_at": AT, "session_thread_id": B},
            event(27, "session.thread_status_idle", **child(A), stop_reason={"type": "end_turn"}),
            event(28, "session.usage", usage={"input_tokens": 9}),
            event(29, "session.status_idle", stop_reason={"type": "end_turn"}),
        ],
        A: [
            event(30, "session.thread_status_running", **child(A)),
            event(31, "agent.message", content=says("I look.")),
            event(20, CALL, name="look", input={"q": "x"}),
            event(24, "session.error", error=error),
            event(33, "user.custom_tool_result", custom_tool_use_id="sevt_20", content=says("seen")),
            event(34, "session.thread_status_idle", **child(A), stop_reason={"type": "end_turn"}),
        ],
        B: [event(40, "agent.thinking"), event(41, "warroom.approval_decided", id="a1", decision="approve")],
    }


def origin(stream: str) -> Origin:
    return Origin(S, "" if stream == S else stream)


def arrivals(replayed: bool = False) -> list[Arrived]:
    return [Arrived(origin(name), raw, replayed) for name, events in history().items() for raw in events]
