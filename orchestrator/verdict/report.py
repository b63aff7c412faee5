"""The report: everything that can be said about a session, folded from its journal alone.

Renderings are in `report_markdown` and `status_update`; the machine-readable verdict is in `document`.
Texts here are as the journal holds them (redacted, not cleaned): whoever shows them cleans them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from orchestrator.hands.budget_fold import SpentFold
from orchestrator.hands.budget_summary import summarised
from orchestrator.hands.fix_fold import FixFold
from orchestrator.journal.events import (
    BoardEdited,
    ClaimsChecked,
    Event,
    FixDelivered,
    IncidentOpened,
    Note,
    Rechecked,
    SessionError,
    SourceAddedEvent,
    ToolFinished,
    UserMessage,
    VerdictReached,
)
from orchestrator.journal.faults import JournalError
from orchestrator.journal.own_recheck import with_state
from orchestrator.journal.redactions import RedactionCount
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.board import Board, Held
from orchestrator.verdict.board_edits import shown, suspect_of
from orchestrator.verdict.claim_lookups import ToolRecord
from orchestrator.verdict.claims import cited, unresolved
from orchestrator.verdict.persons_word import with_persons_word
from orchestrator.verdict.report_fixes import reported
from orchestrator.verdict.report_model import (
    DoubtedClaim,
    EvidenceEntry,
    HypothesisLine,
    Moment,
    Report,
    ReportedFinding,
)
from orchestrator.verdict.rollback import with_rollback
from orchestrator.verdict.timeline import timeline
from orchestrator.verdict.work_spans import WorkSpans
from subagents.contract import Coverage, Evidence, Finding, Problem, SourceSpec


class ReportError(Exception):
    """The journal holds too little for a report; the message says what is missing."""


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
        self.verdict_id = ""
        self.rechecked: Rechecked | None = None
        self.told: Rechecked | None = None
        """The last of them that could tell."""
        self.checks: dict[tuple[str, str, bool], ClaimsChecked] = {}
        self.sources: dict[str, SourceSpec] = {}
        self.coverage: dict[str, Coverage] = {}
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.moments: list[Moment] = []
        self.spans = WorkSpans()
        self.fixes = FixFold()
        self.spent = SpentFold()
        self.redactions = RedactionCount()
        self.count = 0
        self.last: Event | None = None

    def apply(self, event: Event) -> None:
        self.count, self.last = self.count + 1, event
        self.board.apply(event)
        self.spans.apply(event)
        self.fixes.learn(event)
        self.spent.learn(event)
        self.redactions.learn(event)
        match event.body:
            case IncidentOpened() if self.opened is None:
                self.opened = (event.body, event.ts)
                self._moment(event.ts, "investigation opened", "session")
            case ToolFinished(citations=frozen) | VerdictReached(evidence=frozen) | ClaimsChecked(evidence=frozen):
                for item in frozen:
                    self._freeze(item)
            case SourceAddedEvent(spec=spec, coverage=coverage):
                self.sources[spec.id] = spec
                self._cover((coverage,) if coverage else ())
            case FixDelivered(detail=detail):
                self._moment(event.ts, f"the fix was delivered as {detail.get('ref')}", "session")
            case SessionError(error=error):
                self._moment(event.ts, f"engine error: {error.message}", "session")
            case UserMessage(content=content):
                self._moment(event.ts, "a person wrote: " + " ".join(part.text for part in content), "session")
            case BoardEdited():
                self._moment(event.ts, f"{event.body.by} on the board: {_edit_words(event.body)}", "session")
            case Rechecked():
                self.rechecked = event.body
                self.told = self.told if event.body.state == "unknown" else event.body
                self._moment(event.ts, f"{event.body.by} measured the symptom again: {event.body.word}", "session",
                             event.body.citations)  # fmt: skip
            case Note(level="info", text=text, by=by):
                self.notes.append(text)
                self._moment(event.ts, f"{by} noted: {text}", "session")
            case Note(text=text):
                self.problems.append(Problem(what=text))
            case _:
                pass
        self._learn(event)

    def _learn(self, event: Event) -> None:
        if isinstance(event.body, ToolFinished):
            self._cover(coverage_in(event.body))
            self._blobs += [event.body.blob] if event.body.blob else []
        elif isinstance(event.body, VerdictReached):
            self.verdict, self.verdicts = event.body.stands, self.verdicts + 1
            self.rechecked = self.told = None
            self.verdict_id = event.body.id
            self._moment(event.ts, f"verdict: {event.body.stands.headline}", "session")
        elif isinstance(event.body, ClaimsChecked):
            self.checks[event.body.subject, event.body.id, event.body.handed_back] = event.body

    def _moment(self, at: datetime, text: str, origin: str, citations: tuple[str, ...] = ()) -> None:
        self.moments.append(Moment(at=at, text=text, origin=origin, citations=citations))

    def _cover(self, found: Iterable[Coverage]) -> None:
        for item in found:
            held = self.coverage.get(item.source)
            if held is None or item.items or not held.items:  # who only says that it exists does not count
                self.coverage[item.source] = item

    def _freeze(self, item: Evidence) -> None:
        earlier = self.frozen.setdefault(item.ref, item)
        if earlier.digest != item.digest:
            self.changed.add(item.ref)

    def _fetch_missing(self, verdict: Verdict | None) -> None:
        """Open blobs, in the order they were written, until everything that is cited is there."""
        wanted = {ref for _, ref in _mentions(verdict, self._claimed)} - self.frozen.keys()
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
        verdict = self._verdict(opened)
        self._fetch_missing(verdict)
        record = ToolRecord(self.frozen)
        findings = tuple(_reported(held, record) for held in self.board.held)
        coverage = tuple(self.coverage.values())
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
            evidence=self._evidence(verdict, record),
            timeline=timeline(self.moments, opened.incident, verdict, findings),
            sources=tuple(self.sources.values()),
            coverage=coverage,
            problems=_unique([*self.problems, *(p for item in coverage for p in item.problems)]),
            notes=tuple(self.notes),
            rechecked=self.rechecked,
            fixes=reported(self.fixes.fixes.values()),
            budget=summarised(self.spent),
            redactions=self.redactions.total,
            doubted=self._doubted(),
            unchecked=check.unchecked if (check := self.checks.get(("verdict", self.verdict_id, False))) else (),
        )

    def _verdict(self, opened: IncidentOpened) -> Verdict | None:
        """Return the verdict as it is shown: with the rollback of the settings, and a person's word beside it."""
        if self.verdict is None:
            return None
        shown_as = with_state(with_rollback(self.verdict, opened.settings), self.told)
        return with_persons_word(shown_as, self.board.hypotheses())

    @property
    def _claimed(self) -> tuple[Finding, ...]:
        return tuple(held.finding for held in self.board.held)

    def _doubted(self) -> tuple[DoubtedClaim, ...]:
        return tuple(
            DoubtedClaim(
                claimant=check.claimant,
                subject=check.subject,
                claim=check.claim,
                reasons=tuple(doubt.line() for doubt in check.doubts),
                handed_back=check.handed_back,
            )
            for check in self.checks.values()
            if check.doubts
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
                words=held.edits,
            )
            for held in self.board.hypotheses()
        )

    def _evidence(self, verdict: Verdict | None, record: ToolRecord) -> tuple[EvidenceEntry, ...]:
        by: dict[str, list[str]] = {}
        for where, ref in _mentions(verdict, self._claimed):
            holders = by.setdefault(ref, [])
            if where not in holders:
                holders.append(where)
        return tuple(
            self._entry(number, ref, tuple(where), record) for number, (ref, where) in enumerate(by.items(), start=1)
        )

    def _entry(self, number: int, ref: str, where: tuple[str, ...], record: ToolRecord) -> EvidenceEntry:
        item, reason = self.frozen.get(ref), unresolved(ref, record)
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


def _edit_words(edit: BoardEdited) -> str:
    because = f": {edit.note}" if edit.note else ""
    return f"{edit.action.replace('_', ' ')} {shown(suspect_of(edit))}{because}"


def _reported(held: Held, record: ToolRecord) -> ReportedFinding:
    """Return a finding with what the checker said when it was made; in journals of before, what the journal shows."""
    refs = dict.fromkeys((*held.finding.citations, *(fact.citation for fact in held.finding.facts)))
    lost = [reason for ref in refs if (reason := unresolved(ref, record))]
    doubts = tuple(doubt.line() for doubt in held.doubts) or tuple(dict.fromkeys(lost))
    return ReportedFinding(finding=held.finding, id=held.id, doubts=doubts, unchecked=held.unchecked)


def coverage_in(finished: ToolFinished) -> tuple[Coverage, ...]:
    """Return what a `<agent>_coverage` tool says of its sources; nothing for other tools."""
    if not finished.tool.endswith("_coverage") or not isinstance(finished.data, dict):
        return ()
    sources = finished.data.get("sources")
    try:
        return tuple(Coverage.model_validate(item) for item in sources) if isinstance(sources, list) else ()
    except ValueError:  # another version's shape
        return ()


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
