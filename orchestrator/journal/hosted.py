"""Event bodies that share their names with the Managed Agents vocabulary."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from subagents.contract import AgentName, Frozen

StopReasonType = Literal[
    "end_turn", "requires_action", "retries_exhausted", "budget_reached", "interrupted", "refusal", "error"
]


class Text(Frozen):
    """A text block."""

    type: Literal["text"] = "text"
    text: str


Content = tuple[Text, ...]


def text_content(text: str) -> Content:
    """Wrap plain text as content."""
    return (Text(text=text),)


class StopReason(Frozen):
    """Why a session or a thread went idle."""

    type: StopReasonType
    event_ids: tuple[str, ...] = ()
    """For `requires_action`: ids of the calls that wait for a person."""
    message: str = ""


# -- from the person ---------------------------------------------------------------------------


class UserMessage(Frozen):
    """The person wrote to the orchestrator or steered one agent."""

    type: Literal["user.message"] = "user.message"
    content: Content
    to: AgentName | None = None


class UserInterrupt(Frozen):
    """The person stopped one thread, or all."""

    type: Literal["user.interrupt"] = "user.interrupt"
    session_thread_id: str | None = None


class UserToolConfirmation(Frozen):
    """The person allowed or denied a call."""

    type: Literal["user.tool_confirmation"] = "user.tool_confirmation"
    tool_use_id: str
    result: Literal["allow", "deny"]
    deny_message: str | None = None


class UserDefineOutcome(Frozen):
    """The person set a goal with a rubric."""

    type: Literal["user.define_outcome"] = "user.define_outcome"
    description: str
    rubric: JsonValue = None


class UserCustomToolResult(Frozen):
    """A call's result was handed to the engine."""

    type: Literal["user.custom_tool_result"] = "user.custom_tool_result"
    custom_tool_use_id: str
    content: Content = ()
    is_error: bool = False


# -- from agents -------------------------------------------------------------------------------


class AgentMessage(Frozen):
    """An agent wrote."""

    type: Literal["agent.message"] = "agent.message"
    content: Content


class AgentThinking(Frozen):
    """An agent made progress without text."""

    type: Literal["agent.thinking"] = "agent.thinking"


class AgentCustomToolUse(Frozen):
    """An agent asks for a call; its id is the envelope's `source_id`."""

    type: Literal["agent.custom_tool_use"] = "agent.custom_tool_use"
    name: str
    input: dict[str, JsonValue]


class ThreadMessageSent(Frozen):
    """This thread wrote to another."""

    type: Literal["agent.thread_message_sent"] = "agent.thread_message_sent"
    to_session_thread_id: str
    to_agent_name: str | None = None
    content: Content


class ThreadMessageReceived(Frozen):
    """This thread got a message from another."""

    type: Literal["agent.thread_message_received"] = "agent.thread_message_received"
    from_session_thread_id: str
    from_agent_name: str | None = None
    content: Content


class ThreadContextCompacted(Frozen):
    """The thread's history was summarised."""

    type: Literal["agent.thread_context_compacted"] = "agent.thread_context_compacted"


# -- session and threads -----------------------------------------------------------------------


class StatusRunning(Frozen):
    """The session works."""

    type: Literal["session.status_running"] = "session.status_running"
    reason: str = ""
    """What started it: `start`, `resume`, `message`, `source_added`, `approval`, …"""
    by: str = ""
    """Who let it: user, host and process; empty where it is not known."""


class StatusRescheduled(Frozen):
    """The engine will retry after a passing fault."""

    type: Literal["session.status_rescheduled"] = "session.status_rescheduled"
    reason: str = ""


class StatusIdle(Frozen):
    """The session waits, and why."""

    type: Literal["session.status_idle"] = "session.status_idle"
    stop_reason: StopReason


class StatusTerminated(Frozen):
    """The session is over for good."""

    type: Literal["session.status_terminated"] = "session.status_terminated"
    reason: str = ""


class SessionErrorDetail(Frozen):
    """What failed, whether it is retried."""

    type: str
    message: str
    retry_status: Literal["retrying", "exhausted", "terminal"] = "terminal"


class SessionError(Frozen):
    """Something failed in the engine."""

    type: Literal["session.error"] = "session.error"
    error: SessionErrorDetail


class SessionUsage(Frozen):
    """What was used so far."""

    type: Literal["session.usage"] = "session.usage"
    usage: dict[str, JsonValue]


class ThreadCreated(Frozen):
    """An agent got a stream of its own."""

    type: Literal["session.thread_created"] = "session.thread_created"
    session_thread_id: str
    agent_name: AgentName
    remote_id: str = ""
    """The server's id of it, where a server keeps it."""


class ThreadStatusRunning(Frozen):
    """A thread works."""

    type: Literal["session.thread_status_running"] = "session.thread_status_running"
    session_thread_id: str
    agent_name: AgentName
    doing: str = ""


class ThreadStatusIdle(Frozen):
    """A thread waits, and why."""

    type: Literal["session.thread_status_idle"] = "session.thread_status_idle"
    session_thread_id: str
    agent_name: AgentName
    stop_reason: StopReason


class ThreadStatusTerminated(Frozen):
    """A thread is over."""

    type: Literal["session.thread_status_terminated"] = "session.thread_status_terminated"
    session_thread_id: str
    agent_name: AgentName
    reason: str = ""


class ModelRequestStart(Frozen):
    """A model request started."""

    type: Literal["span.model_request_start"] = "span.model_request_start"
    estimate: dict[str, int] = Field(default_factory=dict)
    """The most that it can use (`Budget.start`): what counts where a crash lost its end."""


class ModelRequestEnd(Frozen):
    """A model request ended, with what it used."""

    type: Literal["span.model_request_end"] = "span.model_request_end"
    model_request_start_id: str
    model_usage: dict[str, JsonValue] = Field(default_factory=dict)
    is_error: bool = False
