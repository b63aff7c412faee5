"""The folds: status, evidence, findings, calls and approvals are queries over the journal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.journal import fold
from orchestrator.journal.events import (
    AgentCustomToolUse,
    ApprovalDecided,
    ApprovalRequested,
    Body,
    Event,
    FindingReported,
    Note,
    PolicyDecided,
    ResultAcknowledged,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    StopReason,
    ToolFinished,
    ToolStarted,
    UserCustomToolResult,
    VerdictReached,
)
from orchestrator.journal.verdict import Confidence, Verdict
from subagents.contract import Evidence, Finding


def events(*bodies: Body | tuple[Body, str]) -> list[Event]:
    made = []
    for seq, item in enumerate(bodies, 1):
        body, source_id = item if isinstance(item, tuple) else (item, None)
        made.append(
            Event(
                seq=seq,
                ts=datetime(2026, 3, 1, tzinfo=UTC),
                mono=0,
                thread="logs",
                source_id=source_id,
                body=body,
                hash="",
            )
        )
    return made


def proof(ref: str, excerpt: str = "x") -> Evidence:
    return Evidence(ref=ref, digest="sha256:0", excerpt=excerpt)


IDLE = StatusIdle(stop_reason=StopReason(type="end_turn"))


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ([], ("idle", "not started")),
        ([StatusRunning(reason="start"), Note(text="x")], ("running", "start")),
        ([StatusRunning(), IDLE], ("idle", "end_turn")),
        ([StatusRunning(), StatusRescheduled(reason="overloaded")], ("rescheduling", "overloaded")),
        ([IDLE, StatusTerminated(reason="deleted")], ("terminated", "deleted")),
    ],
)
def test_status(bodies: list[Body], expected: tuple[str, str]) -> None:
    assert fold.status(events(*bodies)) == expected


def finished(call: str, **more: Any) -> ToolFinished:
    return ToolFinished(tool_use_id=call, tool="logs_search", outcome="ok", seconds=0.1, **more)


def test_evidence_is_as_it_was_when_first_cited() -> None:
    verdict = Verdict(kind="inconclusive", headline="h", confidence=Confidence(value=0.1))
    found = fold.evidence(
        events(
            finished("t1", citations=(proof("log:a@0+1", "first"),)),
            finished("t2", citations=(proof("log:a@0+1", "second"), proof("log:a@9+1"))),
            VerdictReached(verdict=verdict, evidence=(proof("runbook:x#1"),)),
        )
    )
    assert list(found) == ["log:a@0+1", "log:a@9+1", "runbook:x#1"]
    assert found["log:a@0+1"].excerpt == "first"
    assert fold.verdict(events(VerdictReached(verdict=verdict))) == verdict
    assert fold.verdict(events(Note(text="x"))) is None


def test_findings() -> None:
    one = Finding(agent="logs", claim="a", topic="errors")
    two = Finding(agent="logs", claim="b", topic="errors")
    reported = [FindingReported(id=f.id, finding=f) for f in (one, two, one)]
    assert fold.findings(events(*reported)) == {one.id: one, two.id: two}


def test_a_call_is_owed_something_until_it_is_acknowledged() -> None:
    use = (AgentCustomToolUse(name="logs_search", input={}), "t1")
    steps: list[Body | tuple[Body, str]] = [
        use,
        PolicyDecided(tool_use_id="t1", agent="logs", tool="logs_search", decision="allow", rule="default"),
        ToolStarted(tool_use_id="t1", tool="logs_search", effect="read"),
        ToolStarted(tool_use_id="t1", tool="logs_search", effect="read", attempt=2),
        finished("t1", text="result"),
        UserCustomToolResult(custom_tool_use_id="t1"),
        ResultAcknowledged(tool_use_id="t1"),
    ]
    states = [fold.calls(events(*steps[:count]))["t1"].state for count in range(1, 8)]
    assert states == ["requested", "decided", "started", "started", "finished", "handed_over", "acknowledged"]
    for count in range(1, 7):
        assert list(fold.pending_calls(events(*steps[:count]))) == ["t1"]
    assert fold.pending_calls(events(*steps)) == {}
    call = fold.calls(events(*steps))["t1"]
    assert call.request == use[0]
    assert call.started is not None
    assert call.started.attempt == 2
    assert call.finished is not None
    assert call.finished.text == "result"
    assert (call.thread, call.requested_seq) == ("logs", 1)


def test_an_approval_waits_for_a_decision_on_the_same_bytes() -> None:
    asked = ApprovalRequested(id="a", subject="fix", digest="sha256:1", detail={})
    other = ApprovalDecided(id="a", decision="approve", digest="sha256:2", by="me")
    assert fold.pending_approvals(events(asked, other)) == {"a": asked}
    for decision in (
        ApprovalDecided(id="a", decision="approve", digest="sha256:1", by="me"),
        ApprovalDecided(id="a", decision="reject", digest="sha256:1", by="me"),
        ApprovalDecided(id="a", decision="void", digest="sha256:2", by="warroom"),
    ):
        assert fold.pending_approvals(events(asked, decision)) == {}
    assert fold.pending_approvals(events(other)) == {}
