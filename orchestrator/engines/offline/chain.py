"""The chain from the cause to the symptom, in time order, each step with what it rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.engines.offline.case import CHANGE_KINDS, Case, named
from orchestrator.engines.offline.causes import Decision
from orchestrator.journal.verdict import ChainStep
from subagents.contract import Finding

MOST_CONSEQUENCES = 3
"""Of each kind of evidence: a chain is read at a glance."""
CLOCK_SLACK = timedelta(minutes=2)
"""How far a minute-grained series may place a symptom before the cause that it follows."""


def chain(case: Case, decision: Decision) -> tuple[ChainStep, ...]:
    """Return the cause, then mechanism, consequences and symptom by time; empty where no cause is named."""
    if decision.hypothesis is None or decision.kind not in ("culprit", "no_code_cause"):
        return ()
    cause = _cause(case, decision)
    mechanisms = _mechanisms(case, decision)
    steps = [ChainStep(text=f.claim, role="mechanism", at=f.at, citations=f.citations) for f in mechanisms]
    symptom = case.symptom
    told = {f.id for f in (*mechanisms, *decision.hypothesis.supporting)} | ({symptom.id} if symptom else set())
    steps += [step for step in _consequences(case, told) if _follows(step, cause)]
    if symptom is not None:
        steps.append(ChainStep(text=symptom.claim, role="symptom", at=symptom.at, citations=symptom.citations))
    return (cause, *sorted(steps, key=_when))


def _consequences(case: Case, told: set[str]) -> list[ChainStep]:
    """Series that left their baseline and errors that appeared, the earliest of each, none twice."""
    cited = set(case.symptom.citations) if case.symptom else set()
    affected = set(case.affected)
    moved = [
        ChainStep(text=view.text, role="consequence", at=view.at, citations=(view.citation,))
        for view in case.moved
        if view.citation not in cited
    ]
    errors = [
        ChainStep(text=f.claim, role="consequence", at=f.at, citations=f.citations)
        for f in case.of("consequence", "errors", agent="logs")
        if f.id not in told and f.citations and f.at is not None and affected.issuperset(f.services)
    ]
    return sorted(moved, key=_when)[:MOST_CONSEQUENCES] + sorted(errors, key=_when)[:MOST_CONSEQUENCES]


def _follows(step: ChainStep, cause: ChainStep) -> bool:
    if cause.at is None or step.at is None:
        return cause.at is None
    series = all(ref.startswith("metric:") for ref in step.citations)
    return step.at >= cause.at - (CLOCK_SLACK if series else timedelta(0))


def _cause(case: Case, decision: Decision) -> ChainStep:
    assert decision.hypothesis is not None  # noqa: S101 - chain() returned early
    suspect = decision.hypothesis.suspect
    grounds = decision.hypothesis.supporting
    change = case.changes.get(suspect.id)
    citations = tuple(dict.fromkeys(ref for finding in grounds for ref in finding.citations))[:6]
    if change is not None:
        citations = tuple(dict.fromkeys((*((change.deploy,) if change.deploy else ()), *citations)))
        what = f"{change.subject or suspect.label or suspect.key[:12]}"
        where = f" reached {change.service}" if change.service else " took effect"
        return ChainStep(text=f"{what}{where}", role="cause", at=change.at, citations=citations)
    told = _told_by(decision)
    text = told[0].claim if told else named(suspect)
    return ChainStep(text=text, role="cause", at=_began(decision), citations=citations)


def _began(decision: Decision) -> datetime | None:
    grounds = decision.hypothesis.supporting if decision.hypothesis is not None else ()
    return min((finding.at for finding in grounds if finding.at), default=None)


def _told_by(decision: Decision) -> tuple[Finding, ...]:
    """Return the finding that tells a circumstance: the best, unless another ground of it began before that."""
    best = decision.hypothesis.supporting[:1] if decision.hypothesis is not None else ()
    return tuple(finding for finding in best if finding.at is None or finding.at == _began(decision))


def _mechanisms(case: Case, decision: Decision) -> tuple[Finding, ...]:
    assert decision.hypothesis is not None  # noqa: S101 - chain() returned early
    about = decision.hypothesis.suspect.id
    held = [f for f in case.of("mechanism") if f.about is not None and f.about.id == about and f.citations]
    if decision.hypothesis.suspect.kind in CHANGE_KINDS:
        held += [f for f in case.of("mechanism") if f.about is None and f.citations][:1]
    told = _told_by(decision)  # by the cause's own step
    known = case.changes.get(about) is not None
    return tuple(f for f in held[:2] if known or f not in told)


def _when(step: ChainStep) -> datetime:
    return step.at or datetime.max.replace(tzinfo=UTC)
