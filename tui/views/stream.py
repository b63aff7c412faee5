"""Each agent's stream as rows: one row per event that a person would want to know of, one per tool call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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
    FixChecked,
    FixDelivered,
    FixDrafted,
    Note,
    PolicyDecided,
    SessionError,
    SessionRule,
    SourceAddedEvent,
    StatusIdle,
    StatusRunning,
    ThreadCreated,
    ThreadMessageReceived,
    ThreadMessageSent,
    ThreadStatusIdle,
    ToolFinished,
    ToolStarted,
    UnknownBody,
    UserInterrupt,
    UserMessage,
    VerdictReached,
)
from orchestrator.journal.fold import STATUS_TYPES
from subagents.contract import SPECIALISTS, Finding
from tui.commands.progress import describe
from tui.views.paint import Line, Ref, Row, Tone, flat, line, span
from tui.views.ring import LIMIT, Ring

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

STANCE: Mapping[str, tuple[str, Tone]] = {
    "for": ("+", "good"),
    "against": ("-", "warn"),
    "rules_out": ("x", "dim"),
    "observes": ("*", "plain"),
}
TEXT_LIMIT = 600
DETAIL_LINES = 40
DETAIL_WIDTH = 500


class Streams:
    """Fed every event once, in order; holds the rows of each pane."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.panes: dict[str, Ring] = {name: Ring(limit) for name in PANES}
        self._agents: dict[str, str] = {}
        self._calls: dict[str, _Call] = {}
        self._preview: dict[str, tuple[str, str]] = {}
        self._previews = 0
        self._checks: dict[str, ClaimsChecked] = {}
        self._said: dict[str, tuple[str, str]] = {}
        """The last message of each pane, and the key of its row."""

    def pane_of(self, thread: str) -> str:
        """Return whose pane shows a thread; one of an agent that has no pane is the orchestrator's to show."""
        name = self._agents.get(thread, thread)
        return name if name in self.panes else MAIN_THREAD

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text, a piece at a time, until the message it belongs to comes; an empty one takes it away."""
        if not text:
            key, _ = self._preview.pop(thread, ("", ""))
            if key:  # rows keep their numbers, so its row stays, and says nothing
                self.panes[self.pane_of(thread)].put(Row(key, line(("…", "dim")), weight="chatter"))
            return
        key, so_far = self._preview.get(thread, ("", ""))
        if not key:
            self._previews += 1
            key = f"p{self._previews}"
        whole = (so_far + text)[-TEXT_LIMIT * 4 :]
        self._preview[thread] = key, whole
        shown = line(("… ", "dim"), (flat(whole)[-TEXT_LIMIT:], "dim"))
        self.panes[self.pane_of(thread)].put(Row(key, shown, weight="chatter"))

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        body = event.body
        if isinstance(body, ThreadCreated):
            self._agents[body.session_thread_id] = body.agent_name
        if isinstance(body, ClaimsChecked) and not body.handed_back:
            self._checks[body.id] = body  # its claim comes next and is shown with it
            return
        if event.type in SILENT:
            return
        pane = self.pane_of(event.thread)
        row = self._call_row(event) or self._row(event, pane)
        if row is not None:
            self.panes[pane].put(row)

    def _row(self, event: Event, pane: str) -> Row | None:
        body, key = event.body, f"e{event.seq}"
        if isinstance(body, AgentMessage) and event.thread in self._preview:
            key, _ = self._preview.pop(event.thread)
        made = _of_agents(body) or _of_people(body) or _of_session(body)
        if made is None:
            return None
        line_, detail, ref = self._with_doubts(body, made)
        if pane == MAIN_THREAD and event.thread != MAIN_THREAD:
            line_ = line((f"{self._agents.get(event.thread, event.thread)}: ", "dim"), *line_)
        decisive = isinstance(body, ApprovalRequested | ApprovalDecided | VerdictReached | SessionError)
        wraps = decisive or isinstance(body, AgentMessage | FindingReported | UserMessage | Note)
        if isinstance(body, AgentMessage):
            self._said[pane] = (flat(" ".join(part.text for part in body.content)), key)
        elif isinstance(body, VerdictReached) and self._said.get(pane, ("", ""))[0] == flat(body.stands.headline):
            key = self._said[pane][1]  # said already: one row for both
        return Row(key, line_, detail, ref, _stamp(event), "decision" if decisive else "event", wraps)

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
            call = _Call(event.source_id or f"e{event.seq}", body.name, body.input, _stamp(event))
            self._calls[call.id] = call
            return call.row()
        if not isinstance(body, PolicyDecided | ToolStarted | ToolFinished):
            return None
        known = self._calls.get(body.tool_use_id)
        if known is None:
            known = self._calls[body.tool_use_id] = _Call(body.tool_use_id, body.tool, {}, _stamp(event))
        known.learn(body)
        if isinstance(body, ToolFinished):
            del self._calls[body.tool_use_id]
        return known.row()


class _Call:
    """A tool call on its way."""

    def __init__(self, identity: str, tool: str, arguments: Mapping[str, Any], stamp: str) -> None:
        self.id, self.tool, self.arguments, self.stamp = identity, tool, arguments, stamp
        self.state: tuple[str, Tone] = ("asked for", "dim")
        self.policy = ""
        self.finished: ToolFinished | None = None

    def learn(self, body: PolicyDecided | ToolStarted | ToolFinished) -> None:
        if isinstance(body, ToolStarted):
            self.state = ("runs", "accent") if body.attempt == 1 else (f"runs, attempt {body.attempt}", "accent")
        elif isinstance(body, ToolFinished):
            self.finished = body
        else:
            self.policy = f"{body.decision}, rule {body.rule}" + (f": {body.reason}" if body.reason else "")
            if body.decision != "allow":
                self.state = ("waits for your yes", "warn") if body.decision == "ask" else ("denied", "bad")

    def row(self) -> Row:
        done = self.finished
        verb = self.tool.partition("_")[2] or self.tool
        parts: list[str | tuple[str, Tone]] = [("> ", "dim"), (verb, "accent" if done is None else "plain")]
        if done is None:
            parts += [(brief(self.arguments), "dim"), ("  ", "dim"), self.state]
        else:
            took = duration(done.seconds)
            failed = done.outcome != "ok"
            parts += [(f" {took}", "dim"), (f" {done.outcome}" if failed else "", "bad")]
            parts += [("  ", "dim"), (first_line(done.text), "bad" if failed else "dim")]
        return Row(f"c{self.id}", line(*parts), self.detail(), Ref("call", self.id), self.stamp)

    def detail(self) -> tuple[Line, ...]:
        made = [line(("tool      ", "dim"), self.tool)]
        given = [f"{key} = {compact(value)}" for key, value in self.arguments.items()] or ["none"]
        made += [line(("arguments " if not at else "          ", "dim"), one) for at, one in enumerate(given)]
        if self.policy:
            made.append(line(("policy    ", "dim"), self.policy))
        if self.finished is None:
            return (*made, line(("state     ", "dim"), self.state))
        done = self.finished
        made.append(line(("took      ", "dim"), f"{duration(done.seconds)}, {done.outcome}"))
        made += [line(("evidence  ", "dim"), item.ref) for item in done.citations[:8]]
        if len(done.citations) > 8:
            made.append(line(("          ", "dim"), f"and {len(done.citations) - 8} more"))
        return (*made, *_block("result    ", done.text))


def _block(label: str, text: str) -> tuple[Line, ...]:
    lines = text.splitlines()
    shown = [one[:DETAIL_WIDTH] for one in lines[:DETAIL_LINES]] or ["none"]
    made = [line((label if not at else " " * len(label), "dim"), one) for at, one in enumerate(shown)]
    if len(lines) > DETAIL_LINES:
        made.append(line((" " * len(label), "dim"), (f"… {len(lines) - DETAIL_LINES} more lines are kept", "dim")))
    return tuple(made)


def brief(arguments: Mapping[str, Any]) -> str:
    """Return arguments as a call shows them, the telling ones only: `(query=…, limit=3)`."""
    given = ", ".join(f"{key}={compact(value, 40)}" for key, value in list(arguments.items())[:4])
    return f"({given}{', …' if len(arguments) > 4 else ''})"


def compact(value: object, limit: int = 400) -> str:
    """Return a value on one line, cut to `limit` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[: limit + 1]
    flat_ = flat(text)
    return flat_ if len(flat_) <= limit else flat_[: limit - 1] + "…"


def duration(seconds: float) -> str:
    """Return a call's duration: `84 ms`, `3.2 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def first_line(text: str) -> str:
    """Return the first line of a text that says something."""
    return flat(next((one for one in text.splitlines() if one.strip()), ""))[:TEXT_LIMIT]


def _stamp(event: Event) -> str:
    return event.ts.strftime("%H:%M:%S")


Made = tuple[Line, tuple[Line, ...], Ref | None]


def _of_agents(body: Body) -> Made | None:
    match body:
        case AgentMessage(content=parts):
            text = " ".join(part.text for part in parts)
            return line(flat(text)[:TEXT_LIMIT]), _rest(text), None
        case FindingReported(id=identity, finding=finding):
            mark, tone = STANCE[finding.stance]
            return (
                line((f"{mark} ", tone), (flat(finding.claim), tone)),
                finding_detail(finding),
                Ref("finding", identity),
            )
        case VerdictReached():
            headline = flat(body.stands.headline)
            return line(("= verdict: ", "accent"), (headline, "strong")), (), Ref("verdict", "")
        case ThreadMessageSent(to_agent_name=name, to_session_thread_id=thread, content=parts):
            text = " ".join(part.text for part in parts)
            return line((f"to {name or thread}: {flat(text)}", "dim")), _rest(text), None
        case ThreadMessageReceived(from_agent_name=name, content=parts):
            text = " ".join(part.text for part in parts)
            return line((f"from {name or 'another'}: {flat(text)}", "dim")), _rest(text), None
        case ThreadStatusIdle(stop_reason=stop):
            ending: Tone = "good" if stop.type == "end_turn" else "bad" if stop.type == "error" else "warn"
            word = "done" if stop.type == "end_turn" else stop.type.replace("_", " ")
            return line((f"{word}{': ' + flat(stop.message) if stop.message else ''}", ending)), (), None
        case _:
            return None


def _of_people(body: Body) -> Made | None:
    match body:
        case UserMessage(content=parts, to=to):
            text = " ".join(part.text for part in parts)
            return line((f"you{' to ' + to if to else ''}: {flat(text)}", "accent")), _rest(text), None
        case UserInterrupt(session_thread_id=thread):
            return line((f"you stopped {thread or 'all work'}", "warn")), (), None
        case Note(text=text, level=level, by=by):
            loud: Tone = "dim" if level == "info" else "warn" if level == "warning" else "bad"
            who = "" if by == "warroom" else "note: "
            word = "" if level == "info" else f"{level}: "
            return line((f"{who}{word}{flat(text)}", "accent" if who else loud)), _rest(text), None
        case ApprovalRequested(id=identity, subject=subject):
            said = f"! waits for your yes or no: {subject.replace('_', ' ')} {identity}"
            return line((said, "warn")), _arguments(body.detail), Ref("approval", identity)
        case ApprovalDecided(id=identity, decision=decision, by=by, reason=reason):
            why = f" ({flat(reason)})" if reason else ""
            settled: Tone = "good" if decision == "approve" else "warn"
            return line((f"{decision} by {by}: {identity}{why}", settled)), (), None
        case SessionRule(action=action, approval=identity, agent=agent, tool=tool, by=by):
            ended = action == "revoke"
            said = "no longer" if ended else "from now on, unasked,"
            words = f"{agent} may {said} run {tool} as in {identity}: {by} said so"
            return line((flat(words), "warn" if ended else "good")), (), Ref("approval", body.name)
        case _:
            return None


def _of_session(body: Body) -> Made | None:
    match body:
        case FixDrafted(id=identity, detail=detail):
            title = flat(str(detail.get("title") or detail.get("subject") or identity))
            return line((f"draft {identity}: {title}", "strong")), _arguments(detail), None
        case FixChecked(id=identity, detail=detail):
            return (
                line((f"tests of {identity}: {flat(str(detail.get('claim', 'ran')))}", "strong")),
                _arguments(detail),
                None,
            )
        case FixDelivered(id=identity, detail=detail):
            return line((f"delivered {identity}: {flat(str(detail.get('ref', '')))}", "good")), _arguments(detail), None
        case SessionError(error=error):
            return line((f"error: {flat(error.message)}", "bad")), _rest(error.message), None
        case SourceAddedEvent(spec=spec):
            return line((flat(describe(body) or spec.id), "dim")), (), None
        case StatusRunning(reason=reason):
            return line((f"works ({reason.replace('_', ' ') or 'started'})", "dim")), (), None
        case StatusIdle(stop_reason=stop):
            ends = {"end_turn": "done", "requires_action": "waits for your decision"}
            done = ends.get(stop.type, f"stopped: {stop.type.replace('_', ' ')}")
            return line((f"{done}{': ' + flat(stop.message) if stop.message else ''}", "dim")), (), None
        case UnknownBody(type=kind):
            return line((f"event {kind}", "dim")), _arguments(body.model_dump(mode="json")), None
        case _:
            said = describe(body)
            if said is None:
                return None
            return line((flat(said), "dim" if body.type in STATUS_TYPES else "plain")), (), None


def finding_detail(finding: Finding) -> tuple[Line, ...]:
    """Return what a finding rests on: its whole claim, facts, citations, and how much it weighs."""
    made = [line(finding.claim)]
    if finding.about is not None:
        about = finding.about
        made.append(line(("about     ", "dim"), f"{about.kind} {about.key} {about.label}"))
        stance = finding.stance.replace("_", " ")
        made.append(line(("stance    ", "dim"), f"{stance}, weight {finding.weight:.2f}"))
    made += [
        line(("fact      ", "dim"), f"{fact.quantity} {fact.value} {fact.unit}", ("  " + fact.citation, "dim"))
        for fact in finding.facts
    ]
    made += [line(("evidence  ", "dim"), citation) for citation in finding.citations]
    return tuple(made)


def _rest(text: str) -> tuple[Line, ...]:
    """Return a text as it is, line by line: what its one row may have cut."""
    return tuple(line(one[:DETAIL_WIDTH]) for one in text.splitlines()[:DETAIL_LINES])


def _arguments(detail: Mapping[str, Any]) -> tuple[Line, ...]:
    return tuple(line((f"{key}: ", "dim"), span(compact(value))) for key, value in list(detail.items())[:DETAIL_LINES])
