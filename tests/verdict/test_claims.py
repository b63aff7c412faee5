"""A claim that rests on nothing does not count."""

from __future__ import annotations

import pytest

from orchestrator.journal.verdict import Action, ChainStep, Confidence, Verdict
from orchestrator.verdict.claims import ClaimsChecker, cited
from subagents import quantities as q
from subagents.contract import Evidence, Fact, Finding, evidence

KNOWN = "log:app.log@120+2"
CHECKER = ClaimsChecker({KNOWN: evidence(KNOWN, b"line one\nline two\n")})


def claim(*facts: Fact, citations: tuple[str, ...] = (KNOWN,)) -> Finding:
    return Finding(agent="logs", claim="c", topic="errors", facts=facts, citations=citations)


def test_what_was_returned_by_a_tool_counts() -> None:
    fact = Fact(quantity=q.COUNT, value=3, unit="events", citation=KNOWN)
    moment = Fact(quantity=q.FIRST_SEEN, value="2026-01-01T00:00:00Z", citation=KNOWN)
    assert CHECKER.finding(claim(fact, moment)) == ()


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("log:app.log@999+1", "no tool call"),
        ("see the logs", "not a citation"),
        ("log:app.log@-1+1", "not a citation"),
    ],
)
def test_a_citation_that_no_tool_returned_is_refused(ref: str, reason: str) -> None:
    (doubt,) = CHECKER.finding(claim(citations=(ref,)))
    assert reason in doubt.reason


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (Fact(quantity=q.ONSET, value="yesterday", citation=KNOWN), "not a time"),
        (Fact(quantity=q.ONSET, value="2026-01-01T00:00:00", citation=KNOWN), "no time zone"),
        (Fact(quantity=q.COUNT, value="many", citation=KNOWN), "not a number"),
        (Fact(quantity=q.COUNT, value=3, citation="log:other.log@0+1"), "no tool call"),
    ],
)
def test_a_malformed_fact_is_refused(fact: Fact, reason: str) -> None:
    (doubt,) = CHECKER.finding(claim(fact))
    assert reason in doubt.reason


def test_every_citation_of_a_verdict_is_found_and_checked() -> None:
    verdict = Verdict(
        kind="inconclusive",
        headline="h",
        confidence=Confidence(value=0.1),
        chain=(ChainStep(text="t", role="symptom", citations=(KNOWN, "log:b@1+1")),),
        actions=(Action(kind="contain", text="t", runbook="runbook:x#1"),),
    )
    places = dict((ref, place) for place, ref in cited(verdict.model_dump(mode="json")))
    assert set(places) == {KNOWN, "log:b@1+1", "runbook:x#1"}
    assert {doubt.claim for doubt in CHECKER.everything_in(verdict)} == {"chain[0].citations", "actions[0].runbook"}


def test_evidence_excerpts_are_bounded_and_digests_are_of_the_raw_bytes() -> None:
    raw = "é".encode() * 5000
    item = evidence("log:a@0+1", raw)
    assert len(item.excerpt.encode()) <= 4096
    assert item.digest == evidence("log:b@0+1", raw).digest
    assert isinstance(item, Evidence)
