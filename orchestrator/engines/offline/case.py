"""Everything the offline engine knows when it judges, gathered in one frozen object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.engines.offline.looked import NOTHING, Looked
from orchestrator.journal.verdict import Cited, IncidentState, ServiceScore, SuspectScore
from orchestrator.verdict.board import Hypothesis
from subagents import quantities as q
from subagents.contract import Brief, Fact, Finding, Suspect, SuspectKind
from subagents.deploys.model import ChangeLine, ScoredSuspect

CHANGE_KINDS: frozenset[SuspectKind] = frozenset({"commit", "deploy", "flag", "config"})
"""Causes that a person of the team made and can undo."""
CIRCUMSTANCE_KINDS: frozenset[SuspectKind] = frozenset(
    {"dependency", "traffic", "host", "resource", "certificate", "data", "external"}
)
"""Causes that no change of the team's explains."""


TROUBLE_OF_ITS_OWN = timedelta(minutes=5)
"""By so much before the onset nothing is an effect of the symptom's."""


@dataclass(frozen=True)
class Change:
    """What is known of a change that may be the culprit."""

    source: str = ""
    author: str = ""
    subject: str = ""
    at: datetime | None = None
    """When it took effect (deployed, flipped), else when it landed."""
    deploy: str | None = None
    """Citation of the deploy that carried it."""
    service: str | None = None
    version: str | None = None
    previous: str | None = None
    """Version, or commit, that ran before."""
    unread: bool = False
    """Its diff was not there to be read."""


@dataclass(frozen=True)
class Moved:
    """A series that left its baseline in a direction that hurts."""

    text: str
    at: datetime | None
    citation: str
    name: str = ""
    """The metric's own name."""


@dataclass(frozen=True)
class Case:
    """The findings of the round, folded, beside what the summaries add."""

    brief: Brief
    findings: tuple[Finding, ...]
    hypotheses: tuple[Hypothesis, ...]
    state: IncidentState
    services: tuple[ServiceScore, ...]
    suspects: tuple[SuspectScore, ...]
    changes: Mapping[str, Change]
    """By suspect id."""
    contradictions: tuple[Cited, ...]
    moved: tuple[Moved, ...]
    """In order of onset."""
    failed: Mapping[str, str]
    """Specialist to why it gave nothing."""
    looked: Looked = NOTHING
    """What was looked up across the sources."""
    scored: tuple[ScoredSuspect, ...] = ()
    """Every change that was scored."""
    deploys: tuple[ChangeLine, ...] = ()
    """Deploys in the window, oldest first."""
    stirred: tuple[Moved, ...] = ()
    """Every series that left its baseline in a direction that can hurt, whoever told of it."""
    filling: tuple[Moved, ...] = ()
    """Series of resources that are used up, each with when it began to fill."""
    unsettled: str = ""
    """Why calm series do not show that all is well, where they do not."""
    stay_away: bool = False
    """What metrics take for the symptom is that less is asked of a service than was."""
    faint: bool = False
    """Of what metrics take for the symptom users feel little, and no alert names it: it is told, and leads nothing."""

    def of(self, *topics: str, agent: str | None = None) -> tuple[Finding, ...]:
        """Return the findings on any of `topics`, strongest first."""
        held = [f for f in self.findings if f.topic in topics and (agent is None or f.agent == agent)]
        return tuple(sorted(held, key=lambda f: -f.weight))

    @property
    def symptom(self) -> Finding | None:
        """The finding that says what is measurably wrong: of logs where metrics show nothing that is felt.

        Where the logs name nobody, that errors rise is all that they say of it.
        """
        measured = self.of("symptom")
        logged = self.of("errors", agent="logs")
        if measured and not (self.faint and logged):
            return measured[0]
        return next(iter((*logged, *self.of("onset", agent="logs"))), None)

    @property
    def healthy(self) -> tuple[Finding, ...]:
        """Findings that something was looked at and is as it was."""
        return self.of("health")

    @property
    def onset(self) -> datetime | None:
        """When it began: measured, else seen in the logs, else as the operator said."""
        symptom = self.symptom
        if symptom is not None and symptom.agent == "logs":
            logged = next((f.at for f in (*self.of("onset", agent="logs"), symptom) if f.at is not None), None)
            measured = next((f.at for f in self.of("symptom") if f.at is not None), None)
            # A series that nobody feels still tells when, where it moved as the lines began.
            near = logged and measured and abs(logged - measured) <= TROUBLE_OF_ITS_OWN
            if at := measured if near else logged:
                return at
        for finding in (*self.of("symptom"), *self.of("onset"), *self.of("errors")):
            if finding.at is not None:
                return finding.at
        return self.brief.incident.started_at

    def leading(self, kinds: frozenset[SuspectKind]) -> tuple[Hypothesis, ...]:
        """Return the hypotheses of these kinds that are not ruled out, best first; a person's word alone is no lead."""
        held = [h for h in self.hypotheses if h.suspect.kind in kinds and h.state != "ruled out"]
        held = [h for h in held if h.supporting or h.opposing or not h.touched]
        return tuple(sorted(held, key=lambda h: -h.score))

    @property
    def affected(self) -> tuple[str, ...]:
        """Services that the symptom reached; one that erred only well before it had trouble of its own."""
        told = self.of("symptom", "errors", "order", "consequence")
        named = dict.fromkeys(service for finding in told for service in finding.services)
        if self.onset is None:
            return tuple(named)
        seen, bar = (*told, *self.of("mechanism")), self.onset - TROUBLE_OF_ITS_OWN
        before = {f.services[0] for f in seen if len(f.services) == 1 and f.at is not None and f.at < bar}
        since = {service for f in seen if f.at is not None and f.at >= bar for service in f.services}
        return tuple(service for service in named if service not in before - since)

    @property
    def entry(self) -> str | None:
        """The service whose users are hurt: the symptom's, else the one that the alert names."""
        symptom = self.symptom
        return symptom.services[0] if symptom is not None and symptom.services else self.brief.incident.service

    @property
    def speakers(self) -> frozenset[str]:
        """The services that findings name."""
        return frozenset(service for finding in self.findings for service in finding.services)

    @property
    def changes_known(self) -> bool:
        """Whether changes were given, so that they can be ruled out."""
        return bool(self.suspects or self.changes)

    @property
    def home(self) -> str | None:
        """The service where it began, by evidence; else where it shows; else the one that the alert names."""
        if self.services and self.services[0].score > 0:
            return self.services[0].service
        return self.entry


def named(suspect: Suspect) -> str:
    """Name a suspect in a sentence; the label of a circumstance already says what kind of thing it is."""
    if suspect.kind == "commit":
        return f"commit {suspect.key[:12]}" + (f" “{suspect.label}”" if suspect.label else "")
    if suspect.kind not in CHANGE_KINDS and suspect.label not in ("", suspect.key):
        return suspect.label
    if suspect.kind in CIRCUMSTANCE_KINDS | {"config"} and " " in suspect.key:
        return suspect.label or suspect.key
    label = "" if suspect.label in ("", suspect.key) else f" “{suspect.label.removeprefix(suspect.key).strip()}”"
    return f"{suspect.kind} {suspect.key}{label}"


def failure_of(suspect: Suspect, known: Iterable[str]) -> str | None:
    """Return which of the known kinds of failure a suspect is told to be: its label begins with the kind's name."""
    told = suspect.label or suspect.key
    return next((name for name in known if told == name or told.startswith((f"{name}: ", f"{name} in "))), None)


def number_of(facts: tuple[Fact, ...], quantity: str) -> float | None:
    """Return the number that facts state for a quantity, if they do."""
    for fact in facts:
        if fact.quantity == quantity and not isinstance(fact.value, str):
            return float(fact.value)
    return None


def metric_of(finding: Finding) -> str | None:
    """Return the name of the metric that a finding's facts are about, if they cite one."""
    from subagents import citations

    for fact in finding.facts:
        if fact.quantity in (q.PEAK, q.ONSET, q.BASELINE) and fact.citation.startswith("metric:"):
            ref = citations.parse(fact.citation)
            return ref.name if isinstance(ref, citations.MetricRef) else None
    return None
