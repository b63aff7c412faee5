"""From the findings of a round to a verdict, honestly graded and fully cited."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from orchestrator.engines.base import Desk, ToolUse
from orchestrator.engines.coordinator import RunbookHit, SearchParams, SearchResult
from orchestrator.engines.offline.bench import Floor
from orchestrator.engines.offline.case import Case, metric_of
from orchestrator.engines.offline.causes import Decision, decide
from orchestrator.engines.offline.chain import chain
from orchestrator.engines.offline.corroboration import EVEN, where_of
from orchestrator.engines.offline.cut_short import cut_short
from orchestrator.engines.offline.exclusions import ruled_out
from orchestrator.engines.offline.gather import gather
from orchestrator.engines.offline.headline import gist, headline
from orchestrator.engines.offline.looked import NOTHING, Looked
from orchestrator.engines.offline.omissions import gaps
from orchestrator.engines.offline.remedies import actions, signals
from orchestrator.journal.events import MAIN_THREAD
from orchestrator.journal.verdict import (
    Action,
    Cause,
    Cited,
    Confidence,
    Culprit,
    ServiceScore,
    Symptom,
    TriggerKind,
    Verdict,
    VerdictKind,
)
from orchestrator.verdict.claim_correction import corrected
from subagents.contract import Finding, SuspectKind
from subagents.logs.machines import OF_THE_MACHINE

TRIGGERS: Mapping[SuspectKind, TriggerKind] = {
    "commit": "commit",
    "deploy": "deploy",
    "flag": "flag",
    "config": "unknown",
}
"""What set it off, where a person of the team did; anything else came from outside."""


class Judge:
    """Makes the verdict of one round."""

    def __init__(
        self,
        desk: Desk,
        floor: Floor,
        summaries: Mapping[str, BaseModel],
        failed: Mapping[str, str],
        looked: Looked = NOTHING,
    ) -> None:
        self._desk, self._floor, self._summaries, self._failed = desk, floor, summaries, failed
        self._looked = looked

    async def conclude(self, edition: str) -> tuple[Verdict, Verdict]:
        """Return the verdict as concluded, and as much of it as holds."""
        found = tuple(self._floor.findings.values())
        case = gather(self._desk.brief, found, self._summaries, self._failed, self._desk.edits(), self._looked)
        decision = cut_short(decide(case), self._failed)
        hits = await self._runbooks(case, decision, edition)
        verdict = compose(case, decision, hits).model_copy(update={"unchecked": self._doubted()})
        return verdict, corrected(verdict, await self._desk.claims.check_verdict(verdict))

    def _doubted(self) -> tuple[str, ...]:
        """Return the findings that did not hold, with the reasons."""
        claims = self._desk.claims
        return tuple(
            dict.fromkeys(
                f"{finding.claim}: {doubt.reason}"
                for identity, finding in self._floor.doubted.items()
                for doubt in claims.doubts.get(identity, ())
            )
        )

    async def _runbooks(self, case: Case, decision: Decision, edition: str) -> tuple[RunbookHit, ...]:
        if self._desk.roster.tool(MAIN_THREAD, "runbooks_search") is None:
            return ()
        words = [case.symptom.claim if case.symptom else "", case.brief.incident.title]
        if decision.hypothesis is not None:
            words.append(decision.hypothesis.suspect.label)
        params = SearchParams(query=" ".join(words)[:500], signals=signals(case, decision))
        use = ToolUse(
            id=f"orchestrator-runbooks-{edition}", name="runbooks_search", input=params.model_dump(mode="json")
        )
        result = await self._desk.call(MAIN_THREAD, use)
        return result.data.hits if isinstance(result.data, SearchResult) else ()


def compose(case: Case, decision: Decision, hits: tuple[RunbookHit, ...]) -> Verdict:
    """Write the verdict of a decided case."""
    culprit = _culprit(case, decision)
    service = (culprit.service if culprit else None) or _place(case, decision)
    machine = _machine(decision, service)
    service = None if machine else service
    dissent = _dissent(case, service) if decision.kind != "no_incident" else ()
    steps = chain(case, decision)
    return Verdict(
        kind=decision.kind,
        headline=headline(case, decision, machine or service),
        gist=gist(case, decision),
        state=case.state,
        service=service if decision.kind != "no_incident" else None,
        symptom=_symptom(case),
        cause=_cause(case, decision),
        chain=steps,
        culprit=culprit,
        confidence=Confidence(
            value=decision.confidence, reasons=decision.reasons, against=(*decision.against, *dissent)
        ),
        ruled_out=ruled_out(case, decision),
        blast_radius=_blast_radius(case, service),
        affected=case.affected,
        actions=_with_runbook(actions(case, decision), hits, signals(case, decision), decision.kind),
        gaps=gaps(case),
        contradictions=case.contradictions,
        services=_first(case, culprit),
        suspects=case.suspects,
    )


def _place(case: Case, decision: Decision) -> str | None:
    """Return where it is broken: where it began, unless nothing shows that, or what is named lies beneath them all."""
    unsure = decision.kind == "no_code_cause" and case.services and case.services[0].score < EVEN
    return case.entry if case.entry and (case.unsettled or unsure) else case.home


def _machine(decision: Decision, service: str | None) -> str | None:
    """Return the host that is in trouble itself, where one of its own programs is all that tells of it."""
    if service not in OF_THE_MACHINE or decision.kind != "no_code_cause" or decision.hypothesis is None:
        return None
    suspect, where = decision.hypothesis.suspect, where_of(decision.hypothesis)
    return where if suspect.kind == "resource" and where not in (suspect.key, service) else None


def _symptom(case: Case) -> Symptom | None:
    finding = case.symptom
    if finding is None:
        return None
    return Symptom(
        text=finding.claim,
        service=finding.services[0] if finding.services else case.home,
        metric=metric_of(finding),
        onset=case.onset if finding.agent == "logs" else finding.at or case.onset,
        facts=finding.facts,
        citations=finding.citations,
    )


def _cause(case: Case, decision: Decision) -> Cause | None:
    if decision.hypothesis is None or decision.kind not in ("culprit", "no_code_cause"):
        return None
    suspect = decision.hypothesis.suspect
    grounds = decision.hypothesis.supporting
    about = [f for f in case.of("mechanism") if f.about is not None and f.about.id == suspect.id]
    text = (about or list(grounds))[0].claim if (about or grounds) else suspect.label
    trigger = TRIGGERS.get(suspect.kind, "external")
    citations = tuple(dict.fromkeys(ref for f in (*about, *grounds) for ref in f.citations))[:8]
    return Cause(mechanism=text, trigger=trigger, suspect=suspect, citations=citations)


def _culprit(case: Case, decision: Decision) -> Culprit | None:
    if decision.kind != "culprit" or decision.hypothesis is None:
        return None
    suspect = decision.hypothesis.suspect
    change = case.changes.get(suspect.id)
    return Culprit(
        commit=suspect.key if suspect.kind == "commit" else None,
        source=change.source if change else None,
        author=change.author if change else "",
        subject=(change.subject if change else "") or suspect.label,
        deploy=change.deploy if change else None,
        service=change.service if change else None,
    )


def _blast_radius(case: Case, service: str | None) -> tuple[Cited, ...]:
    """Return what followed what; a source that has it begin elsewhere is no part of it, but speaks against."""
    found = [f for f in case.of("order", "consequence") if not _points_elsewhere(f, service)]
    return tuple(Cited(text=f.claim, citations=f.citations) for f in found[:4] if f.services)


def _dissent(case: Case, service: str | None) -> tuple[str, ...]:
    return tuple(f.claim for f in case.of("order") if _points_elsewhere(f, service))


def _points_elsewhere(finding: Finding, service: str | None) -> bool:
    return finding.topic == "order" and finding.about is not None and finding.about.key != service


def _first(case: Case, culprit: Culprit | None) -> tuple[ServiceScore, ...]:
    """Return the ranking with the culprit's own service in front: what a change broke began there."""
    if culprit is None or culprit.service is None:
        return case.services
    own = [item for item in case.services if item.service == culprit.service]
    rest = [item for item in case.services if item.service != culprit.service]
    if not own:
        return case.services
    return (own[0].model_copy(update={"score": max(own[0].score, rest[0].score if rest else 0.0)}), *rest)


def _with_runbook(
    found: tuple[Action, ...], hits: tuple[RunbookHit, ...], wanted: tuple[str, ...], kind: VerdictKind
) -> tuple[Action, ...]:
    """Cite the step to follow: of a runbook that fits by signal or trigger, the cause's before the symptom's.

    Where no cause is named, only what eases the symptom agrees with a first action that bets on none.
    """
    named = kind in ("culprit", "no_code_cause")
    fits = [hit for hit in hits if any(why.startswith(("signal ", "trigger ")) for why in hit.why)]
    if not named:
        fits = [hit for hit in fits if any(f"signal {signal}" in hit.why for signal in wanted)]
    if not fits or not found or not (named or found[0].kind == "contain"):
        return found
    fits.sort(key=lambda hit: not any(f"signal {signal}" in hit.why for signal in wanted[:1]))
    return (found[0].model_copy(update={"runbook": fits[0].first_step}), *found[1:])
