"""Turns what others found into the question that the changes are held against."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from subagents import quantities
from subagents.contract import Finding, Suspect
from subagents.deploys.ending import ended_of, lasting_of
from subagents.deploys.overlap import symptom_families, symptom_terms, without_links
from subagents.deploys.pointed import frames_of, missing_of
from subagents.deploys.reach import Failing, same_service
from subagents.deploys.scores import LeadIn, Question
from subagents.deploys.sources.rows import parse_moment

SYMPTOM_TOPICS = frozenset({"symptom", "onset", "order", "errors", "consequence", "mechanism"})
"""Topics of findings that describe what happened. `health` and `exclusion` name what is well."""


OF_TESTS = re.compile(
    r"\b(tests?|testing|unit ?tests?|ci|continuous integration|flak[ey]\w*|lint\w*|pep8|presubmit|compil\w+"
    r"|builds?|builders?)\b",
    re.IGNORECASE,
)
"""Words for what is made before anything runs. They count where nothing is known of what runs: no logs, no metrics."""


def describes_symptom(finding: Finding) -> bool:
    """Say whether a finding of another agent tells what happened."""
    return (
        finding.agent not in ("deploys", "codefix")
        and finding.topic in SYMPTOM_TOPICS
        and finding.stance != "rules_out"
    )


def onset_of(findings: Iterable[Finding]) -> datetime | None:
    """Return when the symptom began: of the symptom's own findings first, the earliest of them."""
    ranked: list[tuple[int, datetime]] = []
    for finding in findings:
        order = {"symptom": 0, "onset": 1, "errors": 2}.get(finding.topic)
        if order is None:
            continue
        moments = [parse_moment(fact.value)[0] for fact in finding.facts if fact.quantity == quantities.ONSET]
        ranked += [(order, moment) for moment in moments if moment is not None]
        if not moments and finding.at is not None and order < 2:
            ranked.append((order, finding.at))
    if not ranked:
        firsts = [f.at for f in findings if f.topic == "errors" and f.at is not None]
        return min(firsts, default=None)
    best = min(order for order, _ in ranked)
    return min(moment for order, moment in ranked if order == best)


def failing_services(findings: Sequence[Finding], named: Sequence[str]) -> Failing:
    """Weigh the services that failed: those named first, then those of findings, by how early each was seen."""
    weights: dict[str, float] = {}
    for place, name in enumerate(named):
        weights[name] = max(0.5, 1.0 - 0.15 * place)
    first_seen: dict[str, datetime] = {}
    unseen: list[str] = []
    for finding in findings:
        for name in finding.services:
            if finding.at is None:
                unseen.append(name)
            elif name not in first_seen or finding.at < first_seen[name]:
                first_seen[name] = finding.at
    ordered = [*sorted(first_seen, key=lambda name: first_seen[name]), *unseen]
    for place, name in enumerate(dict.fromkeys(ordered)):
        if not any(same_service(name, known) for known in weights):
            weights[name] = max(0.4, (0.75 if named else 1.0) - 0.12 * place)
    return Failing(weights)


LEAD_IN_FROM, LEAD_IN_TO = timedelta(minutes=2), timedelta(hours=2)


def lead_in_of(findings: Sequence[Finding], onset: datetime | None, failing: Failing) -> LeadIn | None:
    """Return the resource of a failing service that began to fill first, well before the symptom, if one did."""
    found: list[LeadIn] = []
    for finding in findings:
        resource = finding.about
        if resource is None or resource.kind != "resource" or finding.topic != "onset" or finding.stance != "for":
            continue
        if onset is None or finding.at is None or not LEAD_IN_FROM <= onset - finding.at <= LEAD_IN_TO:
            continue
        if any(same_service(name, failed) for name in finding.services for failed in failing.weights):
            found.append(LeadIn(finding.at, _filling(finding, resource)))
    return min(found, key=lambda lead_in: lead_in.at, default=None)


def _filling(finding: Finding, resource: Suspect) -> str:
    """Name what fills: the series, for that a resource is used up is later than that it began to be."""
    used_up = any(fact.quantity == quantities.REACHED for fact in finding.facts)
    owner = finding.services[0] if finding.services else ""
    return f"{owner} {finding.terms[0]}".strip() if used_up and finding.terms else resource.label or resource.key


def ask(findings: Sequence[Finding], onset: datetime | None, services: Sequence[str], text: str) -> Question:
    """Build the question from findings of others and from what was said."""
    told = [finding for finding in findings if describes_symptom(finding)]
    failing = failing_services(told, services)
    return Question(
        onset=onset or onset_of(told),
        failing=failing,
        terms=symptom_terms(told, text, failing.weights),
        families=symptom_families(told, text),
        lead_in=lead_in_of(told, onset or onset_of(told), failing),
        text=text,
        ended=ended_of(told),
        lasting=lasting_of(told),
        frames=frames_of(told),
        missing=missing_of(told),
        of_tests=not told and OF_TESTS.search(without_links(text)) is not None,
    )
