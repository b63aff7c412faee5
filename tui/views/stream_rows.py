"""Rows of an agent's stream: what one event looks like as a line, and what unfolds below it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentMessage,
    ApprovalDecided,
    ApprovalRequested,
    BoardEdited,
    Body,
    Event,
    FindingReported,
    FixChecked,
    FixDelivered,
    FixDrafted,
    Note,
    PolicyDecided,
    Rechecked,
    RemoteSession,
    SessionError,
    SessionRule,
    SourceAddedEvent,
    StatusIdle,
    StatusRunning,
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
from orchestrator.verdict.board_edits import done as edit_words
from orchestrator.verdict.fact_words import fact_words
from subagents.contract import Finding
from tui.commands.progress import describe
from tui.views.paint import Line, Ref, Row, Tone, fitted, flat, line, span
from tui.views.standing import standing
from tui.views.underway import how_far, underway

if TYPE_CHECKING:
    from orchestrator.hands.watching import CallPreview

STANCE: Mapping[str, tuple[str, Tone]] = {
    "for": ("+", "good"),
    "against": ("-", "warn"),
    "rules_out": ("x", "dim"),
    "observes": ("*", "plain"),
}
TEXT_LIMIT = 600
DETAIL_LINES = 40
DETAIL_WIDTH = 500
PREVIEW_WIDTH = 140
"""Most characters of what a running call has found; all of it is below its row."""


class Call:
    """A tool call on its way."""

    def __init__(self, identity: str, tool: str, arguments: Mapping[str, Any], stamp: str) -> None:
        self.id, self.tool, self.arguments, self.stamp = identity, tool, arguments, stamp
        self.state: tuple[str, Tone] = ("asked for", "dim")
        self.policy = ""
        self.preview: CallPreview | None = None
        """How far it is, while it runs and somebody in this process watches."""
        self.finished: ToolFinished | None = None
        self._runs = False
        self._apart = False

    def learn(self, body: PolicyDecided | ToolStarted | ToolFinished) -> None:
        """Take its next step into account."""
        self.preview, self._runs = None, isinstance(body, ToolStarted)
        if isinstance(body, ToolStarted):
            self._apart = body.apart
            self.state = ("runs", "accent") if body.attempt == 1 else (f"runs, attempt {body.attempt}", "accent")
        elif isinstance(body, ToolFinished):
            self.finished = body
        else:
            self.policy = f"{body.decision}, rule {body.rule}" + (f": {body.reason}" if body.reason else "")
            if body.decision != "allow":
                self.state = ("waits for your yes", "warn") if body.decision == "ask" else ("denied", "bad")

    def underway(self, preview: CallPreview) -> bool:
        """Take in how far it is; say whether it runs at all."""
        if self._runs:
            self.preview = preview
        return self._runs

    def stop(self, goes_on: bool) -> bool:
        """Say that it was stopped with the session, if it ran; return whether it was. A person's look goes on."""
        if not self._runs or self._apart:
            return False
        self.preview, self._runs = None, False
        self.state = ("cancelled" + ("; resumes with the work" if goes_on else ""), "warn")
        return True

    def row(self) -> Row:
        """Return its row as it is now."""
        done = self.finished
        verb = self.tool.partition("_")[2] or self.tool
        parts: list[str | tuple[str, Tone]] = [("> ", "dim"), (verb, "accent" if done is None else "plain")]
        if self.preview is not None:
            far = how_far(self.preview)
            found = fitted(self.preview.text, PREVIEW_WIDTH)
            parts += [(" … ", "dim"), (far, "accent"), (" · " if far and found else "", "dim"), found]
        elif done is None:
            parts += [(brief(self.arguments), "dim"), ("  ", "dim"), self.state]
        else:
            took = duration(done.seconds)
            failed = done.outcome != "ok"
            parts += [(f" {took}", "dim"), (f" {done.outcome}" if failed else "", "bad")]
            parts += [("  ", "dim"), (first_line(done.text), "bad" if failed else "dim")]
        wraps = self.preview is not None  # a narrow pane would cut what is told just now
        return Row(f"c{self.id}", line(*parts), self.detail(), Ref("call", self.id), self.stamp, wraps=wraps)

    def detail(self) -> tuple[Line, ...]:
        """Return what unfolds below it."""
        made = [line(("tool      ", "dim"), self.tool)]
        given = [f"{key} = {compact(value)}" for key, value in self.arguments.items()] or ["none"]
        made += [line(("arguments " if not at else "          ", "dim"), one) for at, one in enumerate(given)]
        if self.policy:
            made.append(line(("policy    ", "dim"), self.policy))
        if self.finished is None:
            made.append(line(("state     ", "dim"), self.state))
            if self.preview is not None:
                made.append(line(("so far    ", "dim"), underway(self.preview)))
            return tuple(made)
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


def stamp_of(event: Event) -> str:
    """Return when it happened, `09:12:40`."""
    return event.ts.strftime("%H:%M:%S")


_BEGINS = {"": "begins", "start": "begins", "resume": "goes on"}
_DECIDED = {"approve": "approved", "reject": "rejected", "void": "void"}

Made = tuple[Line, tuple[Line, ...], Ref | None]


def of_agents(body: Body) -> Made | None:
    """Return the row of what an agent says; None for anything else."""
    match body:
        case AgentMessage(content=parts):
            text = " ".join(part.text for part in parts)
            return line(flat(text)[:TEXT_LIMIT]), rest_of(text), None
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
            return line((f"to {name or _named(thread, thread)}: {flat(text)}", "dim")), rest_of(text), None
        case ThreadMessageReceived(from_agent_name=name, from_session_thread_id=thread, content=parts):
            text = " ".join(part.text for part in parts)
            return line((f"from {name or _named(thread, 'another')}: {flat(text)}", "dim")), rest_of(text), None
        case ThreadStatusIdle(stop_reason=stop):
            ending: Tone = "good" if stop.type == "end_turn" else "bad" if stop.type == "error" else "warn"
            word = standing("idle", stop.type)
            return line((f"{word}{': ' + flat(stop.message) if stop.message else ''}", ending)), (), None
        case _:
            return None


def _named(thread: str, otherwise: str) -> str:
    """Return whom a specialist talks with where nobody is named: at a server it is its coordinator."""
    return MAIN_THREAD if thread.startswith("sthr_") else otherwise


def of_people(body: Body) -> Made | None:
    """Return the row of what a person says and decides; None for anything else."""
    match body:
        case UserMessage(content=parts, to=to):
            text = " ".join(part.text for part in parts)
            return line((f"you{' to ' + to if to else ''}: {flat(text)}", "accent")), rest_of(text), None
        case UserInterrupt(session_thread_id=thread):
            return line((f"you stopped {thread or 'all work'}", "warn")), (), None
        case Note(text=text, level=level, by=by):
            loud: Tone = "dim" if level == "info" else "warn" if level == "warning" else "bad"
            who = "" if by == "warroom" else "note: "
            word = "" if level == "info" else f"{level}: "
            return line((f"{who}{word}{flat(text)}", "accent" if who else loud)), rest_of(text), None
        case BoardEdited(by=by):
            return line((flat(f"{by}: {edit_words(body)}{': ' + body.note if body.note else ''}"), "accent")), (), None
        case Rechecked(by=by, reason=reason):
            told: Tone = "good" if body.state == "recovered" else "warn"
            return line((f"{by} measured again: {body.word}: ", told), flat(reason)), rest_of(reason), None
        case ApprovalRequested(id=identity, subject=subject):
            said = f"! waits for your yes or no: {asked_words(subject, body.detail)}"
            return line((said, "warn")), arguments_of(body.detail), Ref("approval", identity)
        case ApprovalDecided(id=identity, decision=decision, by=by, reason=reason):
            why = f" ({flat(reason)})" if reason else ""
            settled: Tone = "good" if decision == "approve" else "warn"
            return line((f"{_DECIDED[decision]} by {by}: {identity}{why}", settled)), (), None
        case SessionRule(action=action, approval=identity, agent=agent, tool=tool, by=by):
            ended = action == "revoke"
            said = "no longer" if ended else "from now on, unasked,"
            words = f"{agent} may {said} run {tool} as in {identity}: {by} said so"
            return line((flat(words), "warn" if ended else "good")), (), Ref("approval", body.name)
        case _:
            return None


def of_session(body: Body) -> Made | None:
    """Return the row of what becomes of the session; None for what shows nothing."""
    match body:
        case FixDrafted(id=identity, detail=detail):
            title = flat(str(detail.get("title") or detail.get("subject") or identity))
            return line((f"draft {identity}: {title}", "strong")), arguments_of(detail), None
        case FixChecked(id=identity, detail=detail):
            return (
                line((f"tests of {identity}: {flat(str(detail.get('claim', 'ran')))}", "strong")),
                arguments_of(detail),
                None,
            )
        case FixDelivered(id=identity, detail=detail):
            return (
                line((f"delivered {identity}: {flat(str(detail.get('ref', '')))}", "good")),
                arguments_of(detail),
                None,
            )
        case SessionError(error=error):
            return line((f"error: {flat(error.message)}", "bad")), rest_of(error.message), None
        case SourceAddedEvent(spec=spec):
            return line((flat(describe(body) or spec.id), "dim")), (), None
        case StatusRunning(reason=reason):
            return line((_BEGINS.get(reason, f"works: {reason.replace('_', ' ')}"), "dim")), (), None
        case StatusIdle(stop_reason=stop):
            done = standing("idle", stop.type)
            more = flat(stop.message).removeprefix(f"{stop.type.replace('_', ' ')}: ")  # said once
            return line((f"{done}{': ' + more if more else ''}", "dim")), (), None
        case RemoteSession():
            return line((remote_words(body), "warn" if body.act in ("claimed", "lost") else "dim")), (), None
        case UnknownBody(type=kind):
            return line((f"event {kind}", "dim")), arguments_of(body.model_dump(mode="json")), None
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
    made += [line(("fact      ", "dim"), fact_words(fact), ("  " + fact.citation, "dim")) for fact in finding.facts]
    made += [line(("evidence  ", "dim"), citation) for citation in finding.citations]
    return tuple(made)


def remote_words(body: RemoteSession) -> str:
    """Return what binds the session to a server's, in words."""
    what = {
        "created": "kept at the server as",
        "attached": "watching",
        "claimed": "the hands are here now, of",
        "lost": f"host {body.by or 'unknown'} has taken over the hands of",
    }
    return flat(f"{what[body.act]} {body.shown_as}{f' at {body.host}' if body.host else ''}")


def asked_words(subject: str, detail: Mapping[str, Any]) -> str:
    """Return what a person is asked about, by the name that it has for them."""
    branch = flat(str(detail.get("ref") or "")).removeprefix("refs/heads/")
    match subject:
        case "fix":
            return f"fix {branch or flat(str(detail.get('draft', '')))}, as a new branch"
        case "push":
            return f"push of {branch} to {flat(str(detail.get('url', '')))}"
        case "tool_call":
            return f"call {flat(str(detail.get('tool', '')))}"
        case _:
            return subject


def rest_of(text: str) -> tuple[Line, ...]:
    """Return a text as it is, line by line: what its one row may have cut."""
    return tuple(line(one[:DETAIL_WIDTH]) for one in text.splitlines()[:DETAIL_LINES])


def arguments_of(detail: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return a detail as lines, one for each of its entries."""
    return tuple(line((f"{key}: ", "dim"), span(compact(value))) for key, value in list(detail.items())[:DETAIL_LINES])
