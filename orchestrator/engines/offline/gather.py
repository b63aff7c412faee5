"""From findings and the specialists' typed summaries to one Case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel

from orchestrator.engines.offline.case import Case, Change, Moved, named
from orchestrator.engines.offline.clashes import clashes
from orchestrator.engines.offline.looked import NOTHING, Looked
from orchestrator.engines.offline.places import rank_services
from orchestrator.journal.verdict import Cited, IncidentState, SuspectScore
from orchestrator.verdict.board import Hypothesis, fold
from orchestrator.verdict.board_edits import Edit
from orchestrator.verdict.hypothesis import SUPPORTED_FROM
from subagents import citations
from subagents.contract import Brief, Finding, Suspect
from subagents.contradiction import Contradiction
from subagents.deploys.model import DeploysSummary
from subagents.logs.model import LogsSummary
from subagents.metrics.model import MetricsSummary, SeriesView


def gather(
    brief: Brief,
    findings: tuple[Finding, ...],
    summaries: Mapping[str, BaseModel],
    failed: Mapping[str, str],
    edits: tuple[Edit, ...] = (),
    looked: Looked = NOTHING,
) -> Case:
    """Put together what the round knows."""
    logs, metrics, deploys = (summaries.get(name) for name in ("logs", "metrics", "deploys"))
    learnt_logs = logs if isinstance(logs, LogsSummary) else LogsSummary()
    learnt_metrics = metrics if isinstance(metrics, MetricsSummary) else MetricsSummary()
    learnt_changes = deploys if isinstance(deploys, DeploysSummary) else DeploysSummary()
    hypotheses = fold(findings, edits)
    case = Case(
        brief=brief,
        looked=looked,
        findings=findings,
        hypotheses=hypotheses,
        state=_state(learnt_metrics, findings),
        services=rank_services(learnt_metrics, learnt_logs),
        suspects=_suspects(learnt_changes),
        changes=_changes(learnt_changes),
        contradictions=(*map(_cited, learnt_metrics.contradictions), *overruled(hypotheses)),
        moved=tuple(
            Moved(text=_told(view), at=view.onset, citation=view.citation, name=view.name)
            for view in learnt_metrics.onsets
            if view.hurts and any(view.citation in finding.citations for finding in findings)
        ),
        failed=failed,
        scored=learnt_changes.suspects,
        deploys=learnt_changes.deploys,
        stirred=tuple(
            Moved(text=_told(view), at=view.onset, citation=view.citation, name=view.name)
            for view in learnt_metrics.onsets
            if view.hurts and not view.spread
        ),
        filling=tuple(
            Moved(text=_told(one.view), at=one.began, citation=one.view.citation, name=one.view.name)
            for one in learnt_metrics.exhausted
        ),
        unsettled=learnt_metrics.unsettled,
        stay_away=learnt_metrics.symptom is not None and learnt_metrics.symptom.stays_away,
        faint=_faint(brief, learnt_metrics.symptom),
    )
    between = map(_cited, clashes(case, learnt_logs.skew))
    return replace(case, contradictions=(*case.contradictions, *between))


def _faint(brief: Brief, symptom: SeriesView | None) -> bool:
    """Say whether the metrics' symptom is a small change, or one that users do not feel, of a series nobody named."""
    alert = brief.incident.alert
    if symptom is None or (alert is not None and alert.metric and _plain(alert.metric) in _plain(symptom.name)):
        return False
    return symptom.size < 1 or not symptom.user_facing


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _cited(found: Contradiction) -> Cited:
    return Cited(text=found.text, citations=found.citations, facts=found.facts)


def _state(metrics: MetricsSummary, findings: tuple[Finding, ...]) -> IncidentState:
    symptom = metrics.symptom
    if symptom is None or metrics.state == "unknown":
        return IncidentState(state="unknown", reason="no series shows how it stands now")
    measured = next((f for f in findings if f.topic == "symptom" and f.agent == "metrics"), None)
    return IncidentState(
        state=metrics.state,
        as_of=_last_moment(symptom.citation),
        reason=f"{symptom.title} is at {symptom.latest:g}, baseline {symptom.baseline:g}",
        citations=measured.citations[:1] if measured else (),
    )


def overruled(hypotheses: tuple[Hypothesis, ...]) -> tuple[Cited, ...]:
    """Return where a person ruled out what the evidence supports: nobody is right by default."""
    return tuple(
        Cited(
            text=f"{named(one.suspect)} is ruled out by {one.closed.by}, and the evidence supports it",
            citations=one.supporting[0].citations[:3],
        )
        for one in hypotheses
        if one.closed is not None and one.score >= SUPPORTED_FROM
    )


def _told(view: SeriesView) -> str:
    verb = "rises" if view.rising else "falls"
    peak = view.latest if view.peak is None else view.peak
    return f"{view.title} {verb} from {view.baseline:.4g} to {peak:.4g} {view.unit}".rstrip()


def _last_moment(citation: str) -> datetime | None:
    ref = citations.parse(citation)
    return ref.end if isinstance(ref, citations.MetricRef) else None


def _suspects(deploys: DeploysSummary) -> tuple[SuspectScore, ...]:
    commits = (scored for scored in deploys.suspects if scored.kind == "commit")
    ranked = sorted(commits, key=lambda scored: -scored.score)
    return tuple(SuspectScore(commit=scored.key, score=round(scored.score, 4)) for scored in ranked)


def _changes(deploys: DeploysSummary) -> dict[str, Change]:
    return {
        Suspect(kind=scored.kind, key=scored.key).id: Change(
            source=scored.source,
            author=scored.author,
            subject=scored.label,
            at=scored.at,
            deploy=scored.deploy,
            service=scored.service or next(iter(scored.services), None),
            version=scored.version or None,
            previous=scored.previous_version or scored.previous_commit,
            unread=scored.kind == "commit" and scored.diff != "read",
        )
        for scored in deploys.suspects
    }
