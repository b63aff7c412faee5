"""Whether the symptom ended when a change was taken out again: measured after it, or nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from subagents import citations, quantities
from subagents.contract import Fact, Finding, ToolError
from subagents.deploys.scores import CLOCK_SLACK, Ended, Part, Question
from subagents.deploys.sources.records import Commit, Deploy
from subagents.deploys.sources.rows import parse_moment
from subagents.deploys.timeline import Timeline

WITHIN = timedelta(minutes=30)
"""So long after a change was taken out the symptom may take to end, for the one to be told from the other."""
POINTS = 1.2
BOTH_WAYS = 2.0
"""The same of a switch where the symptom also began as soon after it took effect: it was tried both ways."""
WENT_ON = -0.6
"""What it says that the symptom went on for longer than that; what was full may take its time, though."""


class Undone(NamedTuple):
    """What undid a change: in words, when, and the citation of the record that says when."""

    what: str
    at: datetime
    quantity: str
    citation: str


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


def lasting_of(findings: Sequence[Finding]) -> Ended | None:
    """Return until when the symptom was measured to go on, with its level then; None where it ended."""
    found: list[Ended] = []
    for finding in findings:
        facts = {fact.quantity: fact for fact in finding.facts} if finding.topic == "symptom" else {}
        latest = facts.get(quantities.LATEST)
        if quantities.ONSET not in facts or quantities.ENDED in facts or latest is None:
            continue
        try:
            cited = citations.parse(latest.citation)
        except ToolError:
            continue
        if isinstance(cited, citations.MetricRef):
            found.append(Ended(cited.end, latest))
    return max(found, key=lambda lasting: lasting.at, default=None)


def ending(
    commit: Commit, running: Sequence[Deploy], timeline: Timeline, question: Question
) -> tuple[list[Part], tuple[Fact, ...]]:
    """Return what it says for a change that ran at the onset that a deploy took it out again."""
    known = question.ended or question.lasting
    if known is None:
        return [], ()
    for deploy in running:
        out = timeline.taken_out(commit.sha, deploy, known.at + CLOCK_SLACK)
        if out is None or out.at is None:
            continue
        what = f"{out.version or out.id} took it out of {out.service}"
        found = after_going_back(Undone(what, out.at, quantities.DEPLOYED_AT, out.ref), None, question)
        if found[0]:
            return found
    return [], ()


def after_going_back(undone: Undone, began: datetime | None, question: Question) -> tuple[list[Part], tuple[Fact, ...]]:
    """Return what it says for a change that it was undone; `began` is when a mere switch took effect, else None.

    Nothing is said where the symptom was over before, or where nobody measured long enough.
    """
    ended, lasting = question.ended, question.lasting
    went = Fact(quantity=undone.quantity, value=undone.at.isoformat(), citation=undone.citation)
    said = f"{undone.what} at {_clock(undone.at)}"
    if ended is None:
        if lasting is None or lasting.at - undone.at <= WITHIN:
            return [], ()
        return [Part("ending", WENT_ON, f"{said}, and at {_clock(lasting.at)} the symptom goes on")], (
            went,
            lasting.fact,
        )
    if ended.at < undone.at - CLOCK_SLACK:
        return [], ()
    if ended.at - undone.at > WITHIN:
        went_on = f"{said}, and the symptom went on until {_clock(ended.at)}"
        return [Part("ending", WENT_ON, went_on)], (went, ended.fact)
    soon = began is not None and question.onset is not None and question.onset - began <= WITHIN
    reason = f"{said}, and from {_clock(ended.at)} on the symptom is over"
    return [Part("ending", BOTH_WAYS if soon else POINTS, reason)], (went, ended.fact)


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M")
