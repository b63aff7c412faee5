"""The policy as a table, and each of its guards shown refusing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.hands.policy import Answer, Policy, Rule
from subagents.contract import Effect, Tool
from tests.hands import toy_roster

ROSTER = toy_roster.build(())


def _tool(name: str) -> Tool[Any, Any]:
    tool = ROSTER.tool("toys", name)
    assert tool is not None
    return tool


ALLOW_ALL = Rule(name="all", answer="allow")


@pytest.mark.parametrize(
    ("name", "rules", "project", "by_person", "answer", "rule"),
    [
        ("toys_double", (), (), False, "allow", "read"),
        ("toys_keyed", (), (), False, "ask", "keyed"),
        ("toys_unkeyed", (), (), False, "ask", "unkeyed"),
        ("toys_unkeyed", (), (), True, "allow", "person"),
        ("toys_send", (), (), False, "deny", "outward"),
        ("toys_send", (ALLOW_ALL,), (), False, "deny", "outward"),
        ("toys_send", (), (), True, "allow", "person"),
        ("toys_keyed", (ALLOW_ALL,), (), False, "allow", "all"),
        ("toys_double", (Rule(name="no", answer="deny", tool="toys_d*"), ALLOW_ALL), (), False, "deny", "no"),
        ("toys_double", (Rule(name="no", answer="deny", agent="oth*"),), (), False, "allow", "read"),
        # the project may tighten, and may not loosen
        ("toys_double", (), (Rule(name="p", answer="ask", tool="toys_*"),), False, "ask", "p"),
        ("toys_keyed", (), (Rule(name="p", answer="allow", tool="toys_*"),), False, "ask", "keyed"),
        ("toys_keyed", (ALLOW_ALL,), (Rule(name="p", answer="deny"),), False, "deny", "p"),
        ("toys_keyed", (Rule(name="no", answer="deny"),), (ALLOW_ALL,), False, "deny", "no"),
    ],
)
def test_the_table(
    name: str, rules: tuple[Rule, ...], project: tuple[Rule, ...], by_person: bool, answer: str, rule: str
) -> None:
    decision = Policy(rules, project).decide("toys", _tool(name), {"value": 1}, by_person=by_person)
    assert (decision.answer, decision.rule) == (answer, rule)


@pytest.mark.parametrize(
    ("effect", "private", "answer", "rule"),
    [
        ("keyed", True, "allow", "private"),
        ("keyed", False, "ask", "keyed"),
        ("unkeyed", True, "ask", "unkeyed"),
        ("unkeyed", False, "ask", "unkeyed"),
    ],
)
def test_only_what_is_keyed_and_private_is_not_asked_about(
    effect: Effect, private: bool, answer: str, rule: str
) -> None:
    tool = replace(_tool("toys_keyed"), effect=effect, private=private)
    assert (Policy().decide("toys", tool, {}).answer, Policy().decide("toys", tool, {}).rule) == (answer, rule)
    tightened = Policy((), (Rule(name="p", answer="deny", tool="toys_*"),))
    assert tightened.decide("toys", tool, {}).answer == "deny"
    assert Policy().decide("toys", replace(tool, outward=True), {}).answer == "deny"


@pytest.mark.parametrize("by_person", [False, True])
def test_a_tool_that_is_not_held_is_denied_whatever_the_rules_say(by_person: bool) -> None:
    decision = Policy((ALLOW_ALL,), (ALLOW_ALL,)).decide("toys", None, {}, by_person=by_person)
    assert (decision.answer, decision.rule) == ("deny", "not-held")


@pytest.mark.parametrize(
    ("arguments", "matches"),
    [
        ({"path": "/etc/passwd"}, True),
        ({"path": "/etc/passwd\n"}, False),
        ({"path": "/home/etc/"}, False),
        ({"path": ["/etc/x"]}, False),
        ({}, False),
    ],
)
def test_argument_patterns_match_the_whole_argument(arguments: dict[str, Any], matches: bool) -> None:
    rule = Rule(name="etc", answer="allow", arguments={"path": "/etc/.*"})
    assert rule.matches("toys", "toys_keyed", arguments) is matches


@pytest.mark.parametrize("answer", ["allow", "ask", "deny"])
def test_a_line_break_gets_round_no_rule(answer: Answer) -> None:
    """`.` must not end where a model puts a line break; and what is allowed must not grow by one."""
    rule = Rule(name="r", answer=answer, arguments={"query": ".*password.*"})
    assert rule.matches("toys", "any", {"query": "the password"})
    assert rule.matches("toys", "any", {"query": "x\npassword\ny"}) is (answer != "allow")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(name="f:1", answer="deny", tool="toy_double"), "f:1: this rule holds nothing: no agent '*' has a tool"),
        (Rule(name="f:2", answer="deny", agent="Toys"), "f:2: this rule holds nothing"),
        (Rule(name="f:3", answer="deny", tool="toys_double", arguments={"valu": "1"}), "takes an argument 'valu'"),
        (Rule(name="f:4", answer="deny", tool="toys_*", arguments={"value": "1"}), ""),
        (Rule(name="f:5", answer="deny"), ""),
    ],
)
def test_a_rule_that_can_never_speak_is_told(rule: Rule, said: str) -> None:
    for policy in (Policy((rule,)), Policy((), (rule,))):
        found = policy.idle(ROSTER)
        assert len(found) == bool(said)
        assert said in "".join(found)


def test_what_is_no_string_is_matched_as_json() -> None:
    rule = Rule(name="many", answer="deny", arguments={"value": r"\d{4,}"})
    assert rule.matches("toys", "toys_double", {"value": 1000})
    assert not rule.matches("toys", "toys_double", {"value": 10})


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1"])
def test_patterns_that_could_take_for_ever_or_make_no_sense_are_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="RE2"):
        Rule(name="bad", answer="deny", arguments={"path": pattern})
