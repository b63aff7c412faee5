"""Every (agent, tool) pair of the real rosters against the declared table, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.engines import coordinator
from orchestrator.hands.capabilities import (
    CAPABILITIES,
    Capability,
    differences,
    held,
    holders_of_all_three,
    reach,
)
from orchestrator.hands.policy import Policy
from orchestrator.hands.rosters import RosterRecipe
from subagents.contract import SPECIALISTS, SourceSpec
from subagents.specialist import Roster

EVERY_KIND = tuple(
    SourceSpec(id=kind, kind=kind, path=f"/nowhere/{kind}")
    for kind in ("logs", "metrics", "deploys", "commits", "diff", "flags", "repo", "runbooks")
)


def _roster(specs: tuple[SourceSpec, ...]) -> Roster:
    return RosterRecipe(extra_agents=lambda *_: (coordinator.agent(),)).build(specs)


@pytest.mark.parametrize("specs", [(), EVERY_KIND], ids=["no-sources", "every-kind"])
def test_the_real_roster_is_the_declared_one(specs: tuple[SourceSpec, ...]) -> None:
    assert differences(CAPABILITIES, held(_roster(specs))) == []


@pytest.mark.parametrize(
    ("real", "said"),
    [
        ({"logs": {}}, "logs is declared to hold one and does not"),
        ({"logs": {"one": Capability(), "two": Capability()}}, "logs holds two, which is not declared"),
        ({"logs": {"one": Capability(effect="unkeyed")}}, "effect='unkeyed'"),
        ({"logs": {"one": Capability(outward=True)}}, "outward=True"),
        ({"logs": {"one": Capability(worker=True)}}, "worker=True"),
        ({"metrics": {"one": Capability()}}, "metrics holds one, which is not declared"),
    ],
)
def test_every_kind_of_difference_is_named(real: dict[str, Any], said: str) -> None:
    assert said in "\n".join(differences({"logs": {"one": Capability()}}, real))


def test_nobody_holds_an_outward_tool_and_nobody_anothers() -> None:
    roster = _roster(())
    policy = Policy()
    for agent in CAPABILITIES:
        for owner, tools in CAPABILITIES.items():
            for name, capability in tools.items():
                assert not capability.outward
                answer = policy.decide(agent, roster.tool(agent, name), {}).answer
                assert answer == ("allow" if agent == owner else "deny"), (agent, name)


# -- the rule of two -----------------------------------------------------------------------------


def _with(roster: Roster, agent: str, **changes: Any) -> Roster:
    """The roster with one more tool, planted on an agent."""
    owner = roster.agents[agent]
    planted = replace(owner.tools[0], name="planted_send", **changes)
    return Roster({**roster.agents, agent: replace(owner, tools=(*owner.tools, planted))})


def test_nobody_holds_untrusted_text_private_data_and_an_outward_channel() -> None:
    for specs in ((), EVERY_KIND):
        assert holders_of_all_three(held(_roster(specs))) == []
    assert holders_of_all_three(CAPABILITIES) == []
    for agent, tools in CAPABILITIES.items():
        assert not reach(tools).outward, agent


@pytest.mark.parametrize("agent", [*SPECIALISTS, "orchestrator"])
def test_a_planted_tool_is_found(agent: str) -> None:
    roster = _with(_roster(()), agent, outward=True, effect="unkeyed")
    assert holders_of_all_three(held(roster)) == [agent]
    assert differences(CAPABILITIES, held(roster)) == [f"{agent} holds planted_send, which is not declared"]
    harmless = _with(_roster(()), agent)
    assert holders_of_all_three(held(harmless)) == [agent], "what is not declared is taken to do all three"
    # declaring it is what a reviewer sees; it does not make it right
    declared = {**CAPABILITIES, agent: {**CAPABILITIES[agent], "planted_send": Capability("unkeyed", outward=True)}}
    assert holders_of_all_three(held(roster), declared) == [agent]


def test_a_tool_that_becomes_outward_is_found() -> None:
    roster = _roster(())
    logs = roster.agents["logs"]
    tools = tuple(replace(one, outward=one.name == "logs_search") for one in logs.tools)
    changed = Roster({**roster.agents, "logs": replace(logs, tools=tools)})
    assert holders_of_all_three(held(changed)) == ["logs"]
    assert [line.split(":")[0] for line in differences(CAPABILITIES, held(changed))] == ["logs logs_search"]


@pytest.mark.parametrize(
    ("tools", "all_three"),
    [
        ({"a": Capability(outward=True, untrusted=False)}, False),
        ({"a": Capability(outward=True, private_data=False)}, False),
        ({"a": Capability(outward=True, untrusted=False), "b": Capability(private_data=False)}, True),
        ({"a": Capability()}, False),
        ({}, False),
    ],
)
def test_what_counts_is_what_the_tools_give_together(tools: dict[str, Capability], all_three: bool) -> None:
    assert reach(tools).all_three is all_three


def test_codefix_has_no_way_out_and_writes_to_warrooms_own_state_only() -> None:
    roster = _roster(EVERY_KIND)
    for tool in roster.agents["codefix"].tools:
        assert not tool.outward
        assert tool.effect == "read" or (tool.effect == "keyed" and tool.private), tool.name
        assert not {"url", "host", "command", "env", "remote"} & set(tool.params.model_fields), tool.name
