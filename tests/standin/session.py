"""One session: its threads, its status machine, its cost."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.standin.ids import Ids, Stamps
from tests.standin.logbook import Event, Log
from tests.standin.options import Options
from tests.standin.script import Call, Heard, Script, Tokens, Told

CARRIES_THREAD = ("agent.custom_tool_use",)


@dataclass(frozen=True)
class World:
    """What all sessions share."""

    ids: Ids
    stamps: Stamps
    options: Options
    changed: Callable[[], None]
    gate: Callable[[str], asyncio.Event]
    script: Callable[[], Script]


@dataclass
class Pending:
    """A call that waits for its result."""

    call: Call
    key: str
    """Id on the primary stream: what results name."""
    own: str
    """Id on the thread's own stream."""
    told: asyncio.Future[Told]


@dataclass
class Thread:
    """One agent's conversation."""

    id: str
    agent: dict[str, Any]
    parent: str | None
    log: Log
    created_at: str
    status: str = "idle"
    reason: Mapping[str, Any] = field(default_factory=lambda: {"type": "end_turn"})
    inbox: deque[tuple[Heard, Event | None]] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    hearing: bool = False
    task: asyncio.Task[None] | None = None
    pending: dict[str, Pending] = field(default_factory=dict)
    span: str | None = None
    """Id of the model request that is open."""
    history: list[Heard | Told] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    tokens: list[Tokens] = field(default_factory=list)
    cost: int = 0
    rested: bool = False
    held: list[Event] = field(default_factory=list)
    """Calls that have still to be cross-posted."""
    archived_at: str | None = None
    updated_at: str = ""

    @property
    def name(self) -> str:
        """Name of the agent."""
        return str(self.agent["name"])

    def take(self) -> tuple[Heard, Event | None]:
        """Return the next message."""
        return self.inbox.popleft()


class Session:
    """A run of an agent. Every method runs on the server's loop and leaves a consistent state."""

    def __init__(self, world: World, record: dict[str, Any], cast: Mapping[str, dict[str, Any]]) -> None:
        self.world, self.record, self.cast = world, record, cast
        self.id: str = record["id"]
        self.status = "idle"
        self.lag = 0
        self.threads: dict[str, Thread] = {}
        self.primary = self.thread(record["agent"], None)
        self.calls: dict[str, str] = {}
        """Every call's state by primary id: `open`, `answered`, `closed`."""
        self.owners: dict[str, str] = {}
        self.posted: dict[str, int] = {}
        """How often a result came for a call."""
        self.budget_raised = asyncio.Event()
        self.budgeted = record["budget"] is not None
        self._born = self._since = time.monotonic()
        self._active = 0.0

    # -- threads and events

    def thread(self, agent: dict[str, Any], parent: str | None) -> Thread:
        """Make a thread; the first one is the primary."""
        now = self.world.stamps.now()
        made = Thread(self.world.ids.new("sthr"), agent, parent, Log(self.world.changed), now, updated_at=now)
        self.threads[made.id] = made
        return made

    def event(self, kind: str, **more: Any) -> Event:
        """Return a new processed event."""
        return {"id": self.world.ids.new("sevt"), "type": kind, "processed_at": self.world.stamps.now(), **more}

    def emit(self, kind: str, **more: Any) -> Event:
        """Store an event on the primary thread."""
        return self.primary.log.add(self.event(kind, **more))

    def post(self, thread: Thread, kind: str, cross: bool = False, **more: Any) -> tuple[Event, Event]:
        """Store an event on a thread, and cross-post it; returns its own copy and the primary's."""
        own = thread.log.add(self.event(kind, **more))
        if thread is self.primary or not cross:
            return own, own
        if self.world.options.late_calls and kind in CARRIES_THREAD:
            thread.held.append(own)
            return own, own
        return own, self._crossed(thread, own)

    def release(self, thread: Thread) -> None:
        """Cross-post the calls that were held back."""
        while thread.held:
            self._crossed(thread, thread.held.pop(0))

    def _crossed(self, thread: Thread, own: Event, **more: Any) -> Event:
        copy = {**own, **more}
        if own["type"] in CARRIES_THREAD:
            copy["session_thread_id"] = thread.id
        if self.world.options.cross_ids == "different":
            copy["id"] = self.world.ids.new("sevt")
        return self.primary.log.add(copy)

    def post_status(self, thread: Thread, what: str, reason: Mapping[str, Any] | None = None) -> None:
        """Emit session.thread_status_*; the primary's only in a multiagent session."""
        if thread is self.primary and not (self.world.options.primary_status and self.record["agent"]["multiagent"]):
            return
        more: dict[str, Any] = {"session_thread_id": thread.id, "agent_name": thread.name}
        if reason is None:
            self.post(thread, f"session.thread_status_{what}", cross=True, **more)
            return
        details = reason.get("details")
        stop = {key: value for key, value in reason.items() if key != "details"}
        ids = stop.get("event_ids", [])
        owns = [thread.pending[key].own for key in ids]
        mine = {**stop, "event_ids": owns} if "event_ids" in stop else stop
        kind = f"session.thread_status_{what}"
        own = thread.log.add(self.event(kind, **more, stop_reason=mine, stop_details=details))
        if thread is not self.primary:
            self._crossed(thread, own, stop_reason=stop)

    # -- the status machine

    def runs(self, thread: Thread) -> None:
        """A thread works: say so, and that the session does."""
        if thread.status == "running":
            return
        if self.status != "running":
            self.status, self.lag = "running", 0
            self._since = time.monotonic()
            self.emit("session.status_running")
        thread.status = "running"
        thread.updated_at = self.world.stamps.now()
        self.post_status(thread, "running")

    def rests(self, thread: Thread, reason: Mapping[str, Any]) -> None:
        """A thread stopped: say why, and where none works any more, that the session is idle."""
        thread.status, thread.reason, thread.rested = "idle", reason, True
        thread.updated_at = self.world.stamps.now()
        self.post_status(thread, "idle", reason)
        self.settle()

    def settle(self) -> None:
        """Emit the session's idle where no thread works."""
        if any(thread.status in ("running", "rescheduling") for thread in self.threads.values()):
            return
        if self.status == "terminated":
            return
        if self.status == "running":
            self._active += time.monotonic() - self._since
        self.status, self.lag = "idle", self.world.options.lag_reads
        self.record["updated_at"] = self.world.stamps.now()
        self.emit("session.usage", usage=self.usage(), budget=self.record["budget"])
        reason = dict(self.stop_reason())
        self.emit("session.status_idle", stop_details=reason.pop("details", None), stop_reason=reason)

    def stop_reason(self) -> Mapping[str, Any]:
        """Return why the session is idle; requires_action outranks all."""
        waiting = [key for thread in self.threads.values() for key in thread.pending]
        if waiting:
            return {"type": "requires_action", "event_ids": waiting}
        if any(thread.reason["type"] == "budget_reached" for thread in self.threads.values()):
            return {"type": "budget_reached"}
        return self.primary.reason

    def blocked(self) -> bool:
        """Say whether the session is idle and waits for results."""
        return self.status == "idle" and self.stop_reason()["type"] == "requires_action"

    def terminate(self) -> None:
        """End the session for good; its streams end."""
        if self.status == "terminated":
            return
        if self.status == "running":
            self._active += time.monotonic() - self._since
        self.status, self.lag = "terminated", 0
        for thread in self.threads.values():
            if thread.task is not None and thread.task is not asyncio.current_task():
                thread.task.cancel()
            thread.status = "terminated"
            self.close_calls(thread)
        self.emit("session.status_terminated")
        for thread in self.threads.values():
            thread.log.close()

    def close_calls(self, thread: Thread) -> None:
        """Close the calls of a thread: a result for one is refused from now on."""
        for key, pending in thread.pending.items():
            self.calls[key] = "closed"
            pending.told.cancel()
        thread.pending.clear()

    # -- cost

    @property
    def cost(self) -> int:
        """Millionths of a dollar used so far."""
        return sum(thread.cost for thread in self.threads.values())

    def at_cap(self) -> bool:
        """Say whether the budget is used up."""
        budget = self.record["budget"]
        return budget is not None and self.cost >= int(budget["max_list_cost"]["amount"]) * 10_000

    def charge(self, thread: Thread, tokens: Tokens) -> None:
        """Count a model request."""
        fixed = self.world.options.request_cost
        thread.tokens.append(tokens)
        thread.cost += tokens.cost if fixed is None else fixed

    def usage(self, thread: Thread | None = None) -> dict[str, Any]:
        """Return the usage of a thread, or of the whole session."""
        parts = list(self.threads.values()) if thread is None else [thread]
        spent = [tokens for part in parts for tokens in part.tokens]
        now = time.monotonic()
        active = self._active + (now - self._since if self.status == "running" else 0.0)
        return {
            "input_tokens": sum(tokens.input for tokens in spent),
            "output_tokens": sum(tokens.output for tokens in spent),
            "cache_read_input_tokens": sum(tokens.cache_read for tokens in spent),
            "cache_creation": {
                "ephemeral_5m_input_tokens": sum(tokens.cache_write for tokens in spent),
                "ephemeral_1h_input_tokens": 0,
            },
            "list_cost": {"amount": str(round(sum(part.cost for part in parts) / 10_000)), "currency": "USD"},
            "active_seconds": round(active, 3),
            "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        }

    # -- what a reader sees

    def read(self) -> dict[str, Any]:
        """Return the session as it is stored; its status lags behind the stream's idle."""
        status = self.status
        if self.lag > 0:
            self.lag -= 1
            status = "running"
        seconds = round(time.monotonic() - self._born, 3)
        stats = {"active_seconds": self.usage()["active_seconds"], "duration_seconds": seconds}
        return {**self.record, "status": status, "usage": self.usage(), "stats": stats}

    def read_thread(self, thread: Thread) -> dict[str, Any]:
        """Return a thread as it is stored."""
        return {
            "id": thread.id,
            "type": "session_thread",
            "session_id": self.id,
            "agent": {key: value for key, value in thread.agent.items() if key != "multiagent"},
            "status": thread.status,
            "parent_thread_id": thread.parent,
            "workflow_run_id": None,
            "usage": self.usage(thread) if thread.rested else None,
            "stats": {"active_seconds": 0.0, "duration_seconds": 0.0, "startup_seconds": 0.0}
            if thread.rested
            else None,
            "created_at": thread.created_at,
            "updated_at": thread.updated_at,
            "archived_at": thread.archived_at,
        }
