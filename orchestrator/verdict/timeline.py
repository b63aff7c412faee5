"""The timeline of a report: what happened when, by whose word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.journal.verdict import Symptom, Verdict
from orchestrator.verdict.report_model import Moment, ReportedFinding
from subagents import quantities as q
from subagents.contract import Incident

GRAIN = timedelta(seconds=30)
"""How far the first of some lines may be from the onset and still be it."""


def was_measured(symptom: Symptom, incident: Incident) -> bool:
    """Say whether the onset of a symptom is measured, and not the start that the operator gave."""
    if symptom.onset is None:
        return False
    dated = any(fact.quantity in (q.ONSET, q.FIRST_SEEN) for fact in symptom.facts)
    return dated or symptom.onset != incident.started_at


def _shows_at_onset(symptom: Symptom) -> bool:
    """Say whether the symptom's own lines begin at the onset, where they are dated."""
    seen = [str(fact.value) for fact in symptom.facts if fact.quantity == q.FIRST_SEEN]
    try:
        first = min((datetime.fromisoformat(text) for text in seen), default=None)
        return first is None or symptom.onset is None or first - symptom.onset <= GRAIN
    except (ValueError, TypeError):  # a moment in nobody's notation, or of no zone, contradicts nothing
        return True


def timeline(
    moments: Sequence[Moment], incident: Incident, verdict: Verdict | None, findings: tuple[ReportedFinding, ...]
) -> tuple[Moment, ...]:
    """Return the moments of the session, the incident, the verdict and the findings that count, in order."""
    lines = list(moments)
    if incident.started_at:
        lines.append(Moment(at=incident.started_at, text="start of impact, as the operator gave it", origin="operator"))
    if incident.alert and incident.alert.fired_at:
        title = incident.alert.title or incident.title
        lines.append(Moment(at=incident.alert.fired_at, text=f"alert: {title}", origin="alert"))
    onset = verdict.symptom.onset if verdict and verdict.symptom else None
    if verdict and verdict.symptom and onset:
        symptom = verdict.symptom
        text = (
            f"onset: {symptom.text}" if _shows_at_onset(symptom) else "onset; what is told as the symptom shows later"
        )
        lines.append(Moment(at=onset, text=text, origin="verdict", citations=symptom.citations))
    for step in verdict.chain if verdict else ():
        if step.at and not (step.role == "symptom" and step.at == onset):
            text = f"{step.role}: {step.text}"
            lines.append(Moment(at=step.at, text=text, origin="verdict", citations=step.citations))
    said = {line.text.partition(": ")[2] or line.text for line in lines}
    for item in findings:
        found = item.finding
        if found.at and found.stance != "rules_out" and found.claim not in said and not item.doubts:
            lines.append(Moment(at=found.at, text=found.claim, origin=found.agent, citations=found.citations))
    return tuple(sorted(lines, key=lambda line: line.at))
