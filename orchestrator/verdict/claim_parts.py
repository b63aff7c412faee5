"""The parts of a verdict that state something: names, times, sentences, citations, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.board import fold
from orchestrator.verdict.claim_figures import numbers
from subagents import quantities
from subagents.contract import Fact, Finding, Incident


def services_of(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield (place, service)."""
    single = {
        "service": verdict.service,
        "symptom.service": verdict.symptom.service if verdict.symptom else None,
        "culprit.service": verdict.culprit.service if verdict.culprit else None,
    }
    yield from ((place, name) for place, name in single.items() if name)
    yield from ((f"affected[{at}]", name) for at, name in enumerate(verdict.affected))
    yield from ((f"services[{at}].service", score.service) for at, score in enumerate(verdict.services))


def times_of(verdict: Verdict) -> Iterator[tuple[str, datetime | None, tuple[str, ...]]]:
    """Yield (place, moment, what is cited for it)."""
    yield "state.as_of", verdict.state.as_of, verdict.state.citations
    if verdict.symptom is not None:
        yield "symptom.onset", verdict.symptom.onset, verdict.symptom.citations
    for at, step in enumerate(verdict.chain):
        yield f"chain[{at}].at", step.at, step.citations


def texts_of(verdict: Verdict) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (place, sentence, what is cited for it); what stands for the whole cites all of it."""
    every = tuple(dict.fromkeys(ref for _, ref in cited(verdict.model_dump(mode="json"))))
    yield "headline", verdict.headline, ()
    if verdict.symptom is not None:
        yield "symptom.text", verdict.symptom.text, verdict.symptom.citations
    if verdict.cause is not None:
        yield "cause.mechanism", verdict.cause.mechanism, verdict.cause.citations or every
    for name, items in (("blast_radius", verdict.blast_radius), ("contradictions", verdict.contradictions)):
        yield from ((f"{name}[{at}].text", item.text, item.citations) for at, item in enumerate(items))
    yield from ((f"chain[{at}].text", step.text, step.citations) for at, step in enumerate(verdict.chain))
    for at, item in enumerate(verdict.ruled_out):
        yield f"ruled_out[{at}].reason", item.reason, item.citations
        yield f"ruled_out[{at}].test", item.test, item.citations
    yield "state.reason", verdict.state.reason, verdict.state.citations


def facts_of(verdict: Verdict) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    """Yield (place, facts) of the sentences that state numbers of their own; the symptom's are apart."""
    for name, items in (("blast_radius", verdict.blast_radius), ("contradictions", verdict.contradictions)):
        yield from ((f"{name}[{at}].facts", item.facts) for at, item in enumerate(items) if item.facts)
    yield from ((f"ruled_out[{at}].facts", item.facts) for at, item in enumerate(verdict.ruled_out) if item.facts)


def alert_numbers(incident: Incident | None) -> tuple[Fact, ...]:
    """Return the numbers that the alert states: quoting them claims nothing about the data."""
    alert = incident.alert if incident is not None else None
    if incident is None or alert is None:
        return ()
    given = [value for value in (alert.threshold, alert.observed) if value is not None]
    said = numbers(" ".join((alert.title, alert.summary, incident.title, incident.text)))
    return (
        *(Fact(quantity="alert", value=value, citation="") for value in given),
        *(Fact(quantity="alert", value=float(one.number.replace(",", "")), unit=one.unit, citation="") for one in said),
    )


def derived(verdict: Verdict, board: Sequence[Finding]) -> Iterator[Fact]:
    """Yield what is reckoned from findings that are checked themselves: weights, scores on the board, rankings."""
    scores = [one.weight for one in board] + [one.score for one in fold(board)]
    scores += [one.score for one in verdict.services] + [one.score for one in verdict.suspects]
    yield from (Fact(quantity=quantities.SCORE, value=score, citation="") for score in dict.fromkeys(scores))


def remarks_of(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield (place, sentence) of what cites nothing of its own and rests on all of the verdict."""
    sure = verdict.confidence
    for name, reasons in (("reasons", sure.reasons), ("against", sure.against)):
        yield from ((f"confidence.{name}[{at}]", text) for at, text in enumerate(reasons))
    for at, one in enumerate(verdict.actions):
        yield f"actions[{at}].text", " ".join((one.text, one.effect, one.risk, one.reversible, one.verify))
    yield from ((f"gaps[{at}].text", f"{gap.text} {gap.why}") for at, gap in enumerate(verdict.gaps))


_FIELDS = ("citations", "citation", "deploy", "runbook")


def cited(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield (place, citation) for each citation in the JSON form of a verdict or a finding."""
    if isinstance(value, dict):
        for key, child in value.items():
            place = f"{where}.{key}" if where else key
            if key in _FIELDS and isinstance(child, str):
                yield place, child
            elif key == "citations" and isinstance(child, list):
                yield from ((place, ref) for ref in child)
            else:
                yield from cited(child, place)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from cited(child, f"{where}[{index}]")
