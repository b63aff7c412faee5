"""Our names of a session's threads: the role for its first thread, `logs-2` for a copy. The journal keeps them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from orchestrator.journal.events import MAIN_THREAD, ThreadCreated
from subagents.contract import AgentName

if TYPE_CHECKING:
    from orchestrator.engines.managed.streams import Sink

Lookup = Callable[[str], Awaitable[str]]
"""Asks the server for the name of a thread's agent; empty where it cannot be told."""
_NAME_LIMIT = 64


class Threads:
    """Names by the server's ids, each durable before it is used."""

    def __init__(
        self,
        session_id: str,
        sink: Sink,
        roles: Mapping[str, AgentName],
        lookup: Lookup,
        named: Callable[[str], None] = lambda thread_id: None,
    ) -> None:
        self._session_id = session_id
        self._sink = sink
        self._roles = roles
        self._lookup = lookup
        self._named = named
        self._names: dict[str, str] = {}
        self.primary = ""
        """The server's id of the coordinator's thread, once it is known."""

    def known(self, thread_id: str) -> str | None:
        """Return the name of a thread, if it has one yet."""
        return MAIN_THREAD if not thread_id or thread_id == self.primary else self._names.get(thread_id)

    def id_of(self, name: str) -> str | None:
        """Return the server's id of a thread."""
        if name == MAIN_THREAD:
            return self.primary or None
        return next((one for one, named in self._names.items() if named == name), None)

    async def name(self, thread_id: str, agent: str = "") -> str:
        """Return the name of a thread, and give it one where it has none."""
        if (known := self.known(thread_id)) is not None:
            return known
        agent = agent or await self._lookup(thread_id)
        role = self._roles.get(agent) or _plain(agent)
        if role == MAIN_THREAD and not self.primary:
            self.primary = thread_id
            return MAIN_THREAD
        taken = {MAIN_THREAD, *self._names.values()}
        made, copy = role, 1
        while made in taken:
            copy += 1
            made = f"{role}-{copy}"
        body = ThreadCreated(session_thread_id=made, agent_name=role, remote_id=thread_id)
        event = await self._sink.record(body, thread=made, source_id=f"thread:{thread_id}", stream=self._session_id)
        # What an earlier process called it counts: it is the journal's word that is returned.
        kept = event.body.session_thread_id if isinstance(event.body, ThreadCreated) else made
        self._names[thread_id] = kept
        self._named(thread_id)
        return kept


def _plain(agent: str) -> str:
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in agent)
    return name[:_NAME_LIMIT].strip("-") or "agent"
