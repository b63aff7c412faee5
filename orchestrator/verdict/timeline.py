"""The timeline of a report: what happened when, by whose word."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.report_model import Moment, ReportedFinding
from subagents.contract import Incident


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
        lines.append(
            Moment(
                at=onset,
                text=f"onset: {verdict.symptom.text}",
                origin="verdict",
                citations=verdict.symptom.citations,
            )
        )
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
