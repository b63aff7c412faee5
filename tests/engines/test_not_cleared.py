"""What nobody could read is not cleared: neither the one who is read is convicted for it, nor a circumstance named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.engines.offline.case import Case
from orchestrator.engines.offline.causes import SURE_BESIDE_UNREAD, decide
from orchestrator.engines.offline.judge import compose
from orchestrator.journal.events import BoardEdited
from orchestrator.journal.verdict import ServiceScore, SuspectScore
from orchestrator.verdict.board import fold
from orchestrator.verdict.board_edits import Edit
from subagents.contract import Finding, Suspect
from subagents.deploys.model import ScoredSuspect
from tests.engines.test_causes import NOON, about, case, symptom

READ, UNREAD = "a" * 40, "b" * 40


def scored(key: str, lead_s: float, score: float, diff: str = "read", service: str = "shop") -> ScoredSuspect:
    return ScoredSuspect.model_validate(
        {
            "kind": "commit",
            "source": "c",
            "key": key,
            "ref": f"commit:c/{key}",
            "label": "tidy up",
            "score": score,
            "rank": 1,
            "at": NOON - timedelta(seconds=lead_s),
            "lead_s": lead_s,
            "deploy": "deploy:d#1",
            "service": service,
            "services": (service,),
            "diff": diff,
        }
    )


def known(*changes: ScoredSuspect, findings: tuple[Finding, ...]) -> Case:
    return replace(case(symptom(), *findings), scored=changes)


@pytest.mark.parametrize(
    ("score", "lead_s", "service", "kind"),
    [
        (0.7, 60.0, "shop", "inconclusive"),
        (SURE_BESIDE_UNREAD + 0.01, 60.0, "shop", "culprit"),
        (0.7, 900.0, "shop", "culprit"),
        (0.7, -60.0, "shop", "culprit"),
        (0.7, 60.0, "mail", "culprit"),
    ],
    ids=["beside one unread", "sure all the same", "the unread came earlier", "after the onset", "elsewhere"],
)
def test_a_change_is_not_convicted_beside_one_that_could_not_be_read(
    score: float, lead_s: float, service: str, kind: str
) -> None:
    changes = (scored(READ, 120.0, score), scored(UNREAD, lead_s, 0.05, "none available", service))
    decision = decide(known(*changes, findings=(about("commit", READ, score),)))
    assert decision.kind == kind
    assert ("could not be read" in decision.why) == (kind == "inconclusive")


@pytest.mark.parametrize(
    ("kind", "key", "lead_s", "verdict"),
    [
        ("dependency", "no leader in shop", 300.0, "inconclusive"),
        ("dependency", "no leader in shop", 9000.0, "no_code_cause"),
        ("dependency", "api.bank.example.com", 300.0, "no_code_cause"),
        ("certificate", "bank", 300.0, "no_code_cause"),
    ],
    ids=["within the hour", "long before", "a host outside", "the calendar"],
)
def test_a_circumstance_is_not_named_where_a_change_there_could_not_be_read(
    kind: str, key: str, lead_s: float, verdict: str
) -> None:
    shown = about(kind, key, 0.85).model_copy(update={"services": ("shop",)})  # type: ignore[arg-type]  # a kind's name
    given = known(scored(UNREAD, lead_s, 0.05, "none available"), findings=(shown,))
    decision = decide(given)
    assert decision.kind == verdict
    assert (decision.suspected == Suspect(kind="commit", key=UNREAD).id) == (verdict == "inconclusive")
    told = {one.suspect.key: (one.result, one.reason) for one in compose(given, decision, ()).ruled_out}
    if decision.suspected:  # no finding is about it, and still it is what stands in the way
        assert told[UNREAD] == ("not cleared", decision.against[0])
    else:
        assert told[UNREAD][0] == "not testable with this data"
    edit = Edit(BoardEdited(action="rule_out", suspect=f"commit:{UNREAD}", by="dana"))
    closed = replace(given, hypotheses=fold(given.findings, (edit,)))
    listed = [one.suspect.key for one in compose(closed, decision, ()).ruled_out]
    assert UNREAD not in listed, "a person's word is put beside the verdict by whoever shows it"


@pytest.mark.parametrize(
    ("key", "changes", "verdict"),
    [
        ("stock", (), "inconclusive"),
        ("stock", (scored(READ, 9000.0, 0.01, service="mail"),), "no_code_cause"),
        ("bank", (), "no_code_cause"),
    ],
    ids=["ours, and nothing is known of its changes", "ours, and the changes are known", "somebody else's"],
)
def test_a_callee_of_ours_is_no_cause_outside_while_its_changes_are_unknown(
    key: str, changes: tuple[ScoredSuspect, ...], verdict: str
) -> None:
    places = (ServiceScore(service="shop", score=0.6), ServiceScore(service="stock", score=0.8))
    suspects = tuple(SuspectScore(commit=change.key, score=change.score) for change in changes)
    given = replace(known(*changes, findings=(about("dependency", key, 0.8),)), services=places, suspects=suspects)
    decision = decide(given)
    assert decision.kind == verdict
    assert ("a service of yours" in decision.why) == (verdict == "inconclusive")


@pytest.mark.parametrize(
    ("key", "changes", "verdict"),
    [
        ("stock-db", (), "inconclusive"),
        ("stock-db.shop.svc.cluster.local", (), "inconclusive"),
        ("stock-db", (scored(READ, 9000.0, 0.01, service="mail"),), "no_code_cause"),
        ("api.bank.com", (), "no_code_cause"),
    ],
)
def test_a_name_of_this_house_that_does_not_resolve_is_no_cause_outside_while_no_changes_are_given(
    key: str, changes: tuple[ScoredSuspect, ...], verdict: str
) -> None:
    failing = about("dependency", key, 0.8)
    failing = failing.model_copy(update={"about": Suspect(kind="dependency", key=key, label=f"DNS: {key}")})
    suspects = tuple(SuspectScore(commit=change.key, score=change.score) for change in changes)
    decision = decide(replace(known(*changes, findings=(failing,)), suspects=suspects))
    assert decision.kind == verdict
    assert ("no public name fails to resolve" in decision.why) == (verdict == "inconclusive")
