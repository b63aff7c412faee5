"""Agents and environments: what is refused, versions, the lock, the roster, pages."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.standin.cast import SCHEMA, roster, tool

MODEL = "claude-haiku-5-5"


def schema(**more: Any) -> dict[str, Any]:
    return {"tools": [tool("t", input_schema={**SCHEMA, **more})]}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no name", {"name": ""}, "name"),
    ("long name", {"name": "n" * 257}, "name"),
    ("long description", {"description": "d" * 2049}, "description"),
    ("long system", {"system": "s" * 100_001}, "system"),
    ("unknown field", {"extra_body": {"wings": 2}}, "wings: Extra inputs"),
    ("unknown effort", {"model": {"id": MODEL, "effort": "huge"}}, "model.effort"),
    ("128 tools", {"tools": [tool(f"t{n}") for n in range(128)]}, "tools"),
    ("tool name", {"tools": [tool("a b")]}, "tools.0.name"),
    ("built-in name", {"tools": [tool("bash")]}, "built-in"),
    ("reserved prefix", {"tools": [tool("mcp__x")]}, "reserved"),
    ("twice the same name", {"tools": [tool("a"), tool("a")]}, "unique"),
    ("no description", {"tools": [tool("a", description="")]}, "description"),
    ("no type", {"tools": [{k: v for k, v in tool("a").items() if k != "type"}]}, "tools.0.type"),
    ("schema of another type", schema(type="array"), "input_schema.type"),
    ("reference", schema(properties={"q": {"$ref": "#/x"}}), "$ref"),
    ("definitions", schema(**{"$defs": {}}), "$defs"),
    ("union at the top", schema(anyOf=[{"type": "object"}]), "anyOf"),
    ("property name", schema(properties={"a b": {}}), "property name"),
    ("17 pairs", {"metadata": {str(n): "" for n in range(17)}}, "16 pairs"),
    ("long key", {"metadata": {"k" * 65: ""}}, "metadata"),
    ("long value", {"metadata": {"k": "v" * 513}}, "metadata.k"),
    ("unknown agent in the roster", {"multiagent": roster("agent_none")}, "does not exist"),
    ("empty roster", {"multiagent": roster()}, "must not be empty"),
    ("toolset without its server", {"tools": [{"type": "mcp_toolset", "mcp_server_name": "m"}]}, "mcp_servers"),
    ("skills without read", {"skills": [{"type": "anthropic", "skill_id": "x"}]}, "skills"),
]


@pytest.mark.parametrize(("fields", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_what_an_agent_may_not_be(client: AsyncAnthropic, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        await client.beta.agents.create(**{"model": MODEL, "name": "a", **fields})
    assert refused.value.type == "invalid_request_error"
    assert words in str(refused.value.api_message)
    assert refused.value.request_id


async def test_nested_unions_and_titles_are_accepted(client: AsyncAnthropic) -> None:
    nested = schema(properties={"q": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Q"}}, title="T")
    made = await client.beta.agents.create(model=MODEL, name="a", **nested)
    assert made.version == 1


async def test_an_update_makes_a_version_only_where_something_changes(client: AsyncAnthropic) -> None:
    made = await client.beta.agents.create(
        model={"id": MODEL, "effort": "high", "inference_geo": "us"}, name="a", metadata={"a": "1", "b": "2"}
    )
    same = await client.beta.agents.update(made.id, name="a", metadata={"a": "1"}, version=1)
    assert same.version == 1
    patched = await client.beta.agents.update(made.id, metadata={"a": None, "c": "3"})
    assert (patched.version, patched.metadata) == (2, {"b": "2", "c": "3"})
    with pytest.raises(anthropic.ConflictError):
        await client.beta.agents.update(made.id, name="b", version=1)
    kept = await client.beta.agents.update(made.id, model={"id": MODEL})
    assert kept.model.effort is not None
    assert (kept.model.effort.type, kept.model.inference_geo) == ("high", None)
    dropped = await client.beta.agents.update(made.id, model="claude-sonnet-5-5")
    assert dropped.model.effort is None
    old = await client.beta.agents.retrieve(made.id, version=1)
    assert old.metadata == {"a": "1", "b": "2"}
    assert [one.version async for one in client.beta.agents.versions.list(made.id)] == [4, 3, 2, 1]


async def test_the_roster_is_pinned_merged_and_one_level_deep(client: AsyncAnthropic) -> None:
    scout = await client.beta.agents.create(model=MODEL, name="scout")
    lead: Any = await client.beta.agents.create(model=MODEL, name="lead", multiagent=roster(scout.id))  # type: ignore[arg-type]
    assert lead.multiagent.subagents.predefined_agents[0].version == 1
    assert lead.multiagent.advisor.type == "disabled"
    await client.beta.agents.update(scout.id, system="new")
    same: Any = await client.beta.agents.update(lead.id, name="lead")
    assert (same.version, same.multiagent.subagents.predefined_agents[0].version) == (1, 1)
    again: Any = await client.beta.agents.update(lead.id, multiagent=roster(scout.id))  # type: ignore[arg-type]
    assert (again.version, again.multiagent.subagents.predefined_agents[0].version) == (2, 2)
    third: Any = await client.beta.agents.update(lead.id, multiagent=roster(scout.id))  # type: ignore[arg-type]
    assert third.version == 2
    merge: Any = {"type": "multiagent_20261001", "workflows": None}
    merged: Any = await client.beta.agents.update(lead.id, multiagent=merge)
    assert merged.multiagent.workflows.type == "enabled"
    assert merged.multiagent.workflows.inline_agents.type == "enabled"
    assert merged.multiagent.subagents.predefined_agents[0].id == scout.id
    twin = await client.beta.agents.create(model=MODEL, name="scout")
    for refs, words in (
        ((lead.id,), "one level deep"),
        ((scout.id, twin.id), "taken"),
        (({"type": "agent", "id": scout.id, "version": 9},), "does not exist"),
    ):
        with pytest.raises(anthropic.BadRequestError, match=words):
            await client.beta.agents.create(model=MODEL, name="x", multiagent=roster(*refs))  # type: ignore[arg-type]


async def test_an_archived_agent_refuses_updates_and_is_not_listed(client: AsyncAnthropic) -> None:
    made = await client.beta.agents.create(model=MODEL, name="a")
    await client.beta.agents.archive(made.id)
    with pytest.raises(anthropic.BadRequestError, match="archived"):
        await client.beta.agents.update(made.id, name="b")
    assert made.id not in [one.id async for one in client.beta.agents.list()]
    assert made.id in [one.id async for one in client.beta.agents.list(include_archived=True, limit=100)]
    with pytest.raises(anthropic.NotFoundError):
        await client.beta.agents.retrieve("agent_none")


async def test_pages_go_through_all_and_a_cursor_is_bound(client: AsyncAnthropic) -> None:
    made = [(await client.beta.agents.create(model=MODEL, name=f"p{n}")).id for n in range(5)]
    first = await client.beta.agents.list(limit=2)
    assert [one.id for one in first.data] == [made[4], made[3]]
    listed = [one.id async for one in client.beta.agents.list(limit=2)]
    assert listed[:5] == list(reversed(made))
    assert len(set(listed)) == len(listed)
    wrong: list[dict[str, Any]] = [{"page": "nonsense"}, {"limit": 101}, {"extra_query": {"colour": "red"}}]
    for bad in wrong:
        with pytest.raises(anthropic.BadRequestError):
            await client.beta.agents.list(**bad)
    assert first.next_page
    with pytest.raises(anthropic.BadRequestError, match="cursor"):
        await client.beta.sessions.list(page=first.next_page)


async def test_environments_keep_what_is_omitted_and_never_change_their_type(client: AsyncAnthropic) -> None:
    limited: Any = {"type": "cloud", "networking": {"type": "limited"}}
    env: Any = await client.beta.environments.create(name="e", config=limited, metadata={"a": "1"})
    assert env.config.networking.allowed_hosts == []
    assert env.config.networking.allow_package_managers is False
    same: Any = await client.beta.environments.update(env.id, description="d")
    assert (same.config.networking.type, same.metadata) == ("limited", {"a": "1"})
    with pytest.raises(anthropic.BadRequestError) as refused:
        await client.beta.environments.update(env.id, config={"type": "self_hosted"})
    assert refused.value.error_code == "invalid_config_type_change"
    with pytest.raises(anthropic.BadRequestError, match="allow_package_managers"):
        await client.beta.environments.create(name="e", config=limited | {"packages": {"pip": ["x"]}})
    await client.beta.environments.archive(env.id)
    agent = await client.beta.agents.create(model=MODEL, name="a")
    with pytest.raises(anthropic.BadRequestError) as archived:
        await client.beta.sessions.create(agent=agent.id, environment_id=env.id)
    assert archived.value.error_code == "environment_archived"
    await client.beta.environments.delete(env.id)
    with pytest.raises(anthropic.NotFoundError) as gone:
        await client.beta.environments.retrieve(env.id)
    assert gone.value.error_code == "environment_not_found"
