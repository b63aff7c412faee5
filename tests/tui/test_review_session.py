"""A call's card shows all of it; a yes for the session has its own key, covers what was shown, is taken back here."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.hands.approvals import digest_of
from orchestrator.hands.policy import Policy
from orchestrator.hands.session_rules import SessionRules, call_detail, rule_from
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested, SessionRule
from tests.hands import toy_roster
from tests.tui.decisions import CALL as OTHER_CALL
from tests.tui.decisions import Case, reviewing, ticked
from tests.tui.payloads import forbidden
from tests.tui.stage import painted, shown
from tui.views.approval_gate import ARMED_S, QUIET_S, ApprovalGate
from tui.views.call_review import call_sheet, rule_sheet
from tui.views.paint import text_of

CALL = "call:c2"


def asked(**arguments: Any) -> ApprovalRequested:
    """A call as hands put it before a person."""
    tool = toy_roster.build(()).tool("toys", "toys_unkeyed")
    assert tool is not None
    detail = call_detail("toys", tool, arguments, Policy().decide("toys", tool, arguments))
    return ApprovalRequested(id=CALL, subject="tool_call", digest=digest_of(detail), detail=detail)


def case_of(request: ApprovalRequested) -> Case:
    case = Case()
    case.view.incident.pending.clear()
    case.learn(request)
    return case


def stands(case: Case, request: ApprovalRequested) -> SessionRule:
    rule = rule_from(request, "person")
    case.learn(ApprovalDecided(id=CALL, decision="approve", digest=request.digest, by="person"), rule)
    return rule


async def test_the_card_shows_every_argument_whole_why_it_is_asked_and_what_it_may_change() -> None:
    long = "x" * 3000 + "END"
    case = case_of(asked(path="/etc/hosts", text="a\nb\u202e", many=[1, {"deep": [True]}], long=long))
    async with reviewing(case, CALL) as (screen, pilot):
        assert screen.sheet is not None
        facts = "\n".join(f"{text_of(one.gutter)}{one.text}" for one in screen.sheet.facts)
        for said in ("agent      toys", "tool       toys_unkeyed", "must never be run twice", "it changes something"):
            assert said in facts
        lines = "\n".join(one.text for one in screen.sheet.files[0].lines)
        for said in ("path = /etc/hosts", "  | b\\u{202e}", '"deep": [', long):
            assert said in lines
        assert "1 hidden character" in shown(pilot.app)
        assert "S arm for session" in shown(pilot.app)


async def test_its_own_key_and_the_confirming_one_approve_it_for_the_session() -> None:
    request = asked(path="/a")
    case = case_of(request)
    async with reviewing(case, CALL) as (_, pilot):
        await ticked(pilot, "S")
        assert "ARMED 10 s FOR THE SESSION" in shown(pilot.app)
        assert "each time it is asked for again" in shown(pilot.app)
        assert not case.acts.done
        await ticked(pilot, "Y")
        assert case.acts.done == [("decide_for_session", CALL, "approve", request.digest)]


@pytest.mark.parametrize(
    ("keys", "done"),
    [
        (("S", "escape", "a", "Y"), "decide"),
        (("S", "a", "Y"), "decide"),
        (("a", "S", "Y"), "decide_for_session"),
        (("S", "escape", "Y"), ""),
        (("S", "S", "S"), ""),
    ],
)
async def test_the_last_key_that_armed_it_counts(keys: tuple[str, ...], done: str) -> None:
    case = case_of(asked(path="/a"))
    async with reviewing(case, CALL) as (_, pilot):
        await ticked(pilot, *keys)
        assert [what[0] for what in case.acts.done] == ([done] if done else [])


async def test_a_fix_cannot_be_approved_for_the_session() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        await ticked(pilot, "S", "Y")
        assert "ARMED" not in shown(pilot.app)
        assert not case.approved


async def test_what_stands_is_listed_shown_whole_and_taken_back() -> None:
    request = asked(path="/a")
    case = case_of(request)
    rule = stands(case, request)
    assert case.view.to_review == [rule.name]
    async with reviewing(case, None) as (screen, pilot):
        assert screen.sheet is not None
        text = shown(pilot.app)
        assert "toys may run toys_unkeyed for this session" in text
        assert "path = /a" in text
        assert "STANDS" in text
        await ticked(pilot, "a", "Y", "S", "Y")
        assert not case.acts.done, "there is nothing to approve in it"
        await ticked(pilot, "r")
        await ticked(pilot, *"wrong", "enter")
        assert case.acts.done == [("revoke", rule.name, "wrong")]
        case.learn(rule.model_copy(update={"action": "revoke"}))
        await ticked(pilot)
        assert "it was taken back" in shown(pilot.app)
        assert case.view.to_review == []


async def test_what_waits_comes_before_what_stands() -> None:
    case = Case()
    case.view.incident.pending.pop(OTHER_CALL)
    request = asked(path="/a")
    case.learn(request)
    rule = stands(case, request)
    assert case.view.to_review == [f"fix:{case.draft.id}:1", rule.name]
    async with reviewing(case) as (screen, pilot):
        await ticked(pilot, "n")
        assert screen.sheet is not None
        assert screen.sheet.subject == "rule"


def test_the_gate_forgets_what_it_was_armed_for() -> None:
    from tests.fakes import FakeClock

    clock = FakeClock()
    gate = ApprovalGate(clock)
    clock.advance(QUIET_S)
    assert gate.arm("d", for_session=True)
    assert gate.for_session
    clock.advance(ARMED_S)
    assert gate.confirm("d") is None
    assert gate.arm("d")
    assert not gate.for_session


def test_all_that_an_approval_binds_is_on_its_card() -> None:
    request = asked(path="/a")
    detail = {**request.detail, "more": {"than": "known"}}
    told = call_sheet(request.model_copy(update={"detail": detail, "digest": digest_of(detail)}))
    assert any('{"than": "known"}' in one.text for one in told.facts)
    assert not told.trouble
    assert call_sheet(request.model_copy(update={"detail": detail})).trouble


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZXZpbA==\x07", "[b]x[/b]", "\u202e", "\x00", "a\r\nb"])
async def test_hostile_text_acts_on_nothing(evil: str) -> None:
    request = asked(**{"path": evil, evil or "x": evil})
    request = request.model_copy(update={"detail": {**request.detail, "agent": evil, "tool": evil, "reason": evil}})
    case = case_of(request.model_copy(update={"digest": digest_of(request.detail)}))
    async with reviewing(case, CALL) as (_, pilot):
        assert not [char for row in painted(pilot.app) for char in row if forbidden(char)]
    rules = SessionRules()
    sheet = rule_sheet(rule_from(request, evil), request)
    assert not rules.standing()
    assert sheet.digest == ""
