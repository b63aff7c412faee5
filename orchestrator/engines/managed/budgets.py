"""Money and limits of a managed session: the server's cap is the bound, ours ends earlier by what the verdict needs.

The server stops at its cap by itself. Ours is kept here: an agent over its own bounds gets `budget spent, report now`
as its next result (hands says so), and is interrupted if it goes on; at the session's the coordinator is told to
conclude with the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestrator.engines.base import Desk
from orchestrator.hands.budget import SPENT, Budget, Refused
from orchestrator.hands.budget_measures import USD
from orchestrator.hands.usage import Usage
from orchestrator.journal.events import (
    MAIN_THREAD,
    Body,
    Event,
    Mirrored,
    ModelRequestEnd,
    SessionUsage,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ThreadStatusTerminated,
)
from subagents.contract import AgentName

CENT: Final = USD // 100
OVERSHOOT: Final = (
    "the service checks its cap before each model request, so each agent can go over it by one request; "
    "tool calls are counted before they start"
)
REQUESTS_TO_REPORT: Final = 3
"""Model requests that an agent may still make once it was told that its budget is spent."""


def cap_in_cents(budget: Budget) -> int | None:
    """Return the bound in whole cents, as the server takes it; None where dollars are not bounded."""
    bound = budget.bound("usd")
    return None if bound is None else max(1, bound // CENT)


def role_of(thread: str) -> AgentName:
    """Return whose thread it is: `logs-2` is the second of `logs`."""
    role, dash, number = thread.rpartition("-")
    return role if dash and number.isdigit() else thread


@dataclass
class PricedSink:
    """The desk as the streams see it: what a model request used is recorded with its model and its cost."""

    desk: Desk
    models: Mapping[AgentName, str]
    _working: set[str] = field(default_factory=set)
    """Threads that said that they work, and not yet that they stopped."""
    _said: tuple[str, SessionUsage] | None = None
    """What the server said last of the whole session, since it began to run."""
    _counted_since: bool = False
    """A request came after that, by a stream that was behind: the server has counted it."""

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        """Make an event durable, once."""
        if isinstance(body, ModelRequestEnd) and body.model_request_start_id:
            role = role_of(thread)
            usage = Usage.of(body.model_usage, self.models.get(role, ""))
            body = self.desk.budget.spend(role, usage, body.model_request_start_id, is_error=body.is_error)
            self._counted_since = True
        elif isinstance(body, SessionUsage) and thread == MAIN_THREAD and source_id:
            self._said, self._counted_since = (source_id, body), False
        elif isinstance(body, Mirrored) and body.kind == "session.status_running":
            self._said = None
        elif isinstance(body, ThreadStatusRunning):
            if body.session_thread_id in self._working:  # it goes on after a call, which was no rest
                body = Mirrored(kind=body.type, event=body.model_dump(mode="json"))
            else:
                self._working.add(body.session_thread_id)
        elif isinstance(body, ThreadStatusIdle | ThreadStatusTerminated):
            self._working.discard(body.session_thread_id)
        return await self.desk.record(body, thread=thread, source_id=source_id, stream=stream, processed=processed)

    async def settle(self) -> None:
        """Say again what the server said of the whole, once all streams were read while the session rests."""
        if self._said is not None and self._counted_since:
            name, body = self._said
            await self.desk.record(body, thread=MAIN_THREAD, source_id=f"settled-{name}")
            self._counted_since = False

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text."""
        self.desk.preview(thread, text)


@dataclass
class Caps:
    """Who was told that the budget is spent, and who goes on all the same."""

    budget: Budget
    _told: set[str] = field(default_factory=set)
    """Threads that got `budget spent, report now` as a result."""
    _since: Counter[str] = field(default_factory=Counter)
    """Model requests of theirs since."""
    _stopped: set[str] = field(default_factory=set)

    def answered(self, thread: str, text: str) -> None:
        """A result was handed to a thread."""
        if text.startswith(SPENT) and thread != MAIN_THREAD:
            self._told.add(thread)

    def goes_on(self, thread: str, *, called: bool = False) -> bool:
        """Say, once, that a thread goes on although it was told: it calls tools again, or made too many requests."""
        if thread not in self._told or thread in self._stopped:
            return False
        if not called:
            self._since[thread] += 1
        # A call may be of the very request in which it was told: only one after another request goes on.
        if self._since[thread] < (1 if called else REQUESTS_TO_REPORT):
            return False
        self._stopped.add(thread)
        return True

    def session_spent(self) -> Refused | None:
        """Say whether the session has used up what ordinary work may use."""
        for left in self.budget.left():
            if left.ordinary <= 0:
                return Refused(f"{SPENT}: {self.budget.reached()}", left.measure, 0)
        return None

    def all_spent(self) -> Refused | None:
        """Say whether what was kept for the verdict is used up as well."""
        return self.budget.over(MAIN_THREAD)
