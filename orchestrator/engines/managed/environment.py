"""The environment of sessions: cloud, networking limited to nothing, made once; or one of the user's own.

No tool runs in it (every tool of ours runs on this machine), so it needs no host to reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.engines.managed.definitions import OWNER_KEY
from orchestrator.engines.managed.remote import Change, raw_of

NAME: Final = "warroom"
DESCRIPTION: Final = "warroom: nothing runs here; tools run on the operator's machine."
NETWORKING: Final[Mapping[str, Any]] = {
    "type": "limited",
    "allowed_hosts": [],
    "allow_mcp_servers": False,
    "allow_package_managers": False,
}


@dataclass(frozen=True)
class RemoteEnvironment:
    """An environment as the API has it."""

    id: str
    raw: Mapping[str, Any]

    @property
    def archived(self) -> bool:
        """Whether it takes no new sessions."""
        return bool(self.raw.get("archived_at"))

    @property
    def install(self) -> str | None:
        """The installation that made it, if any warroom did."""
        return (self.raw.get("metadata") or {}).get(OWNER_KEY)

    @property
    def kind(self) -> str:
        """`cloud` or `self_hosted`."""
        return str((self.raw.get("config") or {}).get("type") or "cloud")

    @property
    def networking(self) -> Mapping[str, Any]:
        """What it may reach; `unrestricted` is the API's default."""
        return (self.raw.get("config") or {}).get("networking") or {"type": "unrestricted"}


def remote_environment_of(found: Any) -> RemoteEnvironment:
    """Read an environment as the SDK returned it; raises Garbled for what is none."""
    raw = raw_of(found, "environment")
    return RemoteEnvironment(id=raw["id"], raw=raw)


def environment_body(install: str) -> dict[str, Any]:
    """Return what `environments.create` takes."""
    return {
        "name": NAME,
        "description": DESCRIPTION,
        "config": {"type": "cloud", "networking": dict(NETWORKING)},
        "metadata": {OWNER_KEY: install},
    }


def environment_changes(there: RemoteEnvironment, install: str) -> tuple[Change, ...]:
    """Return how our environment differs from what it should be."""
    found = []
    for key, wanted in NETWORKING.items():
        have = there.networking.get(key, [] if key == "allowed_hosts" else False if key != "type" else None)
        if (have or type(wanted)()) != wanted:
            found.append(Change(f"config.networking.{key}", _word(have), _word(wanted)))
    if there.install != install:
        found.append(Change(f"metadata.{OWNER_KEY}", there.install, install))
    return tuple(found)


def fault_of_own(there: RemoteEnvironment | None, given: str) -> str:
    """Return why the user's own environment cannot be used, in one line; empty where it can."""
    if there is None:
        return f"there is no environment {given} in this workspace: mend engine.environment, or leave it out"
    if there.archived:
        return f"the environment {given} is archived: name another in engine.environment, or leave it out"
    if there.kind != "cloud":
        return (
            f"the environment {given} is {there.kind}: a session there waits for a worker that warroom does not run; "
            "name a cloud environment in engine.environment, or leave it out"
        )
    return ""


def remark_on_own(there: RemoteEnvironment) -> str:
    """Return what a person should know about their own environment; empty where there is nothing."""
    if there.networking.get("type") == "limited":
        return ""
    return f"the environment {there.id} has unrestricted networking; warroom's agents hold no tool that runs in it"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
