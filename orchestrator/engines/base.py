"""What every engine is, and the Desk: all that an engine has."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Protocol

from orchestrator.hands.budget import Budget
from orchestrator.journal.events import Body, Event, RemoteSession
from orchestrator.verdict.board_edits import Edit
from orchestrator.verdict.claim_rounds import ClaimRounds
from subagents.contract import AgentName, Brief, Clock, Finding, Frozen, SourceSpec, ToolResult
from subagents.specialist import Roster

StopReason = Literal[
    "end_turn", "requires_action", "retries_exhausted", "budget_reached", "interrupted", "refusal", "error"
]


class ToolUse(Frozen):
    """A call that an engine wants made. `id` is the idempotency key: one id, one effect, one result."""

    id: str
    name: str
    input: dict[str, object]


class Message(Frozen):
    """The person said something, to everyone or to one agent."""

    text: str
    to: AgentName | None = None
    id: str = ""
    """Names it in this session; an engine that hears again what was said before a crash knows it by that."""


class BoardEdit(Message):
    """The person added, pinned or ruled out a hypothesis, or took that back: `text` tells it as their word."""


class Interrupt(Frozen):
    """The person wants work stopped, everywhere or on one thread."""

    thread: str | None = None


class SourceAdded(Frozen):
    """New evidence was attached while the work runs; the roster already has it."""

    spec: SourceSpec


Incoming = Message | Interrupt | SourceAdded


class Inbox(Protocol):
    """What the person says, decides and interrupts, in order."""

    async def get(self) -> Incoming:
        """Wait for the next one."""

    def drain(self) -> list[Incoming]:
        """Return all that is waiting, without waiting."""


class Cancel(Protocol):
    """Whether the work should stop."""

    def is_set(self) -> bool:
        """Say whether it should."""

    async def wait(self) -> object:
        """Return once it should."""


class Desk(Protocol):
    """All that an engine has. It holds no journal, no store, no credential, no widget.

    Records and calls are idempotent on their ids, so an engine that is started again after a crash
    may replay: what is already there is returned, not done again.
    """

    @property
    def clock(self) -> Clock:
        """The session's clock."""

    @property
    def inbox(self) -> Inbox:
        """What the person says."""

    @property
    def cancel(self) -> Cancel:
        """Set when the session is interrupted as a whole or closes."""

    @property
    def roster(self) -> Roster:
        """The agents as they are now; a late source replaces the roster."""

    @property
    def brief(self) -> Brief:
        """The brief as it is now."""

    @property
    def budget(self) -> Budget:
        """What may be spent: asked before each model request. It cannot be raised from here."""

    @property
    def started_at(self) -> datetime:
        """When the session was created."""

    @property
    def session_id(self) -> str:
        """The session's own id."""

    @property
    def remote(self) -> RemoteSession | None:
        """The server's session that this one is, if it is one: the last word on record."""

    def recorded(self, source_id: str, stream: str = "local") -> Event | None:
        """Return what is on record under an id of a stream."""

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        """Make an event durable; with a `source_id` already recorded on that stream, return that event instead.

        What a server has only queued is `processed=False`, and is recorded once more when it is processed.
        """

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text; never stored."""

    async def call(self, thread: str, use: ToolUse) -> ToolResult[Any]:
        """Run a tool call through hands, for the agent whose thread it is."""

    async def abandon(self, thread: str, use: ToolUse) -> None:
        """Settle a call whose result nobody takes any more: it does not start; what may have happened is said."""

    def findings(self) -> tuple[Finding, ...]:
        """Return every finding that counts so far, oldest first."""

    def edits(self) -> tuple[Edit, ...]:
        """Return what the person did to the board, oldest first: their word, never evidence."""

    @property
    def claims(self) -> ClaimRounds:
        """Checks findings and verdicts, and gives them back to who claimed them; `record` checks them in any case."""


class Engine(Protocol):
    """What decides the next step.

    One that cannot be stopped exactly at a bound says by how much it may go over, in an attribute `overshoot`; one that
    records itself when a result has arrived, in `acknowledges`; one that hears again, after a crash, what the person
    said before it, in `hears_again`; why the last run ended and what to do, in a line for people, in `why`.
    """

    name: str
    shown_as: str
    """How screens and reports name it, such as `offline investigator, no model`."""

    async def run(self, desk: Desk) -> StopReason:
        """Work until done; the stop reason says how it ended. Raises EngineError when it cannot go on."""


class EngineError(Exception):
    """The engine cannot go on; the message is one line for people."""
