"""What each agent is about, in words: busy with what, quiet for how long and waiting for what, asking, done, failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    ApprovalDecided,
    ApprovalRequested,
    Event,
    ModelRequestEnd,
    ModelRequestStart,
    SessionError,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    StopReason,
    ThreadCreated,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ThreadStatusTerminated,
    ToolFinished,
)
from orchestrator.journal.fold import STATUS_TYPES
from tui.views.stream import PANES

AgentState = Literal["waiting", "busy", "asking", "done", "failed", "stopped"]
_RANK: Mapping[AgentState, int] = {"asking": 0, "busy": 1, "failed": 2, "stopped": 3, "waiting": 4, "done": 5}
"""Which of several a person would want to know of first."""
QUIET_FROM_S = 3
"""Seconds without an event from which an agent is called quiet."""


@dataclass
class AgentFold:
    """What is known of one agent."""

    name: str
    started: bool = False
    stop: StopReason | None = None
    calls: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """Open calls: tool, and since when."""
    asks: set[str] = field(default_factory=set)
    model_since: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True)
class AgentWords:
    """An agent's state as a class and as words."""

    state: AgentState
    words: str


class Agents:
    """Fed every event once, in order."""

    def __init__(self) -> None:
        self.by_name = {name: AgentFold(name) for name in PANES}
        self.copies: dict[str, AgentFold] = {}
        """Further threads of agents, by the names of the threads."""
        self.session: Literal["idle", "running", "rescheduling", "terminated"] = "idle"
        self.reason = ""
        self.message = ""
        """What was said of the reason."""
        self._first: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        body = event.body
        if isinstance(body, ThreadCreated):
            self._begin(body.session_thread_id, body.agent_name)
        agent = self.copies.get(event.thread) or self.by_name.get(self._names.get(event.thread, event.thread))
        if agent is None:
            return
        agent.last = event.ts
        if agent.name == MAIN_THREAD:
            self._learn_session(event)
        self._learn_agent(agent, event)

    def _begin(self, thread: str, agent: str) -> None:
        self._names[thread] = agent
        if agent in self.by_name and agent != MAIN_THREAD and self._first.setdefault(agent, thread) != thread:
            self.copies.setdefault(thread, AgentFold(thread))

    def copies_of(self, name: str) -> tuple[str, ...]:
        """Return the further threads of an agent."""
        return tuple(thread for thread in self.copies if self._names.get(thread) == name)

    def _learn_session(self, event: Event) -> None:
        self.message = self.message if event.type not in STATUS_TYPES else ""
        match event.body:
            case StatusRunning(reason=reason):
                self.session, self.reason = "running", reason
            case StatusRescheduled(reason=reason):
                self.session, self.reason = "rescheduling", reason
            case StatusIdle(stop_reason=stop):
                self.session, self.reason, self.message = "idle", stop.type, stop.message
                for agent in (*self.by_name.values(), *self.copies.values()):
                    agent.calls.clear()
                    agent.model_since = None
            case StatusTerminated(reason=reason):
                self.session, self.reason, self.message = "terminated", reason, reason
            case _:
                pass

    @staticmethod
    def _learn_agent(agent: AgentFold, event: Event) -> None:
        match event.body:
            case ThreadStatusRunning():
                agent.started, agent.stop = True, None
            case ThreadStatusIdle(stop_reason=stop):
                agent.started, agent.stop = True, stop
                agent.calls.clear()
            case ThreadStatusTerminated(reason=reason):
                agent.stop = StopReason(type="interrupted", message=reason)
            case AgentCustomToolUse(name=name):
                agent.started = True
                agent.calls[event.source_id or str(event.seq)] = name, event.ts
            case ToolFinished(tool_use_id=call):
                agent.calls.pop(call, None)
            case ModelRequestStart():
                agent.model_since = event.ts
            case ModelRequestEnd():
                agent.model_since = None
            case ApprovalRequested(id=identity):
                agent.asks.add(identity)
            case ApprovalDecided(id=identity):
                agent.asks.discard(identity)
            case SessionError(error=error) if agent.name != MAIN_THREAD:
                agent.stop = StopReason(type="error", message=error.message)
            case _:
                pass

    @property
    def at_work(self) -> tuple[str, ...]:
        """The specialists that have begun and not ended, while the session runs."""
        if self.session not in ("running", "rescheduling"):
            return ()
        every = {**self.by_name, **self.copies}
        return tuple(name for name, agent in every.items() if name != MAIN_THREAD and agent.started and not agent.stop)

    def words(self, name: str, now: datetime) -> AgentWords:
        """Return the state of an agent, or of one of its copies, as of `now`."""
        agent = self.copies.get(name) or self.by_name[name]
        if agent.asks:
            return AgentWords("asking", "asks for your yes or no")
        if name == MAIN_THREAD:
            return self._coordinator(agent, now)
        if agent.stop is not None:
            return _ended(agent.stop)
        if not agent.started:
            return AgentWords("waiting", "not started")
        if self.session not in ("running", "rescheduling"):
            return AgentWords("stopped", "stopped, goes on with r")
        return AgentWords("busy", _doing(agent, now) or _quiet(agent, now, self._waits_for(name)))

    def most(self, name: str, now: datetime) -> AgentWords:
        """Return the state of an agent and its copies together: the one that a person would want to know of."""
        return min((self.words(one, now) for one in (name, *self.copies_of(name))), key=lambda one: _RANK[one.state])

    def _waits_for(self, name: str) -> str:
        others = [one for one in self.at_work if one != name]
        return f"waits for {_names(others)}" if others else "waits for the engine"

    def _coordinator(self, agent: AgentFold, now: datetime) -> AgentWords:
        if self.session == "rescheduling":
            return AgentWords("waiting", f"tries again: {self.reason}")
        if self.session == "running":
            doing = _doing(agent, now)
            if doing:
                return AgentWords("busy", doing)
            return AgentWords("busy", f"waits for {_names(self.at_work)}" if self.at_work else "works")
        if self.session == "terminated":
            return AgentWords("stopped", "over")
        if not self.reason:
            return AgentWords("waiting", "not started")
        return _ended(StopReason.model_validate({"type": self.reason}))


def _doing(agent: AgentFold, now: datetime) -> str:
    if agent.calls:
        tool, since = next(reversed(agent.calls.values()))
        more = f" and {len(agent.calls) - 1} more" if len(agent.calls) > 1 else ""
        return f"runs {tool.partition('_')[2] or tool}{more}{_for(since, now)}"
    if agent.model_since is not None:
        return f"waits for the model{_for(agent.model_since, now)}"
    return ""


def _for(since: datetime, now: datetime) -> str:
    seconds = int((now - since).total_seconds())
    return f", {seconds} s" if seconds >= 1 else ""


def _quiet(agent: AgentFold, now: datetime, waits: str) -> str:
    seconds = int((now - agent.last).total_seconds()) if agent.last else 0
    return f"quiet {seconds} s, {waits}" if seconds >= QUIET_FROM_S else "works"


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names) if len(names) <= 2 else f"{len(names)} agents"


def _ended(stop: StopReason) -> AgentWords:
    message = f": {' '.join(stop.message.split())}" if stop.message else ""
    match stop.type:
        case "end_turn":
            return AgentWords("done", "done")
        case "error" | "retries_exhausted" | "refusal":
            return AgentWords("failed", f"failed{message or ': ' + stop.type.replace('_', ' ')}")
        case "requires_action":
            return AgentWords("asking", "asks for your yes or no")
        case "budget_reached":
            return AgentWords("stopped", f"stopped: budget reached{message.removeprefix(': budget reached')}")
        case _:
            return AgentWords("stopped", f"stopped{message}")
