"""What was considered beside the cause: every plausible suspect, the test made, and its result with numbers."""

from __future__ import annotations

from orchestrator.engines.offline.bystanders import CHANGE_TEST, bystanders
from orchestrator.engines.offline.case import CHANGE_KINDS, CIRCUMSTANCE_KINDS, Case
from orchestrator.engines.offline.causes import CLEARED_BELOW, Decision
from orchestrator.engines.offline.corroboration import followed
from orchestrator.journal.verdict import Exclusion, RuledOut
from orchestrator.verdict.board import Hypothesis
from orchestrator.verdict.persons_word import UNLIKELY_BELOW
from subagents.deploys.model import ScoredSuspect
from subagents.deploys.reporting import about, citations_of

MOST = 24
RULED_OUT: Exclusion = "ruled out"
UNLIKELY: Exclusion = "unlikely"
NOT_CLEARED: Exclusion = "not cleared"
CONSEQUENCE: Exclusion = "consequence"
GOES_WITH_IT: Exclusion = "goes with it"
NOT_TESTABLE: Exclusion = "not testable with this data"
CIRCUMSTANCE_TEST = "shows in the data, no later than the onset, where the symptom is"


def ruled_out(case: Case, decision: Decision) -> tuple[RuledOut, ...]:
    """Return every candidate that is not the cause, with the test that was made."""
    chosen = decision.hypothesis.suspect.id if decision.hypothesis else None
    closed = {one.suspect.id for one in case.hypotheses if one.closed is not None}
    """A person's word is put beside the verdict by whoever shows it."""
    found = [_suspected(decision, one) for one in case.scored if about(one).id in {decision.suspected} - closed]
    said = {chosen or "", decision.suspected, *closed}
    found += [
        _tested(hypothesis, _belongs(case, decision, hypothesis))
        for hypothesis in case.hypotheses
        if hypothesis.suspect.id not in said
        and hypothesis.suspect.kind in CHANGE_KINDS | CIRCUMSTANCE_KINDS
        and (hypothesis.supporting or hypothesis.opposing or hypothesis.excluding)
    ]
    told = {item.suspect.id for item in found}
    return tuple((*found, *bystanders(case, decision, told | said))[:MOST])


def _suspected(decision: Decision, change: ScoredSuspect) -> RuledOut:
    """Return a change that stands in the way of a circumstance by its time, whatever its diff looks like."""
    return RuledOut(
        suspect=about(change),
        test=CHANGE_TEST,
        result=NOT_CLEARED,
        reason=decision.against[0],
        citations=citations_of(change),
    )


def _belongs(case: Case, decision: Decision, other: Hypothesis) -> Exclusion | None:
    """Return how a circumstance belongs to the cause that is named, where it is no rival of it."""
    if _followed(case, decision, other):
        return CONSEQUENCE
    chosen = decision.hypothesis
    if decision.kind != "no_code_cause" or chosen is None or other.suspect.kind in CHANGE_KINDS:
        return None
    places = {service for finding in chosen.supporting for service in finding.services}
    here = {service for finding in other.supporting for service in finding.services}
    alike = other.suspect.kind in (chosen.suspect.kind, "resource")
    return GOES_WITH_IT if alike and here & places else None


def _followed(case: Case, decision: Decision, other: Hypothesis) -> bool:
    """Say whether a circumstance came after the culprit, on the service that runs it: it is what the change did."""
    return decision.kind == "culprit" and decision.hypothesis is not None and followed(case, decision.hypothesis, other)


def _tested(hypothesis: Hypothesis, belongs: Exclusion | None) -> RuledOut:
    change = hypothesis.suspect.kind in CHANGE_KINDS
    if hypothesis.excluding:
        result, grounds = RULED_OUT, hypothesis.excluding
    elif hypothesis.opposing and hypothesis.score < UNLIKELY_BELOW:
        result, grounds = UNLIKELY, hypothesis.opposing
    elif belongs is not None:
        result, grounds = belongs, hypothesis.supporting
    elif hypothesis.score >= CLEARED_BELOW:
        result, grounds = NOT_CLEARED, hypothesis.supporting
    elif hypothesis.supporting:
        result, grounds = UNLIKELY, hypothesis.supporting
    else:
        result, grounds = NOT_TESTABLE, hypothesis.opposing
    reason = grounds[0].claim if grounds else "nothing was found about it"
    if result in (NOT_CLEARED, NOT_TESTABLE):
        reason = f"{reason} (holds at {hypothesis.score:.2f})"
    return RuledOut(
        suspect=hypothesis.suspect,
        test=CHANGE_TEST if change else CIRCUMSTANCE_TEST,
        result=result,
        reason=reason,
        citations=grounds[0].citations if grounds else (),
        facts=grounds[0].facts if grounds and result == RULED_OUT and not change else (),
    )
