"""Progress of a headless run: one line on standard error for each event that a person would want to know of."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from orchestrator.journal.events import (
    AgentCustomToolUse,
    AgentMessage,
    ApprovalRequested,
    Body,
    BudgetChanged,
    ClaimsChecked,
    Event,
    FindingReported,
    FixChecked,
    FixDelivered,
    FixDrafted,
    IncidentOpened,
    ModelRequestEnd,
    Note,
    PolicyDecided,
    Redacted,
    SessionError,
    SourceAddedEvent,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    StopReason,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ToolFinished,
    VerdictReached,
)
from orchestrator.journal.text import clean
from subagents.contract import Problem
from subagents.quantities import counted
from tui.commands.faults import narrate, rewrite
from tui.views.standing import standing
from tui.views.underway import underway

if TYPE_CHECKING:
    from orchestrator.hands.watching import CallPreview

WIDTH = 240
"""Most characters of an event's text on its line."""
FIRST_S, EVERY_S = 2.0, 10.0
"""Seconds to the first line on how far a call is, and between two, where one cannot take the other's place."""


class Narrator:
    """Turns events into lines, and knows how far it has told."""

    def __init__(self, quiet: bool = False) -> None:
        self.told = 0
        """Sequence number of the last event that was told."""
        self.meter: Callable[[], str] = str
        """What was spent and what is left, in a line; empty where nothing costs."""
        self._metered = ""
        self._quiet = quiet
        stream = sys.stderr
        terminal = stream is not None and stream.isatty()
        self._colour = terminal and not os.environ.get("NO_COLOR")
        self._passing = terminal and os.environ.get("TERM", "dumb") != "dumb"
        """Whether a line can take the place of the one before."""
        self._line = ""
        """What stands on the terminal's last line, to be replaced."""
        self._next: dict[str, float] = {}
        """Call to the second of its run from which the next line on it is due."""

    def event(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        said = describe(event.body)
        self.told = event.seq
        if said and not self._quiet:
            self._write(event.ts.strftime("%H:%M:%SZ"), event.thread, said)
        if isinstance(event.body, ModelRequestEnd | VerdictReached | StatusIdle) and not self._quiet:
            self._say_meter(event.ts.strftime("%H:%M:%SZ"))

    def _say_meter(self, time: str) -> None:
        meter = self.meter()
        if meter and meter != self._metered:
            self._metered = meter
            self._write(time, "used", meter)

    def call_preview(self, preview: CallPreview) -> None:
        """Tell how far a call is: on a terminal in the place of what was told before, else a line now and then."""
        if self._quiet:
            return
        said = clean(f"… {preview.tool} {underway(preview)}", newlines=False, limit=WIDTH)
        if self._passing:
            self._line = _named(preview.thread) + " " + said
            rewrite(self._line)
        elif preview.seconds >= self._next.get(preview.call_id, FIRST_S):
            self._next[preview.call_id] = preview.seconds + EVERY_S
            self._write(preview.at.strftime("%H:%M:%SZ"), preview.thread, said)

    def clear(self) -> None:
        """Take away what stands on the terminal's last line."""
        if self._line:
            self._line = ""
            rewrite("")

    def problem(self, problem: Problem) -> None:
        """Write what is wrong with the input."""
        self._write("", "input", problem.line())

    def say(self, text: str) -> None:
        """Write a line of warroom's own."""
        self._write("", "warroom", text)

    def _write(self, time: str, who: str, text: str) -> None:
        self.clear()
        name = _named(who)
        if self._colour:
            time, name = click.style(time, dim=True), click.style(name, bold=True)
        shown = " ".join(clean(text, limit=WIDTH).split())
        narrate(f"{time} {name} {shown}" if time else f"{name} {shown}")


def _named(who: str) -> str:
    return f"{clean(who, newlines=False, limit=16):<12}"


def describe(body: Body) -> str | None:
    """Return what an event means to a person who watches, or None where it means nothing."""
    return _of_agents(body) or _of_session(body)


def _of_agents(body: Body) -> str | None:
    match body:
        case AgentMessage(content=content):
            return " ".join(part.text for part in content)
        case AgentCustomToolUse(name=name, input=arguments):
            given = ", ".join(f"{key}={value}" for key, value in arguments.items())
            return f"> {name}({given})"
        case ToolFinished(tool=tool, outcome=outcome, seconds=seconds, text=text):
            lines = text.strip().splitlines()
            detail = f": {lines[0]}" if lines else ""
            mark = "<" if outcome == "ok" else f"< {outcome}"
            return f"{mark} {tool} {seconds:.2f} s{detail}"
        case ClaimsChecked(claim=claim, doubts=doubts, handed_back=back) if doubts:
            return f"x does not hold{', handed back' if back else ''}: {claim} ({doubts[0].line()})"
        case FindingReported(finding=finding):
            return f"* {finding.claim}"
        case ThreadStatusRunning(doing=doing):
            return f"working{': ' + doing if doing else ''}"
        case ThreadStatusIdle(stop_reason=stop):
            return _ended(stop)
        case PolicyDecided(decision=decision, tool=tool, reason=reason) if decision != "allow":
            return f"policy: {decision} {tool}{': ' + reason if reason else ''}"
        case ApprovalRequested(subject="fix", detail=detail):
            return f"fix {detail['draft']} waits for approval: warroom fix show SESSION {detail['draft']}"
        case ApprovalRequested(subject=subject, id=identity):
            return f"waits for an approval ({subject} {identity})"
        case _:
            return _of_fixes(body)


def _ended(stop: StopReason) -> str:
    """Return how work ended, as the app says it; what the engine says of it, once."""
    words = standing("idle", stop.type)
    said = stop.message.removeprefix(f"{words}: ")
    return f"{words}: {said}" if said else words


def _of_fixes(body: Body) -> str | None:
    match body:
        case FixDrafted(id=identity, detail=detail):
            return f"drafted {identity}: {detail.get('title')} ({detail.get('branch')})"
        case FixChecked(id=identity, detail=detail):
            why = f": {detail['reason']}" if detail.get("reason") else ""
            return f"tested {identity}: {detail.get('claim')}{why}"
        case FixDelivered(id=identity, detail=detail):
            return f"delivered {identity} as {detail.get('ref')}"
        case _:
            return None


def _of_session(body: Body) -> str | None:
    match body:
        case IncidentOpened(session=session, incident=incident):
            return f"session {session}: {incident.title}"
        case SourceAddedEvent(spec=spec, coverage=coverage):
            read = f", {coverage.understood} of {coverage.items} understood" if coverage and coverage.items else ""
            return f"source {spec.id} ({spec.kind}){read}"
        case VerdictReached() as reached:
            return f"verdict: {reached.stands.headline}"
        case SessionError(error=error):
            return f"error: {error.message}"
        case StatusRunning(reason=reason):
            return f"running{': ' + reason if reason else ''}"
        case StatusIdle(stop_reason=stop):
            return _ended(stop)
        case StatusRescheduled(reason=reason) | StatusTerminated(reason=reason):
            return f"{body.type.rpartition('.')[2].removeprefix('status_')}: {reason}"
        case BudgetChanged(detail=detail):
            return f"budget ({detail.get('by')}): {detail.get('words')}"
        case Redacted(where=where, counts=counts):
            return f"{counted(sum(counts.values()), 'secret')} replaced in {where}"
        case Note(text=text, level=level):
            return text if level == "info" else f"{level}: {text}"
        case _:
            return None
