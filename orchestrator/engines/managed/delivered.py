"""What the streams hand on: one server event, durable already, with what a dispatcher asks of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CAUGHT_UP: Final = "caught_up"
"""Type of what is handed on when a thread's history was read to its end: no event of the server's, and on no record."""
CALL: Final = "agent.custom_tool_use"
RESULT: Final = "user.custom_tool_result"


@dataclass(frozen=True)
class Delivered:
    """One event of the server. It is in the journal. Branch on `type`; an unknown one is handed on like any other."""

    type: str
    raw: Mapping[str, Any]
    """As it came, whole."""
    thread: str
    """Our name of the thread that it is about: `orchestrator`, `logs`, `logs-2`."""
    primary: bool = True
    """It came by the session's own stream. Calls are handed on from there only."""
    replayed: bool = False
    """It came from history: it may be older than this process."""
    open: bool = True
    """For a call: it can still take a result. For CAUGHT_UP and the rest it says nothing."""
    open_calls: frozenset[str] = field(default=frozenset())
    """For CAUGHT_UP of the primary: the calls that can still take a result, all of them."""

    @property
    def id(self) -> str:
        """The server's id; empty where it gave none. A call's is what its result names."""
        return text_of(self.raw, "id")

    @property
    def processed(self) -> bool:
        """Whether the server has worked on it; what is only queued comes again once it has."""
        return self.raw.get("processed_at") is not None

    @property
    def name(self) -> str:
        """A call's tool."""
        return text_of(self.raw, "name")

    @property
    def input(self) -> dict[str, Any]:
        """A call's arguments."""
        found = self.raw.get("input")
        return dict(found) if isinstance(found, Mapping) else {}

    @property
    def thread_id(self) -> str:
        """The server's id of the thread that it names; empty where it names none."""
        return text_of(self.raw, "session_thread_id")

    @property
    def answers(self) -> str:
        """For a result: the call that it answers."""
        return text_of(self.raw, "custom_tool_use_id")

    @property
    def stop_reason(self) -> str:
        """For idle: why, as the server says it."""
        return text_of(self._part("stop_reason"), "type")

    @property
    def stop_details(self) -> Mapping[str, Any]:
        """For a refusal: `category` and `explanation`, where they were given."""
        return self._part("stop_details")

    @property
    def error_type(self) -> str:
        """For session.error: its kind."""
        return text_of(self._part("error"), "type")

    @property
    def error_message(self) -> str:
        """For session.error: what it says."""
        return text_of(self._part("error"), "message")

    @property
    def retry_status(self) -> str:
        """For session.error: `retrying`, `exhausted` or `terminal`; empty where it does not say."""
        return text_of(part_of(self._part("error"), "retry_status"), "type")

    def _part(self, name: str) -> Mapping[str, Any]:
        return part_of(self.raw, name)


Handle = Callable[[Delivered], Awaitable[None]]


def stream_of(thread_id: str) -> str:
    """Return what the journal calls a thread's own stream: its id, never a name that a stream of ours has."""
    return thread_id if thread_id.startswith("sthr_") else f"sthr_?{thread_id}"


def text_of(raw: Mapping[str, Any], name: str) -> str:
    """Return a text field; empty where it is missing or no text."""
    found = raw.get(name)
    return found if isinstance(found, str) else ""


def part_of(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a field that is an object; an empty one where it is missing or something else."""
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}


def content_text(content: object) -> str:
    """Return what the text blocks of a message's content say, each from a new line on; empty where there is none."""
    blocks = content if isinstance(content, list) else []
    return "\n".join(text for one in blocks if isinstance(one, Mapping) and (text := text_of(one, "text")))


def without_nulls(value: Any) -> Any:
    """Return JSON without its nulls: a field that is null is one that was left out."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list | tuple) else value
