"""Binding a session to one that a server keeps: the event, and the fold that says what is bound and whose hands act.

Its `id` is what deletion, attaching and resuming go by: the last one on record counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from subagents.contract import Frozen

if TYPE_CHECKING:
    from orchestrator.journal.events import Event

REMOTE_TYPES = frozenset({"warroom.remote_session"})


class RemoteSession(Frozen):
    """This session is one that a server keeps: made from here, only watched from here, or taken over."""

    type: Literal["warroom.remote_session"] = "warroom.remote_session"
    id: str
    """The server's id of it: `sesn_…`."""
    act: Literal["created", "attached", "claimed", "lost"] = "created"
    """`created`, `claimed`: calls are carried out here. `attached`, `lost`: they are somebody else's."""
    agent: str = ""
    """The coordinator's id."""
    version: int = 0
    """The coordinator's version."""
    environment: str = ""
    host: str = ""
    """Host and port of the endpoint that keeps it."""
    nonce: str = ""
    """What its metadata tells it apart by."""
    install: str = ""
    """Which installation made it, as its metadata says; empty: none that says so."""
    models: dict[str, str] = Field(default_factory=dict)
    """Agent name to the model it runs on, as people read it: `claude-haiku-5-5 v3`."""
    by: str = ""
    """For `claimed`: who confirmed it. For `lost`: which host has it now."""

    @property
    def hands(self) -> bool:
        """Whether calls are carried out here."""
        return self.act in ("created", "claimed")

    @property
    def shown_as(self) -> str:
        """The agent's id and version, and the session's id."""
        return f"{self.agent or 'agent'} v{self.version} · {self.id}" if self.version else self.id


def bound_to(events: Iterable[Event]) -> RemoteSession | None:
    """Return what a session is bound to now; None where no server keeps it. Events of REMOTE_TYPES, in order."""
    found: RemoteSession | None = None
    for event in events:
        body: Any = event.body
        if isinstance(body, RemoteSession):
            found = body
    return found
