"""One screen answers one way: headline, place, candidates, what was considered and first actions agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.engines.offline.looked import Level, Looked
from orchestrator.journal.verdict import IncidentState, ServiceScore, SuspectScore
from subagents import quantities as q
from subagents.contract import Brief, Fact, Finding, Incident, ServiceInfo, SourceSpec, Suspect
from subagents.metrics.model import Compared
from tests.engines.test_wording import NOON, SERIES, case, cause, hit, symptom, verdict


def resource_at(service: str, weight: float) -> Finding:
    key = f"{service}/cpu_pct"
    found = cause("resource", key, f"{service} cpu_pct", weight)
    return found.model_copy(update={"services": (service,)})


def test_a_circumstance_elsewhere_does_not_lead_where_the_place_tells_more() -> None:
    told = resource_at("mail", 0.35)
    known = replace(case(symptom(), told), services=(ServiceScore(service="shop", score=0.9),))
    found = verdict(known)
    assert "most likely began at shop (90%)" in found.headline
    assert found.headline.endswith(f"cause not established; {found.gist}")
    assert "the best lead is unproven: mail cpu_pct" in found.headline, "it is not cleared: something may explain it"
    assert all("mail" not in action.text for action in found.actions)
    assert "look at shop first" in found.actions[1].text
    assert [(one.suspect.key, one.result) for one in found.ruled_out if one.command is None] == [
        ("mail/cpu_pct", "not cleared")
    ]
    assert found.confidence.against[0] == "mail cpu_pct holds at 0.35, and shows where it hardly began"
    faint = verdict(replace(case(symptom(), resource_at("mail", 0.15)), services=known.services))
    assert "mail" not in faint.headline
    here = verdict(replace(known, findings=(symptom(), resource_at("shop", 0.35))))
    assert "look at shop first" in here.actions[1].text


def test_a_circumstance_where_it_began_still_leads() -> None:
    known = replace(case(symptom(), resource_at("shop", 0.35)), services=(ServiceScore(service="shop", score=0.9),))
    found = verdict(known)
    assert "the best lead is unproven: shop cpu_pct" in found.headline
    assert "shop cpu_pct" in found.actions[1].text


def test_a_lead_that_is_the_place_itself_is_said_once() -> None:
    callee = cause("dependency", "stock", "stock", 0.4).model_copy(update={"services": ("stock",)})
    known = replace(case(symptom(), callee), services=(ServiceScore(service="stock", score=0.3),))
    found = verdict(known)
    assert "perhaps began at stock (30%)" in found.headline
    assert "best lead" not in found.headline
    assert "look at stock first" in found.actions[1].text
    beside = verdict(replace(case(symptom(), callee, resource_at("mail", 0.3)), services=known.services))
    assert "the best lead is unproven: mail cpu_pct" in beside.headline, "the place itself does not explain the rest"
    assert ("mail/cpu_pct", "not cleared") in [(one.suspect.key, one.result) for one in beside.ruled_out]


def test_a_source_that_has_it_begin_elsewhere_speaks_against_and_is_no_part_of_the_harm() -> None:
    def order(service: str) -> Finding:
        return Finding(
            agent="metrics",
            claim=f"it most likely began at {service}",
            topic="order",
            about=Suspect(kind="service", key=service),
            citations=(SERIES,),
            services=(service,),
        )

    found = verdict(case(symptom(), order("mail")))
    assert "it most likely began at mail" in found.confidence.against
    assert not found.blast_radius
    agreed = verdict(case(symptom(), order("shop")))
    assert [one.text for one in agreed.blast_radius] == ["it most likely began at shop"]
    assert "it most likely began at shop" not in agreed.confidence.against


def test_harm_is_eased_where_users_feel_it_by_what_helps_against_what_they_feel() -> None:
    known = replace(case(symptom()), services=(ServiceScore(service="stock", score=0.9),))
    failing = verdict(known).actions[0].text
    assert failing.startswith("serve a fallback for stock, or switch off what fails: it spares the users of shop")
    here = verdict(replace(known, services=(ServiceScore(service="shop", score=0.9),))).actions[0].text
    assert here.startswith("serve a fallback for shop, or switch off what fails: it spares its users, and")
    slow = SERIES.replace("errors_ratio", "latency_s")
    facts = (Fact(quantity=q.BASELINE, value=0.01, citation=slow),)
    felt = symptom().model_copy(update={"facts": facts, "citations": (slow,)})
    assert "add capacity to stock" in verdict(replace(known, findings=(felt,))).actions[0].text


def test_where_requests_stay_away_no_load_is_shed() -> None:
    away = replace(case(symptom()), stay_away=True)
    told = [action.text.partition(":")[0] for action in verdict(away).actions]
    assert told == ["find out why requests no longer reach shop"]
    over = replace(away, state=IncidentState(state="recovered"))
    assert "no longer reach" not in verdict(over).actions[0].text


@pytest.mark.parametrize(("why", "cited"), [("trigger deploy", None), ("signal error_ratio", "runbook:r#first")])
def test_where_no_cause_is_named_only_a_step_against_the_symptom_is_cited(why: str, cited: str | None) -> None:
    assert verdict(case(symptom()), hit("r", why)).actions[0].runbook == cited
    over = case(symptom(), state=IncidentState(state="recovered"))
    assert verdict(over, hit("r", why)).actions[0].runbook is None, "what is watched needs no step"


def test_no_change_is_cleared_where_none_was_given() -> None:
    known = case(symptom(), cause("certificate", "pay.example.com", "certificate expired: pay.example.com", 0.85))
    assert "no change of yours" in verdict(known).headline
    unknown = verdict(replace(known, changes={})).headline
    assert "no change of yours" not in unknown
    assert "changes, which were not given, are not ruled out" in unknown


def test_only_hosts_that_anybody_would_ask_about_are_listed() -> None:
    def host(service: str, before: float, after: float, size: float) -> Level:
        ref = f"metric:m.csv/{service}/node_cpu_pct@2026-03-01T11:00:00Z..2026-03-01T12:30:00Z"
        row = Compared(
            service=service,
            name="node_cpu_pct",
            role="host",
            citation=ref,
            before=before,
            after=after,
            size=size,
            hurts=size > 0,
        )
        values = ((q.LEVEL_BEFORE, before, "%"), (q.LEVEL_AFTER, after, "%"), (q.LEVEL_RATIO, after / before, ""))
        return Level(
            row, tuple(Fact(quantity=name, value=value, unit=unit, citation=ref) for name, value, unit in values)
        )

    metrics = SourceSpec(id="m.csv", kind="metrics", path="m.csv")

    def told(
        *hosts: Level, left: int | None = 0, sources: tuple[SourceSpec, ...] = (metrics,)
    ) -> dict[str, tuple[str, str]]:
        incident = Incident(id="i", title="t", service="shop")
        brief = Brief(incident=incident, services=(ServiceInfo(name="mail"),), sources=sources)
        known = replace(case(symptom()), looked=Looked(hosts=hosts, hosts_left=left), brief=brief)
        found = [one for one in verdict(known).ruled_out if one.suspect.kind == "host"]
        return {one.suspect.key: (one.result, one.reason) for one in found}

    assert list(told(host("mail", 30, 31, 0.2))) == ["shop"], "a bystander's machine says nothing; shop's is not known"
    for left, words in ((0, "no series that was compared shows"), (9, "9 more of the kind"), (None, "not compared")):
        assert words in told(host("mail", 30, 31, 0.2), left=left)["shop"][1]
    assert told(left=None, sources=())["shop"][1].startswith("no metrics were given: nothing shows the host beneath it")
    assert list(told(host("mail", 30, 90, 9.0))) == ["mail/node_cpu_pct"]
    assert list(told(host("node-1", 30, 31, 0.2))) == ["node-1/node_cpu_pct"]
    result, reason = told(host("shop", 8.6, 0.0, -5.0))["shop/node_cpu_pct"]
    assert result == "unlikely"
    assert reason == "shop node_cpu_pct moved, and not the way that hurts: 8.6 % -> 0 %"


def test_where_nothing_is_established_no_place_is_named() -> None:
    known = replace(case(), services=(ServiceScore(service="mail", score=0.4),))
    found = verdict(known)
    assert found.headline == f"shop: {found.gist}", "the alert's own service, not a guess"
    assert found.gist.startswith("not established whether anything is broken: ")
    assert "mail" not in found.actions[0].text


def test_where_no_service_is_known_none_is_asked_about() -> None:
    nameless = replace(
        case(symptom().model_copy(update={"services": ()})),
        services=(),
        brief=Brief(incident=Incident(id="i", title="t")),
    )
    assert verdict(nameless).ruled_out == ()


def test_a_cause_is_not_dated_before_what_tells_of_it() -> None:
    late = cause("dependency", "api.bank.com", "rate limited: api.bank.com", 0.8, NOON + timedelta(seconds=90))
    early = late.model_copy(update={"claim": "it fails", "weight": 0.7, "at": NOON, "id": "f-early"})
    first, *rest = verdict(case(symptom(), late, early)).chain
    assert (first.role, first.at, first.text) == ("cause", NOON, "rate limited: api.bank.com")
    told = {step.text: step.at for step in rest}
    assert told["it shows rate limited: api.bank.com"] == NOON + timedelta(seconds=90)
    assert told["it fails"] == NOON
    alone = verdict(case(symptom(), late)).chain
    assert alone[0].text == "it shows rate limited: api.bank.com"
    assert all(step.text != alone[0].text for step in alone[1:])


def test_a_place_that_nothing_speaks_for_is_not_named() -> None:
    known = replace(case(symptom()), services=(ServiceScore(service="stock", score=0.0),))
    found = verdict(known)
    assert found.service == "shop", "where it shows"
    assert all("stock" not in text for text in (found.headline, *(action.text for action in found.actions)))


def test_where_only_changes_were_given_they_are_looked_at_first() -> None:
    key = "a" * 40
    only = (SourceSpec(id="c", kind="commits", path="/c"),)
    known = replace(case(sources=only), suspects=(SuspectScore(commit=key, score=0.04),))
    assert [key[:12] in action.text for action in verdict(known).actions] == [True, False]
    more = replace(known, brief=case(sources=(*only, SourceSpec(id="m", kind="metrics", path="/m"))).brief)
    assert [key[:12] in action.text for action in verdict(more).actions] == [False, True]
    assert f"look first at commit {key[:12]}" in verdict(known).headline


def test_where_no_service_is_known_nothing_is_contained() -> None:
    nameless = Brief(incident=Incident(id="i", title="t"))
    found = verdict(replace(case(symptom().model_copy(update={"services": ()})), services=(), brief=nameless))
    assert [action.kind for action in found.actions] == ["follow_up"]
    assert "find out whether users" in found.actions[0].text
