"""Logs against metrics, clock against clock, a diff's reach against the symptom's: said where so, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.verdict.contradictions.clocks import Named, early_versions, skewed_logs
from orchestrator.verdict.contradictions.logs_metrics import ErrorSeries, LoggedErrors, logs_against_metrics
from orchestrator.verdict.contradictions.reach import unreached
from subagents import quantities as q
from subagents.contract import Fact, Problem, SourceSpec, Window

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SINCE = Window(start=NOON, end=NOON + timedelta(hours=1))
SERIES = "metric:m.csv/till/http_5xx_pct@2026-03-01T11:00:00Z..2026-03-01T13:00:00Z"
LINE = "log:till.log@0+1"


def levels(before: float, after: float) -> tuple[Fact, ...]:
    made = ((q.LEVEL_BEFORE, before), (q.LEVEL_AFTER, after), (q.LEVEL_RATIO, after / before))
    return tuple(Fact(quantity=name, value=value, unit="%", citation=SERIES, window=SINCE) for name, value in made)


def series(size: float, after: float = 0.2, onset: datetime | None = None) -> ErrorSeries:
    at = Fact(quantity=q.ONSET, value=onset.isoformat(), citation=SERIES) if onset else None
    return ErrorSeries("till", "http_5xx_pct", SERIES, size, levels(0.2, after), at)


def logged(count: int, expected: float | None, first: datetime = NOON) -> LoggedErrors:
    def fact(quantity: str, value: float | str) -> Fact:
        return Fact(quantity=quantity, value=value, unit="severe events", citation=LINE, window=SINCE)

    was = fact(q.BASELINE_COUNT, expected) if expected is not None else None
    return LoggedErrors("till", fact(q.COUNT, count), was, fact(q.FIRST_SEEN, first.isoformat()))


def test_errors_that_only_the_logs_show_are_told_with_both_numbers() -> None:
    (found,) = logs_against_metrics([series(0.4)], [logged(800, 3.0)], {})
    assert found.kind == "logs and metrics"
    assert found.text == (
        "till logged 800 severe events where 3 were expected, and till http_5xx_pct (0.2 -> 0.2 %) does not show them"
    )
    assert {fact.quantity for fact in found.facts} >= {q.COUNT, q.BASELINE_COUNT, q.LEVEL_BEFORE, q.LEVEL_AFTER}
    assert found.citations == (LINE, SERIES)


@pytest.mark.parametrize(
    ("size", "after", "count", "expected"),
    [
        (9.0, 4.0, 800, 3.0),
        (0.9, 0.3, 800, 3.0),
        (0.4, 0.2, 12, 1.0),
        (0.4, 0.2, 800, 700.0),
        (0.4, 0.2, 800, None),
    ],
    ids=["both rise", "it grew, if little", "few", "no more than usual", "nothing before"],
)
def test_what_agrees_or_cannot_be_told_is_no_contradiction(
    size: float, after: float, count: int, expected: float | None
) -> None:
    assert list(logs_against_metrics([series(size, after)], [logged(count, expected)], {})) == []
    other = replace(series(0.1), service="mail")
    assert list(logs_against_metrics([other], [logged(800, 3.0)], {})) == [], "another service's series says nothing"


def test_a_series_that_left_its_level_for_a_while_shows_them_whatever_its_medians_say() -> None:
    for one in (replace(series(0.4), stirred=True), series(0.4, onset=NOON)):
        assert list(logs_against_metrics([one], [logged(800, 3.0)], {})) == []


def test_errors_that_only_the_series_shows_are_told_where_the_service_logs() -> None:
    (found,) = logs_against_metrics([series(12.0, 8.0)], [], {"till": LINE})
    assert "leaves its baseline, and the logs of till show no more errors" in found.text
    assert list(logs_against_metrics([series(12.0, 8.0)], [], {})) == []


def test_onsets_far_apart_are_told_and_near_ones_are_not() -> None:
    late = NOON + timedelta(minutes=40)
    (found,) = logs_against_metrics([series(12.0, 8.0, onset=late)], [logged(800, 3.0)], {})
    assert "begin at 12:00:00 UTC in its logs, and at 12:40:00 UTC in http_5xx_pct" in found.text
    near = NOON + timedelta(minutes=3)
    assert list(logs_against_metrics([series(12.0, 8.0, onset=near)], [logged(800, 3.0)], {})) == []


def test_a_version_that_runs_before_it_was_deployed_is_a_clock_that_is_off() -> None:
    named = Named("till", "v42", NOON, "deploy:deploys.json#d7", NOON - timedelta(minutes=6), LINE)
    (found,) = early_versions([named])
    assert found.kind == "clocks"
    assert {fact.quantity: fact.citation for fact in found.facts} == {
        q.DEPLOYED_AT: "deploy:deploys.json#d7",
        q.FIRST_SEEN: LINE,
    }
    assert list(early_versions([replace(named, said=NOON - timedelta(seconds=90))])) == []


def test_a_log_in_another_zone_is_cited_by_its_first_line() -> None:
    spec = SourceSpec(id="till.log", kind="logs", path="/x/till.log", origin="till.log")
    (found,) = skewed_logs([Problem(what="its times lie 2 h after the others", where="till.log")], [spec])
    assert found.citations == ("log:till.log@0+1",)


EDGES = (("web", "till"), ("till", "ledger"), ("web", "search"), ("search", "index"), ("mail", "smtp"))
CHANGE = ("commit 1234567 “x”", ("commit:repo/1234567", "deploy:d#1"))


def test_a_symptom_where_nothing_leads_from_the_change_is_told() -> None:
    found = unreached(CHANGE, ["till"], {"till": (LINE,), "mail": ("log:mail.log@0+1",)}, EDGES)
    assert found is not None
    assert "runs in till only, and mail fails too" in found.text
    assert found.citations == ("commit:repo/1234567", "deploy:d#1", "log:mail.log@0+1")


@pytest.mark.parametrize(
    ("runs_in", "failing"),
    [(["till"], "web"), (["till"], "ledger"), (["till"], "unheard"), (["unheard"], "mail"), ([], "mail")],
    ids=["a caller waits", "a callee is loaded", "not in the graph", "it runs outside of the graph", "not known where"],
)
def test_where_it_may_reach_or_nobody_knows_nothing_is_said(runs_in: list[str], failing: str) -> None:
    assert unreached(CHANGE, runs_in, {failing: (LINE,)}, EDGES) is None
