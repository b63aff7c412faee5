"""A verdict is never shown with what does not hold; one that lost its support concludes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.journal.doubts import Doubt
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.claim_correction import UNSUPPORTED, corrected
from subagents.contract import evidence
from tests.verdict.claimed import (
    COMMIT,
    DEPLOY,
    ELSEWHERE,
    ERRORS,
    LATENCY,
    LINE,
    OTHER,
    SHA,
    checker,
    fact,
)

LOST = "log:shop.log@999+1"
AT = datetime(2026, 3, 29, 9, 8, tzinfo=UTC)


def verdict(**more: Any) -> Verdict:
    whole: dict[str, Any] = {
        "kind": "culprit",
        "headline": f"shop is broken since 2026-03-29 09:08:00 UTC: commit {SHA[:12]} did it",
        "service": "shop",
        "state": {"state": "ongoing", "as_of": AT, "citations": [ERRORS]},
        "symptom": {
            "text": "errors rose",
            "service": "shop",
            "metric": "error_ratio",
            "onset": AT,
            "facts": [fact("peak", 0.1104, ERRORS, "ratio"), fact("factor", 54.7, ERRORS)],
            "citations": [ERRORS],
        },
        "cause": {
            "mechanism": "it cut the `pool: 5`",
            "trigger": "commit",
            "suspect": {"kind": "commit", "key": SHA},
            "citations": [COMMIT, DEPLOY],
        },
        "chain": [
            {"text": "deployed", "role": "cause", "at": AT, "citations": [DEPLOY]},
            {"text": "it “timed out”", "role": "symptom", "at": AT, "citations": [LINE]},
        ],
        "culprit": {
            "commit": SHA,
            "source": "shop-repo",
            "author": "Ada Okoro",
            "subject": "cut the pool from 50 to 5",
            "deploy": DEPLOY,
            "service": "shop",
        },
        "confidence": {"value": 0.9, "reasons": ["all fits"]},
        "ruled_out": [
            {
                "suspect": {"kind": "commit", "key": ELSEWHERE},
                "test": "what it changes",
                "result": "ruled out",
                "reason": "a dashboard",
                "citations": [COMMIT],
            }
        ],
        "blast_radius": [{"text": "payments is slow", "citations": [OTHER]}],
        "affected": ["shop", "payments"],
        "actions": [
            {"kind": "contain", "text": f"roll back {SHA[:12]}", "command": f"git revert {SHA}"},
            {"kind": "follow_up", "text": "watch the pool"},
        ],
        "services": [{"service": "shop", "score": 0.9}, {"service": "payments", "score": 0.1}],
        "suspects": [{"commit": SHA, "score": 0.87}, {"commit": ELSEWHERE, "score": 0.1}],
    }
    return Verdict.model_validate({**whole, **more})


def part(name: str, **changes: Any) -> dict[str, Any]:
    return {name: {**verdict().model_dump()[name], **changes}}


def ruled_out(**changes: Any) -> dict[str, Any]:
    return {"ruled_out": [{**verdict().model_dump()["ruled_out"][0], **changes}]}


def test_what_a_verdict_cites_nothing_for_and_names_that_nobody_gave_are_listed() -> None:
    made = verdict(
        blast_radius=[{"text": "payments is slow", "citations": []}],
        confidence={"value": 0.9, "reasons": ["“utterly made up”", "“card declined”", "`Ada Okoro`"]},
        ruled_out=[
            {
                **verdict().model_dump()["ruled_out"][0],
                "suspect": {"kind": "commit", "key": ELSEWHERE, "label": "drop all"},
            }
        ],
    )
    found = checker().verdict(made)
    assert found.doubts == []
    assert found.unchecked == [
        f"“drop all” for {ELSEWHERE[:12]} (not what is known of this commit)",
        "payments is slow (nothing is cited for it)",
        "“utterly made up” (nothing is cited for it)",
    ]


def test_a_true_verdict_passes_whole() -> None:
    made = verdict()
    found = checker().verdict(made)
    assert found.doubts == []
    assert corrected(made, found.doubts) is made


FALSE: list[tuple[dict[str, Any], str, str]] = [
    (part("culprit", commit="f" * 40), "culprit.commit", "the sources know no commit"),
    (part("culprit", commit=ELSEWHERE), "culprit.commit", "not a commit of shop-repo"),
    (part("culprit", deploy="deploy:deploys.json#d-9"), "culprit.deploy", "no tool call of this session returned"),
    (part("culprit", author="Mallory"), "culprit.author", "not what shop-repo says of this commit"),
    (part("culprit", subject="raise the pool"), "culprit.subject", "not what shop-repo says of this commit"),
    (part("culprit", service="shpo"), "culprit.service", "no service"),
    (part("symptom", metric="latency_p99"), "symptom.metric", "the series that are cited are error_ratio"),
    (part("symptom", facts=[fact("peak", 0.8432, ERRORS, "ratio")]), "symptom.facts[0]", "the data says 0.1104 ratio"),
    (part("symptom", facts=[fact("peak", 0.1104, LATENCY, "s")]), "symptom.facts[0]", "the data says 0.8432 s"),
    (part("symptom", onset=AT.replace(minute=20)), "symptom.onset", "leaves its baseline at 2026-03-29T09:08:00.25"),
    (part("symptom", citations=[LOST]), "symptom.citations", "it does not open"),
    (part("state", as_of=AT.replace(year=2027)), "state.as_of", "outside what the sources cover"),
    (part("cause", mechanism="it cut the `timeout: 5`"), "cause.mechanism", "what is cited does not say this"),
    ({"affected": ["shop", "stock"]}, "affected[1]", "no service"),
    ({"service": "stock"}, "service", "no service"),
    ({"services": [{"service": "stock", "score": 1.0}]}, "services[0].service", "no service"),
    ({"suspects": [{"commit": "e" * 40, "score": 1.0}]}, "suspects[0].commit", "no commit"),
    ({"blast_radius": [{"text": "x", "citations": [LOST]}]}, "blast_radius[0].citations", "it does not open"),
    (
        {"chain": [{"text": "x", "role": "cause", "at": AT.replace(year=2020), "citations": [LINE]}]},
        "chain[0].at",
        "outside",
    ),
    (
        {"actions": [{"kind": "contain", "text": "undo it", "command": f"git revert {'e' * 40}"}]},
        "actions[0].command",
        "no commit",
    ),
    ({"actions": [{"kind": "fix", "text": "revert commit deadbeef99"}]}, "actions[0].text", "no commit"),
    ({"headline": "shop: commit deadbeef99 did it"}, "headline", "no commit"),
    ({"headline": "shop is broken since 2024-03-29 09:08:00 UTC"}, "headline", "outside"),
    (
        part("cause", suspect={"kind": "commit", "key": SHA, "label": "drop all"}),
        "cause.suspect.label",
        "not what this",
    ),
    (part("state", reason="it says “all is well”"), "state.reason", "what is cited does not say this"),
    (
        {"confidence": {"value": 0.9, "reasons": ["fits", "commit deadbeef99 says so"]}},
        "confidence.reasons[1]",
        "no commit",
    ),
    ({"confidence": {"value": 0.9, "against": ["it began 2024-03-29"]}}, "confidence.against[0]", "outside"),
    ({"gaps": [{"text": "commit deadbeef99 was not read", "why": "x"}]}, "gaps[0].text", "no commit"),
    ({"actions": [{"kind": "fix", "text": "x", "effect": "undoes commit deadbeef99"}]}, "actions[0].text", "no commit"),
    (ruled_out(test="what commit deadbeef99 changes"), "ruled_out[0].test", "no commit"),
    (ruled_out(citations=[]), "ruled_out[0].reason", "is said to be 'ruled out' and nothing is cited for it"),
    (
        {"actions": [{"kind": "contain", "text": "x", "runbook": "runbook:made-up#1"}]},
        "actions[0].runbook",
        "does not open",
    ),
]


@pytest.mark.parametrize(("changes", "place", "reason"), FALSE, ids=[f"{at}-{one[1]}" for at, one in enumerate(FALSE)])
def test_what_does_not_hold_is_dropped_and_said(changes: dict[str, Any], place: str, reason: str) -> None:
    made = verdict(**changes)
    doubts = checker().verdict(made).doubts
    assert place in [doubt.place for doubt in doubts]
    said = next(doubt for doubt in doubts if doubt.place == place)
    assert reason in said.reason
    left = corrected(made, doubts)
    assert said.line() in left.unchecked
    assert said.place not in [doubt.place for doubt in checker().verdict(left).doubts], "the corrected one holds"
    assert checker().verdict(left).doubts == []


@pytest.mark.parametrize(
    "changes",
    [
        part("culprit", commit="f" * 40),
        part("culprit", commit=ELSEWHERE),
        part("cause", citations=[LOST]),
        {**part("cause", citations=[]), "chain": [], **part("culprit", deploy=None)},
        part("cause", suspect={"kind": "commit", "key": "f" * 40}),
        {**part("cause", citations=[LOST]), "kind": "no_code_cause", "culprit": None},
    ],
)
def test_a_conclusion_that_lost_its_support_is_inconclusive_and_nothing_is_undone(changes: dict[str, Any]) -> None:
    made = verdict(**changes)
    left = corrected(made.model_copy(update={"gist": "it was that"}), checker().verdict(made).doubts)
    assert left.kind == "inconclusive"
    assert not left.gist
    assert (left.culprit, left.cause) == (None, None)
    assert "cause not established: what was concluded does not hold" in left.headline
    assert SHA[:12] not in left.headline
    assert left.confidence.value == UNSUPPORTED
    assert "does not hold" in left.confidence.against[0]
    assert [action.text for action in left.actions] == ["watch the pool"]


def test_what_still_holds_stays() -> None:
    made = verdict(chain=[{"text": "x", "role": "cause", "citations": [LOST, DEPLOY]}], affected=["shop", "stock"])
    left = corrected(made, checker().verdict(made).doubts)
    assert left.kind == "culprit"
    assert [step.citations for step in left.chain] == [(DEPLOY,)]
    assert left.affected == ("shop",)
    assert left.symptom == made.symptom


def test_evidence_that_a_verdict_brings_must_be_what_the_source_holds() -> None:
    forged = evidence(COMMIT.replace(SHA, ELSEWHERE), b"whatever I like")
    made = verdict(chain=[{"text": "x", "role": "cause", "citations": [forged.ref]}])
    doubts = checker().verdict(made, (forged,)).doubts
    assert ("evidence", "citation") in [(doubt.place, doubt.kind) for doubt in doubts]
    assert forged.ref in [doubt.claim for doubt in doubts if doubt.place == "chain[0].citations"]


def test_no_doubts_change_nothing() -> None:
    made = verdict()
    assert corrected(made, []) is made
    only = Doubt(place="headline", claim="x", reason="y", kind="time")
    left = corrected(made.model_copy(update={"gist": "perhaps at 09:00"}), [only])
    assert left.headline == "shop: culprit; the headline as it was concluded does not hold"
    assert not left.gist, "it is part of the headline"
