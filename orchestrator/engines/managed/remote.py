"""What an agent is there, beside what it should be: the exact differences, and the update that removes them.

Only what warroom sets is compared, and what would loosen the cast if somebody added it: MCP servers and skills.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.engines.faults import Garbled
from orchestrator.engines.managed.definitions import OWNER_KEY, ROLE_KEY, AgentDefinition
from orchestrator.engines.managed.delivered import without_nulls
from orchestrator.engines.managed.register import AgentRef


@dataclass(frozen=True)
class Remote:
    """An agent as the API has it."""

    id: str
    version: int
    raw: Mapping[str, Any]

    @property
    def archived(self) -> bool:
        """Whether it can neither be changed nor used for new sessions."""
        return bool(self.raw.get("archived_at"))

    @property
    def metadata(self) -> Mapping[str, str]:
        """Its metadata."""
        return self.raw.get("metadata") or {}

    @property
    def install(self) -> str | None:
        """The installation that made it, if any warroom did."""
        return self.metadata.get(OWNER_KEY)

    @property
    def role(self) -> str | None:
        """The role it was made for."""
        return self.metadata.get(ROLE_KEY)

    @property
    def created(self) -> str:
        """When it was made, as the API says it."""
        return str(self.raw.get("created_at") or "")

    @property
    def model(self) -> str:
        """Its model's id."""
        model = self.raw.get("model")
        return str(model.get("id") or "") if isinstance(model, Mapping) else str(model or "")

    @property
    def ref(self) -> AgentRef:
        """What is kept of it."""
        return AgentRef(id=self.id, version=self.version, model=self.model)


def remote_of(agent: Any) -> Remote:
    """Read an agent as the SDK returned it; raises Garbled for what is none."""
    raw = raw_of(agent, "agent")
    version = raw.get("version")
    if not isinstance(version, int) or version < 1:
        raise Garbled("no agent")
    return Remote(id=raw["id"], version=version, raw=raw)


def raw_of(found: Any, what: str) -> dict[str, Any]:
    """Return what the SDK returned as plain JSON with an id; raises Garbled (the SDK checks nothing)."""
    try:
        raw = found.to_dict(mode="json", warnings=False)
    except (AttributeError, TypeError, ValueError) as error:
        raise Garbled(f"no {what}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not raw["id"]:
        raise Garbled(f"no {what}")
    return raw


@dataclass(frozen=True)
class Change:
    """One difference: which field, what it is there (None: not there), what it will be (None: taken away)."""

    field: str
    old: str | None
    new: str | None


def changes(wanted: AgentDefinition, there: Remote, roster: Sequence[AgentRef] = ()) -> tuple[Change, ...]:
    """Return every difference, none where there is none; `roster` is what the coordinator should have."""
    return tuple(_changes(wanted.body(roster), there.raw))


def update_body(wanted: AgentDefinition, there: Remote, roster: Sequence[AgentRef] = ()) -> dict[str, Any]:
    """Return the fields that differ, as `agents.update` takes them, with the version that they were compared with."""
    body = wanted.body(roster)
    fields = {change.field.split(".")[0].split("[")[0] for change in _changes(body, there.raw)}
    update = {name: body.get(name, []) for name in sorted(fields)}
    if "metadata" in update:  # the API merges it by key
        update["metadata"] = {key: one for key, one in body["metadata"].items() if there.metadata.get(key) != one}
    return {"version": there.version, **update}


def _changes(body: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[Change]:
    for name in ("name", "description"):
        yield from _differ(name, raw.get(name) or "", body[name])
    yield from _model_changes(body["model"], raw.get("model"))
    yield from _differ("system", raw.get("system") or "", body["system"])
    yield from _tool_changes(body["tools"], raw.get("tools") or [])
    yield from _roster_changes(body.get("multiagent"), raw.get("multiagent"))
    for name in ("mcp_servers", "skills"):
        for extra in raw.get(name) or []:
            yield Change(f"{name}[{_label(extra)}]", _json(extra), None)
    metadata = raw.get("metadata") or {}
    for key, value in body["metadata"].items():
        yield from _differ(f"metadata.{key}", metadata.get(key), value)


def _differ(field: str, old: str | None, new: str | None) -> Iterator[Change]:
    if old != new:
        yield Change(field, old, new)


def _model_changes(wanted: Mapping[str, Any], there: Any) -> Iterator[Change]:
    have = there if isinstance(there, Mapping) else {"id": there}
    yield from _differ("model.id", have.get("id"), wanted["id"])
    if "effort" in wanted:
        effort = have.get("effort")
        yield from _differ(
            "model.effort", effort.get("type") if isinstance(effort, Mapping) else effort, wanted["effort"]
        )


def _tool_changes(wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    have = {_label(tool): _tool(tool) for tool in there}
    want = {_label(tool): _tool(tool) for tool in wanted}
    for name in dict.fromkeys((*have, *want)):
        yield from _differ(f"tools[{name}]", have.get(name), want.get(name))
    if have == want and list(have) != list(want):
        yield Change("tools[order]", ", ".join(have), ", ".join(want))


def _label(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)[:80]
    return str(entry.get("name") or entry.get("skill_id") or entry.get("mcp_server_name") or entry.get("type"))[:128]


def _tool(tool: Mapping[str, Any]) -> str:
    return _json(without_nulls(tool))


def _roster_changes(wanted: Mapping[str, Any] | None, there: Any) -> Iterator[Change]:
    have = dict(_roster_rows(there))
    want = dict(_roster_rows(wanted))
    for name in dict.fromkeys((*want, *have)):
        yield from _differ(f"multiagent.{name}", have.get(name), want.get(name))


def _roster_rows(multiagent: Any) -> Iterator[tuple[str, str]]:
    """Yield each thing that delegation consists of, as a name and a word."""
    if not isinstance(multiagent, Mapping):
        return
    yield "type", str(multiagent.get("type"))
    subagents = multiagent.get("subagents") or {}
    yield "subagents", str(subagents.get("type"))
    yield "inline_agents", str((subagents.get("inline_agents") or {}).get("type"))
    entries = subagents.get("predefined_agents") or []
    yield "roster", "\n".join(_entry(entry) for entry in entries)
    for member in ("workflows", "advisor"):
        yield member, str((multiagent.get(member) or {"type": "disabled"}).get("type"))


def _entry(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    version = f" v{entry['version']}" if entry.get("version") else ""
    return f"{entry.get('id') or entry.get('type')}{version}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
