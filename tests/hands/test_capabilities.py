"""Every (agent, tool) pair of the real rosters against the declared table, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.engines import coordinator
from orchestrator.hands.capabilities import CAPABILITIES, Capability, differences, held
from orchestrator.hands.policy import Policy
from orchestrator.hands.rosters import RosterRecipe
from subagents.contract import Roster, SourceSpec

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
