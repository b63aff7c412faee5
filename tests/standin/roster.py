"""Multiagent configuration: who a coordinator may call, pinned when it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.standin.errors import invalid
from tests.standin.shapes import array, by_type, fields, integer, nullable, one_of, tagged, text

Find = Callable[[str, int | None], dict[str, Any] | None]
"""Returns an agent by id and version (None: the latest); None where there is none."""

_REF = tagged("agent", {"id": text(1)}, {"version": nullable(integer(1, 1_000_000))})
_SWITCH = by_type({kind: tagged(kind) for kind in ("enabled", "disabled")})


def _entry(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return {"type": "agent", "id": text(1)(value, where)}
    return by_type({"agent": _REF, "self": tagged("self"), "advisor": tagged("advisor", {"model": text(1)})})(
        value, where
    )


def _predefined(value: Any, where: str) -> Any:
    found = _entry(value, where)
    if found["type"] == "advisor":
        raise invalid(f"{where}.type: Input should be one of agent, self")
    return found


_PART = by_type(
    {
        "enabled": tagged(
            "enabled",
            {},
            {"inline_agents": nullable(_SWITCH), "predefined_agents": nullable(array(_predefined, 0, 20))},
        ),
        "disabled": tagged("disabled"),
    }
)
_ADVISOR = by_type({"enabled": tagged("enabled", {"model": text(1)}), "disabled": tagged("disabled")})
_CURRENT = fields(
    {"type": one_of("multiagent_20261001")},
    {"subagents": nullable(_PART), "workflows": nullable(_PART), "advisor": nullable(_ADVISOR)},
)
_SHAPE = by_type(
    {"multiagent_20261001": _CURRENT, "coordinator": tagged("coordinator", {"agents": array(_entry, 1, 20)})}
)
_OPEN: dict[str, Any] = {"type": "enabled", "inline_agents": {"type": "enabled"}, "predefined_agents": []}
_DEFAULT: dict[str, Any] = {"subagents": _OPEN, "workflows": _OPEN, "advisor": {"type": "disabled"}}


def check(value: Any, where: str) -> Any:
    """Check the shape of a `multiagent` field; null means none."""
    return nullable(_SHAPE)(value, where)


def merged(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the configuration after an update: the current type merges level by level, the older one is replaced."""
    if new is None or new["type"] == "coordinator":
        return new
    base = old if old is not None and old["type"] == new["type"] else _DEFAULT
    found: dict[str, Any] = {"type": new["type"]}
    for part, default in _DEFAULT.items():
        given = new.get(part, base[part]) or default
        kept = base[part] if given["type"] == base[part]["type"] == "enabled" and part != "advisor" else default
        if given["type"] == "enabled" and part != "advisor":
            inner = {key: given.get(key, kept.get(key)) for key in ("inline_agents", "predefined_agents")}
            given = {"type": "enabled", **{key: _OPEN[key] if v is None else v for key, v in inner.items()}}
        found[part] = given
    return found


def pinned(config: dict[str, Any] | None, owner: Mapping[str, Any], find: Find) -> dict[str, Any] | None:
    """Return the configuration with every roster entry pinned to a version, or refuse it."""
    if config is None:
        return None
    if config["type"] == "coordinator":
        return {"type": "coordinator", "agents": _pin(config["agents"], owner, find, "multiagent.agents")}
    found = dict(config)
    for part in ("subagents", "workflows"):
        if found[part]["type"] == "disabled":
            continue
        entries = found[part]["predefined_agents"]
        if found[part]["inline_agents"]["type"] == "disabled" and not entries:
            raise invalid(f"multiagent.{part}.predefined_agents: must not be empty while inline agents are disabled")
        found[part] = {**found[part], "predefined_agents": _pin(entries, owner, find, f"multiagent.{part}")}
    return found


def _pin(entries: list[Any], owner: Mapping[str, Any], find: Find, where: str) -> list[Any]:
    pins: list[Any] = []
    names: set[str] = {"self", "anthropic.advisor"}
    for at, entry in enumerate(entries):
        if entry["type"] == "advisor":
            pins.append(entry)
            continue
        own = entry["type"] == "self" or entry["id"] == owner["id"]
        agent = owner if own else find(entry["id"], entry.get("version"))
        place = f"{where}.{at}"
        if agent is None:
            raise invalid(f"{place}: agent {entry.get('id')} version {entry.get('version') or 'latest'} does not exist")
        if agent.get("archived_at"):
            raise invalid(f"{place}: agent {agent['id']} is archived")
        if not own and agent.get("multiagent"):
            raise invalid(f"{place}: an agent with multiagent set cannot be in a roster (one level deep)")
        if agent["name"] in names:
            raise invalid(f"{place}: the name {agent['name']!r} is taken in this roster")
        if agent["model"]["inference_geo"] != owner["model"]["inference_geo"]:
            raise invalid(f"{place}: inference_geo differs from the coordinator's")
        names.add(agent["name"])
        pins.append({"type": "agent", "id": agent["id"], "version": agent["version"]})
    return pins


def callable_agents(config: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the references that a coordinator may start as subagents."""
    if config is None:
        return []
    if config["type"] == "coordinator":
        return [entry for entry in config["agents"] if entry["type"] == "agent"]
    return list(config["subagents"].get("predefined_agents", []))
