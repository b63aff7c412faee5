"""What the agents should be: the shared definitions, models by role, a fixed cast; and exact differences."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.config.model import EngineSettings
from orchestrator.engines.fencing import FENCE_RULES
from orchestrator.engines.managed.definitions import (
    MODELS,
    AgentDefinition,
    DefinitionError,
    definitions,
    model_of,
)
from orchestrator.engines.managed.register import AgentRef
from orchestrator.engines.managed.remote import Change, Remote, changes, update_body
from orchestrator.engines.schemas import tools_faults
from subagents.contract import SPECIALISTS
from tests.managed.endpoints import AGENTS

ROSTER = [AgentRef(id=f"agent_{role}", version=3) for role in SPECIALISTS]


def cast(**engine: Any) -> dict[str, AgentDefinition]:
    return {one.role: one for one in definitions(AGENTS, EngineSettings.model_validate(engine), "install")}


def test_specialists_come_first_and_each_is_its_shared_definition() -> None:
    found = cast()
    assert tuple(found) == (*SPECIALISTS, "orchestrator")
    for role, definition in found.items():
        agent = AGENTS[role]
        assert definition.name == agent.name
        assert definition.description == agent.description
        assert definition.system.startswith(agent.prompt.strip())
        assert agent.mission in definition.system
        assert FENCE_RULES in definition.system
        names = [tool["name"] for tool in definition.tools]
        assert names[:-1] == [tool.name for tool in agent.tools]
        assert names[-1] == ("conclude" if role == "orchestrator" else "report_finding")
        assert tools_faults(definition.tools) == []
        assert definition.metadata == {"warroom": "install", "warroom_role": role}


def test_only_the_coordinator_has_a_roster_pinned_and_closed() -> None:
    found = cast()
    assert all("multiagent" not in found[role].body() for role in SPECIALISTS)
    delegation = found["orchestrator"].body(ROSTER)["multiagent"]
    assert delegation == {
        "type": "multiagent_20261001",
        "subagents": {
            "type": "enabled",
            "inline_agents": {"type": "disabled"},
            "predefined_agents": [{"type": "agent", "id": ref.id, "version": 3} for ref in ROSTER],
        },
        "workflows": {"type": "disabled"},
        "advisor": {"type": "disabled"},
    }


def test_models_by_role_over_one_for_all_over_the_defaults() -> None:
    assert {role: (one.model, one.effort) for role, one in cast().items()} == dict(MODELS)
    chosen = cast(model="claude-sonnet-5", models={"logs": "claude-haiku-5-5"}, efforts={"deploys": "max"})
    assert chosen["metrics"].model == "claude-sonnet-5"
    assert (chosen["logs"].model, chosen["logs"].effort) == MODELS["logs"]
    assert chosen["deploys"].effort == "max"
    assert chosen["metrics"].effort is None, "an effort that was meant for another model is not sent"
    assert chosen["metrics"].body()["model"] == {"id": "claude-sonnet-5"}
    assert model_of("logs", EngineSettings(efforts={"logs": "low"})) == ("claude-haiku-5-5", "low")


def test_what_the_api_would_refuse_is_said_by_agent() -> None:
    with pytest.raises(DefinitionError, match=r"agent logs: 'no model!' is no model id: mend engine\.models"):
        cast(models={"logs": "no model!"})
    clash = replace(AGENTS["logs"], tools=(replace(AGENTS["logs"].tools[0], name="report_finding"),))
    with pytest.raises(DefinitionError, match="report_finding is answered by the engine itself"):
        definitions({**AGENTS, "logs": clash}, EngineSettings(), "install")
    long = replace(AGENTS["metrics"], prompt="x" * 100_001)
    with pytest.raises(DefinitionError, match="agent metrics: its prompt is longer than 100000"):
        definitions({**AGENTS, "metrics": long}, EngineSettings(), "install")


def as_there(definition: AgentDefinition, **changes: Any) -> Remote:
    """The agent as the API returns it after a create: resolved, with fields that we never set."""
    body = json.loads(json.dumps(definition.body(ROSTER)))
    body["model"] = {"id": body["model"]["id"], "effort": {"type": body["model"]["effort"]}, "speed": "standard"}
    body |= {"mcp_servers": [], "skills": [], "multiagent": body.get("multiagent"), "archived_at": None}
    return Remote(id="agent_1", version=4, raw={**body, **changes})


def difference(role: str = "logs", **there: Any) -> tuple[tuple[Change, ...], dict[str, Any]]:
    definition = cast()[role]
    remote = as_there(definition, **there)
    return changes(definition, remote, ROSTER), update_body(definition, remote, ROSTER)


@pytest.mark.parametrize("role", ["logs", "orchestrator"])
def test_what_was_just_made_differs_in_nothing(role: str) -> None:
    assert difference(role) == ((), {"version": 4})


def test_each_difference_is_exact_and_only_its_field_is_sent() -> None:
    wanted = cast()["logs"]
    found, body = difference(description="old words")
    assert found == (Change("description", "old words", wanted.description),)
    assert body == {"version": 4, "description": wanted.description}
    found, body = difference(model={"id": wanted.model, "effort": {"type": "low"}})
    assert found == (Change("model.effort", "low", "medium"),)
    assert body == {"version": 4, "model": {"id": wanted.model, "effort": "medium"}}
    found, body = difference(system=None)
    assert found == (Change("system", "", wanted.system),)


def test_a_tool_that_somebody_added_is_taken_away_and_one_that_is_missing_comes_back() -> None:
    wanted = cast()["logs"]
    toolset = {"type": "agent_toolset_20260401", "configs": [], "default_config": {"enabled": True}}
    found, body = difference(tools=[toolset, *[dict(tool) for tool in wanted.tools[1:]]])
    assert [(one.field, one.old is None, one.new is None) for one in found] == [
        ("tools[agent_toolset_20260401]", False, True),
        ("tools[logs_coverage]", True, False),
    ]
    assert body == {"version": 4, "tools": [dict(tool) for tool in wanted.tools]}


def test_servers_and_skills_that_somebody_added_are_taken_away() -> None:
    found, body = difference(mcp_servers=[{"type": "url", "name": "web", "url": "https://x"}])
    assert [one.field for one in found] == ["mcp_servers[web]"]
    assert body == {"version": 4, "mcp_servers": []}
    assert difference(skills=[{"type": "custom", "skill_id": "s_1"}])[1] == {"version": 4, "skills": []}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("workflows",), {"type": "enabled"}, "multiagent.workflows"),
        (("advisor",), {"type": "enabled", "model": "m"}, "multiagent.advisor"),
        (("subagents", "inline_agents"), {"type": "enabled"}, "multiagent.inline_agents"),
        (("subagents", "predefined_agents"), [{"type": "agent", "id": "agent_x", "version": 1}], "multiagent.roster"),
    ],
)
def test_a_cast_that_somebody_opened_is_closed_again(path: tuple[str, ...], value: Any, field: str) -> None:
    delegation = cast()["orchestrator"].body(ROSTER)["multiagent"]
    opened = json.loads(json.dumps(delegation))
    place = opened
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    found, body = difference("orchestrator", multiagent=opened)
    assert [one.field for one in found] == [field]
    assert body == {"version": 4, "multiagent": delegation}


def test_metadata_of_others_stays_and_ours_comes_back() -> None:
    found, body = difference(metadata={"team": "blue", "warroom": "elsewhere", "warroom_role": "logs"})
    assert found == (Change("metadata.warroom", "elsewhere", "install"),)
    assert body == {"version": 4, "metadata": {"warroom": "install"}}
