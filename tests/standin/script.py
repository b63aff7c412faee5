"""What a scripted agent is: a coroutine per agent name that hears, acts and ends its turns."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.standin.actor import Actor

Brain = Callable[["Actor"], Awaitable[None]]
Script = Mapping[str, Brain]
"""A brain by agent name; `*` stands for every agent that is not named."""


@dataclass(frozen=True)
class Heard:
    """A message that reached a thread."""

    text: str
    sender: str = "user"
    """`user`, `system`, or the name of the agent that sent it."""
    thread: str | None = None
    """Thread that sent it; None: the person."""


@dataclass(frozen=True)
class Call:
    """A tool call to be made."""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a tool call gave."""

    call: Call
    call_id: str
    text: str
    is_error: bool = False

    def json(self) -> Any:
        """Return the text as JSON; None where it is not."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(frozen=True)
class Tokens:
    """What one model request used."""

    input: int = 1200
    output: int = 150
    cache_read: int = 0
    cache_write: int = 0

    @property
    def cost(self) -> int:
        """Millionths of a dollar at the stand-in's own prices."""
        return self.input * 5 + self.output * 25 + self.cache_read // 2 + self.cache_write * 6


class Ended(Exception):
    """A turn ended otherwise than by end_turn."""

    def __init__(self, reason: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason, self.details = reason, details


def blocks(text: str) -> list[dict[str, Any]]:
    """Return text as content."""
    return [{"type": "text", "text": text}]


def plain(content: Sequence[Mapping[str, Any]] | None) -> str:
    """Return the text of content blocks."""
    return "\n".join(str(block.get("text", "")) for block in content or () if block.get("type") == "text")
