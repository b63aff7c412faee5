"""What the verdict says is true, short and apt: headline, chain, what did not do it, runbook step, gaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.engines.coordinator import RunbookHit
from orchestrator.engines.offline.case import Case, Change, Moved
from orchestrator.engines.offline.causes import decide
from orchestrator.engines.offline.judge import compose
from orchestrator.journal.verdict import IncidentState, ServiceScore, SuspectScore, Verdict
from orchestrator.verdict.board import fold
from subagents import quantities as q
from subagents.contract import Alert, Brief, Fact, Finding, Incident, SourceSpec, Suspect, SuspectKind

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SERIES = "metric:m.csv/shop/errors_ratio@2026-03-01T11:00:00Z..2026-03-01T12:30:00Z"
LINE = "log:web.log@0+1"


def symptom() -> Finding:
    return Finding(
        agent="metrics",
        claim="errors rose 40 times",
        topic="symptom",
        facts=(Fact(quantity=q.BASELINE, value=0.01, citation=SERIES),),
        citations=(SERIES,),
        services=("shop",),
        at=NOON,
    )


def cause(kind: SuspectKind, key: str, label: str, weight: float, at: datetime | None = NOON) -> Finding:
    return Finding(
        agent="logs",
        claim=f"it shows {label}",
        topic="mechanism",
        about=Suspect(kind=kind, key=key, label=label),
        stance="for",
        weight=weight,
        citations=(LINE,),
        at=at,
    )


def case(*findings: Finding, state: IncidentState | None = None, sources: tuple[SourceSpec, ...] = ()) -> Case:
    return Case(
        brief=Brief(incident=Incident(id="i", title="t", service="shop"), sources=sources),
        findings=findings,
        hypotheses=fold(findings),
        state=state or IncidentState(state="ongoing"),
        services=(ServiceScore(service="shop", score=1.0),),
        suspects=(),
        changes={"commit:" + "a" * 40: Change(subject="s", service="shop", at=NOON)},
        moved=(),
        contradictions=(),
        failed={},
    )


def verdict(known: Case, *hits: RunbookHit) -> Verdict:
    return compose(known, decide(known), hits)


def hit(slug: str, *why: str) -> RunbookHit:
    return RunbookHit(slug=slug, title=slug, score=1.0, why=why, first_step=f"runbook:{slug}#first")


def test_a_circumstance_is_named_once_and_with_its_date() -> None:
    found = verdict(case(symptom(), cause("certificate", "pay.svc", "certificate expired: pay.svc", 0.85)))
    assert found.kind == "no_code_cause"
    assert found.headline.startswith("shop is broken since 2026-03-01 12:00:00 UTC: certificate expired: pay.svc,")
    assert "certificate certificate" not in found.headline
    assert "renew the certificate pay.svc and" in found.actions[0].text


@pytest.mark.parametrize(
    ("key", "thing"),
    [
        ("upstream failing in shop", "what shop calls"),
        ("datastore leadership", "what shop calls"),
        ("upstream failing in stock", "upstream failing in stock"),
        ("api.bank.example", "api.bank.example"),
    ],
)
def test_an_unnamed_peer_is_what_the_service_calls(key: str, thing: str) -> None:
    found = verdict(case(symptom(), cause("dependency", key, key, 0.8)))
    assert f"fail over from {thing} or shed" in found.actions[0].text


def test_a_rollback_is_said_not_to_help_where_changes_were_given_and_cleared() -> None:
    known = case(symptom(), cause("dependency", "bank", "bank", 0.8))
    found = verdict(known)
    assert found.actions[0].text.endswith("; a rollback of shop would not help")
    assert found.gist == "dependency bank, no change of yours"
    assert found.headline == f"shop is broken since 2026-03-01 12:00:00 UTC: {found.gist} (80% sure)"
    unknown = verdict(replace(known, changes={}))
    assert "rollback" not in unknown.actions[0].text
    assert unknown.gist == "dependency bank; changes, which were not given, are not ruled out"
    assert f": {unknown.gist} (" in unknown.headline


@pytest.mark.parametrize(
    ("state", "words"),
    [("ongoing", "is broken since"), ("recovering", "is recovering, broken since"), ("recovered", "has recovered")],
)
def test_the_headline_says_how_it_stands(state: str, words: str) -> None:
    known = case(symptom(), state=IncidentState.model_validate({"state": state}))
    sure = cause("certificate", "pay.example", "certificate expired: pay.example", 0.85)
    pinned = verdict(replace(known, findings=(*known.findings, sure), hypotheses=fold((sure,))))
    assert words in pinned.headline


def test_with_no_cause_the_place_is_a_guess_and_said_so() -> None:
    known = replace(case(symptom()), services=(ServiceScore(service="stock", score=1.0),))
    headline = verdict(known).headline
    assert headline.startswith("shop: trouble since 2026-03-01 12:00:00 UTC: cause not established")
    assert "most likely began at stock" in headline


def test_without_a_symptom_nothing_is_called_broken_and_nothing_is_contained() -> None:
    found = verdict(case())
    assert "broken since" not in found.headline
    assert "not established whether anything is broken" in found.headline
    assert [action.kind for action in found.actions] == ["follow_up"]


def test_what_recovered_by_itself_is_watched_not_contained() -> None:
    found = verdict(case(symptom(), state=IncidentState(state="recovered")))
    assert "recovered" in found.actions[0].text
    assert found.actions[0].kind == "follow_up"


def test_a_candidate_that_holds_is_not_listed_as_untestable() -> None:
    known = case(symptom(), cause("certificate", "a.example", "a", 0.85), cause("host", "node-1", "node-1", 0.4))
    assert [(item.suspect.key, item.result) for item in verdict(known).ruled_out if item.command is None] == [
        ("node-1", "not cleared")
    ]


def test_nothing_follows_the_cause_before_it_but_by_the_grain_of_a_series() -> None:
    early = Finding(
        agent="logs", claim="no longer logged", topic="consequence", citations=(LINE,), at=NOON - timedelta(minutes=1)
    )
    change = Finding(
        agent="deploys",
        claim="c",
        topic="change",
        about=Suspect(kind="commit", key="a" * 40),
        stance="for",
        weight=0.9,
        citations=(LINE,),
    )
    known = replace(
        case(symptom(), early, change), moved=(Moved("latency rises", NOON - timedelta(minutes=1), SERIES + "x"),)
    )
    told = [step.text for step in verdict(known).chain]
    assert "no longer logged" not in told
    assert "latency rises" in told


def test_the_step_cited_is_the_causes_runbook_before_the_symptoms() -> None:
    known = case(symptom(), cause("certificate", "a.example", "a", 0.85))
    symptoms, causes = hit("error-rate", "signal error_ratio"), hit("expired-certificate", "signal certificate")
    assert verdict(known, symptoms, causes).actions[0].runbook == "runbook:expired-certificate#first"


def test_a_runbook_that_only_shares_words_is_not_cited() -> None:
    assert verdict(case(symptom()), hit("full-disk", "words rose, data")).actions[0].runbook is None


def test_a_gap_is_told_once() -> None:
    silent = Finding(agent="logs", claim="No log files were given.", topic="gap")
    metrics = SourceSpec(id="m", kind="metrics", path="/m")
    texts = [gap.text for gap in verdict(case(symptom(), silent, sources=(metrics,))).gaps]
    assert "no logs were given" in texts
    assert "No log files were given." not in texts
    logs = SourceSpec(id="l", kind="logs", path="/l")
    assert "No log files were given." in [g.text for g in verdict(case(symptom(), silent, sources=(logs,))).gaps]


def test_what_came_after_the_culprit_on_its_service_is_its_consequence() -> None:
    change = Finding(
        agent="deploys",
        claim="c",
        topic="change",
        about=Suspect(kind="commit", key="a" * 40),
        stance="for",
        weight=0.9,
        citations=(LINE,),
    )
    pool = cause("resource", "pool exhausted in shop", "pool exhausted in shop", 0.3, NOON + timedelta(minutes=2))
    after = pool.model_copy(update={"services": ("shop",)})
    before = after.model_copy(update={"at": NOON - timedelta(minutes=2), "id": "f-before"})
    assert [item.result for item in verdict(case(symptom(), change, after)).ruled_out if item.command is None] == [
        "consequence"
    ]
    assert [item.result for item in verdict(case(symptom(), change, before)).ruled_out if item.command is None] == [
        "not cleared"
    ]


def test_more_load_and_no_harm_is_not_a_cause_of_itself() -> None:
    load = cause("traffic", "shop", "traffic surge", 0.7).model_copy(update={"citations": (SERIES,)})
    found = verdict(case(symptom(), load))
    assert found.kind == "inconclusive"
    assert "nothing given shows that users are hurt" in found.headline
    other = load.model_copy(update={"citations": (SERIES, LINE)})
    assert verdict(case(symptom(), other)).kind == "no_code_cause"


def test_a_certificate_of_somebody_elses_host_is_not_ours_to_renew() -> None:
    found = verdict(case(symptom(), cause("certificate", "api.bank.com", "certificate expired: api.bank.com", 0.85)))
    assert "reach the owner of api.bank.com" in found.actions[0].text
    assert "renew the certificate" not in found.actions[0].text


def test_what_shows_the_same_trouble_in_the_same_place_is_no_rival_of_a_circumstance() -> None:
    full = cause("resource", "disk full in shop", "disk full in shop", 0.7).model_copy(update={"services": ("shop",)})
    series = cause("resource", "shop/disk_used_pct", "shop disk_used_pct", 0.35)
    here, elsewhere = (series.model_copy(update={"services": (name,)}) for name in ("shop", "mail"))
    assert [item.result for item in verdict(case(symptom(), full, here)).ruled_out if item.command is None] == [
        "goes with it"
    ]
    assert [item.result for item in verdict(case(symptom(), full, elsewhere)).ruled_out if item.command is None] == [
        "not cleared"
    ]


def test_a_failing_host_outside_is_named_where_every_change_on_record_is_cleared() -> None:
    outage = cause("dependency", "api.bank.com", "upstream timeout: api.bank.com", 0.47)
    doubtful = Finding(
        agent="deploys",
        claim="c",
        topic="change",
        about=Suspect(kind="commit", key="a" * 40),
        stance="for",
        weight=0.3,
        citations=(LINE,),
    )
    assert verdict(case(symptom(), outage)).kind == "no_code_cause"
    assert verdict(case(symptom(), outage, doubtful)).kind == "inconclusive"
    assert verdict(replace(case(symptom(), outage), changes={})).kind == "inconclusive"
    inside = cause("dependency", "bank", "upstream timeout: bank", 0.47)
    assert verdict(case(symptom(), inside)).kind == "inconclusive"


def test_an_alert_that_says_all_is_well_is_quoted() -> None:
    calm = Brief(incident=Incident(id="i", title="t", service="shop", alert=Alert(title="check", resolved=True)))
    assert "the alert itself says that all is well" in verdict(replace(case(), brief=calm)).headline
    assert "the alert itself" not in verdict(case()).headline


def test_a_place_is_guessed_from_evidence_only() -> None:
    known = replace(case(symptom().model_copy(update={"services": ("db-1",)})), services=())
    assert "most likely began" not in verdict(known).headline


def test_with_a_report_in_words_only_the_order_to_look_in_is_given_and_nobody_accused() -> None:
    key = "a" * 40
    known = replace(case(), suspects=(SuspectScore(commit=key, score=0.04),))
    found = verdict(known)
    assert (found.kind, found.culprit) == ("inconclusive", None)
    assert key[:12] in found.confidence.reasons[0]
    assert [key[:12] in action.text for action in found.actions] == [False, True]
