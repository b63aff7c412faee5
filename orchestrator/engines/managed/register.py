"""What was made remotely: ids and versions, by endpoint, workspace and key, in `managed.json` of the state home.

The key itself is never in it, only a fingerprint that means nothing on another machine. An intent is written before
anything is created, so that a lost answer is known to be in doubt. A lost file costs nothing: `sync` lists what is
there and finds its own by the installation's id, which comes from another file.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from orchestrator.engines.credentials import Endpoint
from orchestrator.journal.anchor import replace_durably
from orchestrator.journal.faults import StateError
from orchestrator.journal.home import StateHome
from orchestrator.journal.redaction import install_key
from subagents.contract import AgentName, Frozen

FILE: Final = "managed.json"
SIZE_LIMIT: Final = 1 << 20


ENVIRONMENT_INTENT: Final = "environment"


def agent_intent(role: AgentName) -> str:
    """Return the name of the doubt whether an agent of this role was created."""
    return f"agent:{role}"


class AgentRef(Frozen):
    """An agent as it was last made: what sessions are created with."""

    id: str
    version: int
    model: str = ""
    digest: str = ""
    """What it was made from: another one is wanted where this is not the definition's digest any more."""


class Place(Frozen):
    """What was made at one endpoint, in one workspace, with one key."""

    agents: Mapping[AgentName, AgentRef] = Field(default_factory=dict)
    environment: str | None = None
    intents: tuple[str, ...] = ()
    """What was about to be created when this was written: `agent:logs`, `environment`."""

    def with_agent(self, role: AgentName, ref: AgentRef) -> Place:
        """Return it with this agent, which settles any doubt about it."""
        return self.model_copy(update={"agents": {**self.agents, role: ref}}).without_intent(agent_intent(role))

    def without_agent(self, agent_id: str) -> Place:
        """Return it without the agent of this id."""
        return self.model_copy(
            update={"agents": {name: one for name, one in self.agents.items() if one.id != agent_id}}
        )

    def with_environment(self, environment: str) -> Place:
        """Return it with this environment, which settles any doubt about it."""
        return self.model_copy(update={"environment": environment}).without_intent(ENVIRONMENT_INTENT)

    def with_intent(self, intent: str) -> Place:
        """Return it with one more thing in doubt."""
        return self.model_copy(update={"intents": tuple(dict.fromkeys((*self.intents, intent)))})

    def without_intent(self, intent: str) -> Place:
        """Return it with the doubt settled."""
        return self.model_copy(update={"intents": tuple(one for one in self.intents if one != intent)})


class _Stored(Frozen):
    version: int = 1
    places: Mapping[str, Place] = Field(default_factory=dict)


@dataclass(frozen=True)
class Register:
    """`managed.json` of a state home. Every write replaces the file whole, mode 0600."""

    home: StateHome

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.home.path / FILE

    @property
    def install(self) -> str:
        """This installation's id, as it stands in the metadata of what it makes."""
        return hmac.new(self._install_key(), b"managed agents", hashlib.sha256).hexdigest()[:16]

    def place_of(self, endpoint: Endpoint) -> str:
        """Return under which name an endpoint's agents are kept."""
        return f"{endpoint.base_url} {endpoint.workspace or '-'} {endpoint.fingerprint(self._install_key())}"

    def read(self, endpoint: Endpoint) -> Place:
        """Return what was made there; nothing where nothing was. Raises StateError for a file of a newer warroom."""
        return self._stored().places.get(self.place_of(endpoint), Place())

    def change(self, endpoint: Endpoint, how: Callable[[Place], Place]) -> Place:
        """Change what is kept of what was made there, durably; raises StateError."""
        self.home.ensure()
        name = self.place_of(endpoint)
        try:
            with self._lock("managed.lock"):
                stored = self._stored()
                before = stored.places.get(name, Place())
                after = how(before)
                if after != before:
                    data = stored.model_copy(update={"places": {**stored.places, name: after}}).model_dump_json(
                        indent=1
                    )
                    replace_durably(self.path, data.encode() + b"\n")
                return after
        except OSError as error:
            raise StateError(f"{self.path}: cannot be written ({error.strerror})") from error

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other syncs of this installation out; raises StateError where one is at it."""
        self.home.ensure()
        try:
            with self._lock("managed-sync.lock", fcntl.LOCK_NB):
                yield
        except BlockingIOError as error:
            raise StateError("another `warroom agents sync` is at it; wait for its end") from error

    def _install_key(self) -> bytes:
        self.home.ensure()
        return install_key(self.home.path / "redaction.key")

    def _stored(self) -> _Stored:
        """A file that cannot be read counts as lost: `sync` finds again what was made."""
        try:
            with self.path.open("rb") as file:
                raw = file.read(SIZE_LIMIT)
            stored = _Stored.model_validate_json(raw)
        except (OSError, ValidationError):
            return _Stored()
        if stored.version > 1:
            raise StateError(f"{self.path}: was written by a newer warroom; use that one")
        return stored

    @contextmanager
    def _lock(self, name: str, how: int = 0) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self.home.path / name, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | how)
            yield
        finally:
            os.close(handle)
