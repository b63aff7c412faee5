"""Environments: cloud or self-hosted, not versioned."""

from __future__ import annotations

from typing import Any

from tests.standin.errors import ApiError, invalid, missing
from tests.standin.ids import Ids, Stamps
from tests.standin.paging import Query, page
from tests.standin.shapes import array, boolean, by_type, fields, metadata, nullable, one_of, patched, tagged, text

_LIMITED = tagged(
    "limited",
    {},
    {
        "allowed_hosts": nullable(array(text(1, 253))),
        "allow_mcp_servers": nullable(boolean),
        "allow_package_managers": nullable(boolean),
    },
)
_MANAGERS = ("apt", "cargo", "gem", "go", "npm", "pip")
_PACKAGES = fields({}, {"type": one_of("packages"), **{name: nullable(array(text(1))) for name in _MANAGERS}})
_CLOUD = tagged(
    "cloud",
    {},
    {
        "networking": nullable(by_type({"unrestricted": tagged("unrestricted"), "limited": _LIMITED})),
        "packages": nullable(_PACKAGES),
    },
)
_CONFIG = by_type({"cloud": _CLOUD, "self_hosted": tagged("self_hosted")})
_OPTIONAL = {
    "config": nullable(_CONFIG),
    "description": nullable(text(0, 2048)),
    "scope": nullable(one_of("organization", "account")),
}
_CREATE = fields({"name": text(1, 256)}, {**_OPTIONAL, "metadata": metadata()})
_UPDATE = fields({}, {**_OPTIONAL, "name": nullable(text(1, 256)), "metadata": metadata(patch=True)})


def _config(given: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any]:
    given = given or old or {"type": "cloud"}
    if old is not None and given["type"] != old["type"]:
        raise invalid("config.type: cannot be changed", "invalid_config_type_change")
    if given["type"] == "self_hosted":
        return {"type": "self_hosted"}
    before = old or {"networking": {"type": "unrestricted"}, "packages": {}}
    network = given.get("networking") or before["networking"]
    if network["type"] == "limited":
        network = {
            "type": "limited",
            "allowed_hosts": network.get("allowed_hosts") or [],
            "allow_mcp_servers": bool(network.get("allow_mcp_servers")),
            "allow_package_managers": bool(network.get("allow_package_managers")),
        }
    packages = given.get("packages") or before["packages"]
    packages = {"type": "packages", **{name: packages.get(name) or [] for name in _MANAGERS}}
    if network["type"] == "limited" and not network["allow_package_managers"] and any(packages[m] for m in _MANAGERS):
        raise invalid("config.packages: need allow_package_managers under limited networking")
    return {"type": "cloud", "networking": network, "packages": packages}


class Environments:
    """Every environment."""

    def __init__(self, ids: Ids, stamps: Stamps) -> None:
        self._ids, self._stamps = ids, stamps
        self.all: dict[str, dict[str, Any]] = {}

    def get(self, key: str) -> dict[str, Any]:
        """Return an environment, or refuse with 404."""
        if key not in self.all:
            raise missing("Environment", key, "environment_not_found")
        return self.all[key]

    def usable(self, key: str) -> dict[str, Any]:
        """Return an environment that a session may use."""
        found = self.get(key)
        if found["archived_at"]:
            raise ApiError(400, f"Environment {key} is archived", "environment_archived")
        return found

    def create(self, body: Any) -> dict[str, Any]:
        """Store a new environment."""
        given = _CREATE(body, "")
        now = self._stamps.now()
        made = {
            "id": self._ids.new("env"),
            "type": "environment",
            "name": given["name"],
            "description": given.get("description"),
            "config": _config(given.get("config")),
            "metadata": given.get("metadata", {}),
            "scope": given.get("scope") or "organization",
            "created_at": now,
            "updated_at": now,
            "archived_at": None,
        }
        self.all[made["id"]] = made
        return made

    def update(self, key: str, body: Any) -> dict[str, Any]:
        """Change what is sent, keep what is omitted."""
        old = self.usable(key)
        given = _UPDATE(body, "")
        old["config"] = _config(given.get("config"), old["config"])
        for name in ("name", "scope"):
            old[name] = given.get(name) or old[name]
        if "description" in given:
            old["description"] = given["description"] or None
        old["metadata"] = patched(old["metadata"], given.get("metadata", {}))
        old["updated_at"] = self._stamps.now()
        return old

    def archive(self, key: str) -> dict[str, Any]:
        """Archive for good."""
        found = self.get(key)
        found["archived_at"] = found["archived_at"] or self._stamps.now()
        return found

    def delete(self, key: str) -> dict[str, Any]:
        """Remove it."""
        self.get(key)
        del self.all[key]
        return {"id": key, "type": "environment_deleted"}

    def listed(self, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """Return a page of environments, newest first."""
        query = Query(pairs, ("include_archived", "limit", "page"))
        archived = query.flag("include_archived")
        rows = [(at, env) for at, env in enumerate(self.all.values()) if archived or not env["archived_at"]]
        found = page(rows, query, "environments", (20, 100), "desc")
        return {"data": found["data"], "next_page": found["next_page"]}
