"""The event vocabulary: what can happen in a session, as pydantic models discriminated on `type`.

Names follow the Managed Agents vocabulary wherever one exists, so that a local session and a hosted
one read the same; warroom's own start with `warroom.`. Unknown types are kept whole (`UnknownBody`).
Bodies hold redacted, uncleaned text: digests and quotes stay exact, views clean what they show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter

from orchestrator.journal.hosted import (
    AgentCustomToolUse,
    AgentMessage,
    AgentThinking,
    Content,
    ModelRequestEnd,
    ModelRequestStart,
    SessionError,
    SessionErrorDetail,
    SessionUsage,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    StopReason,
    StopReasonType,
    Text,
    ThreadContextCompacted,
    ThreadCreated,
    ThreadMessageReceived,
    ThreadMessageSent,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ThreadStatusTerminated,
    UserCustomToolResult,
    UserDefineOutcome,
    UserInterrupt,
    UserMessage,
    UserToolConfirmation,
    text_content,
)
from orchestrator.journal.own import (
    SCHEMA_VERSION,
    ApprovalDecided,
    ApprovalRequested,
    BoardEdited,
    BudgetChanged,
    ClaimsChecked,
    Egress,
    FindingReported,
    FixChecked,
    FixDelivered,
    FixDrafted,
    IncidentOpened,
    Mirrored,
    Note,
    PolicyDecided,
    Redacted,
    ResultAcknowledged,
    SessionRule,
    SourceAddedEvent,
    ToolFinished,
    ToolStarted,
    VerdictReached,
)
from orchestrator.journal.own_recheck import Rechecked
from orchestrator.journal.own_remote import RemoteSession
from orchestrator.journal.own_request import RemoteRequest
from subagents.contract import Frozen

MAIN_THREAD = "orchestrator"

__all__ = [
    "KNOWN_TYPES",
    "MAIN_THREAD",
    "SCHEMA_VERSION",
    "AgentCustomToolUse",
    "AgentMessage",
    "AgentThinking",
    "ApprovalDecided",
    "ApprovalRequested",
    "BoardEdited",
    "Body",
    "BudgetChanged",
    "ClaimsChecked",
    "Content",
    "Egress",
    "Event",
    "FindingReported",
    "FixChecked",
    "FixDelivered",
    "FixDrafted",
    "IncidentOpened",
    "KnownBody",
    "Mirrored",
    "ModelRequestEnd",
    "ModelRequestStart",
    "Note",
    "PolicyDecided",
    "Rechecked",
    "Redacted",
    "RemoteRequest",
    "RemoteSession",
    "ResultAcknowledged",
    "SessionError",
    "SessionErrorDetail",
    "SessionRule",
    "SessionUsage",
    "SourceAddedEvent",
    "StatusIdle",
    "StatusRescheduled",
    "StatusRunning",
    "StatusTerminated",
    "StopReason",
    "StopReasonType",
    "Text",
    "ThreadContextCompacted",
    "ThreadCreated",
    "ThreadMessageReceived",
    "ThreadMessageSent",
    "ThreadStatusIdle",
    "ThreadStatusRunning",
    "ThreadStatusTerminated",
    "ToolFinished",
    "ToolStarted",
    "UnknownBody",
    "UserCustomToolResult",
    "UserDefineOutcome",
    "UserInterrupt",
    "UserMessage",
    "UserToolConfirmation",
    "VerdictReached",
    "parse_body",
    "text_content",
]


class UnknownBody(Frozen):
    """An event of a type this version does not know, kept whole."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str


KnownBody = Annotated[
    UserMessage
    | UserInterrupt
    | UserToolConfirmation
    | UserDefineOutcome
    | UserCustomToolResult
    | AgentMessage
    | AgentThinking
    | AgentCustomToolUse
    | ThreadMessageSent
    | ThreadMessageReceived
    | ThreadContextCompacted
    | StatusRunning
    | StatusRescheduled
    | StatusIdle
    | StatusTerminated
    | SessionError
    | SessionUsage
    | ThreadCreated
    | ThreadStatusRunning
    | ThreadStatusIdle
    | ThreadStatusTerminated
    | ModelRequestStart
    | ModelRequestEnd
    | IncidentOpened
    | SourceAddedEvent
    | FindingReported
    | VerdictReached
    | ClaimsChecked
    | PolicyDecided
    | ApprovalRequested
    | ApprovalDecided
    | SessionRule
    | ToolStarted
    | ToolFinished
    | ResultAcknowledged
    | FixDrafted
    | FixChecked
    | FixDelivered
    | Redacted
    | Egress
    | BudgetChanged
    | BoardEdited
    | Mirrored
    | RemoteRequest
    | RemoteSession
    | Rechecked
    | Note,
    Field(discriminator="type"),
]

Body = KnownBody | UnknownBody

_BODY: TypeAdapter[Any] = TypeAdapter(KnownBody)
KNOWN_TYPES: frozenset[str] = frozenset(
    model.model_fields["type"].default for model in get_args(get_args(KnownBody)[0])
)


class Event(Frozen):
    """One appended fact: the envelope (ours) and the body (the vocabulary)."""

    seq: int
    """Dense per session, from 1. The only order."""
    ts: AwareDatetime
    """Wall clock, UTC: for display."""
    mono: float
    """Monotonic seconds of the process that wrote it: for durations within one process."""
    thread: str
    stream: str = "local"
    """Which stream it came by; with `source_id` and `processed` it is unique."""
    source_id: str | None = None
    processed: bool = True
    body: Body
    hash: str
    """SHA-256 hex of the previous hash and this event's stored bytes."""

    @property
    def type(self) -> str:
        """The body's type."""
        return self.body.type


def parse_body(raw: Mapping[str, Any]) -> Body:
    """Read a body; an unknown type, or a known one in a newer shape, is kept whole as UnknownBody."""
    kind = raw.get("type")
    if kind in KNOWN_TYPES:
        try:
            parsed: Body = _BODY.validate_python(raw)
        except ValueError:
            return UnknownBody.model_validate(dict(raw))
        return parsed
    return UnknownBody.model_validate(dict(raw))
