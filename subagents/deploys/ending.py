"""Whether the symptom ended when a change was taken out again: measured after it, or nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta

from subagents import quantities
from subagents.contract import Fact, Finding
from subagents.deploys.scores import CLOCK_SLACK, Ended, Part
from subagents.deploys.sources.records import Commit, Deploy
from subagents.deploys.sources.rows import parse_moment
from subagents.deploys.timeline import Timeline

WITHIN = timedelta(minutes=30)
"""So long after a change was taken out the symptom may take to end, for the one to be told from the other."""
POINTS = 1.2


def ended_of(findings: Sequence[Finding]) -> Ended | None:
    """Return when the symptom was measured to have ended; None where it goes on, or nobody measured."""
    found: list[Ended] = []
    for finding in findings:
        facts = {fact.quantity: fact for fact in finding.facts} if finding.topic == "symptom" else {}
        if quantities.ONSET not in facts:
            continue
        fact = facts.get(quantities.ENDED)
        at = parse_moment(fact.value)[0] if fact is not None else None
        if fact is None or at is None:
            return None
        found.append(Ended(at, fact))
    return max(found, key=lambda ended: ended.at, default=None)


def ending(
    commit: Commit, running: Sequence[Deploy], timeline: Timeline, ended: Ended | None
) -> tuple[list[Part], tuple[Fact, ...]]:
    """Return what it says for a change that ran at the onset that the symptom ended soon after it was taken out."""
    if ended is None:
        return [], ()
    for deploy in running:
        out = timeline.taken_out(commit.sha, deploy, ended.at + CLOCK_SLACK)
        if out is None or out.at is None or ended.at - out.at > WITHIN:
            continue
        name = out.version or out.id
        went_at, over_at = (moment.astimezone(UTC).strftime("%H:%M") for moment in (out.at, ended.at))
        reason = f"{name} took it out of {out.service} at {went_at}, and from {over_at} on the symptom is over"
        went = Fact(quantity=quantities.DEPLOYED_AT, value=out.at.isoformat(), citation=out.ref)
        return [Part("ending", POINTS, reason)], (went, ended.fact)
    return [], ()
