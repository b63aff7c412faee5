"""The lines at the top: what is broken, since when, who is affected, what to do first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rich.cells import cell_len

from orchestrator.journal.verdict import IncidentState, Symptom
from subagents.contract import Alert, Fact
from tests.tui.story import (
    METRIC,
    ONSET,
    Teller,
    at_work,
    bounded,
    finished,
    opened,
    verdict,
    view_of,
)
from tests.tui.story import symptom as symptom_finding
from tui.views.incident import answer, header, symptom, symptom_numbers
from tui.views.paint import text_of


def test_the_header_fits_and_keeps_what_matters() -> None:
    view = view_of(finished())
    for width in (60, 80, 100, 200):
        said = text_of(header(view.incident, view.clock.now(), width))
        assert "INC-7" in said
        assert "1 approval" in said
        assert "waits for you" in said
        assert len(said) <= width


def test_however_long_names_are_the_header_keeps_how_it_stands() -> None:
    tell = Teller()
    names = {"id": "a-folder-that-has-a-name-of-many-words-e0ed42", "title": "The order backend answers with errors"}
    incident = opened().incident.model_copy(update=names)
    view = view_of([tell(opened().model_copy(update={"incident": incident}))])
    for width in (60, 80, 100, 120):
        said = text_of(header(view.incident, view.clock.now(), width))
        assert "not started 00:00" in said
        assert said.endswith("no approvals")
        assert said.startswith("a-folder-")
        assert "The o" in said
        assert len(said) <= width


def test_the_header_says_what_was_spent_where_there_is_room() -> None:
    view = view_of(bounded())
    assert view.meter() == "$4.80 of $5.00 · 1 turn · 0 of 9 tool calls"
    for width, most in ((60, ""), (80, ""), (100, "$4.80 of $5.00"), (200, view.meter())):
        said = text_of(header(view.incident, view.clock.now(), width, "", view.meter()))
        assert most in said
        assert "budget reached" in said
        assert len(said) <= width
    assert view_of(finished()).meter() == ""


def test_the_symptom_is_in_numbers_from_the_finding_and_then_from_the_verdict() -> None:
    early, late = view_of(at_work()), view_of(finished())
    numbers = symptom_numbers(early.incident)
    assert numbers is not None
    assert (numbers.service, numbers.metric, numbers.onset) == ("shop", "error_ratio", ONSET)
    assert (numbers.baseline, numbers.peak, numbers.factor) == ("0.2 %", "12.2 %", "61")
    said = text_of(symptom(late.incident, 200))
    assert "▁▁" in said
    for part in ("ongoing", "since 09:08:00 UTC", "0.2 % to 12.2 % (61x)", "affects shop, billing"):
        assert part in said


@pytest.mark.parametrize("services", [("shop", "billing"), ("shop",), tuple(f"a-service-called-{n}" for n in range(9))])
@pytest.mark.parametrize("width", [60, 80, 99, 100, 120, 160, 200])
def test_since_when_and_who_is_affected_are_there_at_every_width(width: int, services: tuple[str, ...]) -> None:
    fold = view_of(finished()).incident
    fold.verdict = verdict().model_copy(update={"affected": services})
    said = text_of(symptom(fold, width))
    assert len(said) <= width
    assert "since 09:08:00 UTC" in said
    named = f"affects {', '.join(services)}" in said
    assert named or ("affects it alone" if services == ("shop",) else "affects 9 services") in said or "…" in said
    assert "affects" in said
    if width >= 80:
        assert "61x" in said or "0.2 % to 12.2 %" in said, "how large"


def test_large_numbers_stand_in_full() -> None:
    facts = tuple(Fact(quantity=name, value=value, citation=METRIC) for name, value in
                  (("baseline", 251142.4), ("peak", 245126000.0), ("factor", 1976.045)))  # fmt: skip
    fold = view_of(finished()).incident
    shows = Symptom(text="s", facts=facts, citations=(METRIC,))
    fold.verdict = verdict().model_copy(update={"symptom": shows})
    assert "251142 to 245126000 (1976x)" in text_of(symptom(fold, 200))


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 160, 200])
def test_names_of_wide_characters_leave_room_for_the_rest(width: int) -> None:
    wide = "支払いサービス決済が遅い" * 6
    fold = view_of([Teller()(opened(wide))]).incident
    shows = Symptom(text="errors", service=wide, metric="error_ratio", onset=ONSET, facts=symptom_finding().facts)
    fold.verdict = verdict().model_copy(update={"symptom": shows, "affected": (wide,)})
    for said, last in ((header(fold, ONSET, width), "no approvals"), (symptom(fold, width), "affects it alone")):
        assert cell_len(text_of(said)) <= width
        assert text_of(said).endswith(last)


@pytest.mark.parametrize(
    ("state", "days", "words"),
    [
        ("ongoing", 0, "ongoing since 09:08:00 UTC"),
        ("recovered", 0, "recovered, began 09:08:00 UTC"),
        ("recovering", 3, "recovering, began 2026-03-26 09:08:00 UTC"),
        ("unknown", 3, "ongoing? since 2026-03-26 09:08:00 UTC"),
    ],
)
def test_an_onset_of_another_day_than_the_session_has_its_day(state: str, days: int, words: str) -> None:
    fold = view_of(finished()).incident
    onset = ONSET - timedelta(days=days)
    shows = Symptom(text="errors", service="shop", metric="error_ratio", onset=onset)
    stands = IncidentState.model_validate({"state": state})
    fold.verdict = verdict().model_copy(update={"state": stands, "symptom": shows})
    assert words in text_of(symptom(fold, 200))
    assert words.replace("2026-", "") in text_of(symptom(fold, 80))


@pytest.mark.parametrize(
    ("summary", "words"),
    [("5xx above 5 %", "the alert says: 5xx above 5 %"), ("checkout answers 5xx", "no symptom measured yet")],
)
def test_the_alert_is_quoted_where_it_says_more_than_the_title(summary: str, words: str) -> None:
    alert = Alert(title="checkout answers 5xx", summary=summary)
    fold = view_of([Teller()(opened(alert=alert))]).incident
    assert text_of(symptom(fold, 120)) == words
    fold.verdict = verdict().model_copy(update={"symptom": None})
    assert "yet" not in text_of(symptom(fold, 120))


def test_what_is_not_known_of_the_symptom_is_said_once_and_in_words() -> None:
    fold = view_of(finished()).incident
    unknown = IncidentState(state="unknown")
    fold.verdict = verdict().model_copy(update={"state": unknown, "affected": (), "symptom": None})
    fold.symptom = symptom_finding().model_copy(update={"at": None})
    for width in (80, 120, 200):
        said = text_of(symptom(fold, width))
        assert "ongoing? onset unknown" in said
        assert said.endswith("affected: not known")
        assert len(said) <= width


def test_the_answer_names_the_cause_and_the_first_thing_to_do() -> None:
    view = view_of(finished())
    cause, then = (text_of(one) for one in answer(view.incident, view.leading))
    assert cause == "CAUSE  87% sure  shop: 4be100000000 “Tune the connection pool” by Ada"
    assert then == "NEXT  roll shop back to v41  $ deployctl rollback shop v41"
    early = view_of(at_work())
    assert "leading  4be100000000" in text_of(answer(early.incident, early.leading)[0])
    nothing = view_of([Teller()(opened())])
    assert "no verdict" in text_of(answer(nothing.incident, nothing.leading)[0])


def test_an_open_case_tells_the_place_before_the_line_is_full() -> None:
    view = view_of(finished())
    known = "most likely began at stock (92%); no lead"
    said = f"shop: trouble since 2026-03-01 12:00:00 UTC: cause not established; {known}"
    view.incident.verdict = verdict().model_copy(update={"kind": "inconclusive", "headline": said, "gist": known})
    cause = text_of(answer(view.incident, view.leading)[0])
    assert cause == f"INCONCLUSIVE  87% of the way  {known}"
    assert "stock" in cause[:80]
    view.incident.verdict = view.incident.verdict.model_copy(update={"gist": ""})
    assert text_of(answer(view.incident, view.leading)[0]).endswith(said), (
        "what a model concludes has only its headline"
    )


def test_a_series_that_fell_a_little_is_told_by_its_levels_not_by_once() -> None:
    fold = view_of(finished()).incident
    fell = (("baseline", 100.0), ("peak", 98.79), ("factor", 1.0122))
    facts = tuple(Fact(quantity=name, value=value, citation=METRIC) for name, value in fell)
    fold.verdict = verdict().model_copy(update={"symptom": Symptom(text="s", facts=facts, citations=(METRIC,))})
    for width in (80, 200):
        said = text_of(symptom(fold, width))
        assert "1.01x" not in said
        assert "100 to 98.79" in said
