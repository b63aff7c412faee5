"""False claims of every kind are refused with the reason, and each one's true twin passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.journal.doubts import DoubtKind
from orchestrator.verdict.claims import cited
from subagents.contract import Finding, Suspect, evidence
from tests.verdict.claimed import (
    COMMIT,
    DEPLOY,
    ELSEWHERE,
    ERRORS,
    FOREIGN,
    HEAP,
    LATENCY,
    LINE,
    OTHER,
    SHA,
    SPAN,
    FakeVerifier,
    check,
    checker,
    fact,
    finding,
)

QUOTE = "`timed out after 1500 ms`"


def facts(*made: object) -> Finding:
    return finding(facts=made)


FALSE: list[tuple[str, Finding, Finding, DoubtKind, str]] = [
    (
        "a wrong number",
        facts(fact("peak", 0.45, ERRORS, "ratio")),
        facts(fact("peak", 0.1104, ERRORS, "ratio")),
        "number",
        "the data says 0.1104 ratio, not 0.45",
    ),
    (
        "the right number of another series",
        facts(fact("peak", 0.1104, LATENCY, "s")),
        facts(fact("peak", 0.843, LATENCY, "s")),
        "number",
        "the data says 0.8432 s",
    ),
    (
        "a real quote from another file",
        finding(f"shop logged {QUOTE}", citations=(OTHER,)),
        finding(f"shop logged {QUOTE}", citations=(LINE,)),
        "quote",
        "what is cited does not say this",
    ),
    (
        "a quote that a word was put into",
        finding("shop logged “upstream never timed out”", citations=(LINE,)),
        finding("shop logged “upstream timed out … calling payments”", citations=(LINE,)),
        "quote",
        "does not say this",
    ),
    (
        "a commit of another repository",
        finding(citations=(f"commit:shop-repo/{ELSEWHERE}",)),
        finding(citations=(FOREIGN,)),
        "citation",
        "no tool call of this session returned",
    ),
    (
        "a commit that does not exist",
        finding(about=Suspect(kind="commit", key="f" * 40), stance="for", citations=(LINE,)),
        finding(about=Suspect(kind="commit", key=SHA), stance="for", citations=(LINE,)),
        "commit",
        "the sources know no commit of this name",
    ),
    (
        "a commit that does not exist, in words",
        finding("commit deadbeef1 did it"),
        finding(f"commit {SHA[:12]} did it"),
        "commit",
        "know no commit",
    ),
    (
        "a time outside what the sources cover",
        finding(at=SPAN.end + timedelta(hours=2), citations=(LINE,)),
        finding(at=SPAN.end - timedelta(hours=1), citations=(LINE,)),
        "time",
        "outside what the sources cover, 2026-03-29T08:00:00+00:00 to",
    ),
    (
        "a time outside, in words",
        finding("it began 2026-03-28 09:08:00 UTC", citations=(LINE,)),
        finding("it began 2026-03-29 09:08:00 UTC", citations=(LINE,)),
        "time",
        "outside",
    ),
    (
        "another moment",
        facts(fact("onset", "2026-03-29T09:18:00Z", ERRORS)),
        facts(fact("onset", "2026-03-29T09:08:00Z", ERRORS)),
        "time",
        "the data says 2026-03-29T09:08:00.25",
    ),
    (
        "seconds called milliseconds",
        facts(fact("peak", 0.8432, LATENCY, "ms")),
        facts(fact("peak", 843.2, LATENCY, "ms")),
        "unit",
        "0.8432 would be in s",
    ),
    (
        "a ratio called per cent",
        facts(fact("peak", 0.1104, ERRORS, "%")),
        facts(fact("peak", 11.04, ERRORS, "%")),
        "unit",
        "would be in ratio",
    ),
    (
        "MiB called MB",
        facts(fact("peak", 512, HEAP, "MB")),
        facts(fact("peak", 536.9, HEAP, "MB")),
        "unit",
        "512 would be in mib",
    ),
    (
        "a unit of something else",
        facts(fact("peak", 0.1104, ERRORS, "s")),
        facts(fact("peak", 0.11, ERRORS, "ratio")),
        "unit",
        "stated in s, but the data is in ratio",
    ),
    (
        "a rounding that is none",
        facts(fact("factor", 54, ERRORS)),
        facts(fact("factor", 55, ERRORS)),
        "number",
        "the data says 54.707, not 54",
    ),
    (
        "a count in round numbers",
        facts(fact("count", 9000, LINE, "events")),
        facts(fact("count", 9012, LINE, "events")),
        "number",
        "the data says 9012 events",
    ),
    (
        "a quantity that what is cited does not hold",
        facts(fact("count", 9012, OTHER)),
        facts(fact("count", 9012, LINE)),
        "number",
        "what it cites does not give it",
    ),
    (
        "a service that does not exist",
        finding(services=("shpo",)),
        finding(services=("shop", "checkout")),
        "service",
        "the sources know no service of this name",
    ),
    (
        "a flag that does not exist",
        finding(about=Suspect(kind="flag", key="old-pool"), stance="for", citations=(LINE,)),
        finding(about=Suspect(kind="flag", key="new-pool"), stance="for", citations=(LINE,)),
        "record",
        "know no flag",
    ),
    (
        "a score that no tool measured",
        facts(fact("score", 0.99, COMMIT)),
        facts(fact("score", 0.87, COMMIT)),
        "number",
        "the tools of this session measured 0.8731",
    ),
    (
        "a time that is none",
        facts(fact("deployed_at", "yesterday", DEPLOY)),
        facts(fact("deployed_at", "2026-03-29T09:05:00Z", DEPLOY)),
        "malformed",
        "deployed_at is not a time",
    ),
    (
        "a time without a zone",
        facts(fact("deployed_at", "2026-03-29T09:05:00", DEPLOY)),
        facts(fact("deployed_at", "2026-03-29T11:05:00+02:00", DEPLOY)),
        "malformed",
        "a time without a zone",
    ),
    (
        "words for a number",
        facts(fact("peak", "high", ERRORS)),
        facts(fact("peak", 0.1104, ERRORS)),
        "malformed",
        "peak is not a number",
    ),
    (
        "a stand that rests on nothing",
        finding(about=Suspect(kind="commit", key=SHA), stance="rules_out"),
        finding(about=Suspect(kind="commit", key=SHA), stance="observes"),
        "citation",
        "it takes a stand and nothing is cited for it",
    ),
    (
        "what is no citation",
        finding(citations=("see the dashboard",)),
        finding(citations=(ERRORS,)),
        "citation",
        "not a citation",
    ),
]


@pytest.mark.parametrize(("false", "true", "kind", "reason"), [case[1:] for case in FALSE], ids=[c[0] for c in FALSE])
def test_a_false_claim_is_refused_and_its_true_twin_passes(
    false: Finding, true: Finding, kind: DoubtKind, reason: str
) -> None:
    refused = check(false).doubts
    assert [doubt.kind for doubt in refused] == [kind]
    assert reason in refused[0].reason
    passed = check(true)
    assert (passed.doubts, passed.count > 0) == ([], True)


def test_what_no_data_settles_is_shown_as_unchecked_and_refused_by_nobody() -> None:
    made = finding(
        "errors rose 55x to 11 %, 340 customers complained at 09:08",
        facts=(
            fact("factor", 54.7, ERRORS),
            fact("peak", 0.1104, ERRORS, "ratio"),
            fact("complaints", 12, LINE),
            fact("rank", 3, DEPLOY),
        ),
    )
    found = check(made)
    assert found.doubts == []
    assert found.unchecked == ["complaints 12", "rank 3", "340", "09:08"]


def test_without_a_verifier_the_record_of_tools_is_what_there_is() -> None:
    class FakeOpener:
        def resolve(self, ref: str, context_lines: int = 0) -> object:
            return evidence(ref, b"text")

    found = check(finding(services=("nobody",), facts=(fact("peak", 0.5, ERRORS, "ratio"),)), FakeOpener())
    assert found.doubts == []
    assert found.unchecked == ["peak 0.5 ratio"]


def test_a_specialists_own_defect_refuses_no_claim() -> None:
    broken = FakeVerifier()
    broken.broken = True
    found = check(facts(fact("peak", 0.1104, ERRORS, "ratio")), broken)
    assert found.doubts == []
    assert "could not be recomputed: ZeroDivisionError" in found.unchecked[0]


def test_what_is_cited_and_no_tool_returned_is_opened_and_kept() -> None:
    found = check(finding(citations=(FOREIGN, ERRORS)))
    assert found.doubts == []
    assert list(found.evidence) == [FOREIGN], "what a tool returned is on record already"


def test_each_distinct_fact_is_recomputed_once() -> None:
    verifier = FakeVerifier()
    at = checker(verifier)
    for _ in range(3):
        at.finding(facts(fact("peak", 0.1104, ERRORS, "ratio"), fact("peak", 0.1104, ERRORS, "ratio")))
    assert verifier.asked == [("peak", ERRORS)]


def test_a_time_of_the_incident_itself_is_never_outside() -> None:
    from tests.verdict.claimed import BRIEF

    at = checker()
    early = datetime(2026, 3, 29, 7, 0, tzinfo=UTC)
    claim = finding(at=early, citations=(LINE,))
    assert [doubt.kind for doubt in at.finding(claim).doubts] == ["time"]
    at.brief = BRIEF.model_copy(update={"incident": BRIEF.incident.model_copy(update={"started_at": early})})
    assert at.finding(claim).doubts == []


def test_the_citations_of_a_structure_are_found_wherever_they_are() -> None:
    made = {"citations": ["log:a@0+1"], "deep": [{"deploy": "deploy:d#1"}, {"facts": [{"citation": "log:b@0+1"}]}]}
    assert list(cited(made)) == [
        ("citations", "log:a@0+1"),
        ("deep[0].deploy", "deploy:d#1"),
        ("deep[1].facts[0].citation", "log:b@0+1"),
    ]


def test_straight_quotes_are_looked_up_and_where_not_found_unchecked() -> None:
    claim = finding('shop logged "upstream timed out" and "a strange thing"', citations=(LINE,))
    found = check(claim)
    assert (found.doubts, found.unchecked) == ([], ['"a strange thing"'])


def test_a_quote_of_text_that_is_kept_as_json_is_found() -> None:
    at = checker()
    at.record.add([evidence("log:app.jsonl@0+1", rb'{"msg": "caf\u00e9 said \"no\"\nto shop\\payments"}')])
    assert (
        at.finding(finding('it said `café said "no" to shop\\payments`', citations=("log:app.jsonl@0+1",))).doubts == []
    )
