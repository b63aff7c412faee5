"""What nobody could read is not cleared: neither the one who is read is convicted for it, nor a circumstance named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.engines.offline.case import Case, Moved
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
    ("chance", "kind"), [(0.9, "inconclusive"), (0.3, "culprit")], ids=["it began there", "hardly"]
)
def test_what_could_not_be_read_where_it_began_stands_beside_a_change_elsewhere(chance: float, kind: str) -> None:
    changes = (scored(READ, 120.0, 0.7), scored(UNREAD, 60.0, 0.05, "none available", "stock"))
    given = known(*changes, findings=(about("commit", READ, 0.7),))
    decision = decide(replace(given, services=(ServiceScore(service="stock", score=chance),)))
    assert decision.kind == kind
    nothing_else = replace(known(changes[1], findings=()), services=(ServiceScore(service="stock", score=chance),))
    told = "took effect there just before, and has no diff to read" in decide(nothing_else).why
    assert told is (kind == "inconclusive")


@pytest.mark.parametrize(
    ("told", "name", "before", "kind"),
    [
        ("out of memory", "memory_bytes", 40, "inconclusive"),
        ("out of memory", "memory_bytes", 3, "no_code_cause"),
        ("disk full", "disk_used_ratio", 40, "no_code_cause"),
    ],
    ids=["for long", "at once", "what others fill"],
)
def test_what_was_used_up_slowly_from_within_may_be_an_older_changes_doing(
    told: str, name: str, before: float, kind: str
) -> None:
    shown = about("resource", f"{told} in shop", 0.7).model_copy(
        update={
            "services": ("shop",),
            "about": Suspect(kind="resource", key=f"{told} in shop", label=f"{told} in shop"),
        }
    )
    series = Moved(text="s", at=NOON - timedelta(minutes=before), citation="metric:m.csv/shop/s", name=name)
    cleared = scored(READ, 9000.0, 0.02)
    decision = decide(replace(known(cleared, findings=(shown,)), stirred=(series,)))
    assert decision.kind == kind
    assert ("what ran there by then may have done it" in decision.why) is (kind == "inconclusive")


def test_a_surge_stands_for_the_overload_that_it_brings_about() -> None:
    surge = about("traffic", "web", 0.62).model_copy(
        update={"services": ("shop",), "about": Suspect(kind="traffic", key="web", label="traffic surge")}
    )
    full = Suspect(kind="traffic", key="overload in shop", label="overload in shop")
    crowded = about("traffic", full.key, 0.7).model_copy(update={"services": ("shop",), "about": full})
    cleared = scored(READ, 9000.0, 0.02)
    both, alone = (decide(known(cleared, findings=found)).hypothesis for found in ((crowded, surge), (crowded,)))
    assert both is not None
    assert alone is not None
    assert (both.suspect.label, alone.suspect.label) == ("traffic surge", "overload in shop")


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
