"""The chain from the cause to the symptom, in time order, each step with what it rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.engines.offline.case import CHANGE_KINDS, Case
from orchestrator.engines.offline.causes import Decision
from orchestrator.journal.verdict import ChainStep
from subagents.contract import Finding

MOST_CONSEQUENCES = 4
CLOCK_SLACK = timedelta(minutes=2)
"""How far a minute-grained series may place a symptom before the cause that it follows."""


def chain(case: Case, decision: Decision) -> tuple[ChainStep, ...]:
    """Return cause → mechanism → consequences → symptom; empty where no cause is named."""
    if decision.hypothesis is None or decision.kind not in ("culprit", "no_code_cause"):
        return ()
    steps = [_cause(case, decision)]
    start = steps[0].at
    used: set[str] = set()
    for finding in _mechanisms(case, decision):
        used.add(finding.id)
        steps.append(ChainStep(text=finding.claim, role="mechanism", at=finding.at, citations=finding.citations))
    symptom = case.symptom
    for finding in case.of("consequence", "errors", "order"):
        if len(steps) > MOST_CONSEQUENCES or finding.id in used or finding is symptom or not finding.citations:
            continue
        if start is not None and (finding.at is None or finding.at < start - CLOCK_SLACK):
            continue
        steps.append(ChainStep(text=finding.claim, role="consequence", at=finding.at, citations=finding.citations))
    ordered = [steps[0], *sorted(steps[1:], key=_when)]
    if symptom is not None:
        ordered.append(ChainStep(text=symptom.claim, role="symptom", at=symptom.at, citations=symptom.citations))
    return tuple(ordered)


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
    first = min((finding.at for finding in grounds if finding.at), default=None)
    return ChainStep(text=grounds[0].claim if grounds else suspect.label, role="cause", at=first, citations=citations)


def _mechanisms(case: Case, decision: Decision) -> tuple[Finding, ...]:
    assert decision.hypothesis is not None  # noqa: S101 - chain() returned early
    about = decision.hypothesis.suspect.id
    held = [f for f in case.of("mechanism") if f.about is not None and f.about.id == about and f.citations]
    if decision.hypothesis.suspect.kind in CHANGE_KINDS:
        held += [f for f in case.of("mechanism") if f.about is None and f.citations][:1]
    return tuple(held[:2])


def _when(step: ChainStep) -> datetime:
    return step.at or datetime.max.replace(tzinfo=UTC)
