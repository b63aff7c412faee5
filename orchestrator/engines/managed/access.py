"""What the managed engine needs to begin: an endpoint with its key, agents that were made, an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.config.model import EngineSettings
from orchestrator.engines.credentials import Endpoint, endpoint
from orchestrator.engines.managed.register import AgentRef, Register
from orchestrator.journal.events import MAIN_THREAD
from subagents.contract import SPECIALISTS, AgentName

SYNC = "warroom agents sync"


class AccessError(Exception):
    """The managed engine cannot begin; the message is one line for people: what is missing and what to run."""


@dataclass(frozen=True)
class Access:
    """All that the engine needs besides its desk. Its `repr` shows no secret."""

    endpoint: Endpoint
    install: str
    """This installation's id: goes into the metadata of what is created."""
    coordinator: AgentRef
    specialists: Mapping[AgentName, AgentRef]
    environment: str

    @property
    def roles(self) -> dict[str, AgentName]:
        """Agent id to the role that it plays here."""
        agents = {MAIN_THREAD: self.coordinator, **self.specialists}
        return {ref.id: role for role, ref in agents.items()}

    @property
    def shown_as(self) -> str:
        """How screens and reports name the engine before there is a session."""
        return f"Claude Managed Agents, {self.coordinator.model or 'orchestrator'} v{self.coordinator.version}"


def access(engine: EngineSettings, env: Mapping[str, str], register: Register) -> Access:
    """Return what was synced for this key; asks nobody. Raises CredentialError, AccessError, StateError."""
    to = endpoint(engine, env)
    place = register.read(to)
    missing = [role for role in (*SPECIALISTS, MAIN_THREAD) if role not in place.agents]
    if missing or not (engine.environment or place.environment):
        what = f"no agents were made at {to.host} with {to.key_name}" if not place.agents else "not all agents are made"
        raise AccessError(f"{what} yet: run `{SYNC}` once, it shows what it makes")
    return Access(
        endpoint=to,
        install=register.install,
        coordinator=place.agents[MAIN_THREAD],
        specialists={role: place.agents[role] for role in SPECIALISTS},
        environment=engine.environment or place.environment or "",
    )
