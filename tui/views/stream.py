"""Each agent's stream as rows: one row per event that a person would want to know of, one per tool call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    AgentMessage,
    ApprovalDecided,
    ApprovalRequested,
    Body,
    ClaimsChecked,
    Event,
    FindingReported,
    Note,
    PolicyDecided,
    SessionError,
    StatusIdle,
    StatusTerminated,
    ThreadCreated,
    ToolFinished,
    ToolStarted,
    UserMessage,
    VerdictReached,
)
from subagents.contract import SPECIALISTS
from tui.views.elsewhere import Elsewhere
from tui.views.paint import Row, flat, line
from tui.views.queued import Queued
from tui.views.ring import LIMIT, Ring
from tui.views.stream_rows import DETAIL_WIDTH, TEXT_LIMIT, Call, Made, of_agents, of_people, of_session, stamp_of

if TYPE_CHECKING:
    from orchestrator.hands.watching import CallPreview

PANES = (MAIN_THREAD, *SPECIALISTS)
SILENT = frozenset(
    {
        "session.thread_created",
        "user.custom_tool_result",
        "warroom.result_acknowledged",
        "agent.thinking",
        "session.thread_status_running",
        "span.model_request_start",
        "span.model_request_end",
        "session.usage",
        "warroom.mirrored",
        "warroom.remote_request",
    }
)
"""Bookkeeping: counted nowhere, shown nowhere but in the journal."""


class Streams:
    """Fed every event once, in order; holds the rows of each pane, and of each copy of an agent in a tab of its own."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.panes: dict[str, Ring] = {name: Ring(limit) for name in PANES}
        self.queued = Queued()
        """What a person said and a server has not heard yet."""
        self._limit = limit
        self._copies: dict[str, dict[str, Ring]] = {name: {} for name in PANES}
        """Agent to its further threads, by name, in the order in which they began."""
        self._first: dict[str, str] = {}
        """Agent to the thread whose rows its pane shows by itself."""
        self._agents: dict[str, str] = {}
        self._calls: dict[str, Call] = {}
        self._threads: dict[str, str] = {}
        """Open calls to the threads they are on."""
        self._elsewhere = Elsewhere()
        self._preview: dict[str, tuple[str, str]] = {}
        self._previews = 0
        self._checks: dict[str, ClaimsChecked] = {}
        self._said: dict[str, tuple[str, str]] = {}
        """The last message of each tab, and the key of its row."""

    def pane_of(self, thread: str) -> str:
        """Return whose pane shows a thread; one of an agent that has no pane is the orchestrator's to show."""
        name = self._agents.get(thread, thread)
        return name if name in self.panes else MAIN_THREAD

    def tabs(self, pane: str) -> tuple[str, ...]:
        """Return what a pane stacks: the agent, then its copies by the names of their threads."""
        return (pane, *self._copies[pane])

    def thread_of(self, tab: str) -> str:
        """Return the thread that a tab shows."""
        return self._first.get(tab, tab)

    def ring(self, pane: str, tab: str) -> Ring:
        """Return the rows of a tab; those of the agent itself where there is none of that name."""
        return self._copies[pane].get(tab, self.panes[pane])

    def tab_of(self, thread: str) -> str:
        """Return the tab that shows a thread."""
        pane = self.pane_of(thread)
        return thread if thread in self._copies[pane] else pane

    def _put(self, thread: str, row: Row) -> None:
        self.ring(self.pane_of(thread), thread).put(row)

    def _begin(self, thread: str, agent: str) -> None:
        self._agents[thread] = agent
        if agent in self.panes and agent != MAIN_THREAD and self._first.setdefault(agent, thread) != thread:
            self._copies[agent].setdefault(thread, Ring(self._limit))

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text, a piece at a time, until the message it belongs to comes; an empty one takes it away."""
        if not text:
            key, _ = self._preview.pop(thread, ("", ""))
            if key and not self.ring(self.pane_of(thread), thread).take_back(key):
                self._put(thread, Row(key, line(("…", "dim")), weight="chatter"))  # others came below: numbers stay
            return
        key, so_far = self._preview.get(thread, ("", ""))
        if not key:
            self._previews += 1
            key = f"p{self._previews}"
        whole = (so_far + text)[-TEXT_LIMIT * 4 :]
        self._preview[thread] = key, whole
        shown = line(("… ", "dim"), (flat(whole)[-TEXT_LIMIT:], "dim"))
        self._put(thread, Row(key, shown, weight="chatter"))

    def call_preview(self, preview: CallPreview) -> None:
        """Show how far a running call is, in its row; one that is not on its way any more stays as it is."""
        call = self._calls.get(preview.call_id)
        if call is not None and call.underway(preview):
            self._put(preview.thread, call.row())

    def _stop_calls(self, goes_on: bool) -> None:
        """Say of each call that ran that it was stopped with the session."""
        for call_id, thread in list(self._threads.items()):
            if self._calls[call_id].stop(goes_on):
                self._put(thread, self._calls[call_id].row())

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        body = event.body
        if isinstance(body, StatusIdle | StatusTerminated) and event.thread == MAIN_THREAD:
            self._stop_calls(isinstance(body, StatusIdle))
        if isinstance(body, ThreadCreated):
            self._begin(body.session_thread_id, body.agent_name)
        if isinstance(body, ClaimsChecked) and not body.handed_back:
            self._checks[body.id] = body  # its claim comes next and is shown with it
            return
        for tab, row in self.queued.learn(event):
            self._put(tab, row)
        elsewhere = self._elsewhere.row(event)
        if elsewhere is not None:
            self._put(*elsewhere)
        if event.type in SILENT:
            return
        made = self._call_row(event) or self._row(event)
        if made is not None:
            self._put(event.thread, self.queued.mark(event, made, self.tab_of(event.thread)))

    def _row(self, event: Event) -> Row | None:
        body, key = event.body, f"e{event.seq}"
        if isinstance(body, AgentMessage) and event.thread in self._preview:
            key, _ = self._preview.pop(event.thread)
        made = of_agents(body) or of_people(body) or of_session(body)
        if made is None:
            return None
        line_, detail, ref = self._with_doubts(body, made)
        tab = self.tab_of(event.thread)
        if tab == MAIN_THREAD and event.thread != MAIN_THREAD:
            line_ = line((f"{self._agents.get(event.thread, event.thread)}: ", "dim"), *line_)
        decisive = isinstance(body, ApprovalRequested | ApprovalDecided | VerdictReached | SessionError)
        wraps = decisive or isinstance(body, AgentMessage | FindingReported | UserMessage | Note)
        if isinstance(body, AgentMessage):
            self._said[tab] = (flat(" ".join(part.text for part in body.content)), key)
        elif isinstance(body, VerdictReached) and self._said.get(tab, ("", ""))[0] == flat(body.stands.headline):
            key = self._said[tab][1]  # said already: one row for both
        return Row(key, line_, detail, ref, stamp_of(event), "decision" if decisive else "event", wraps)

    def _with_doubts(self, body: Body, made: Made) -> Made:
        """Return a claim's row with what the checker says of it."""
        check = self._checks.get(body.id) if isinstance(body, FindingReported | VerdictReached) else None
        if check is None:
            return made
        line_, detail, ref = made
        detail = (*detail, *(line(("✗         ", "bad"), doubt.line()[:DETAIL_WIDTH]) for doubt in check.doubts))
        if check.unchecked:
            detail = (*detail, line(("unchecked ", "dim"), "; ".join(check.unchecked)[:DETAIL_WIDTH]))
        if not check.doubts:
            return line_, detail, ref
        if isinstance(body, FindingReported):
            why = f"{flat(check.doubts[0].reason)}  "
            return line(("✗ does not hold: ", "bad"), (why, "warn"), (flat(body.finding.claim), "dim")), detail, ref
        return line(*line_, (f"  ✗ {len(check.doubts)} parts did not hold, left out", "bad")), detail, ref

    def _call_row(self, event: Event) -> Row | None:
        """Move a tool call on, and return its row as it is now."""
        body = event.body
        if isinstance(body, AgentCustomToolUse):
            call = Call(event.source_id or f"e{event.seq}", body.name, body.input, stamp_of(event))
            self._calls[call.id], self._threads[call.id] = call, event.thread
            return call.row()
        if not isinstance(body, PolicyDecided | ToolStarted | ToolFinished):
            return None
        known = self._calls.get(body.tool_use_id)
        if known is None:
            known = self._calls[body.tool_use_id] = Call(body.tool_use_id, body.tool, {}, stamp_of(event))
            self._threads[body.tool_use_id] = event.thread
        known.learn(body)
        if isinstance(body, ToolFinished):
            del self._calls[body.tool_use_id], self._threads[body.tool_use_id]
        return known.row()
