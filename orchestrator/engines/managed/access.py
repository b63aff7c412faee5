"""What the managed engine needs to begin: an endpoint with its key, agents that were made, an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.config.model import EngineSettings
from orchestrator.engines.credentials import Endpoint, endpoint
from orchestrator.engines.managed.register import AgentRef, Place, Register
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


def access(engine: EngineSettings, env: Mapping[str, str], register: Register, *, begun: bool = False) -> Access:
    """Return what was synced for this key; asks nobody. Raises CredentialError, AccessError, StateError.

    A session that has `begun` has its agents already: for it only the key must be there.
    """
    to = endpoint(engine, env)
    place = register.read(to)
    if not begun:
        _check(place, engine, to, register)
    return Access(
        endpoint=to,
        install=register.install,
        coordinator=place.agents.get(MAIN_THREAD, _UNKNOWN),
        specialists={role: place.agents[role] for role in SPECIALISTS if role in place.agents},
        environment=engine.environment or place.environment or "",
    )


_UNKNOWN = AgentRef(id="", version=0)


def _check(place: Place, engine: EngineSettings, to: Endpoint, register: Register) -> None:
    """Refuse to begin with agents that are not there, or that were made from other definitions than today's."""
    from orchestrator.engines.managed.definitions import DefinitionError, definitions, shipped_agents

    missing = [role for role in (*SPECIALISTS, MAIN_THREAD) if role not in place.agents]
    if missing or not (engine.environment or place.environment):
        what = f"no agents were made at {to.host} with {to.key_name}" if not place.agents else "not all agents are made"
        raise AccessError(f"{what} yet: run `{SYNC}` once, it shows what it makes")
    try:
        cast = definitions(shipped_agents(), engine, register.install)
    except DefinitionError as error:
        raise AccessError(str(error)) from error
    stale = [definition.role for definition in cast if place.agents[definition.role].digest != definition.digest]
    if stale:
        raise AccessError(f"{', '.join(stale)} changed here since the last sync: run `{SYNC}`, it shows the difference")
