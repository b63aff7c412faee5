"""A yes for the rest of the session: to exactly the call that was shown, until it is taken back, and never wider."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.hands.approvals import ApprovalError, digest_of
from orchestrator.hands.policy import Policy, Rule
from orchestrator.hands.session_rules import SessionRules, call_detail, rule_from
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested, PolicyDecided, SessionRule
from subagents.contract import ToolResult
from subagents.specialist import Roster
from tests.hands.conftest import MakeRig, Rig, effects


async def _given(make_rig: MakeRig, path: Path) -> tuple[Rig, SessionRule]:
    """A rig in which a person approved `toys_unkeyed(path)` for the session, and the call has run."""
    rig = await make_rig(attended=True)
    call = rig.begin("toys_unkeyed", path=str(path))
    await rig.until("warroom.approval_requested")
    (asked,) = rig.approvals.pending()
    rule = await rig.approvals.decide_for_session(asked.id, asked.digest, "ann")
    assert (await call).outcome == "ok"
    return rig, rule


def _decisions(rig: Rig, call_id: str) -> list[tuple[str, str]]:
    bodies = [event.body for event in rig.events("warroom.policy_decided")]
    return [(b.decision, b.rule) for b in bodies if isinstance(b, PolicyDecided) and b.tool_use_id == call_id]


async def test_the_same_call_is_not_asked_about_again_and_its_decision_names_the_rule(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    rig, rule = await _given(make_rig, tmp_path)
    assert _decisions(rig, "c1") == [("ask", "unkeyed")]
    assert (await rig.call("toys_unkeyed", "c2", path=str(tmp_path))).outcome == "ok"
    assert _decisions(rig, "c2") == [("allow", rule.name)]
    assert len(rig.events("warroom.approval_requested")) == 1
    assert len(effects(tmp_path)) == 2
    assert rig.approvals.rules.standing() == (rule,)
    assert (rule.agent, rule.tool, rule.by) == ("toys", "toys_unkeyed", "ann")


@pytest.mark.parametrize(
    ("agent", "tool", "arguments"),
    [
        ("toys", "toys_unkeyed", {"path": "{path}/"}),
        ("toys", "toys_unkeyed", {"path": "{path}/../x"}),
        ("toys", "toys_unkeyed", {"path": "{path}\u200b"}),
        ("toys", "toys_unkeyed", {"path": " {path}"}),
        ("toys", "toys_unkeyed", {"path": ["{path}"]}),
        ("toys", "toys_unkeyed", {"path": "{path}", "more": None}),
        ("toys", "toys_keyed", {"path": "{path}"}),
        ("others", "toys_unkeyed", {"path": "{path}"}),
        ("toys", "toys_send", {}),
    ],
)
async def test_nothing_else_is_let_through(
    make_rig: MakeRig, tmp_path: Path, agent: str, tool: str, arguments: dict[str, Any]
) -> None:
    rig, rule = await _given(make_rig, tmp_path)
    rig.approvals.attended = False

    def fill(value: Any) -> Any:
        return [fill(item) for item in value] if isinstance(value, list) else value and value.format(path=tmp_path)

    filled = {name: fill(value) for name, value in arguments.items()}
    result = await rig.call(tool, "c2", agent=agent, **filled)
    assert result.outcome in ("denied", "error")
    assert ("allow", rule.name) not in _decisions(rig, "c2")
    assert len(effects(tmp_path)) == 1


async def test_it_outlives_the_process_and_ends_when_it_is_taken_back(make_rig: MakeRig, tmp_path: Path) -> None:
    first, rule = await _given(make_rig, tmp_path)
    await first.hands.close()
    await first.journal.close()
    rig = await make_rig(attended=False)
    assert (await rig.call("toys_unkeyed", "c2", path=str(tmp_path))).outcome == "ok"
    ended = await rig.approvals.revoke(rule.name, "bob", "wrong host")
    assert (ended.action, ended.by, ended.reason) == ("revoke", "bob", "wrong host")
    assert not rig.approvals.rules.standing()
    assert (await rig.call("toys_unkeyed", "c3", path=str(tmp_path))).outcome == "denied"
    assert (await rig.call("toys_unkeyed", "c2", path=str(tmp_path))).outcome == "ok", "what was done stays done"
    with pytest.raises(ApprovalError, match="no approval of that name stands"):
        await rig.approvals.revoke(rule.name, "bob")
    await rig.hands.close()
    await rig.journal.close()
    again = await make_rig(attended=False)
    assert not again.approvals.rules.standing()
    assert (await again.call("toys_unkeyed", "c4", path=str(tmp_path))).outcome == "denied"


@pytest.mark.parametrize("where", ["mine", "project"])
async def test_a_deny_rule_still_wins(make_rig: MakeRig, tmp_path: Path, where: str) -> None:
    rig, _ = await _given(make_rig, tmp_path)
    deny = (Rule(name="freeze", answer="deny", tool="toys_unkeyed"),)
    rig.hands.policy = Policy(deny) if where == "mine" else Policy((), deny)
    result = await rig.call("toys_unkeyed", "c2", path=str(tmp_path))
    assert (result.outcome, "freeze" in result.text) == ("denied", True)
    assert _decisions(rig, "c2") == [("deny", "freeze")]


async def test_a_tool_that_became_another_is_asked_about_again(make_rig: MakeRig, tmp_path: Path) -> None:
    """What the card said it may change is part of what was approved; and nothing outward is ever covered."""
    rig, _ = await _given(make_rig, tmp_path)
    rig.approvals.attended = False
    toys = rig.hands.roster.agents["toys"]
    for number, changes in enumerate(({"effect": "keyed"}, {"private": True}, {"outward": True})):
        tools = tuple(replace(one, **changes) if one.name == "toys_unkeyed" else one for one in toys.tools)  # type: ignore[arg-type]
        rig.hands.roster = Roster({"toys": replace(toys, tools=tools)})
        assert (await rig.call("toys_unkeyed", f"x{number}", path=str(tmp_path))).outcome == "denied"


async def test_only_a_yes_to_the_shown_bytes_of_a_call_goes_on(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = await make_rig(attended=True)
    call = rig.begin("toys_unkeyed", path=str(tmp_path))
    await rig.until("warroom.approval_requested")
    (asked,) = rig.approvals.pending()
    with pytest.raises(ApprovalError, match="void"):
        await rig.approvals.decide_for_session(asked.id, digest_of({**asked.detail, "input": {}}), "ann")
    assert (await call).outcome == "denied"
    with pytest.raises(ApprovalError, match="decided already"):
        await rig.approvals.decide_for_session(asked.id, asked.digest, "ann")
    with pytest.raises(ApprovalError, match="nothing of that name"):
        await rig.approvals.decide_for_session("call:none", asked.digest, "ann")
    fix = await rig.approvals.request("codefix", "fix", "fix:1", {"commit": "0" * 40})
    with pytest.raises(ApprovalError, match="only a tool call"):
        await rig.approvals.decide_for_session(fix.id, fix.digest, "ann")
    assert not rig.approvals.rules.standing()
    assert not rig.events("warroom.session_rule")


async def test_whoever_decides_second_gives_no_rule(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = await make_rig(attended=True)
    call = rig.begin("toys_unkeyed", path=str(tmp_path))
    await rig.until("warroom.approval_requested")
    (asked,) = rig.approvals.pending()
    both = await asyncio.gather(
        rig.approvals.decide(asked.id, "reject", asked.digest, "ann"),
        rig.approvals.decide_for_session(asked.id, asked.digest, "bob"),
        return_exceptions=True,
    )
    assert [type(item) for item in both] == [ApprovalDecided, ApprovalError]
    assert (await call).outcome == "denied"
    assert not rig.approvals.rules.standing()


def _detail(**changes: Any) -> dict[str, Any]:
    from tests.hands import toy_roster

    tool = toy_roster.build(()).tool("toys", "toys_unkeyed")
    assert tool is not None
    decision = Policy().decide("toys", tool, {})
    return {**call_detail("toys", tool, {"path": "/a"}, decision), **changes}


DETAIL = _detail()
ASKED = ApprovalRequested(id="call:c1", subject="tool_call", digest=digest_of(DETAIL), detail=DETAIL)
YES = ApprovalDecided(id="call:c1", decision="approve", digest=ASKED.digest, by="ann")
RULE = rule_from(ASKED, "ann")


@pytest.mark.parametrize(
    ("bodies", "counts"),
    [
        ((ASKED, YES, RULE), True),
        ((RULE, ASKED, YES), True),
        ((ASKED, YES, RULE, RULE), True),
        ((ASKED, RULE), False),
        ((RULE,), False),
        ((ASKED, YES.model_copy(update={"decision": "reject"}), RULE), False),
        ((ASKED, YES.model_copy(update={"digest": "sha256:0"}), RULE), False),
        ((ASKED, YES, RULE, YES.model_copy(update={"decision": "void"})), False),
        ((ASKED, YES, RULE.model_copy(update={"tool": "toys_send"})), False),
        ((ASKED, YES, RULE.model_copy(update={"digest": "sha256:0"})), False),
        ((ASKED, YES, RULE.model_copy(update={"agent": "others"})), False),
        ((ASKED, YES, RULE, RULE.model_copy(update={"action": "revoke"})), False),
        ((ASKED, YES, RULE, RULE.model_copy(update={"action": "revoke"}), RULE), False),
        ((ASKED.model_copy(update={"subject": "other"}), YES, RULE), False),
        ((ASKED.model_copy(update={"detail": _detail(input={"path": "/b"})}), YES, RULE), False),
    ],
)
async def test_a_rule_counts_only_with_the_yes_that_it_repeats(
    make_rig: MakeRig, bodies: tuple[Any, ...], counts: bool
) -> None:
    """Whatever else the journal may hold: what is recorded in its name alone lets nothing through."""
    rig = await make_rig()
    await rig.journal.append(*(Entry(body, "toys", "hands", f"k{n}") for n, body in enumerate(bodies)))
    rules = SessionRules()
    for event in rig.journal.events():
        rules.learn(event)
        rules.learn(event)
    assert bool(rules.standing()) is counts
    assert (rules.answer(DETAIL) is not None) is counts
    assert rules.answer(_detail(input={"path": "/b"})) is None


async def test_the_result_of_an_interrupted_call_is_not_run_again_by_a_rule(make_rig: MakeRig, tmp_path: Path) -> None:
    """A rule answers whether a call may run, not whether one that may have run already does so again."""
    first, _ = await _given(make_rig, tmp_path)
    from orchestrator.journal.events import AgentCustomToolUse, ToolStarted

    arguments = {"path": str(tmp_path)}
    await first.journal.append(
        Entry(AgentCustomToolUse(name="toys_unkeyed", input=arguments), "toys", "local", "c2"),
        Entry(ToolStarted(tool_use_id="c2", tool="toys_unkeyed", effect="unkeyed"), "toys", "hands", "started:1:c2"),
    )
    result: ToolResult[Any] = await first.call("toys_unkeyed", "c2", **arguments)
    assert result.outcome == "unknown"
    assert len(effects(tmp_path)) == 1
