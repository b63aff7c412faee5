"""Asking a person: what a decision binds to, and every way in which it does not count."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator.hands.approvals import ApprovalError, digest_of
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested
from orchestrator.journal.fold import pending_approvals, pending_calls
from subagents.contract import ToolResult
from tests.hands.conftest import OWN, MakeRig, Rig, effects


async def _asked(make_rig: MakeRig, path: Path, **options: Any) -> tuple[Rig, asyncio.Task[ToolResult[Any]]]:
    rig = await make_rig(attended=True, **options)
    call = rig.begin("toys_unkeyed", path=str(path))
    await rig.until("warroom.approval_requested")
    return rig, call


async def test_with_nobody_there_a_call_that_needs_a_yes_is_denied(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = await make_rig()
    result = await rig.call("toys_unkeyed", path=str(tmp_path))
    assert result.outcome == "denied"
    assert "nobody is here" in result.text
    assert not rig.events("warroom.tool_started")
    assert not effects(tmp_path)
    assert not pending_approvals(rig.journal.events())


async def test_an_approved_call_runs_and_not_before(make_rig: MakeRig, tmp_path: Path) -> None:
    rig, call = await _asked(make_rig, tmp_path)
    (asked,) = rig.approvals.pending()
    assert asked.detail == {
        "agent": "toys",
        "tool": "toys_unkeyed",
        "input": {"path": str(tmp_path)},
        "effect": "unkeyed",
        "private": False,
        "rule": "unkeyed",
        "reason": "it changes something",
    }
    assert asked.digest == digest_of(asked.detail)
    assert not rig.events("warroom.tool_started")
    await rig.approvals.decide(asked.id, "approve", asked.digest, "ann")
    assert (await call).outcome == "ok"
    assert (tmp_path / "c1.unkeyed").exists()
    assert not rig.approvals.pending()


async def test_a_rejected_call_says_why_and_never_runs(make_rig: MakeRig, tmp_path: Path) -> None:
    rig, call = await _asked(make_rig, tmp_path)
    (asked,) = rig.approvals.pending()
    await rig.approvals.decide(asked.id, "reject", asked.digest, "ann", "not during the freeze")
    result = await call
    assert (result.outcome, "not during the freeze" in result.text) == ("denied", True)
    assert not effects(tmp_path)


async def test_a_yes_to_other_bytes_voids_it(make_rig: MakeRig, tmp_path: Path) -> None:
    rig, call = await _asked(make_rig, tmp_path)
    (asked,) = rig.approvals.pending()
    other = digest_of({**asked.detail, "input": {"path": "/"}})
    decided = await rig.approvals.decide(asked.id, "approve", other, "ann")
    assert decided.decision == "void"
    assert (await call).outcome == "denied"
    assert not effects(tmp_path)


async def test_bytes_that_change_after_the_yes_void_it(make_rig: MakeRig, tmp_path: Path) -> None:
    """The journal says yes to one call; what would run is another: it is taken back, not run."""
    rig = await make_rig(attended=True)
    detail = {"agent": "toys", "tool": "toys_unkeyed", "input": {"path": "/elsewhere"}}
    asked = ApprovalRequested(id="call:c1", subject="tool_call", digest=digest_of(detail), detail=detail)
    await rig.approvals.request("toys", "tool_call", "call:c1", detail)
    await rig.approvals.decide("call:c1", "approve", asked.digest, "ann")
    result = await rig.call("toys_unkeyed", path=str(tmp_path))
    assert (result.outcome, "not the one that was approved" in result.text) == ("denied", True)
    assert not effects(tmp_path)
    assert [event.body.decision for event in rig.events("warroom.approval_decided")] == ["approve", "void"]  # type: ignore[union-attr]


async def test_a_yes_outlives_the_process_that_asked(make_rig: MakeRig, tmp_path: Path) -> None:
    rig, call = await _asked(make_rig, tmp_path)
    (asked,) = rig.approvals.pending()
    await rig.approvals.decide(asked.id, "approve", asked.digest, "ann")
    await call
    rig2, call2 = await _asked(make_rig, tmp_path, name="second")
    body = rig2.approvals.pending()[0]
    decided = ApprovalDecided(id=body.id, decision="approve", digest=body.digest, by="ann")
    await rig2.journal.append(Entry(decided, "toys", "hands", f"decided:{body.id}"))
    await rig2.journal.close()  # the process that asked is gone, its call with it
    call2.cancel()
    await asyncio.gather(call2, return_exceptions=True)
    again = await make_rig(name="second")
    for one in effects(tmp_path):
        one.unlink()
    assert (await again.call("toys_unkeyed", path=str(tmp_path))).outcome == "ok"
    assert (tmp_path / "c1.unkeyed").exists()


async def test_a_cancelled_wait_voids_the_question(make_rig: MakeRig, tmp_path: Path) -> None:
    rig, call = await _asked(make_rig, tmp_path)
    (asked,) = rig.approvals.pending()
    rig.hands.cancel("toys")
    assert (await call).outcome == "cancelled"
    assert not rig.approvals.pending()
    with pytest.raises(ApprovalError, match="decided already"):
        await rig.approvals.decide(asked.id, "approve", asked.digest, "ann")
    assert not pending_calls(rig.journal.events())
    assert not effects(tmp_path)


async def test_only_one_decision_counts(make_rig: MakeRig, tmp_path: Path) -> None:
    rig, call = await _asked(make_rig, tmp_path)
    (asked,) = rig.approvals.pending()
    both = await asyncio.gather(
        rig.approvals.decide(asked.id, "reject", asked.digest, "ann"),
        rig.approvals.decide(asked.id, "approve", asked.digest, "bob"),
        return_exceptions=True,
    )
    assert [type(item) for item in both] == [ApprovalDecided, ApprovalError]
    assert (await call).outcome == "denied"
    with pytest.raises(ApprovalError, match="nothing of that name"):
        await rig.approvals.decide("call:other", "approve", asked.digest, "bob")


async def test_what_cannot_be_shown_cannot_be_approved(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = await make_rig(attended=True)
    result = await rig.call("toys_unkeyed", path=str(tmp_path / OWN))
    assert (result.outcome, "hold a secret" in result.text) == ("denied", True)
    assert not rig.approvals.pending()
