"""What a session must know of its own journal while it runs: a fold that is fed every event once or more."""

from __future__ import annotations

from orchestrator.hands.fix_fold import FIX_TYPES
from orchestrator.hands.session_rules import RULE_TYPES
from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    Body,
    ClaimsChecked,
    Event,
    FindingReported,
    IncidentOpened,
    Note,
    Rechecked,
    RemoteSession,
    SourceAddedEvent,
    ThreadCreated,
    UserCustomToolResult,
    UserMessage,
    VerdictReached,
)
from orchestrator.journal.fold import STATUS_TYPES
from orchestrator.journal.own_remote import REMOTE_TYPES
from orchestrator.session.status import SETTLED_REASONS, Standing, standing_of
from orchestrator.verdict.board import Board
from subagents.contract import AgentName, Coverage, Finding, SourceSpec

FOLDED_TYPES = (
    STATUS_TYPES
    | FIX_TYPES
    | REMOTE_TYPES
    | RULE_TYPES
    | {
        "warroom.incident",
        "warroom.source_added",
        "warroom.finding",
        "warroom.claims_checked",
        "warroom.note",
        "user.message",
        "session.thread_created",
        "session.thread_status_running",
        "warroom.board_edited",
        "warroom.verdict",
        "warroom.rechecked",
    }
)
"""What matters to the fold and to the approvals, but for calls: what opening a session reads of all of it."""

CALL_TYPES = frozenset({"agent.custom_tool_use", "user.custom_tool_result"})
"""What opening a session reads after `SessionFold.settled_seq`."""


class SessionFold:
    """Upserts: an event that is seen twice changes nothing."""

    def __init__(self) -> None:
        self.opened: IncidentOpened | None = None
        self.standing = Standing()
        self.board = Board()
        """The hypotheses, with a person's word on them."""
        self.verdict: VerdictReached | None = None
        """The last one."""
        self.rechecked: Rechecked | None = None
        """The last re-check of its symptom that could tell."""
        self.runs = 0
        self.sources: dict[str, SourceSpec] = {}
        self.coverage: dict[str, Coverage] = {}
        self._claimed: dict[str, Finding] = {}
        self._doubted: set[str] = set()
        self.open_calls: dict[str, Event] = {}
        """Calls that were asked for and have no result yet, by id."""
        self.settled_seq = 0
        """The last event at which no call was open: a run ended there by itself, having answered every one."""
        self.remote: RemoteSession | None = None
        """The server's session that this one is, the last word on record."""
        self._agents: dict[str, AgentName] = {}
        self._said: dict[int, str] = {}
        self._answered: set[str] = set()
        self._status_seq = 0

    def agent_of(self, thread: str) -> AgentName:
        """Return whose thread it is; a thread that nobody created is named after its agent."""
        return self._agents.get(thread, thread)

    @property
    def findings(self) -> dict[str, Finding]:
        """The findings that count, by id, oldest first."""
        return {identity: found for identity, found in self._claimed.items() if identity not in self._doubted}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person said, oldest first."""
        return tuple(self._said.values())

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        body = event.body
        self.board.apply(event)
        self._learn_verdict(body)
        if isinstance(body, AgentCustomToolUse | UserCustomToolResult):
            self._learn_call(event, body)
        elif isinstance(body, FindingReported):
            self._claimed.setdefault(body.id, body.finding)
        elif isinstance(body, ClaimsChecked) and body.subject == "finding":
            (self._doubted.add if body.doubts else self._doubted.discard)(body.id)
        elif isinstance(body, SourceAddedEvent):
            self.sources.setdefault(body.spec.id, body.spec)
            if body.coverage is not None:
                self.coverage.setdefault(body.spec.id, body.coverage)
        elif isinstance(body, ThreadCreated):
            self._agents.setdefault(body.session_thread_id, body.agent_name)
        elif isinstance(body, IncidentOpened):
            self.opened = body
        elif isinstance(body, RemoteSession):
            self.remote = body
        elif isinstance(body, UserMessage):
            self._said[event.seq] = "\n".join(part.text for part in body.content)
        elif isinstance(body, Note) and body.by != "warroom":
            self._said[event.seq] = body.text
        else:
            self._learn_status(event)

    def _learn_verdict(self, body: Body) -> None:
        if isinstance(body, VerdictReached):
            self.verdict, self.rechecked = body, None
        elif isinstance(body, Rechecked) and body.state != "unknown":
            self.rechecked = body

    def _learn_call(self, event: Event, body: AgentCustomToolUse | UserCustomToolResult) -> None:
        if isinstance(body, UserCustomToolResult):
            self._answered.add(body.custom_tool_use_id)
            self.open_calls.pop(body.custom_tool_use_id, None)
        elif event.source_id is not None and event.source_id not in self._answered:
            self.open_calls[event.source_id] = event

    def _learn_status(self, event: Event) -> None:
        standing = standing_of(event.body)
        if standing is None or event.thread != MAIN_THREAD or event.seq <= self._status_seq:
            return
        self._status_seq = event.seq
        self.standing = standing
        self.runs += standing.status == "running"
        if standing.status == "idle" and standing.reason in SETTLED_REASONS:
            self.settled_seq = event.seq
