"""A confidence grows with the evidence, falls with each doubt, and stays where a lead is only a lead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.engines.offline.causes import decide
from orchestrator.engines.offline.judge import compose
from orchestrator.engines.offline.sureness import MOST, OPEN_MOST, UNREAD_MOST
from orchestrator.journal.verdict import Cited, ServiceScore, SuspectScore
from subagents import quantities as q
from subagents.contract import Brief, Fact, Finding, Incident, SourceSpec
from tests.engines.test_causes import NOON, SERIES, about, case, symptom


def sure(score: float, rival: float = 0.0) -> float:
    found = [about("commit", "a" * 40, score), *([about("commit", "b" * 40, rival)] if rival else [])]
    return decide(case(symptom(), *found)).confidence


def test_it_grows_with_the_score_and_with_the_lead() -> None:
    grown = [sure(score) for score in (0.62, 0.7, 0.8, 0.9, 0.99)]
    assert grown == sorted(set(grown))
    assert grown[-1] <= MOST
    assert sure(0.9, 0.2) > sure(0.9, 0.5) > sure(0.9, 0.75)


def test_what_nobody_read_is_never_sure() -> None:
    known = case(symptom(), about("commit", "a" * 40, 0.95))
    changes = {key: replace(change, unread=True) for key, change in known.changes.items()}
    assert decide(replace(known, changes=changes)).confidence == UNREAD_MOST


def test_each_contradiction_takes_its_part_and_is_shown() -> None:
    known = case(symptom(), about("commit", "a" * 40, 0.85))
    cited = [Cited(text=f"clash {at}", citations=(SERIES,)) for at in range(5)]
    values = [decide(replace(known, contradictions=tuple(cited[:count]))).confidence for count in range(6)]
    assert values[0] > values[1] > values[2] > values[3] == values[4] == values[5], "and no more than all may take"
    told = decide(replace(known, contradictions=tuple(cited[:2])))
    assert told.against == ("clash 0", "clash 1")


@pytest.mark.parametrize("place", [0.0, 0.2, 0.5, 0.99])
def test_an_open_case_is_as_sure_as_its_lead_and_never_more_than_even(place: float) -> None:
    known = replace(case(symptom()), services=(ServiceScore(service="stock", score=place),))
    found = decide(known)
    assert found.kind == "inconclusive"
    assert found.confidence == max(0.05, min(OPEN_MOST, round(place / 2, 2)))


def test_words_alone_order_the_changes_and_say_how_little_that_is() -> None:
    known = replace(case(), suspects=(SuspectScore(commit="a" * 40, score=0.1),))
    more = replace(case(), suspects=(SuspectScore(commit="a" * 40, score=0.25),))
    assert decide(case()).confidence < decide(known).confidence < decide(more).confidence <= OPEN_MOST


def logged(service: str) -> Finding:
    return Finding(
        agent="logs",
        claim=f"{service}: new error message",
        topic="errors",
        weight=0.6,
        facts=(Fact(quantity=q.COUNT, value=24, unit="events", citation="log:a.log@0+1"),),
        citations=("log:a.log@0+1",),
        services=(service,),
        at=NOON,
    )


def test_what_users_do_not_feel_does_not_lead_where_logs_show_errors() -> None:
    idle = symptom().model_copy(update={"claim": "idle cpu_millicores rose", "services": ("idle",)})
    known = replace(case(idle, logged("stock")), faint=True, services=(ServiceScore(service="stock", score=0.8),))
    found = compose(known, decide(known), ())
    assert found.symptom is not None
    assert found.symptom.service == "stock"
    assert found.headline.startswith("stock: trouble since 2026-03-01 12:00:00 UTC")
    assert "idle" not in found.headline
    assert any("stock: new error message" in reason for reason in found.confidence.reasons)
    felt = replace(known, faint=False)
    assert compose(felt, decide(felt), ()).headline.startswith("idle: trouble since")
    alone = replace(case(idle), faint=True)
    assert compose(alone, decide(alone), ()).symptom is not None, "where nothing else shows, it is told"


def test_errors_that_rise_in_logs_which_name_nobody_are_a_symptom() -> None:
    rise = logged("stock").model_copy(update={"claim": "Errors rise", "topic": "onset", "services": ()})
    found = compose(case(rise), decide(case(rise)), ())
    assert found.symptom is not None
    assert (found.symptom.text, found.symptom.onset, found.symptom.service) == ("Errors rise", NOON, "shop")
    assert found.headline.startswith("shop: trouble since 2026-03-01 12:00:00 UTC")
    for places in ((), (ServiceScore(service="mail", score=0.0),)):
        known = replace(case(rise), services=places)
        reasons = compose(known, decide(known), ()).confidence.reasons
        assert reasons == ("Errors rise",), "a person reads what was logged, whoever logged it"
    measured = replace(case(symptom(), rise), faint=True)
    assert measured.symptom == symptom(), "what is measured says more, felt or not"


def test_an_open_case_says_why_and_what_would_tell() -> None:
    spec = SourceSpec(id="m.csv", kind="metrics", path="/m.csv")
    known = replace(case(symptom()), brief=Brief(incident=Incident(id="i", title="t", service="shop"), sources=(spec,)))
    found = decide(known)
    assert found.why == "no changes were given, and nothing else in the data explains it"
    assert found.why not in found.reasons, "what is missing is no reason for"
    assert any("most would be learnt from the changes of that time" in text for text in found.against)
