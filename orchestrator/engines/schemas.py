"""Tool schemas that model APIs accept: pydantic models flattened to plain JSON Schema, and what an API would refuse.

Managed Agents rejects `$ref` and `$defs` anywhere, a union at the top, and property names outside letters, digits,
`_ . -`. Nested objects are fine once they are written out in place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from subagents.contract import Tool

MOST_TOOLS = 127
"""Most entries of an agent's tool list: the documentation says 128, so stay below."""
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
RESERVED_PREFIXES = ("mcp__", "ant__")
BUILT_IN_TOOLS = frozenset({"bash", "read", "write", "edit", "glob", "grep", "web_fetch", "web_search"})
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_UNIONS = ("oneOf", "anyOf", "allOf")
_REFUSED = frozenset({"$ref", "$defs", "definitions"})
_DROPPED = frozenset({"$defs", "title", "discriminator"})
_DEEPEST = 32


class SchemaError(ValueError):
    """A tool cannot be offered to a model API; the message says which and why. A programming mistake, not an input."""


def flat_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's JSON Schema with every reference written out; raises SchemaError for one that is recursive."""
    return flatten(model.model_json_schema())


def flatten(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema without references, titles and the `null` of optional fields (leave such a field out)."""
    definitions = schema.get("$defs", {})
    flat = _flat(schema, definitions, ())
    flat.pop("description", None)  # the tool's own description says it
    return {"type": "object", "properties": {}, **flat}


def custom_tool(name: str, description: str, input_schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool as Managed Agents takes it; raises SchemaError where it would be refused."""
    tool = {"type": "custom", "name": name, "description": description, "input_schema": dict(input_schema)}
    if faults := tool_faults(tool):
        raise SchemaError(f"{name}: {'; '.join(faults)}")
    return tool


def custom_tools(tools: Sequence[Tool[Any, Any]]) -> list[dict[str, Any]]:
    """Return an agent's tools as Managed Agents takes them, in their order; raises SchemaError."""
    return [custom_tool(tool.name, tool.description, flatten(tool.schema())) for tool in tools]


def tools_faults(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why an agent with these tools would be refused, a line each; empty where it would not."""
    faults = [f"{tool.get('name')}: {fault}" for tool in tools for fault in tool_faults(tool)]
    names = [tool.get("name") for tool in tools]
    faults += [f"{name}: the name is taken twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if len(tools) > MOST_TOOLS:
        faults.append(f"{len(tools)} tools are more than {MOST_TOOLS}")
    return faults


def tool_faults(tool: Mapping[str, Any]) -> list[str]:
    """Return why this custom tool would be refused, a line each; empty where it would not."""
    name, schema = str(tool.get("name", "")), tool.get("input_schema")
    faults = []
    if tool.get("type") != "custom":
        faults.append('`type` must be "custom"')
    if not TOOL_NAME.match(name):
        faults.append("the name must be 1 to 128 letters, digits, `_`, `-`")
    if name.startswith(RESERVED_PREFIXES) or name in BUILT_IN_TOOLS:
        faults.append("the name is reserved")
    if not str(tool.get("description") or "").strip():
        faults.append("the description is empty")
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return [*faults, "`input_schema` must be of type object"]
    faults += [f"`{union}` at the top of the schema" for union in _UNIONS if union in schema]
    return faults + list(_schema_faults(schema))


def _schema_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(_REFUSED & set(_keys(schema))):
        yield f"`{key}` somewhere in the schema"
    for where, node in _nodes(schema, ""):
        properties = node.get("properties")
        if not isinstance(properties, Mapping):
            continue
        for name in properties:
            if not _PROPERTY.match(name):
                yield f"property name {name!r} at {where or 'the top'}"
        for name in node.get("required") or ():
            if name not in properties:
                yield f"`required` names {name!r}, which is no property, at {where or 'the top'}"


def _keys(value: Any) -> Iterator[str]:
    """Yield every key of every object, data or schema: the API looks no closer."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield str(key)
            yield from _keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from _keys(child)


def _nodes(schema: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every schema within the schema; what is data (`default`, `enum`, `const`, `examples`) is none."""
    if not isinstance(schema, Mapping):
        return
    yield where, schema
    for name, child in (schema.get("properties") or {}).items():
        yield from _nodes(child, f"{where}.{name}" if where else name)
    for key in ("items", "additionalProperties", "not"):
        yield from _nodes(schema.get(key), f"{where}[{key}]")
    for key in (*_UNIONS, "prefixItems"):
        for child in schema.get(key) or ():
            yield from _nodes(child, f"{where}[{key}]")


def _flat(node: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_flat(item, definitions, inside) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        name = str(node["$ref"]).removeprefix("#/$defs/")
        if name in inside or len(inside) > _DEEPEST:
            raise SchemaError(f"{name} contains itself, so its schema cannot be written out")
        if name not in definitions:
            raise SchemaError(f"there is no {node['$ref']}")
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _flat({**definitions[name], **rest}, definitions, (*inside, name))
    kept = {key: value for key, value in node.items() if key not in _DROPPED}
    if "properties" in node:  # a property may be called `title`
        kept["properties"] = {name: _flat(one, definitions, inside) for name, one in node["properties"].items()}
    flat = {
        key: value
        if key in ("properties", "default", "enum", "const", "examples")
        else _flat(value, definitions, inside)
        for key, value in kept.items()
    }
    return _without_null(flat)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """Turn `X or null, by default null` into an X that may be left out, and a union of one into that one."""
    if "default" in node and (node["default"] is None or isinstance(node["default"], dict | list)):
        del node["default"]  # left out, it is empty: that says nothing to a model
    for union in ("anyOf", "allOf"):
        options = [option for option in node.get(union, ()) if option != {"type": "null"}]
        if len(options) == 1:
            rest = {key: value for key, value in node.items() if key != union}
            return {**options[0], **rest}
    return node
