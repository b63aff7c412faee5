"""Opening evidence: as its source is now, and as it was when it was cited. Everything that blocks is off the loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.hands.threads import in_thread
from orchestrator.journal.events import ClaimsChecked, ToolFinished, VerdictReached
from subagents.contract import Evidence, ToolContext, ToolError
from tui.session_view import ActFault

if TYPE_CHECKING:
    from subagents.specialist import Roster
    from tui.session_view import SessionActs, SessionView

CONTEXT_LINES = 40
"""Log lines shown on each side of the cited ones."""
MOST_POINTS = 2000

State = Literal["same", "changed", "gone", "new"]
STATE_WORDS: dict[State, str] = {
    "same": "as it was when it was cited",
    "changed": "CHANGED SINCE it was cited",
    "gone": "CANNOT BE OPENED NOW",
    "new": "no excerpt was kept",
}


@dataclass(frozen=True)
class LogLines:
    """Lines around a citation as they stand in the file now."""

    lines: tuple[str, ...]
    cited_from: int
    cited: int


@dataclass(frozen=True)
class Series:
    """Points of a series, wider than what is cited."""

    points: tuple[tuple[float, float], ...]
    """(epoch seconds, value)."""
    unit: str = ""
    baseline: float | None = None
    onset: float | None = None


@dataclass(frozen=True)
class CommitFacts:
    """What is known of the commit that a citation points into."""

    sha: str
    author: str
    when: str
    subject: str
    body: str
    diff: str
    why_none: str = ""
    """Why there is no diff; it does not mean that nothing changed."""


@dataclass(frozen=True)
class Opened:
    """One citation, opened."""

    ref: str
    kind: str
    state: State
    frozen: Evidence | None = None
    now: Evidence | None = None
    why: str = ""
    """Why it cannot be opened now."""
    more: LogLines | Series | CommitFacts | None = None

    @property
    def digest(self) -> str:
        """The digest of what is there now, else of what was cited."""
        held = self.now or self.frozen
        return held.digest if held is not None else ""


async def open_evidence(view: SessionView, ref: str) -> Opened:
    """Open a citation; what cannot be opened is shown from the journal, and says why."""
    acts = view.acts
    frozen = view.incident.evidence.get(ref)
    if frozen is None and acts is not None:
        frozen = await in_thread(lambda: _frozen(acts, ref), "frozen")
    kind = ref.partition(":")[0]
    if acts is None:
        return Opened(ref, kind, "gone", frozen, why="this session can only be looked at")
    try:
        now = await acts.resolve(ref)
    except ActFault as fault:
        return Opened(ref, kind, "gone", frozen, why=str(fault).removeprefix(f"{ref}: "))
    state: State = "new" if frozen is None else "same" if frozen.digest == now.digest else "changed"
    roster = roster_of(acts)
    more = None
    if roster is not None:
        context = ToolContext(key=f"open {ref}", clock=view.clock)
        more = await in_thread(lambda: _more(roster, kind, ref, context), "evidence")
    return Opened(ref, kind, state, frozen, now, more=more)


def _frozen(acts: SessionActs, ref: str) -> Evidence | None:
    """Look through the journal, blobs too, for the evidence as it was first cited."""
    directory = getattr(acts, "directory", None)
    for event in acts.events():
        body = event.body
        if isinstance(body, ToolFinished | VerdictReached | ClaimsChecked):
            held = body.citations if isinstance(body, ToolFinished) else body.evidence
            found = next((one for one in held if one.ref == ref), None)
            if found is None and isinstance(body, ToolFinished) and body.blob and directory is not None:
                found = next((one for one in _in_blob(directory, body.blob) if one.ref == ref), None)
            if found is not None:
                return found
    return None


def _in_blob(directory: Path, blob: str) -> Iterator[Evidence]:
    import json

    from orchestrator.journal.blobs import BlobStore
    from orchestrator.journal.faults import JournalError, StateError

    try:
        stored = json.loads(BlobStore(directory).read(blob))
        yield from (Evidence.model_validate(one) for one in stored.get("citations", ()))
    except (JournalError, StateError, ValueError, AttributeError):
        return  # a blob that is gone costs its excerpts, not the screen


def _more(roster: Roster, kind: str, ref: str, context: ToolContext) -> LogLines | Series | CommitFacts | None:
    """Ask the specialists' own tools for what stands around; None where they cannot say."""
    openers = {"log": _log_lines, "metric": _series, "commit": _commit}
    opener = openers.get(kind)
    if opener is None:
        return None
    try:
        return opener(roster, ref, context)
    except (ToolError, OSError, ValueError, KeyError):
        return None  # the citation itself was opened: what is missing is what stands around it


def roster_of(acts: SessionActs | None) -> Roster | None:
    """Return the agents with their tools; None where the session is only looked at."""
    return getattr(acts, "roster", None)


def looked_up(roster: Roster, agent: str, name: str, given: dict[str, Any], context: ToolContext) -> Any:
    """Return what a reading tool says to a person who looks, off the record; raises ToolError."""
    tool = roster.tool(agent, name)
    if tool is None:
        raise ToolError(f"{agent} has no {name}")
    return tool.run(tool.params.model_validate(given), context).need()


def _log_lines(roster: Roster, ref: str, context: ToolContext) -> LogLines:
    given = {"citation": ref, "before": CONTEXT_LINES, "after": CONTEXT_LINES}
    found = looked_up(roster, "logs", "logs_context", given, context)
    return LogLines(found.lines, found.cited_from, found.cited_lines)


def _series(roster: Roster, ref: str, context: ToolContext) -> Series | None:
    from subagents.citations import MetricRef, parse

    parsed = parse(ref)
    if not isinstance(parsed, MetricRef):
        return None
    aside = max((parsed.end - parsed.start) / 2, timedelta(minutes=10))
    given = {
        "name": parsed.name, "service": parsed.service, "source": parsed.source, "points": MOST_POINTS,
        "start": (parsed.start - aside).isoformat(), "end": (parsed.end + aside).isoformat(),
    }  # fmt: skip
    found = looked_up(roster, "metrics", "metrics_series", given, context)
    points = tuple((at.timestamp(), value) for at, value in found.points)
    onset = found.view.onset.timestamp() if found.view.onset else None
    return Series(points, found.view.unit, found.view.baseline, onset)


def _commit(roster: Roster, ref: str, context: ToolContext) -> CommitFacts | None:
    from subagents.citations import CommitRef, parse

    parsed = parse(ref)
    if not isinstance(parsed, CommitRef):
        return None
    found = looked_up(roster, "deploys", "deploys_diff", {"commit": parsed.sha, "source": parsed.source}, context)
    when = f"{found.committed_at:%Y-%m-%d %H:%M:%S} UTC" if found.committed_at else "unknown"
    why = "" if found.available else found.reason or "no diff is available"
    why = why or ("the diff is cut: it is longer than what is shown" if found.truncated else "")
    return CommitFacts(found.commit, found.author, when, found.subject, found.body, found.diff, why)
