"""What an agent's tools, model, servers and skills may be."""

from __future__ import annotations

import re
from typing import Any

from tests.standin.errors import invalid
from tests.standin.shapes import anything, array, boolean, by_type, fields, integer, nullable, one_of, tagged, text

BUILT_IN = ("bash", "read", "write", "edit", "glob", "grep", "web_fetch", "web_search")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MOST_TOOLS = 127
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_REFUSED_KEYS = ("$ref", "$defs", "definitions")


def _effort(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        value = fields({"type": one_of(*EFFORTS)})(value, where)["type"]
    return {"type": one_of(*EFFORTS)(value, where)}


_MODEL = fields(
    {"id": text(1, 256)},
    {
        "effort": nullable(_effort),
        "speed": nullable(one_of("standard", "fast")),
        "inference_geo": nullable(one_of("us", "global")),
    },
)


def model(value: Any, where: str) -> Any:
    """Return the model as it is stored: always an object; null where it was not said."""
    given = _MODEL({"id": value} if isinstance(value, str) else value, where)
    return {
        "id": given["id"],
        "effort": given.get("effort"),
        "speed": given.get("speed") or "standard",
        "inference_geo": given.get("inference_geo"),
    }


def _walk(schema: Any, where: str) -> None:
    if isinstance(schema, list):
        for at, entry in enumerate(schema):
            _walk(entry, f"{where}.{at}")
    elif isinstance(schema, dict):
        for key, entry in schema.items():
            if key in _REFUSED_KEYS:
                raise invalid(f"{where}: '{key}' is not supported in tool input schemas")
            if key == "properties" and isinstance(entry, dict):
                for name, inner in entry.items():
                    if not _PROPERTY.match(name):
                        raise invalid(f"{where}.properties: property name {name!r} is not allowed")
                    _walk(inner, f"{where}.properties.{name}")
            else:
                _walk(entry, f"{where}.{key}")


def input_schema(value: Any, where: str) -> Any:
    """Check a custom tool's schema: an object, flat, no references."""
    if not isinstance(value, dict) or value.get("type") != "object":
        raise invalid(f"{where}.type: Input should be 'object'")
    for key in ("oneOf", "anyOf", "allOf"):
        if key in value:
            raise invalid(f"{where}: '{key}' is not supported at the top level")
    nullable(array(text(1)))(value.get("required"), f"{where}.required")
    if not isinstance(value.get("properties") or {}, dict):
        raise invalid(f"{where}.properties: Input should be an object")
    _walk(value, where)
    return value


def _custom_name(value: Any, where: str) -> Any:
    if not isinstance(value, str) or not _NAME.match(value):
        raise invalid(f"{where}: 1 to 128 of letters, digits, '_' and '-'")
    if value in BUILT_IN:
        raise invalid(f"{where}: {value!r} is the name of a built-in tool")
    if value.startswith(("mcp__", "ant__")):
        raise invalid(f"{where}: the prefixes mcp__ and ant__ are reserved")
    return value


_POLICY = by_type({kind: tagged(kind) for kind in ("always_allow", "always_ask", "auto")})
_DEFAULTS = fields({}, {"enabled": nullable(boolean), "permission_policy": nullable(_POLICY)})


def _configs(names: tuple[str, ...] | None) -> Any:
    name = text(1, 128) if names is None else one_of(*names)
    web = {"allowed_domains": array(text(1), 1, 64), "blocked_domains": array(text(1), 1, 64)}
    more = {"max_content_tokens": integer(1, 10_000_000), "url_sources": anything, "user_location": anything}
    entry = fields(
        {"name": name}, {"enabled": nullable(boolean), "permission_policy": nullable(_POLICY), **web, **more}
    )
    return array(entry)


_TOOL = by_type(
    {
        "custom": tagged(
            "custom", {"name": _custom_name, "description": text(1, 100_000), "input_schema": input_schema}
        ),
        "agent_toolset_20260401": tagged(
            "agent_toolset_20260401", {}, {"default_config": nullable(_DEFAULTS), "configs": _configs(BUILT_IN)}
        ),
        "mcp_toolset": tagged(
            "mcp_toolset",
            {"mcp_server_name": text(1, 255)},
            {"default_config": nullable(_DEFAULTS), "configs": _configs(None)},
        ),
    }
)


def tools(value: Any, where: str) -> Any:
    """Check the tools of one agent."""
    found = array(_TOOL, 0, MOST_TOOLS)(value or [], where)
    names = [tool["name"] for tool in found if tool["type"] == "custom"]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f"{where}: tool names must be unique, {name!r} is there twice")
    return found


def skills(value: Any, where: str) -> Any:
    """Check the skills of one agent."""
    kinds = {k: tagged(k, {"skill_id": text(1)}, {"version": nullable(text(1))}) for k in ("anthropic", "custom")}
    return array(by_type(kinds), 0, 20)(value or [], where)


def servers(value: Any, where: str) -> Any:
    """Check the MCP servers of one agent."""
    found = array(tagged("url", {"name": text(1, 255), "url": text(1)}), 0, 20)(value or [], where)
    names = [server["name"] for server in found]
    if len(set(names)) < len(names):
        raise invalid(f"{where}: server names must be unique")
    return found


def agree(agent: dict[str, Any]) -> None:
    """Refuse an agent whose servers and toolsets do not name each other, or whose skills cannot be read."""
    named = {server["name"] for server in agent["mcp_servers"]}
    used = {tool["mcp_server_name"] for tool in agent["tools"] if tool["type"] == "mcp_toolset"}
    if named != used:
        raise invalid(f"mcp_servers: every server needs its mcp_toolset and the reverse: {sorted(named ^ used)}")
    if agent["skills"] and not any(tool["type"] == "agent_toolset_20260401" for tool in agent["tools"]):
        raise invalid("skills: need the read tool")
