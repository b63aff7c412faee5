"""Agents: versions, the optimistic lock, updates that change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.standin import roster, tools
from tests.standin.errors import ApiError, invalid, missing
from tests.standin.ids import Ids, Stamps
from tests.standin.paging import Query, page
from tests.standin.shapes import by_type, fields, integer, metadata, nullable, patched, tagged, text

_IDENTITY = by_type(
    {"service_account": tagged("service_account"), "aws_role": tagged("aws_role", {"role_arn": text(1)})}
)
_OPTIONAL = {
    "description": nullable(text(0, 2048)),
    "execution_identity": nullable(_IDENTITY),
    "mcp_servers": tools.servers,
    "multiagent": roster.check,
    "skills": tools.skills,
    "system": nullable(text(0, 100_000)),
    "tools": tools.tools,
}
_CREATE = fields({"model": tools.model, "name": text(1, 256)}, {**_OPTIONAL, "metadata": metadata()})
_UPDATE = fields(
    {},
    {
        **_OPTIONAL,
        "model": lambda value, where: (tools.model(value, where), value),
        "name": text(1, 256),
        "metadata": nullable(metadata(patch=True)),
        "version": integer(1, 1_000_000_000),
    },
)


class Agents:
    """Every agent with all its versions."""

    def __init__(self, ids: Ids, stamps: Stamps) -> None:
        self._ids, self._stamps = ids, stamps
        self.versions: dict[str, list[dict[str, Any]]] = {}

    def find(self, key: str, version: int | None = None) -> dict[str, Any] | None:
        """Return an agent, the latest version where none is named; None where there is none."""
        kept = self.versions.get(key, [])
        if version is None:
            return kept[-1] if kept else None
        return kept[version - 1] if 1 <= version <= len(kept) else None

    def get(self, key: str, version: int | None = None) -> dict[str, Any]:
        """Return an agent, or refuse with 404."""
        found = self.find(key, version)
        if found is None:
            raise missing("Agent", key)
        return found

    def create(self, body: Any) -> dict[str, Any]:
        """Store a new agent as version 1."""
        given = _CREATE(body, "")
        now = self._stamps.now()
        agent = {
            "id": self._ids.new("agent"),
            "type": "agent",
            "version": 1,
            "name": given["name"],
            "description": given.get("description"),
            "model": given["model"],
            "system": given.get("system"),
            "tools": given.get("tools", []),
            "mcp_servers": given.get("mcp_servers", []),
            "skills": given.get("skills", []),
            "multiagent": None,
            "execution_identity": given.get("execution_identity") or {"type": "service_account"},
            "metadata": given.get("metadata", {}),
            "created_at": now,
            "updated_at": now,
            "archived_at": None,
        }
        tools.agree(agent)
        agent["multiagent"] = roster.pinned(roster.merged(None, given.get("multiagent")), agent, self.find)
        self.versions[agent["id"]] = [agent]
        return agent

    def update(self, key: str, body: Any) -> dict[str, Any]:
        """Store a new version where something changed; 409 where `version` is not the current one."""
        old = self.get(key)
        given = _UPDATE(body, "")
        if old["archived_at"]:
            raise invalid(f"Agent {key} is archived and cannot be updated")
        if "version" in given and given.pop("version") != old["version"]:
            raise ApiError(409, f"version: the agent's current version is {old['version']}")
        new = {**old, **{name: value for name, value in given.items() if name not in ("metadata", "model")}}
        new["execution_identity"] = new["execution_identity"] or {"type": "service_account"}
        for name in ("description", "system"):
            new[name] = new[name] or None
        if given.get("metadata"):
            new["metadata"] = patched(old["metadata"], given["metadata"])
        if "model" in given:
            new["model"] = _model(old["model"], *given["model"])
        tools.agree(new)
        if "multiagent" in given:
            wanted = roster.merged(old["multiagent"], given["multiagent"])
            new["multiagent"] = roster.pinned(wanted, {**new, "version": old["version"] + 1}, self.find)
        if new == old:
            return old
        new.update(version=old["version"] + 1, updated_at=self._stamps.now())
        self.versions[key].append(new)
        return new

    def archive(self, key: str) -> dict[str, Any]:
        """Archive for good; doing it again changes nothing."""
        agent = self.get(key)
        if agent["archived_at"] is None:
            now = self._stamps.now()
            for version in self.versions[key]:
                version.update(archived_at=now, updated_at=now)
        return agent

    def listed(self, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """Return a page of agents, newest first."""
        query = Query(pairs, ("created_at[gte]", "created_at[lte]", "include_archived", "limit", "page"))
        archived = query.flag("include_archived")
        rows = [
            (at, kept[-1])
            for at, kept in enumerate(self.versions.values())
            if (archived or not kept[-1]["archived_at"]) and query.within(kept[-1]["created_at"])
        ]
        return _forward(page(rows, query, "agents", (20, 100), "desc"))

    def versions_listed(self, key: str, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """Return a page of an agent's versions, newest first."""
        self.get(key)
        query = Query(pairs, ("limit", "page"))
        return _forward(page(list(enumerate(self.versions[key])), query, f"versions {key}", (20, 100), "desc"))


def _model(old: Mapping[str, Any], new: dict[str, Any], given: Any) -> dict[str, Any]:
    """Return the model after an update: an omitted effort survives while the id stays."""
    if new["id"] == old["id"] and not (isinstance(given, dict) and "effort" in given):
        return {**new, "effort": old["effort"]}
    return new


def _forward(found: dict[str, Any]) -> dict[str, Any]:
    return {"data": found["data"], "next_page": found["next_page"]}
