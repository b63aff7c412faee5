"""Small pure folds of a journal that several rooms need; each takes events in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from orchestrator.journal.events import (
    AgentCustomToolUse,
    ApprovalDecided,
    ApprovalRequested,
    ClaimsChecked,
    Event,
    FindingReported,
    PolicyDecided,
    ResultAcknowledged,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    ToolFinished,
    ToolStarted,
    UserCustomToolResult,
    VerdictReached,
)
from orchestrator.journal.own_remote import REMOTE_TYPES
from orchestrator.journal.verdict import Verdict
from subagents.contract import Evidence, Finding, Frozen

SessionStatus = Literal["idle", "running", "rescheduling", "terminated"]

STATUS_TYPES = frozenset(
    {"session.status_idle", "session.status_running", "session.status_rescheduled", "session.status_terminated"}
)
APPROVAL_TYPES = frozenset({"warroom.approval_requested", "warroom.approval_decided"})
CALL_TYPES = frozenset(
    {
        "agent.custom_tool_use",
        "warroom.policy_decided",
        "warroom.tool_started",
        "warroom.tool_finished",
        "user.custom_tool_result",
        "warroom.result_acknowledged",
    }
)
SUMMARY_TYPES = (
    STATUS_TYPES | APPROVAL_TYPES | REMOTE_TYPES | {"warroom.incident", "warroom.verdict", "warroom.remote_request"}
)
"""What the list of sessions is made from."""
EVIDENCE_TYPES = frozenset({"warroom.tool_finished", "warroom.verdict", "warroom.claims_checked"})

CallState = Literal["requested", "decided", "started", "finished", "handed_over", "acknowledged"]


class Call(Frozen):
    """How far one tool call got. `finished` holds its stored result; nothing is owed once `acknowledged`."""

    id: str
    thread: str
    state: CallState
    request: AgentCustomToolUse | None = None
    decision: PolicyDecided | None = None
    started: ToolStarted | None = None
    """The last attempt."""
    finished: ToolFinished | None = None
    requested_seq: int = 0


def status(events: Iterable[Event]) -> tuple[SessionStatus, str]:
    """Return the session's status and its reason; a journal that says nothing is idle, `not started`."""
    state: tuple[SessionStatus, str] = ("idle", "not started")
    for event in events:
        match event.body:
            case StatusRunning(reason=reason):
                state = ("running", reason)
            case StatusRescheduled(reason=reason):
                state = ("rescheduling", reason)
            case StatusIdle(stop_reason=stop):
                state = ("idle", stop.type)
            case StatusTerminated(reason=reason):
                state = ("terminated", reason)
            case _:
                continue
    return state


def evidence(events: Iterable[Event]) -> dict[str, Evidence]:
    """Return every piece of frozen evidence by its citation, as it was when first cited."""
    found: dict[str, Evidence] = {}
    for event in events:
        body = event.body
        made = body.citations if isinstance(body, ToolFinished) else ()
        made = body.evidence if isinstance(body, VerdictReached | ClaimsChecked) else made
        for item in made:
            found.setdefault(item.ref, item)
    return found


def findings(events: Iterable[Event]) -> dict[str, Finding]:
    """Return the findings that count by id, oldest first."""
    found: dict[str, Finding] = {}
    doubted: set[str] = set()
    for event in events:
        if isinstance(event.body, FindingReported):
            found.setdefault(event.body.id, event.body.finding)
        elif isinstance(event.body, ClaimsChecked) and event.body.subject == "finding":
            (doubted.add if event.body.doubts else doubted.discard)(event.body.id)
    return {identity: finding for identity, finding in found.items() if identity not in doubted}


def verdict(events: Iterable[Event]) -> Verdict | None:
    """Return the last verdict, without what in it does not hold; None while there is none."""
    found: Verdict | None = None
    for event in events:
        if isinstance(event.body, VerdictReached):
            found = event.body.stands
    return found


def calls(events: Iterable[Event]) -> dict[str, Call]:
    """Return every tool call by its id, in the order they were requested."""
    found: dict[str, Call] = {}
    for event in events:
        step = _step(event)
        if step is None:
            continue
        call_id, changes = step
        call = found.get(call_id) or Call(id=call_id, thread=event.thread, state="requested", requested_seq=event.seq)
        found[call_id] = call.model_copy(update=changes)
    return found


def pending_calls(events: Iterable[Event]) -> dict[str, Call]:
    """Return the calls that are still owed something, by id, oldest first: all that are not acknowledged."""
    return {call_id: call for call_id, call in calls(events).items() if call.state != "acknowledged"}


def pending_approvals(events: Iterable[Event]) -> dict[str, ApprovalRequested]:
    """Return the approvals that wait for a person, by id; a decision on another digest decides nothing."""
    waiting: dict[str, ApprovalRequested] = {}
    for event in events:
        body = event.body
        if isinstance(body, ApprovalRequested):
            waiting[body.id] = body
        elif isinstance(body, ApprovalDecided) and body.id in waiting and _settles(body, waiting[body.id]):
            del waiting[body.id]
    return waiting


def _settles(decided: ApprovalDecided, asked: ApprovalRequested) -> bool:
    return decided.decision == "void" or decided.digest == asked.digest


def _step(event: Event) -> tuple[str, dict[str, object]] | None:
    """Return which call an event moves, and what it changes about it."""
    match event.body:
        case AgentCustomToolUse() as body if event.source_id:
            return event.source_id, {"request": body, "thread": event.thread, "requested_seq": event.seq}
        case PolicyDecided(tool_use_id=call_id) as body:
            return call_id, {"state": "decided", "decision": body}
        case ToolStarted(tool_use_id=call_id) as body:
            return call_id, {"state": "started", "started": body}
        case ToolFinished(tool_use_id=call_id) as body:
            return call_id, {"state": "finished", "finished": body}
        case UserCustomToolResult(custom_tool_use_id=call_id):
            return call_id, {"state": "handed_over"}
        case ResultAcknowledged(tool_use_id=call_id):
            return call_id, {"state": "acknowledged"}
        case _:
            return None
