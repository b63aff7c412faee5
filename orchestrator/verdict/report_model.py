"""What a report is made of: plain data, whatever it is rendered as."""

from __future__ import annotations

from pydantic import AwareDatetime

from orchestrator.hands.budget_summary import BudgetSummary
from orchestrator.journal.fold import SessionStatus
from orchestrator.journal.own_recheck import Rechecked
from orchestrator.journal.verdict import Action, Verdict
from subagents.contract import Coverage, Finding, Frozen, Incident, Problem, SourceSpec


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
    """With any, it does not count."""
    unchecked: tuple[str, ...] = ()
    """Numbers in it that no data settles."""


class DoubtedClaim(Frozen):
    """A claim that did not hold: who made it, and why it does not count."""

    claimant: str
    subject: str
    """`finding` or `verdict`."""
    claim: str
    reasons: tuple[str, ...]
    handed_back: bool = False
    """It went back to its claimant, who could correct it."""


class HypothesisLine(Frozen):
    """A candidate cause as the board ends with it."""

    suspect: str
    label: str = ""
    state: str
    score: float
    supporting: int = 0
    opposing: int = 0
    words: tuple[str, ...] = ()
    """What a person said of it, as theirs: it is in no score."""


class Moment(Frozen):
    """One line of the timeline."""

    at: AwareDatetime
    text: str
    origin: str
    """Who says so: `alert`, `operator`, `verdict`, `session`, or an agent."""
    citations: tuple[str, ...] = ()


class ReportedFix(Frozen):
    """A drafted fix, and what became of it."""

    id: str
    kind: str
    title: str
    commit: str
    base: str
    base_is: str = ""
    undoes: str | None = None
    files: tuple[str, ...] = ()
    standing: str
    """`drafted`, `waits`, `approved`, `rejected`, `void` or `delivered`."""
    reason: str = ""
    decided_by: str = ""
    digest: str = ""
    """What its approval binds."""
    tests: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    ref: str = ""
    repo: str = ""
    """Where it was delivered to; empty where it was not."""
    pushed: str = ""


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
    rechecked: Rechecked | None = None
    """The last re-check of the verdict's symptom; its state is the verdict's where it could tell."""
    fixes: tuple[ReportedFix, ...] = ()
    doubted: tuple[DoubtedClaim, ...] = ()
    """Every claim of the session that the checker refused, oldest first."""
    unchecked: tuple[str, ...] = ()
    """Numbers in the verdict that no data settles."""
    budget: BudgetSummary | None = None
    """What the session used, and of what bounds."""
    redactions: int = 0
    """Secrets that were replaced before anything was kept."""

    def entry(self, ref: str) -> EvidenceEntry | None:
        """Return the evidence behind a citation."""
        return next((item for item in self.evidence if item.ref == ref), None)

    def first_action(self) -> Action | None:
        """Return what to do first: containment comes before a fix, and a fix before follow-ups."""
        if self.verdict is None:
            return None
        order = {"contain": 0, "fix": 1, "follow_up": 2}
        return min(self.verdict.actions, key=lambda action: order[action.kind], default=None)
