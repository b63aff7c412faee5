"""One tool call on its way through hands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from orchestrator.hands.execute import UNKNOWN
from orchestrator.hands.results import Ran
from orchestrator.journal.codec import Entry
from subagents.contract import AgentName, Tool, ToolResult


class Use(Protocol):
    """A call as an engine asks for it (`orchestrator.engines.base.ToolUse`)."""

    @property
    def id(self) -> str:
        """The idempotency key."""

    @property
    def name(self) -> str:
        """The tool."""

    @property
    def input(self) -> Mapping[str, object]:
        """The arguments."""


@dataclass
class Call:
    """One call on its way."""

    agent: AgentName
    thread: str
    id: str
    name: str
    arguments: dict[str, Any]
    """As asked for; what is recorded is redacted."""
    recorded: dict[str, Any]
    by_person: bool = False
    apart: bool = False
    """A person's look at the evidence: it goes on when the agents stop, and what stops them does not stop it."""
    secret: bool = False
    """The arguments held a secret, so they cannot be shown to a person as they are."""
    unwritten: list[Entry] = field(default_factory=list)
    """Steps that are recorded together with the next one: nothing can have happened because of them yet."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    put_off: bool = False
    """Cancelled because everything stops: it is not answered, but carried out when the session goes on."""
    answered: bool = False
    task: asyncio.Task[ToolResult[Any]] | None = None

    def work(self) -> asyncio.Task[ToolResult[Any]]:
        """Return the task that carries it out."""
        if self.task is None:
            raise RuntimeError(f"call {self.id} is not on its way")
        return self.task

    def same(self, other: Call) -> bool:
        """Say whether the other, of the same id, is the same call."""
        return (self.thread, self.name, self.recorded) == (other.thread, other.name, other.recorded)


class OutcomeKnown(Exception):
    """The call has its outcome before it ran."""

    def __init__(self, ran: Ran) -> None:
        super().__init__(ran.message)
        self.ran = ran


def interrupted_call(call: Call) -> Ran:
    """Return the outcome of a call that may not be run again and was started before."""
    return Ran("unknown", message=f"{call.name}: interrupted after it had started. {UNKNOWN}")


def deny(reason: str) -> OutcomeKnown:
    """Return the refusal to raise."""
    return OutcomeKnown(Ran("denied", message=reason))


@dataclass(frozen=True)
class Recorded:
    """A call as the journal has it."""

    id: str
    name: str
    input: Mapping[str, object]


def understood(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments as the tool will take them, defaults filled in: what rules look at.

    Else an agent could spell a value so that a rule misses it and the tool does not (`5.0` for `5`), or leave it out.
    What the tool will refuse is returned as it is.
    """
    try:
        taken: dict[str, Any] = tool.params.model_validate(arguments).model_dump(mode="json", exclude_none=True)
    except ValidationError:
        return arguments
    return taken


def which_arguments(call: Call, error: ValidationError) -> str:
    """Say which arguments are wrong and how, in one line; at most five of them."""
    if set(call.arguments) == {"refused"}:
        return str(call.arguments["refused"])
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in faults[:5]]
    more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
    return "bad arguments: " + "; ".join(told) + more
