"""When a cause is named, and when it is not: a wrong conviction is worse than none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.engines.offline.case import Case, Change
from orchestrator.engines.offline.causes import CONVICTS_FROM, decide
from orchestrator.engines.offline.judge import compose
from orchestrator.engines.offline.remedies import actions
from orchestrator.journal.verdict import Action, Cited, IncidentState, SuspectScore
from orchestrator.verdict.board import fold
from subagents import quantities as q
from subagents.contract import Alert, Brief, Fact, Finding, Incident, ServiceInfo, Suspect, SuspectKind

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SERIES = "metric:m.csv/shop/errors_ratio@2026-03-01T11:00:00Z..2026-03-01T12:30:00Z"


def symptom() -> Finding:
    facts = (
        Fact(quantity=q.BASELINE, value=0.01, citation=SERIES),
        Fact(quantity=q.PEAK, value=0.4, citation=SERIES),
    )
    return Finding(
        agent="metrics", claim="errors rose 40x", topic="symptom", facts=facts, citations=(SERIES,),
        services=("shop",), at=NOON, weight=0.9,
    )  # fmt: skip


def alerted(known: Case) -> Case:
    alert = Alert(title="errors high")
    return replace(known, brief=Brief(incident=Incident(id="i", title="t", service="shop", alert=alert)))


def about(kind: SuspectKind, key: str, weight: float, stance: str = "for", terms: tuple[str, ...] = ()) -> Finding:
    return Finding.model_validate(
        {
            "agent": "deploys",
            "claim": f"{kind} {key} {stance}",
            "topic": "change",
            "about": Suspect(kind=kind, key=key, label=f"label of {key}"),
            "stance": stance,
            "weight": weight,
            "citations": (f"commit:repo/{key}",),
            "terms": terms,
        }
    )


def case(*findings: Finding, contradictions: tuple[str, ...] = (), services: tuple[ServiceInfo, ...] = ()) -> Case:
    commits = [f.about.key for f in findings if f.about is not None and f.about.kind == "commit"]
    return Case(
        brief=Brief(incident=Incident(id="i", title="t", service="shop"), services=services),
        findings=findings,
        hypotheses=fold(findings),
        state=IncidentState(),
        services=(),
        suspects=tuple(SuspectScore(commit=key, score=0.5) for key in commits),
        changes={f"commit:{key}": Change(subject="s", service="shop", previous="v1", version="v2") for key in commits},
        moved=(),
        contradictions=tuple(Cited(text=text) for text in contradictions),
        failed={},
    )


def test_a_change_that_explains_and_leads_is_named() -> None:
    decision = decide(case(symptom(), about("commit", "a" * 40, 0.85), about("commit", "b" * 40, 0.3)))
    assert decision.kind == "culprit"
    assert decision.hypothesis is not None
    assert decision.hypothesis.suspect.key == "a" * 40
    assert 0.5 < decision.confidence < 0.95


def test_calm_series_that_settle_nothing_are_no_all_clear() -> None:
    calm = Finding(
        agent="metrics", claim="calm", topic="health", weight=0.7, citations=(SERIES,),
        facts=(Fact(quantity=q.LATEST, value=0.4, citation=SERIES),),
    )  # fmt: skip
    known = alerted(case(calm))
    assert decide(known).kind == "no_incident"
    decision = decide(replace(known, unsettled="Every series of shop ends at 12:00:00Z."))
    assert (decision.kind, decision.confidence < 0.5) == ("inconclusive", True)
    assert "ends at 12:00:00Z" in compose(replace(known, unsettled="It ends at 12:00:00Z."), decision, ()).headline


@pytest.mark.parametrize(
    ("host", "told", "score", "kind"),
    [
        ("api.bank.example", "upstream failing", 0.8, "inconclusive"),
        ("api.bank.example", "upstream failing", 0.95, "culprit"),
        ("api.bank.example", "upstream timeout", 0.8, "culprit"),
        ("ledger", "upstream failing", 0.8, "culprit"),
    ],
    ids=["by its own word", "a change that is sure", "a change may lead to it", "one of ours"],
)
def test_a_host_outside_that_says_itself_that_it_fails_is_no_doing_of_a_change_that_merely_fits(
    host: str, told: str, score: float, kind: str
) -> None:
    peer = about("dependency", host, 0.61, terms=("bank",))
    assert peer.about is not None
    named = peer.model_copy(update={"about": peer.about.model_copy(update={"label": f"{told}: {host}"})})
    decision = decide(case(symptom(), about("commit", "a" * 40, score, terms=("bank",)), named))
    assert decision.kind == kind


@pytest.mark.parametrize(
    ("kind", "key", "first"),
    [
        ("dependency", "DNS in 4 services", "make the names that fail resolve again"),
        ("host", "unreachable in 4 services", "fail over from what 4 services cannot reach"),
        ("host", "clock in shop", "set the clock of what runs shop right"),
    ],
)
def test_what_to_do_first_names_things_as_people_do(kind: SuspectKind, key: str, first: str) -> None:
    shown = about(kind, key, 0.72)
    suspect = Suspect(kind=kind, key=key, label=key)
    known = case(symptom(), shown.model_copy(update={"about": suspect, "services": ("shop", "web", "mail")}))
    decision = decide(replace(known, changes={"commit:c": Change(subject="s")}))
    assert decision.kind == "no_code_cause"
    text = actions(known, decision)[0].text
    assert first in text
    assert key not in text


def test_two_changes_that_fit_alike_convict_nobody() -> None:
    decision = decide(case(symptom(), about("commit", "a" * 40, 0.85), about("commit", "b" * 40, 0.8)))
    assert decision.kind == "inconclusive"
    assert "two changes" in decision.why


def test_a_weak_change_alone_is_no_culprit() -> None:
    decision = decide(case(symptom(), about("commit", "a" * 40, CONVICTS_FROM - 0.05)))
    assert decision.kind == "inconclusive"
    assert "unproven" in decision.why
    assert "unproven" not in " ".join(decision.reasons), "what is missing is no reason for"


def test_no_code_cause_needs_positive_evidence() -> None:
    assert decide(case(symptom(), about("commit", "a" * 40, 0.1))).kind == "inconclusive"
    found = decide(case(symptom(), about("commit", "a" * 40, 0.1), about("certificate", "api.example", 0.8)))
    assert found.kind == "no_code_cause"
    assert found.hypothesis is not None
    assert found.hypothesis.suspect.kind == "certificate"


def test_a_change_that_is_not_cleared_stands_in_the_way_of_a_circumstance() -> None:
    decision = decide(case(symptom(), about("commit", "a" * 40, 0.55), about("dependency", "bank", 0.8)))
    assert decision.kind == "inconclusive"


def test_change_and_circumstance_alike_are_not_separated_unless_one_explains_the_other() -> None:
    change = about("commit", "a" * 40, 0.8, terms=("bank_url",))
    assert decide(case(symptom(), change, about("dependency", "bank", 0.8))).kind == "inconclusive"
    linked = decide(case(symptom(), change, about("dependency", "bank", 0.8, terms=("bank_url",))))
    assert linked.kind == "culprit"
    assert any("also shows" in text for text in linked.against)


def test_what_the_calendar_did_is_not_blamed_on_a_change_that_merely_fits() -> None:
    change, expired = about("commit", "a" * 40, 0.7), about("certificate", "bank", 0.85)
    decision = decide(case(symptom(), change, expired))
    assert decision.kind == "no_code_cause"
    assert any("not cleared" in text for text in decision.against)
    refused = about("certificate", "bank", 0.65)
    assert decide(case(symptom(), change, refused)).kind == "inconclusive"


def test_a_ruled_out_change_is_never_named() -> None:
    decision = decide(case(symptom(), about("commit", "a" * 40, 0.9), about("commit", "a" * 40, 1.0, "rules_out")))
    assert decision.kind == "inconclusive"


def test_no_incident_needs_something_that_was_measured() -> None:
    quiet = Finding(
        agent="metrics", claim="nothing moved", topic="health", citations=(SERIES,),
        facts=(Fact(quantity=q.BASELINE, value=1, citation=SERIES),),
    )  # fmt: skip
    assert decide(alerted(case(quiet))).kind == "no_incident"
    assert decide(case(quiet)).kind == "inconclusive", "one kind of evidence, and nobody says what should be wrong"
    second = quiet.model_copy(update={"agent": "logs", "id": "f-other"})
    assert decide(case(quiet, second)).kind == "no_incident"
    assert decide(case()).kind == "inconclusive"
    assert decide(case(quiet.model_copy(update={"facts": ()}))).kind == "inconclusive"


def test_impact_that_a_person_reported_is_not_called_no_incident() -> None:
    quiet = Finding(
        agent="metrics", claim="nothing moved", topic="health", citations=(SERIES,),
        facts=(Fact(quantity=q.BASELINE, value=1, citation=SERIES),),
    )  # fmt: skip
    known = case(quiet)
    reported = replace(known, brief=Brief(incident=Incident(id="i", title="t", service="shop", started_at=NOON)))
    assert decide(alerted(known)).kind == "no_incident"
    assert decide(reported).kind == "inconclusive"


def test_contradictions_lower_the_confidence() -> None:
    sure = decide(case(symptom(), about("commit", "a" * 40, 0.85)))
    less = decide(case(symptom(), about("commit", "a" * 40, 0.85), contradictions=("the alert says 80 %",)))
    assert less.confidence < sure.confidence
    assert "the alert says 80 %" in less.against


def test_the_first_action_for_a_bad_deploy_is_the_configured_rollback_filled_in() -> None:
    shop = ServiceInfo(name="shop", rollback="deployctl rollback {service} --to {previous}")
    known = case(symptom(), about("commit", "a" * 40, 0.85), services=(shop,))
    verdict = compose(known, decide(known), ())
    assert verdict.actions[0].command == "deployctl rollback shop --to v1"
    assert verdict.actions[0].verify.startswith("shop errors_ratio returns to about 0.01")
    assert [step.role for step in verdict.chain] == ["cause", "symptom"]


@pytest.mark.parametrize("kind", ["dependency", "certificate", "traffic", "host", "resource", "data", "external"])
def test_the_first_action_for_a_circumstance_is_not_an_undo(kind: SuspectKind) -> None:
    known = case(symptom(), about(kind, "x", 0.8))
    verdict = compose(known, decide(known), ())
    assert verdict.kind == "no_code_cause"
    assert verdict.culprit is None
    assert "roll shop back" not in verdict.actions[0].text
    assert "{" not in "".join(a.text + a.effect + a.risk for a in verdict.actions)


def first_action(kind: SuspectKind, key: str, label: str) -> Action:
    found = about(kind, key, 0.8)
    named = found.model_copy(update={"about": Suspect(kind=kind, key=key, label=label)})
    known = case(symptom(), named)
    return actions(known, decide(known))[0]


@pytest.mark.parametrize(
    ("kind", "key", "label", "says"),
    [
        ("dependency", "api.bank.example", "upstream timeout: api.bank.example", "fail over from api.bank.example"),
        ("dependency", "db.example.com", "DNS: db.example.com", "make db.example.com resolve again"),
        ("dependency", "api.bank.example", "rate limited: api.bank.example", "send less to api.bank.example"),
        ("traffic", "shop", "traffic surge", "add capacity to shop"),
        ("certificate", "shop-tls", "certificate expired: shop-tls", "renew the certificate shop-tls"),
        ("certificate", "api.bank.example", "certificate expired: api.bank.example", "reach the owner of"),
        ("host", "node-7", "node-7 cpu_steal", "move the work of shop off node-7"),
        ("data", "bad data in shop", "bad data in shop", "quarantine"),
        ("resource", "disk full in shop", "disk full in shop", "free space on shop that is safe to free"),
        ("resource", "pool exhausted in shop", "pool exhausted in shop", "end what holds the connections"),
        ("config", "credentials in shop", "credentials in shop", "give shop credentials"),
    ],
)
def test_each_kind_of_cause_has_a_first_action_of_its_own_and_none_is_a_rollback(
    kind: SuspectKind, key: str, label: str, says: str
) -> None:
    first = first_action(kind, key, label)
    assert first.kind == "contain"
    assert says in first.text
    assert not first.text.startswith("roll ")
    assert first.command is None
    assert all((first.effect, first.risk, first.reversible, first.verify))
    assert "{" not in first.text + first.effect + first.risk


def test_a_rollback_that_is_not_configured_is_described_and_how_to_configure_it_is_said() -> None:
    known = case(symptom(), about("commit", "a" * 40, 0.85))
    found = actions(known, decide(known))
    assert (found[0].kind, found[0].command, found[0].text) == ("contain", None, "roll shop back to v1")
    assert "warroom.toml" in found[-1].text
    assert found[-1].kind == "follow_up"


def test_a_migration_that_came_with_the_change_is_named_before_it_is_undone() -> None:
    change = about("commit", "a" * 40, 0.85, terms=("db/migrate/0007_drop_column.sql", "app.py"))
    known = case(symptom(), change)
    assert "db/migrate/0007_drop_column.sql" in actions(known, decide(known))[0].risk


def test_what_is_over_is_undone_only_if_it_comes_back() -> None:
    known = replace(case(symptom(), about("commit", "a" * 40, 0.85)), state=IncidentState(state="recovered"))
    assert actions(known, decide(known))[0].text.startswith("if it comes back: roll shop back")


def test_every_other_candidate_is_listed_with_a_result() -> None:
    known = case(
        symptom(),
        about("commit", "a" * 40, 0.85),
        about("commit", "b" * 40, 1.0, "rules_out"),
        about("flag", "new", 0.3),
        about("commit", "c" * 40, 0.9, "against"),
    )
    listed = compose(known, decide(known), ()).ruled_out
    untold = {item.suspect.kind: item for item in listed if item.command is not None}
    assert {kind: item.result for kind, item in untold.items()} == dict.fromkeys(
        ("traffic", "host"), "not testable with this data"
    )
    assert "promtool query range --start=2026-03-01T11:00:00Z" in (untold["traffic"].command or "")
    results = {item.suspect.key: item.result for item in listed if item.command is None}
    assert results == {"b" * 40: "ruled out", "new": "not cleared", "c" * 40: "unlikely"}


def erred(service: str, minutes: float, topic: str = "errors") -> Finding:
    return Finding.model_validate(
        {
            "agent": "logs",
            "claim": f"{service} threw",
            "topic": topic,
            "services": (service,),
            "at": NOON + timedelta(minutes=minutes),
            "citations": (f"log:{service}.log@0+1",),
        }
    )


def test_what_erred_before_and_no_more_since_is_not_affected() -> None:
    culprit = about("commit", "a" * 40, 0.9)
    burst, again, later = erred("mail", -9), erred("mail", 1), erred("pay", 1)
    early = replace(case(symptom(), culprit, burst, later), moved=())
    verdict = compose(early, decide(early), ())
    assert verdict.affected == ("shop", "pay")
    assert [step.text for step in verdict.chain if step.role == "consequence"] == ["pay threw"]
    both = case(symptom(), culprit, burst, again, later)
    assert set(compose(both, decide(both), ()).affected) == {"shop", "mail", "pay"}


def test_what_erred_just_before_the_symptom_is_affected() -> None:
    near = case(symptom(), about("commit", "a" * 40, 0.9), erred("mail", -2))
    assert "mail" in compose(near, decide(near), ()).affected
