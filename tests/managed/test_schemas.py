"""Schemas are flat, and what the API would refuse is refused here first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from orchestrator.engines.managed.definitions import shipped_agents
from orchestrator.engines.schemas import SchemaError, custom_tool, custom_tools, flat_schema, tool_faults, tools_faults


class Inner(BaseModel):
    """An inner thing."""

    title: str
    note: str | None = None
    choice: int | str = 3


class Outer(BaseModel):
    """An outer thing."""

    one: Inner = Field(description="the one")
    many: tuple[Inner, ...] = ()
    maybe: Inner | None = None


class Endless(BaseModel):
    """Contains itself."""

    more: Endless | None = None


def test_references_are_written_out_where_they_stand() -> None:
    flat = flat_schema(Outer)
    assert "$" not in json.dumps(flat)
    assert flat["type"] == "object"
    assert flat["required"] == ["one"]
    one, many, maybe = (flat["properties"][name] for name in ("one", "many", "maybe"))
    assert one["description"] == "the one"
    assert one["properties"] == many["items"]["properties"] == maybe["properties"]


def test_optional_fields_lose_their_null_and_a_property_called_title_stays() -> None:
    inner = flat_schema(Inner)["properties"]
    assert inner["title"] == {"type": "string"}
    assert inner["note"] == {"type": "string"}
    assert inner["choice"] == {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 3}


def test_a_model_that_contains_itself_cannot_be_written_out() -> None:
    with pytest.raises(SchemaError, match="Endless contains itself"):
        flat_schema(Endless)


def offered(**changes: Any) -> dict[str, Any]:
    fine = {"type": "custom", "name": "look", "description": "Look.", "input_schema": {"type": "object"}}
    return {**fine, **changes}


def schema(**more: Any) -> dict[str, Any]:
    return {"type": "object", **more}


def test_a_fine_tool_has_no_faults() -> None:
    nested = {"a.b-c_9": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    assert tool_faults(offered(input_schema=schema(properties=nested, required=["a.b-c_9"]))) == []


@pytest.mark.parametrize(
    ("tool", "fault"),
    [
        (offered(type="function"), "`type`"),
        (offered(name=""), "the name must be"),
        (offered(name="a" * 129), "the name must be"),
        (offered(name="look around"), "the name must be"),
        (offered(name="look\n"), "the name must be"),
        (offered(name="mcp__look"), "reserved"),
        (offered(name="ant__look"), "reserved"),
        (offered(name="bash"), "reserved"),
        (offered(description="  "), "description is empty"),
        (offered(input_schema=None), "of type object"),
        (offered(input_schema={"type": "array"}), "of type object"),
        (offered(input_schema=schema(anyOf=[])), "`anyOf` at the top"),
        (offered(input_schema=schema(oneOf=[])), "`oneOf` at the top"),
        (offered(input_schema=schema(allOf=[])), "`allOf` at the top"),
        (offered(input_schema=schema(properties={"a": {"$ref": "#/$defs/A"}})), "`$ref`"),
        (offered(input_schema=schema(**{"$defs": {}})), "`$defs`"),
        (offered(input_schema=schema(properties={"a b": {}})), "property name 'a b'"),
        (offered(input_schema=schema(properties={"a" * 65: {}})), "property name"),
        (offered(input_schema=schema(properties={"x": {"items": {"properties": {"é": {}}}}})), "property name 'é'"),
        (offered(input_schema=schema(properties={"a": {}}, required=["b"])), "names 'b', which is no property"),
    ],
)
def test_what_the_api_refuses_is_refused_here(tool: dict[str, Any], fault: str) -> None:
    assert any(fault in line for line in tool_faults(tool)), tool_faults(tool)
    if tool["type"] == "custom" and isinstance(tool["input_schema"], dict):
        with pytest.raises(SchemaError):
            custom_tool(tool["name"], tool["description"], tool["input_schema"])


def test_names_are_unique_and_there_are_not_too_many() -> None:
    assert tools_faults([offered(), offered()]) == ["look: the name is taken twice"]
    assert tools_faults([offered(name=f"look_{n}") for n in range(128)]) == ["128 tools are more than 127"]


def test_every_tool_that_ships_is_accepted_and_keeps_what_its_arguments_require() -> None:
    count = 0
    for agent in shipped_agents().values():
        made = custom_tools(agent.tools)
        assert tools_faults(made) == []
        for tool, given in zip(agent.tools, made, strict=True):
            count += 1
            assert set(given["input_schema"]["properties"]) == set(tool.params.model_fields)
            required = {name for name, one in tool.params.model_fields.items() if one.is_required()}
            assert set(given["input_schema"].get("required", ())) == required
    assert count > 20
