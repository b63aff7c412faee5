"""What the verdict says beside the cause: what was ruled out and how, and what was not looked at."""

from __future__ import annotations

from orchestrator.engines.offline.case import CHANGE_KINDS, CIRCUMSTANCE_KINDS, Case
from orchestrator.engines.offline.causes import Decision
from orchestrator.journal.verdict import Exclusion, Gap, RuledOut
from orchestrator.verdict.board import Hypothesis
from orchestrator.verdict.hypothesis import TO_TEST
from subagents.contract import Finding, SourceKind

MOST = 16
RULED_OUT: Exclusion = "ruled out"
UNLIKELY: Exclusion = "unlikely"
NOT_CLEARED: Exclusion = "not cleared"
CONSEQUENCE: Exclusion = "consequence"
GOES_WITH_IT: Exclusion = "goes with it"
NOT_TESTABLE: Exclusion = "not testable with this data"
UNLIKELY_BELOW = 0.2
CLEARED_BELOW = 0.2
"""A candidate that holds better than this was tested, and passed: it is not cleared."""
CHANGE_TEST = "in effect before the onset, reaches what failed, leads to the symptom"
CIRCUMSTANCE_TEST = "shows in the data, no later than the onset, where the symptom is"
KINDS_OF_SOURCE = {
    "logs": ("no logs were given", "attach them: warroom run PATH logs.txt, or warroom run -- kubectl logs …"),
    "metrics": ("no metrics were given", "export the alert's series as metrics.csv: ts,service,metric,value"),
    "changes": ("no deploys, commits or repository were given", "add deploys.json, or --repo PATH"),
}
SPEAKS_OF = {"logs": "logs", "metrics": "metrics", "changes": "deploys"}
"""The specialist that says the same in its own words where a kind of source is absent."""
CHANGE_SOURCES = frozenset({"deploys", "commits", "diff", "flags", "repo"})
MEASURED = frozenset({"metrics", "spans", "trace_edges"})


def ruled_out(case: Case, decision: Decision) -> tuple[RuledOut, ...]:
    """Return every candidate that is not the cause, with the test that was made."""
    chosen = decision.hypothesis.suspect.id if decision.hypothesis else None
    found = [
        _tested(hypothesis, _belongs(case, decision, hypothesis))
        for hypothesis in case.hypotheses
        if hypothesis.suspect.id != chosen
        and hypothesis.closed is None  # a person's word is put beside the verdict by whoever shows it
        and hypothesis.suspect.kind in CHANGE_KINDS | CIRCUMSTANCE_KINDS
        and (hypothesis.supporting or hypothesis.opposing or hypothesis.excluding)
    ]
    return tuple(found[:MOST])


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
    if (
        decision.kind != "culprit"
        or decision.hypothesis is None
        or other.suspect.kind not in ("resource", "dependency")
    ):
        return False
    change = case.changes.get(decision.hypothesis.suspect.id)
    first = min((finding.at for finding in other.supporting if finding.at is not None), default=None)
    if change is None or change.at is None or first is None or first < change.at:
        return False
    return any(change.service in finding.services for finding in other.supporting)


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
    else:
        result, grounds = NOT_TESTABLE, (*hypothesis.supporting, *hypothesis.opposing)
    reason = grounds[0].claim if grounds else "nothing was found about it"
    if result in (NOT_CLEARED, NOT_TESTABLE):
        reason = f"{reason} (holds at {hypothesis.score:.2f})"
    return RuledOut(
        suspect=hypothesis.suspect,
        test=CHANGE_TEST if change else CIRCUMSTANCE_TEST,
        result=result,
        reason=reason,
        citations=grounds[0].citations if grounds else (),
    )


def gaps(case: Case) -> tuple[Gap, ...]:
    """Return what was not looked at, why, and what would close the gap."""
    kinds = {spec.kind for spec in case.brief.sources}
    absent = [
        name
        for name, wanted in (("logs", {"logs"}), ("metrics", MEASURED), ("changes", CHANGE_SOURCES))
        if not kinds & wanted
    ]
    found = [
        Gap(text=KINDS_OF_SOURCE[name][0], why="not among the sources", command=KINDS_OF_SOURCE[name][1])
        for name in absent
    ]
    said = {SPEAKS_OF[name] for name in absent}
    found += [
        Gap(text=f.claim.partition(TO_TEST)[0], why=f"reported by {f.agent}", command=_command(f, kinds))
        for f in case.of("gap")
        if f.agent not in said
    ]
    found += [Gap(text=f"{agent} did not finish", why=why) for agent, why in case.failed.items()]
    for coverage in case.brief.coverage:
        found += [Gap(text=problem.line(), why=f"input of {coverage.source}") for problem in coverage.problems]
    unique = {gap.text: gap for gap in found}
    return tuple(unique.values())[:MOST]


def _command(gap: Finding, kinds: set[SourceKind]) -> str | None:
    """Return what would close a gap: what it says itself; what needs the code needs its repository."""
    if command := gap.claim.partition(TO_TEST)[2]:
        return command
    return "warroom run PATH --repo REPOSITORY" if gap.agent == "codefix" and "repo" not in kinds else None
