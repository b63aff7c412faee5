"""The verdict: the structured conclusion of an investigation."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from subagents.contract import Fact, Frozen, Suspect

VerdictKind = Literal["culprit", "no_code_cause", "inconclusive", "no_incident"]
State = Literal["ongoing", "recovering", "recovered", "unknown"]
TriggerKind = Literal["commit", "deploy", "flag", "external", "unknown"]


Exclusion = Literal[
    "ruled out", "unlikely", "not cleared", "consequence", "goes with it", "not testable with this data"
]


class Cited(Frozen):
    """A sentence with what it rests on."""

    text: str
    citations: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    """The numbers in it; with one that does not hold, it does not count."""


class IncidentState(Frozen):
    """Whether it still burns, as of when."""

    state: State = "unknown"
    as_of: AwareDatetime | None = None
    reason: str = ""
    citations: tuple[str, ...] = ()


class Symptom(Frozen):
    """What is measurably wrong."""

    text: str
    service: str | None = None
    metric: str | None = None
    onset: AwareDatetime | None = None
    facts: tuple[Fact, ...] = ()
    citations: tuple[str, ...] = ()


class Cause(Frozen):
    """How it came about: what set it off, and how that leads to the symptom."""

    mechanism: str
    trigger: TriggerKind = "unknown"
    suspect: Suspect | None = None
    citations: tuple[str, ...] = ()


class ChainStep(Frozen):
    """One link from the cause to the symptom, in time order."""

    text: str
    role: Literal["cause", "mechanism", "consequence", "symptom"]
    at: AwareDatetime | None = None
    citations: tuple[str, ...] = ()


class Culprit(Frozen):
    """The change that did it."""

    commit: str | None = None
    """Full id; None where a deploy or a flag is known and its commit is not."""
    source: str | None = None
    author: str = ""
    subject: str = ""
    deploy: str | None = None
    """Citation of the deploy that carried it."""
    service: str | None = None


class Confidence(Frozen):
    """How sure, 0 to 1, and why; `against` says what would lower it."""

    value: float = Field(ge=0, le=1)
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


class RuledOut(Frozen):
    """A suspect that did not do it, or that this data cannot test."""

    suspect: Suspect
    test: str
    result: Exclusion
    reason: str
    citations: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    """The numbers of the reason."""
    command: str | None = None
    """What would test it, where this data cannot; to be filled in by whoever runs it."""


class Action(Frozen):
    """Something for the person to do; warroom never does it."""

    kind: Literal["contain", "fix", "follow_up"]
    text: str
    command: str | None = None
    effect: str = ""
    risk: str = ""
    reversible: str = ""
    verify: str = ""
    runbook: str | None = None
    """Citation of the runbook step it follows."""


class Gap(Frozen):
    """What was not looked at, why, and the command that would."""

    text: str
    why: str
    command: str | None = None


class ServiceScore(Frozen):
    """A service and how well it explains the incident, 0 to 1."""

    service: str
    score: float


class SuspectScore(Frozen):
    """A commit and how suspicious it is, 0 to 1."""

    commit: str
    score: float


class Verdict(Frozen):
    """The conclusion. `inconclusive` is a good answer; a wrong confident one is not."""

    kind: VerdictKind
    headline: str
    """One line: what is broken, since when, why, how sure."""
    gist: str = ""
    """Of one that names no change: its headline without who is in trouble, since when, and how sure."""
    state: IncidentState = IncidentState()
    service: str | None = None
    """Where it began."""
    symptom: Symptom | None = None
    cause: Cause | None = None
    chain: tuple[ChainStep, ...] = ()
    culprit: Culprit | None = None
    confidence: Confidence
    ruled_out: tuple[RuledOut, ...] = ()
    blast_radius: tuple[Cited, ...] = ()
    affected: tuple[str, ...] = ()
    """Services that the incident reached."""
    actions: tuple[Action, ...] = ()
    gaps: tuple[Gap, ...] = ()
    contradictions: tuple[Cited, ...] = ()
    services: tuple[ServiceScore, ...] = ()
    """Full ranking, best first."""
    suspects: tuple[SuspectScore, ...] = ()
    """Full ranking of commits, best first."""
    unchecked: tuple[str, ...] = ()
    """Claims that the checker could not confirm; they did not count."""

    @property
    def sure(self) -> str:
        """What the number is about: the chance of being right, or how near an open case is to a conclusion."""
        sure = f"{self.confidence.value:.0%}"
        return f"{sure} of the way to a conclusion" if self.kind == "inconclusive" else f"{sure} sure"
