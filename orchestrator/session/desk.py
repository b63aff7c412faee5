"""The desk of a session: all that its engine has. It can ask, record and be told; it decides no approval."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.engines.base import Incoming, Interrupt, ToolUse
from orchestrator.hands.budget import Budget
from orchestrator.hands.run import Hands
from orchestrator.hands.steps import HANDS
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import (
    MAIN_THREAD,
    Body,
    Event,
    FindingReported,
    Note,
    RemoteSession,
    UnknownBody,
    VerdictReached,
    parse_body,
)
from orchestrator.journal.fold import STATUS_TYPES
from orchestrator.journal.text import CleanText, clean
from orchestrator.session.beginning import STREAM
from orchestrator.session.fold import SessionFold
from orchestrator.session.recording import Recorder as Recorder
from orchestrator.session.recording import redacted_body
from orchestrator.verdict.board_edits import Edit
from orchestrator.verdict.claim_rounds import ClaimRounds
from subagents.contract import Brief, Clock, Finding, ServiceInfo, ToolResult
from subagents.specialist import Roster

NOT_FOR_ENGINES = frozenset(
    {
        "warroom.incident",
        "warroom.source_added",
        "warroom.policy_decided",
        "warroom.approval_requested",
        "warroom.approval_decided",
        "warroom.session_rule",
        "warroom.tool_started",
        "warroom.tool_finished",
        "warroom.fix_drafted",
        "warroom.fix_checked",
        "warroom.fix_delivered",
        "warroom.board_edited",
        "warroom.budget_changed",
        "warroom.claims_checked",
        "warroom.rechecked",
        "warroom.redacted",
        "user.tool_confirmation",
    }
)
"""What only hands, or a person through the session, put on record."""
OTHERS_STREAMS = frozenset({HANDS, STREAM})
"""Of hands and of the session: what is there under an id is not recorded again, so no engine takes a place in them."""

PreviewSink = Callable[[str, CleanText], None]
Transition = Callable[[Body, str | None], Any]


class SessionInbox:
    """What the person says, in order."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Incoming] = asyncio.Queue()

    def put(self, item: Incoming) -> None:
        """Add one; never waits."""
        self._queue.put_nowait(item)

    async def get(self) -> Incoming:
        """Wait for the next one."""
        return await self._queue.get()

    def drain(self) -> list[Incoming]:
        """Return all that is waiting."""
        items: list[Incoming] = []
        while not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items

    def forget_interrupts(self) -> None:
        """Drop interrupts of an earlier run; what else was said stays, in order."""
        for item in self.drain():
            if not isinstance(item, Interrupt):
                self.put(item)


class Stop:
    """Implements `orchestrator.engines.base.Cancel`."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        """Say whether the work should stop."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return once it should."""
        await self._event.wait()

    def set(self) -> None:
        """Stop the work."""
        self._event.set()

    def clear(self) -> None:
        """Let work begin again."""
        self._event.clear()


@dataclass
class SessionDesk:
    """Implements `orchestrator.engines.base.Desk`."""

    clock: Clock
    started_at: datetime
    fold: SessionFold
    hands: Hands
    recorder: Recorder
    transition: Transition
    budget: Budget
    claims: ClaimRounds
    """Checks claims, and gives them back to their claimant while rounds are left."""
    services: tuple[ServiceInfo, ...] = ()
    inbox: SessionInbox = field(default_factory=SessionInbox)
    cancel: Stop = field(default_factory=Stop)
    previews: list[PreviewSink] = field(default_factory=list)

    @property
    def roster(self) -> Roster:
        """The agents as they are now."""
        return self.hands.roster

    @property
    def session_id(self) -> str:
        """The session's own id."""
        return "" if self.fold.opened is None else self.fold.opened.session

    @property
    def remote(self) -> RemoteSession | None:
        """The server's session that this one is, if it is one."""
        return self.fold.remote

    def recorded(self, source_id: str, stream: str = "local") -> Event | None:
        """Return what is on record under an id of a stream."""
        return self.recorder.log.find(source_id, stream)

    @property
    def brief(self) -> Brief:
        """The incident, its sources and what the person said, as they are now."""
        if self.fold.opened is None:
            raise RuntimeError("the session has no incident")
        return Brief(
            incident=self.fold.opened.incident,
            sources=tuple(self.fold.sources.values()),
            coverage=tuple(self.fold.coverage.values()),
            services=self.services,
            notes=self.fold.notes,
        )

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        """Make an event durable, redacted; what is not an engine's to record raises ValueError."""
        if body.type in NOT_FOR_ENGINES:
            raise ValueError(f"an engine does not record {body.type}")
        if stream in OTHERS_STREAMS:
            raise ValueError(f"the stream {stream!r} is not an engine's")
        if body.type in STATUS_TYPES and thread == MAIN_THREAD:
            event: Event = await self.transition(body, source_id)
            return event
        if isinstance(body, UnknownBody):
            body = parse_body(body.model_dump(mode="json"))  # nothing gets round the check by another shape
        if isinstance(body, Note) and body.by != "warroom":
            raise ValueError("an engine writes notes in its own name: others are what a person said")
        if isinstance(body, FindingReported | VerdictReached):
            return await self._claim(body, thread, source_id)
        entry = Entry(body=body, thread=thread, stream=stream, source_id=source_id, processed=processed)
        return (await self.recorder.record_all(entry))[0]

    async def _claim(self, body: FindingReported | VerdictReached, thread: str, source_id: str | None) -> Event:
        """Put a claim on record together with what the checker says of it, before it can count anywhere."""
        if isinstance(body, FindingReported):
            body = body.model_copy(update={"id": body.finding.id})
            source_id = source_id or body.id
        if source_id is not None and (there := self.recorder.log.find(source_id)) is not None:
            return there
        kept, _ = await redacted_body(self.recorder.redactor, body)  # quotes are compared as they are kept
        if not isinstance(kept, FindingReported | VerdictReached):
            return await self.recorder.record(body, thread, source_id)
        check, ruled = await self.claims.ruled(kept)
        if isinstance(ruled, VerdictReached):
            changes = {"id": ruled.id, "evidence": ruled.evidence, "corrected": ruled.corrected}
            body = body.model_copy(update=changes)
        claim = Entry(body=body, thread=thread, source_id=source_id)
        if check is None:
            return (await self.recorder.record_all(claim))[0]
        first = Entry(body=check, thread=thread, source_id=None if source_id is None else f"check-{source_id}")
        return (await self.recorder.record_all(first, claim))[1]

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text, cleaned; never stored."""
        if self.previews:
            shown = clean(text)
            for sink in tuple(self.previews):
                sink(thread, shown)

    async def call(self, thread: str, use: ToolUse) -> ToolResult[Any]:
        """Run a tool call for the agent whose thread it is.

        Once the session stops it raises CancelledError: whoever asked must not take a stop for an answer and
        report it. The call goes on when the session does.
        """
        if self.cancel.is_set():
            raise asyncio.CancelledError
        result = await self.hands.call(self.fold.agent_of(thread), thread, use)
        if self.cancel.is_set() and result.outcome == "cancelled":
            raise asyncio.CancelledError
        return result

    async def abandon(self, thread: str, use: ToolUse) -> None:
        """Settle a call whose result nobody takes any more."""
        await self.hands.abandon(self.fold.agent_of(thread), thread, use)

    def findings(self) -> tuple[Finding, ...]:
        """Return every finding that counts so far, oldest first."""
        return tuple(self.fold.findings.values())

    def edits(self) -> tuple[Edit, ...]:
        """Return what the person did to the board, oldest first."""
        return self.fold.board.edits
