"""`agents show` prints the capability table; `sessions show` what waits, whole; `sessions revoke` takes a yes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.hands import capabilities
from orchestrator.hands.approvals import digest_of
from orchestrator.hands.capabilities import CAPABILITIES, Capability
from orchestrator.hands.session_rules import rule_from
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested, Event, SessionRule
from tests.cli.command import InProcess, settle
from tests.cli.kept import keep
from tests.report.story import told

LONG = "x" * 3000 + "END"


def test_the_table_names_every_tool_and_says_that_nobody_holds_all_three(quick: InProcess) -> None:
    shown = settle(quick("agents", "show")).out
    for agent, tools in CAPABILITIES.items():
        assert f"{agent}: " in shown
        assert all(f"  {name} " in shown for name in tools)
    assert "Nobody holds untrusted text, private data and an outward channel together.\n" in shown
    table = json.loads(settle(quick("agents", "show", "--json")).out)
    assert {one["name"]: {tool["name"] for tool in one["tools"]} for one in table["agents"]} == {
        agent: set(tools) for agent, tools in CAPABILITIES.items()
    }
    assert (table["hold_all_three"], table["not_as_declared"]) == ([], [])
    for one in table["agents"]:
        assert one["description"]
        assert (one["reads_untrusted_text"], one["reads_private_data"], one["outward_channel"]) == (True, True, False)
        assert {tool["answer"] for tool in one["tools"]} == {"allow"}


def test_its_answers_are_those_of_the_settings(quick: InProcess, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[[policies]]\ndecision = "deny"\ntool = "code_draft_*"\n'
        '[[policies]]\ndecision = "ask"\ntool = "logs_search"\narguments = { service = "pay.*" }\n'
    )
    table = json.loads(settle(quick("agents", "show", "--json", "--config", str(own))).out)
    tools = {tool["name"]: tool for one in table["agents"] for tool in one["tools"]}
    assert tools["code_draft_edit"]["answer"] == "deny"
    assert tools["code_read"]["answer"] == "allow"
    assert tools["logs_search"]["depends_on_arguments"] is True
    assert "*: rules of yours" in settle(quick("agents", "show", "--config", str(own))).out
    own.write_text("[[policies]]\ndecision = 'perhaps'\n")
    refused = quick("agents", "show", "--config", str(own))
    assert (refused.status, "mine.toml:2" in refused.complaint()) == (2, True)


def test_a_rule_that_misspells_a_tool_is_told_and_so_is_what_does_not_count(
    quick: InProcess,
) -> None:
    (quick.home / "warroom.toml").write_text(
        '[[policies]]\ndecision = "deny"\ntool = "log_search"\n[[policies]]\ndecision = "allow"\ntool = "code_*"\n'
    )
    ran = settle(quick("agents", "show"))
    assert "warroom.toml:1: this rule holds nothing: no agent '*' has a tool 'log_search'" in ran.out
    assert "a rule that allows does not count from a project's file" in ran.err
    checked = quick("config", "check")
    assert (checked.status, "this rule holds nothing" in checked.out) == (2, True)
    assert len(json.loads(settle(quick("agents", "show", "--json")).out)["idle_rules"]) == 1


def test_the_tools_of_a_model_are_those_that_are_shown(quick: InProcess) -> None:
    from orchestrator.config.model import EngineSettings
    from orchestrator.engines.managed.definitions import definitions, shipped_agents

    table = json.loads(settle(quick("agents", "show", "--json")).out)
    shown = {one["name"]: {tool["name"] for tool in one["tools"]} for one in table["agents"]}
    made = definitions(shipped_agents(), EngineSettings(), "install")
    for agent in made:
        assert {tool["name"] for tool in agent.tools} == {*shown[agent.role], table["with_a_model"][agent.role]}
        assert {tool["type"] for tool in agent.tools} == {"custom"}
    assert "report_finding" in settle(quick("agents", "show")).out


def test_what_is_not_as_declared_is_told_and_is_no_success(quick: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**CAPABILITIES, "logs": {**CAPABILITIES["logs"], "logs_search": Capability(outward=True)}}
    monkeypatch.setattr(capabilities, "CAPABILITIES", changed)
    ran = quick("agents", "show")
    assert ran.status == 3
    assert "NOT AS DECLARED: logs logs_search" in ran.out


# -- what waits ----------------------------------------------------------------------------------


def _asked(call: str, **arguments: Any) -> ApprovalRequested:
    detail = {
        "agent": "codefix", "tool": "code_publish", "input": arguments, "effect": "unkeyed", "private": False,
        "rule": "unkeyed", "reason": "it changes something",
    }  # fmt: skip
    return ApprovalRequested(id=f"call:{call}", subject="tool_call", digest=digest_of(detail), detail=detail)


def _kept(home: Path) -> tuple[str, ApprovalRequested, SessionRule]:
    waits = _asked("c1", text="a\nb\u202e\x1b[2J", long=LONG, many=[1, {"deep": True}])
    given = _asked("c2", path="/a")
    rule = rule_from(given, "person")
    yes = ApprovalDecided(id=given.id, decision="approve", digest=given.digest, by="person")
    story = list(told())
    bodies = [waits, given, yes, rule]
    more = [
        Event(seq=len(story) + n, ts=story[-1].ts, mono=0, thread="codefix", body=body, hash="")
        for n, body in enumerate(bodies, 1)
    ]
    return keep(home, [*story, *more]), waits, rule


def test_what_waits_is_shown_whole(quick: InProcess, tmp_path: Path) -> None:
    session, waits, rule = _kept(tmp_path)
    shown = settle(quick("sessions", "show", session)).out
    for said in (
        "waits: codefix wants to run code_publish with exactly",
        "    text = a\n      | b\\u{202e}␛[2J",
        f"    long = {LONG}\n",
        '    many = [1, {"deep": true}]',
        "may change: effect: unkeyed",
        "asked because: it changes something (unkeyed)",
        f"binds {waits.digest}",
        "for this session, unasked: codefix runs code_publish with exactly\n    path = /a\n",
        f"warroom sessions revoke {session} {rule.name}",
    ):
        assert said in shown
    assert "\x1b" not in shown
    table = json.loads(settle(quick("sessions", "show", session, "--json")).out)
    assert [one["id"] for one in table["waiting"]] == ["call:c1"]
    assert table["waiting"][0]["detail"] == waits.detail
    assert [(one["name"], one["input"]) for one in table["session_rules"]] == [(rule.name, {"path": "/a"})]


def test_a_yes_for_the_session_is_taken_back_once(quick: InProcess, tmp_path: Path) -> None:
    session, _, rule = _kept(tmp_path)
    assert f"taken back: {rule.name}" in settle(quick("sessions", "revoke", session, rule.name, "--reason", "no")).err
    table = json.loads(settle(quick("sessions", "show", session, "--json")).out)
    assert table["session_rules"] == []
    again = quick("sessions", "revoke", session, rule.name)
    assert again.status != 0
    assert "no approval of that name stands" in again.complaint()
