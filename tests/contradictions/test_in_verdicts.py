"""In a verdict, a contradiction or an exclusion with a number that is not the data's does not count."""

from __future__ import annotations

import pytest

from orchestrator.journal.verdict import Cited, Confidence, RuledOut, Verdict
from orchestrator.verdict.claim_correction import corrected
from subagents.contract import Fact, Suspect
from tests.verdict.claimed import DEPLOY, ERRORS, LINE, checker, fact, finding


def verdict(*facts: Fact) -> Verdict:
    refs = tuple(dict.fromkeys(one.citation for one in facts))
    aside = RuledOut(
        suspect=Suspect(kind="traffic", key="shop"),
        test="t",
        result="ruled out",
        reason="r",
        citations=refs,
        facts=facts,
    )
    return Verdict(
        kind="inconclusive",
        headline="h",
        confidence=Confidence(value=0.3),
        contradictions=(Cited(text="logs and series disagree", citations=refs, facts=facts),),
        ruled_out=(aside,),
    )


TRUE = (
    fact("peak", 0.1104, ERRORS, "ratio"),
    fact("count", 9012, LINE, "events"),
    fact("first_seen", "2026-03-29T09:08:07Z", LINE),
    fact("deployed_at", "2026-03-29T09:05:00Z", DEPLOY),
)


def test_what_holds_stays() -> None:
    made = verdict(*TRUE)
    found = checker().verdict(made)
    assert found.doubts == []
    kept = corrected(made, found.doubts)
    assert (len(kept.contradictions), len(kept.ruled_out)) == (1, 1)


@pytest.mark.parametrize(
    "false",
    [
        fact("peak", 0.45, ERRORS, "ratio"),
        fact("count", 90, LINE, "events"),
        fact("first_seen", "2026-03-29T08:08:07Z", LINE),
        fact("deployed_at", "2026-03-29T08:05:00Z", DEPLOY),
        fact("level_ratio", 3.0, ERRORS),
    ],
    ids=lambda one: one.quantity,
)
def test_one_false_number_takes_it_out(false: Fact) -> None:
    made = verdict(*TRUE, false)
    found = checker().verdict(made)
    assert {doubt.place for doubt in found.doubts} == {"contradictions[0].facts[4]", "ruled_out[0].facts[4]"}
    kept = corrected(made, found.doubts)
    assert (kept.contradictions, kept.ruled_out) == ((), ())
    assert kept.unchecked


def test_what_is_reckoned_from_findings_and_what_the_alert_says_is_no_number_of_ours() -> None:
    board = [
        finding("it fits", about=Suspect(kind="flag", key="new-pool"), stance="for", weight=weight, citations=(LINE,))
        for weight in (0.5, 0.3)
    ]
    told = Confidence(value=0.3, reasons=("+0.50 it fits",), against=("flag new-pool holds at 0.65", "4711 of them"))
    made = Verdict(kind="inconclusive", headline="h", confidence=told)
    assert checker(board=board).verdict(made).unchecked == ["4711"]
