"""The report: everything that can be said about a session, folded from its journal alone.

Renderings are in `report_markdown` and `status_update`; the machine-readable verdict is in `document`.
Texts here are as the journal holds them (redacted, not cleaned): whoever shows them cleans them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from orchestrator.journal.events import (
    Event,
    IncidentOpened,
    Note,
    SessionError,
    SourceAddedEvent,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
    ToolFinished,
    UserMessage,
    VerdictReached,
)
from orchestrator.journal.faults import JournalError
from orchestrator.journal.verdict import Action, Verdict
from orchestrator.verdict.board import Board
from orchestrator.verdict.claims import ClaimsChecker, cited
from orchestrator.verdict.rollback import with_rollback
from subagents.contract import Coverage, Evidence, Finding, Frozen, Incident, Problem, SourceSpec

SessionStatus = Literal["idle", "running", "rescheduling", "terminated"]


class ReportError(Exception):
    """The journal holds too little for a report; the message says what is missing."""


class EvidenceEntry(Frozen):
    """One citation, with what it resolves to in the journal."""

    number: int
    """Its number in the report, from 1, in order of first mention."""
    ref: str
    resolved: bool
    reason: str = ""
    """Why it does not resolve."""
    digest: str = ""
    label: str = ""
    excerpt: str = ""
    changed: bool = False
    """Two calls of this session froze it differently: what it points at changed meanwhile."""
    cited_by: tuple[str, ...] = ()
    """`verdict.<field>` or ids of findings."""


class ReportedFinding(Frozen):
    """A finding that stands, and what in it does not hold."""

    finding: Finding
    id: str
    doubts: tuple[str, ...] = ()


class HypothesisLine(Frozen):
    """A candidate cause as the board ends with it."""

    suspect: str
    label: str = ""
    state: str
    score: float
    supporting: int = 0
    opposing: int = 0


class Moment(Frozen):
    """One line of the timeline."""

    at: AwareDatetime
    text: str
    origin: str
    """Who says so: `alert`, `operator`, `verdict`, `session`, or an agent."""
    citations: tuple[str, ...] = ()


class Report(Frozen):
    """All that a person asks about a session, with its evidence."""

    session: str
    incident: Incident
    engine: str
    shown_as: str
    version: str
    opened_at: AwareDatetime
    last_event_at: AwareDatetime
    events: int
    status: SessionStatus
    status_reason: str = ""
    seconds: float
    """Seconds of work, waiting not counted."""
    verdict: Verdict | None
    earlier_verdicts: int = 0
    findings: tuple[ReportedFinding, ...]
    hypotheses: tuple[HypothesisLine, ...]
    evidence: tuple[EvidenceEntry, ...]
    timeline: tuple[Moment, ...]
    sources: tuple[SourceSpec, ...]
    coverage: tuple[Coverage, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    def entry(self, ref: str) -> EvidenceEntry | None:
        """Return the evidence behind a citation."""
        return next((item for item in self.evidence if item.ref == ref), None)

    def first_action(self) -> Action | None:
        """Return what to do first: containment comes before a fix, and a fix before follow-ups."""
        if self.verdict is None:
            return None
        order = {"contain": 0, "fix": 1, "follow_up": 2}
        return min(self.verdict.actions, key=lambda action: order[action.kind], default=None)


ReadBlob = Callable[[str], bytes]
"""Opens a blob of the session by its handle; raises JournalError where it is not there."""


def build_report(events: Iterable[Event], read_blob: ReadBlob | None = None) -> Report:
    """Fold a session's events, in order, into its report; raise ReportError where there is no incident.

    Evidence that a large result moved from its event to a blob is looked up with `read_blob`.
    """
    fold = _Fold(read_blob)
    for event in events:
        fold.apply(event)
    return fold.report()


class _Fold:
    """The running state of the report."""

    def __init__(self, read_blob: ReadBlob | None) -> None:
        self._read_blob = read_blob
        self._blobs: list[str] = []
        self.opened: tuple[IncidentOpened, datetime] | None = None
        self.board = Board()
        self.frozen: dict[str, Evidence] = {}
        self.changed: set[str] = set()
        self.verdict: Verdict | None = None
        self.verdicts = 0
        self.sources: dict[str, SourceAddedEvent] = {}
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.moments: list[Moment] = []
        self.spans = _WorkSpans()
        self.count = 0
        self.last: Event | None = None

    def apply(self, event: Event) -> None:
        self.count, self.last = self.count + 1, event
        self.board.apply(event)
        self.spans.apply(event)
        match event.body:
            case IncidentOpened() if self.opened is None:
                self.opened = (event.body, event.ts)
                self._moment(event.ts, "investigation opened", "session")
            case ToolFinished(citations=frozen) | VerdictReached(evidence=frozen):
                for item in frozen:
                    self._freeze(item)
            case SourceAddedEvent(spec=spec):
                self.sources[spec.id] = event.body
            case SessionError(error=error):
                self._moment(event.ts, f"engine error: {error.message}", "session")
            case UserMessage(content=content):
                self._moment(event.ts, "a person wrote: " + " ".join(part.text for part in content), "session")
            case Note(level="info", text=text):
                self.notes.append(text)
            case Note(text=text):
                self.problems.append(Problem(what=text))
            case _:
                pass
        if isinstance(event.body, ToolFinished) and event.body.blob:
            self._blobs.append(event.body.blob)
        if isinstance(event.body, VerdictReached):
            self.verdict, self.verdicts = event.body.verdict, self.verdicts + 1
            self._moment(event.ts, f"verdict: {event.body.verdict.headline}", "session")

    def _moment(self, at: datetime, text: str, origin: str, citations: tuple[str, ...] = ()) -> None:
        self.moments.append(Moment(at=at, text=text, origin=origin, citations=citations))

    def _freeze(self, item: Evidence) -> None:
        earlier = self.frozen.setdefault(item.ref, item)
        if earlier.digest != item.digest:
            self.changed.add(item.ref)

    def _fetch_missing(self, verdict: Verdict | None) -> None:
        """Open blobs, in the order they were written, until everything that is cited is there."""
        wanted = {ref for _, ref in _mentions(verdict, self.board.findings)} - self.frozen.keys()
        for handle in self._blobs if self._read_blob else ():
            if not wanted:
                return
            try:
                held = json.loads(self._read_blob(handle))["citations"] if self._read_blob else []
                items = [Evidence.model_validate(item) for item in held]
            except (JournalError, ValueError, LookupError, TypeError):
                continue  # a lost blob: what it held is reported as unresolved
            for item in items:
                if item.ref in wanted:
                    self._freeze(item)
                    wanted.discard(item.ref)

    def report(self) -> Report:
        if self.opened is None or self.last is None:
            raise ReportError("the journal has no incident: nothing was investigated in this session")
        opened, at = self.opened
        verdict = with_rollback(self.verdict, opened.settings) if self.verdict else None
        self._fetch_missing(verdict)
        checker = ClaimsChecker(self.frozen)
        findings = tuple(
            ReportedFinding(
                finding=finding,
                id=finding.id,
                doubts=tuple(dict.fromkeys(doubt.reason for doubt in checker.finding(finding))),
            )
            for finding in self.board.findings
        )
        coverage = tuple(item.coverage for item in self.sources.values() if item.coverage)
        return Report(
            session=opened.session,
            incident=opened.incident,
            engine=opened.engine,
            shown_as=opened.shown_as or opened.engine,
            version=opened.version,
            opened_at=at,
            last_event_at=self.last.ts,
            events=self.count,
            status=self.spans.status,
            status_reason=self.spans.reason,
            seconds=round(self.spans.seconds, 3),
            verdict=verdict,
            earlier_verdicts=max(0, self.verdicts - 1),
            findings=findings,
            hypotheses=self._hypotheses(),
            evidence=self._evidence(verdict, checker),
            timeline=_timeline(self.moments, opened.incident, verdict, findings),
            sources=tuple(item.spec for item in self.sources.values()),
            coverage=coverage,
            problems=_unique([*self.problems, *(p for item in coverage for p in item.problems)]),
            notes=tuple(self.notes),
        )

    def _hypotheses(self) -> tuple[HypothesisLine, ...]:
        return tuple(
            HypothesisLine(
                suspect=held.suspect.id,
                label=held.suspect.label,
                state=held.state,
                score=held.score,
                supporting=len(held.supporting),
                opposing=len(held.opposing) + len(held.excluding),
            )
            for held in self.board.hypotheses()
        )

    def _evidence(self, verdict: Verdict | None, checker: ClaimsChecker) -> tuple[EvidenceEntry, ...]:
        by: dict[str, list[str]] = {}
        for where, ref in _mentions(verdict, self.board.findings):
            holders = by.setdefault(ref, [])
            if where not in holders:
                holders.append(where)
        return tuple(
            self._entry(number, ref, tuple(where), checker) for number, (ref, where) in enumerate(by.items(), start=1)
        )

    def _entry(self, number: int, ref: str, where: tuple[str, ...], checker: ClaimsChecker) -> EvidenceEntry:
        item, reason = self.frozen.get(ref), checker.citation(ref)
        if item is None or reason:
            return EvidenceEntry(number=number, ref=ref, resolved=False, reason=reason or "unknown", cited_by=where)
        return EvidenceEntry(
            number=number,
            ref=ref,
            resolved=True,
            digest=item.digest,
            label=item.label,
            excerpt=item.excerpt,
            changed=ref in self.changed,
            cited_by=where,
        )


class _WorkSpans:
    """The session's status, and the seconds it was at work; monotonic clocks where one process wrote both ends."""

    def __init__(self) -> None:
        self.status: SessionStatus = "idle"
        self.reason = ""
        self.seconds = 0.0
        self._since: Event | None = None
        self._last: Event | None = None

    def apply(self, event: Event) -> None:
        match event.body:
            case StatusRunning(reason=reason):
                self._close(self._last)
                self._since = event
                self.status, self.reason = "running", reason
            case StatusRescheduled(reason=reason):
                self.status, self.reason = "rescheduling", reason
            case StatusIdle(stop_reason=stop):
                self._close(event)
                self.status, self.reason = "idle", ": ".join(filter(None, (stop.type, stop.message)))
            case StatusTerminated(reason=reason):
                self._close(event)
                self.status, self.reason = "terminated", reason
            case _:
                pass
        self._last = event

    def _close(self, end: Event | None) -> None:
        """Count the open span; one that a crash left open ends with the last event before the next start."""
        if self._since is None or end is None:
            return
        wall = max(0.0, (end.ts - self._since.ts).total_seconds())
        steady = end.mono - self._since.mono
        self.seconds += steady if steady >= 0 and abs(steady - wall) < 60 else wall
        self._since = None


def _unique(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple({problem.line(): problem for problem in problems}.values())


def _mentions(verdict: Verdict | None, findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Yield (who, citation): the verdict's first, in its order, then each finding's."""
    if verdict is not None:
        for where, ref in cited(verdict.model_dump(mode="json")):
            yield f"verdict.{where}", ref
    for finding in findings:
        for ref in finding.citations:
            yield finding.id, ref
        for fact in finding.facts:
            yield finding.id, fact.citation


def _timeline(
    moments: list[Moment], incident: Incident, verdict: Verdict | None, findings: tuple[ReportedFinding, ...]
) -> tuple[Moment, ...]:
    lines = list(moments)
    if incident.started_at:
        lines.append(Moment(at=incident.started_at, text="start of impact, as the operator gave it", origin="operator"))
    if incident.alert and incident.alert.fired_at:
        title = incident.alert.title or incident.title
        lines.append(Moment(at=incident.alert.fired_at, text=f"alert: {title}", origin="alert"))
    onset = verdict.symptom.onset if verdict and verdict.symptom else None
    if verdict and verdict.symptom and onset:
        lines.append(
            Moment(
                at=onset,
                text=f"onset: {verdict.symptom.text}",
                origin="verdict",
                citations=verdict.symptom.citations,
            )
        )
    for step in verdict.chain if verdict else ():
        if step.at and not (step.role == "symptom" and step.at == onset):
            text = f"{step.role}: {step.text}"
            lines.append(Moment(at=step.at, text=text, origin="verdict", citations=step.citations))
    said = {line.text.partition(": ")[2] or line.text for line in lines}
    for item in findings:
        found = item.finding
        if found.at and found.stance != "rules_out" and found.claim not in said and not item.doubts:
            lines.append(Moment(at=found.at, text=found.claim, origin=found.agent, citations=found.citations))
    return tuple(sorted(lines, key=lambda line: line.at))
