"""The streams of one Managed Agents session: the primary and one per thread, merged exactly once into the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from orchestrator.engines.base import EngineError
from orchestrator.engines.managed.delivered import Handle
from orchestrator.journal.events import Body, Event
from subagents.contract import AgentName, Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

LinkState = Literal["connecting", "listing", "live", "waiting", "ended"]
Ending = Literal["terminated", "deleted"]


class StreamsEnded(EngineError):
    """The session cannot be followed any further; the message is one line for people."""


class Sink(Protocol):
    """The part of a Desk that streams need."""

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        """Make an event durable, once."""

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text; an empty one takes away what was shown."""


@dataclass(frozen=True)
class Health:
    """How the primary stream is now, for a status line. Ages are seconds."""

    state: LinkState
    why: str = ""
    """What it waits or ended for."""
    event_age: float | None = None
    """Since the last event; None before the first."""
    byte_age: float | None = None
    """Since the last byte, keep-alives counted."""
    retry_in: float | None = None
    """Until it is tried again."""
    attempts: int = 0
    """Failed attempts in a row."""


@dataclass(frozen=True)
class Terms:
    """What the streams must know of the session that they follow."""

    roles: Mapping[str, AgentName] = field(default_factory=dict)
    """Names of agents to their roles; one that is not listed plays the role of its name."""
    echoed: Callable[[Mapping[str, Any]], bool] = lambda raw: True
    """Says of a `user.*` or `system.*` event whether our journal holds it already, as it does what we sent."""


class Streams:
    """See the module. `run` once."""

    def __init__(
        self, client: AsyncAnthropic, session_id: str, sink: Sink, clock: Clock, terms: Terms | None = None
    ) -> None:
        self._client = client
        self.session_id = session_id
        self._sink = sink
        self._clock = clock
        self._terms = terms or Terms()

    @property
    def health(self) -> Health:
        """How the primary stream is now."""
        return Health("connecting")

    @property
    def open_calls(self) -> frozenset[str]:
        """The calls that can take a result, as far as the events so far say."""
        return frozenset()

    def thread_id(self, thread: str) -> str | None:
        """Return the server's id of one of our threads, such as `logs-2`."""
        return None

    def thread_of(self, thread_id: str) -> str | None:
        """Return our name of a server's thread."""
        return None

    async def run(self, handle: Handle) -> Ending:
        """Follow the session until it is over, and hand each event on, one at a time, once it is durable.

        `handle` must return soon. Raises StreamsEnded where the session cannot be followed any further, what `handle`
        raises, and what the journal raises.
        """
        raise NotImplementedError
