"""What an event says in an audit: who or what did it, what was done, and the digests and names that identify it.

Every type of the vocabulary is either said here or in `NOT_AUDITED` with the reason; a test keeps it so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import singledispatch
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue

from orchestrator.journal.events import (
    AgentCustomToolUse,
    AgentMessage,
    ApprovalDecided,
    ApprovalRequested,
    BoardEdited,
    BudgetChanged,
    ClaimsChecked,
    Content,
    Egress,
    FindingReported,
    FixChecked,
    FixDelivered,
    FixDrafted,
    IncidentOpened,
    ModelRequestEnd,
    Note,
    PolicyDecided,
    Rechecked,
    Redacted,
    RemoteSession,
    SessionError,
    SessionRule,
    SourceAddedEvent,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    ThreadContextCompacted,
    ThreadCreated,
    ThreadMessageReceived,
    ThreadMessageSent,
    ThreadStatusTerminated,
    ToolFinished,
    ToolStarted,
    UserDefineOutcome,
    UserInterrupt,
    UserMessage,
    UserToolConfirmation,
    VerdictReached,
)

NOT_AUDITED: Mapping[str, str] = MappingProxyType(
    {
        "warroom.remote_request": "what it became is audited: the session, the message, the interrupt, the egress",
        "warroom.mirrored": "a server's own copy of what is audited in words of this journal",
        "agent.thinking": "it says that work goes on, and nothing else",
        "session.thread_status_idle": "an agent pauses; what it did is in its calls and messages",
        "session.thread_status_running": "an agent works; what it does is in its calls and messages",
        "session.usage": "a running total of what `span.model_request_end` says one by one",
        "span.model_request_start": "its end is audited, and what was sent is `warroom.egress`",
        "user.custom_tool_result": "the hand-over of the result whose digest `warroom.tool_finished` has",
        "warroom.result_acknowledged": "the engine has the result; nothing is done or decided by it",
    }
)
"""Types that an audit leaves out, and why."""

PERSON, WARROOM, ENGINE = "person", "warroom", "engine"
THREAD = ""
"""Stands for the agent whose thread it is."""
_FIRST_WORDS = 80


class Said(NamedTuple):
    """One event in an audit."""

    who: str
    did: str
    about: dict[str, JsonValue]
    """Names and digests, in the order in which they are shown; what is empty is left out."""


def digest(value: object) -> str:
    """Return `sha256:` of a value's canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _text(content: Content) -> dict[str, JsonValue]:
    text = "\n".join(block.text for block in content)
    first = " ".join(text[: _FIRST_WORDS * 4].split())
    return {
        "digest": "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "says": first if len(first) <= _FIRST_WORDS else first[: _FIRST_WORDS - 1] + "…",
    }


def _chosen(detail: Mapping[str, JsonValue], *names: str) -> dict[str, JsonValue]:
    return {name: detail[name] for name in names if detail.get(name) not in (None, "")}


@singledispatch
def say(body: object) -> Said:
    """Return what an event says; one of a type or shape that is not known is said by its digest."""
    dumped = body.model_dump(mode="json") if hasattr(body, "model_dump") else str(body)
    return Said(THREAD, "recorded what this version does not know", {"digest": digest(dumped)})


# -- the session -------------------------------------------------------------------------------


@say.register
def _(body: IncidentOpened) -> Said:
    about: dict[str, JsonValue] = {
        "incident": body.incident.id,
        "engine": body.engine,
        "shown as": body.shown_as,
        "version": body.version,
        "settings": digest(body.settings),
        "by": body.settings.get("opened_by"),
    }
    return Said(PERSON, "opened the session", about)


@say.register
def _(body: SourceAddedEvent) -> Said:
    spec = body.spec
    about: dict[str, JsonValue] = {"source": spec.id, "kind": spec.kind, "path": spec.path}
    return Said(PERSON, "gave a source", {**about, "digest": digest(spec.model_dump(mode="json"))})


@say.register
def _(body: StatusRunning) -> Said:
    return Said(ENGINE, "started work", {"reason": body.reason, "by": body.by})


@say.register
def _(body: StatusRescheduled) -> Said:
    return Said(ENGINE, "waits to try again", {"reason": body.reason})


@say.register
def _(body: StatusIdle) -> Said:
    return Said(ENGINE, "stopped work", {"reason": body.stop_reason.type, "says": body.stop_reason.message})


@say.register
def _(body: StatusTerminated) -> Said:
    return Said(ENGINE, "ended for good", {"reason": body.reason})


@say.register
def _(body: SessionError) -> Said:
    return Said(
        ENGINE, "failed", {"error": body.error.type, "says": body.error.message, "then": body.error.retry_status}
    )


@say.register
def _(body: ThreadCreated) -> Said:
    return Said(ENGINE, "gave an agent a thread", {"agent": body.agent_name, "thread": body.session_thread_id})


@say.register
def _(body: ThreadStatusTerminated) -> Said:
    return Said(ENGINE, "ended an agent's thread", {"agent": body.agent_name, "reason": body.reason})


@say.register
def _(body: ThreadContextCompacted) -> Said:
    return Said(ENGINE, "summarised a thread's history", {})


@say.register
def _(body: ModelRequestEnd) -> Said:
    used = body.model_usage
    counts = _chosen(used, "model", "input_tokens", "output_tokens")
    about = {"request": body.model_request_start_id, **counts, "usage": digest(used)}
    return Said(ENGINE, "model request failed" if body.is_error else "model answered", about)


@say.register
def _(body: BudgetChanged) -> Said:
    detail = body.detail
    about = {"says": detail.get("words"), "overshoot": detail.get("overshoot"), "digest": digest(detail)}
    return Said(str(detail.get("by") or PERSON), "set the budget", about)


@say.register
def _(body: Note) -> Said:
    return Said(body.by, f"noted ({body.level})", {"says": body.text})


# -- what people and agents say -----------------------------------------------------------------


@say.register
def _(body: UserMessage) -> Said:
    return Said(PERSON, "wrote", {"to": body.to, **_text(body.content)})


@say.register
def _(body: UserInterrupt) -> Said:
    return Said(PERSON, "interrupted", {"thread": body.session_thread_id or "everything"})


@say.register
def _(body: UserToolConfirmation) -> Said:
    return Said(PERSON, f"said {body.result}", {"call": body.tool_use_id, "reason": body.deny_message})


@say.register
def _(body: UserDefineOutcome) -> Said:
    about: dict[str, JsonValue] = {"says": body.description, "rubric": digest(body.rubric)}
    return Said(PERSON, "set a goal", about)


@say.register
def _(body: AgentMessage) -> Said:
    return Said(THREAD, "wrote", _text(body.content))


@say.register
def _(body: ThreadMessageSent) -> Said:
    return Said(THREAD, "wrote", {"to": body.to_agent_name or body.to_session_thread_id, **_text(body.content)})


@say.register
def _(body: ThreadMessageReceived) -> Said:
    sender = body.from_agent_name or body.from_session_thread_id
    return Said(THREAD, "was written to", {"by": sender, **_text(body.content)})


# -- what was claimed ----------------------------------------------------------------------------


@say.register
def _(body: FindingReported) -> Said:
    finding = body.finding
    about: dict[str, JsonValue] = {"finding": body.id, "says": finding.claim}
    return Said(finding.agent, "reported a finding", {**about, "digest": digest(finding.model_dump(mode="json"))})


@say.register
def _(body: VerdictReached) -> Said:
    about: dict[str, JsonValue] = {"kind": body.verdict.kind, "says": body.verdict.headline}
    about["digest"] = digest(body.verdict.model_dump(mode="json"))
    return Said(THREAD, "concluded", about)


@say.register
def _(body: ClaimsChecked) -> Said:
    about: dict[str, JsonValue] = {body.subject: body.id, "by": body.claimant, "looked up": body.checked}
    about |= {"do not hold": len(body.doubts), "handed back": "yes" if body.handed_back else None}
    return Said(WARROOM, "checked a claim", about)


@say.register
def _(body: BoardEdited) -> Said:
    about: dict[str, JsonValue] = {"act": body.action, "suspect": body.suspect, "note": body.note, "by": body.by}
    return Said(PERSON, "edited the board", about)


@say.register
def _(body: Rechecked) -> Said:
    about: dict[str, JsonValue] = {"state": body.word, "as of": body.as_of.isoformat() if body.as_of else None}
    return Said(PERSON, "had the symptom measured again", {**about, "reason": body.reason, "by": body.by})


# -- what was done, and who let it be -------------------------------------------------------------


@say.register
def _(body: AgentCustomToolUse) -> Said:
    return Said(THREAD, "asked for a call", {"tool": body.name, "arguments": digest(body.input)})


@say.register
def _(body: PolicyDecided) -> Said:
    about: dict[str, JsonValue] = {"tool": body.tool, "of": body.agent, "call": body.tool_use_id}
    return Said(WARROOM, f"policy: {body.decision}", {**about, "rule": body.rule, "reason": body.reason})


@say.register
def _(body: ApprovalRequested) -> Said:
    about: dict[str, JsonValue] = {"approval": body.id, "subject": body.subject, "digest": body.digest}
    what = _chosen(body.detail, "agent", "tool", "draft", "commit", "ref", "url")
    if digest(body.detail) != body.digest:
        what["binds"] = "not what is on record"
    return Said(WARROOM, "asked for approval", {**about, **what})


@say.register
def _(body: ApprovalDecided) -> Said:
    did = {"approve": "approved", "reject": "rejected", "void": "voided an approval"}[body.decision]
    return Said(body.by, did, {"approval": body.id, "digest": body.digest, "reason": body.reason})


@say.register
def _(body: SessionRule) -> Said:
    did = "allowed for the session" if body.action == "allow" else "revoked what was allowed for the session"
    about: dict[str, JsonValue] = {"rule": body.name, "tool": body.tool, "of": body.agent, "digest": body.digest}
    return Said(body.by, did, {**about, "approval": body.approval, "reason": body.reason})


@say.register
def _(body: ToolStarted) -> Said:
    about: dict[str, JsonValue] = {"tool": body.tool, "call": body.tool_use_id, "effect": body.effect}
    return Said(WARROOM, "started a call", {**about, "attempt": body.attempt if body.attempt > 1 else None})


@say.register
def _(body: ToolFinished) -> Said:
    result = body.blob or digest({"data": body.data, "text": body.text})
    about: dict[str, JsonValue] = {"tool": body.tool, "call": body.tool_use_id, "outcome": body.outcome}
    return Said(WARROOM, "finished a call", {**about, "result": result, "redacted": body.redacted or None})


@say.register
def _(body: Redacted) -> Said:
    counts: dict[str, JsonValue] = dict(sorted(body.counts.items()))
    return Said(WARROOM, "redacted", {"where": body.where, **counts})


@say.register
def _(body: RemoteSession) -> Said:
    did = {
        "created": "created a session at a server",
        "attached": "attached to a session at a server, to watch",
        "claimed": "took over the hands of a session at a server",
        "lost": "lost the hands of a session at a server",
    }
    about: dict[str, JsonValue] = {"session": body.id, "host": body.host, "agent": body.agent, "made by": body.install}
    who = body.by if body.act == "claimed" and body.by else WARROOM
    return Said(who, did[body.act], {**about, "now with": body.by if body.act == "lost" else None})


@say.register
def _(body: FixDrafted) -> Said:
    about = _chosen(body.detail, "kind", "commit", "tree", "base", "branch", "diff_digest")
    return Said(THREAD, "drafted a fix", {"draft": body.id, **about})


@say.register
def _(body: FixChecked) -> Said:
    about = _chosen(body.detail, "commit", "claim", "sandbox")
    return Said(THREAD, "tested a fix", {"draft": body.id, **about, "digest": digest(body.detail)})


@say.register
def _(body: FixDelivered) -> Said:
    about = _chosen(body.detail, "ref", "commit", "repo", "approval", "digest")
    return Said(WARROOM, "delivered a fix", {"draft": body.id, **about})


@say.register
def _(body: Egress) -> Said:
    detail = body.detail
    phase = detail.get("phase")
    if phase is None:
        phase = "sent" if "outcome" not in detail else "answered"
    did = {
        "sent": "sent to",
        "answered": "was answered by",
        "failed": "failed to send to",
        "refused": "refused to send to",
    }
    about: dict[str, JsonValue] = {"host": body.host, "purpose": body.purpose, "bytes": body.bytes_out or None}
    names = ("request", "method", "url", "redirected_from", "status", "why", "draft", "approval", "ref", "commit")
    return Said(
        WARROOM, did.get(str(phase), "had to do with"), {**about, **_chosen(detail, *names, "about_bytes", "outcome")}
    )
