"""Logs against traces: failures that no trace shows, or that only traces show; samples and usual noise say nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.verdict.contradictions.logs_metrics import LoggedErrors
from orchestrator.verdict.contradictions.logs_traces import LoggedPeer, logs_against_traces
from subagents import quantities as q
from subagents.contract import Fact, Window
from subagents.contradiction import Contradiction
from subagents.metrics.model import TracedView, spans_unit
from tests.engines.incidents import BROKEN, MINUTES, Story, desk_of, investigated, level, stamp

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SINCE = Window(start=NOON, end=NOON + timedelta(hours=1))
LINE, TRACE = "log:till.log@0+1", "trace:spans.json#t1"


def seen(spans: int, failed: int, service: str = "till", caller: str | None = None) -> TracedView:
    unit = spans_unit(service, caller or "")
    numbers = ((q.SPANS, spans), (q.FAILED_SPANS, failed))
    facts = tuple(Fact(quantity=n, value=v, unit=unit, citation=TRACE, window=SINCE) for n, v in numbers)
    return TracedView(service=service, caller=caller, spans=spans, failed=failed, citation=TRACE, facts=facts)


def count(value: int, quantity: str = q.COUNT) -> Fact:
    return Fact(quantity=quantity, value=value, unit="severe events", citation=LINE, window=SINCE)


def logged(value: int, expected: int | None = 3) -> LoggedErrors:
    return LoggedErrors("till", count(value), None if expected is None else count(expected, q.BASELINE_COUNT))


def clash(
    *traced: TracedView,
    errors: LoggedErrors | None = None,
    peer: LoggedPeer | None = None,
    quiet: dict[str, str] | None = None,
) -> list[Contradiction]:
    return list(logs_against_traces(traced, [errors] if errors else [], [peer] if peer else [], quiet or {}))


def test_errors_that_no_trace_shows_are_told_with_both_numbers() -> None:
    (found,) = clash(seen(40, 0), errors=logged(800))
    assert (found.kind, found.citations) == ("logs and traces", (LINE, TRACE))
    assert found.text == (
        "till logged 800 severe events where 3 were expected, and none of its 40 spans since the onset failed"
    )
    assert {fact.quantity for fact in found.facts} == {q.COUNT, q.BASELINE_COUNT, *q.TRACED}


@pytest.mark.parametrize(
    ("view", "errors"),
    [
        (seen(40, 1), logged(800)),
        (seen(19, 0), logged(800)),
        (seen(40, 0, "mail"), logged(800)),
        (seen(40, 0, "till", "web"), logged(800)),
        (seen(9000, 0), logged(800)),
        (seen(40, 0), logged(800, 700)),
        (seen(40, 0), logged(800, None)),
    ],
    ids=["one failed", "a few samples", "another's", "one caller's", "far more requests", "as usual", "nothing before"],
)
def test_what_agrees_or_cannot_be_told_is_no_contradiction(view: TracedView, errors: LoggedErrors) -> None:
    assert clash(view, errors=errors) == []


def test_a_peer_that_answers_by_the_traces_and_fails_by_the_logs_is_told_for_that_call_only() -> None:
    peer = LoggedPeer("till", "stock", "service does not answer", count(300), count(2, q.BASELINE_COUNT))
    (found,) = clash(seen(50, 0, "stock", "till"), peer=peer)
    assert found.text == (
        "till logs that stock fails (service does not answer, 300 events), and none of the 50 calls from till to stock "
        "in the traces failed"
    )
    for other in (
        seen(50, 2, "stock", "till"),
        seen(50, 0, "stock", "web"),
        seen(50, 0, "stock"),
        seen(9, 0, "stock", "till"),
    ):
        assert clash(other, peer=peer) == []
    usual = LoggedPeer("till", "stock", "service does not answer", count(300), count(290, q.BASELINE_COUNT))
    assert clash(seen(50, 0, "stock", "till"), peer=usual) == []


def test_failed_spans_of_a_service_that_logs_and_logs_nothing_of_them() -> None:
    quiet = {"till": LINE}
    (found,) = clash(seen(12, 9), quiet=quiet)
    assert found.text == (
        "9 of 12 spans of till failed since the onset, and no call that it makes; the logs of till show no more errors "
        "than before"
    )
    assert clash(seen(12, 2), quiet=quiet) == [], "one or two need not be logged"
    assert clash(seen(12, 9)) == [], "nobody read its logs"
    assert clash(seen(12, 9), seen(12, 9, "stock", "till"), quiet=quiet) == [], "it fails for what it calls"


# -- whole sessions -------------------------------------------------------------------------------


def spans(ends: str, error: str = "") -> list[dict[str, object]]:
    """A request of `web` through `pay` every half minute; from the trouble on, pay's end so."""
    made: list[dict[str, object]] = []
    for at in range(2 * MINUTES):
        end = ends if at >= 2 * BROKEN else "OK"
        told = {"error": error} if error and at >= 2 * BROKEN else {}
        trace = f"t{at}"
        common = {"trace_id": trace, "start": stamp(at / 2), "duration_ms": 20}
        made.append({**common, "span_id": "a", "service": "web", "name": "GET /pay", "status": "OK"})
        made.append(
            {**common, "span_id": "b", "parent_id": "a", "service": "pay", "name": "Pay", "status": end, **told}
        )
    return made


LINES = ("ERROR cannot write the receipt of order 17", "ERROR cannot write the receipt of order 4")


async def test_a_whole_session_tells_it_with_facts_that_are_counted_again(tmp_path: Path) -> None:
    desk, verdict = await desk_of(tmp_path, Story(lines=LINES, spans=spans("OK")))
    told = [one for one in verdict.contradictions if "spans" in one.text]
    assert len(told) == 1
    assert "none of its 40 spans since the onset failed" in told[0].text
    by_name = {fact.quantity: fact for fact in told[0].facts}
    assert (by_name[q.SPANS].value, by_name[q.FAILED_SPANS].value) == (40, 0)
    assert told[0].text in verdict.confidence.against
    assert (await desk.claims.check_verdict(verdict)) == ()


async def test_errors_that_no_series_shows_are_told_where_the_metrics_have_no_symptom(tmp_path: Path) -> None:
    flat = {("pay", "http_5xx_ratio"): level(0.002)}
    verdict = await investigated(tmp_path, Story(lines=LINES, series=flat))
    told = [one.text for one in verdict.contradictions if "does not show them" in one.text]
    assert len(told) == 1, verdict.contradictions
    assert "http_5xx_ratio" in told[0]


@pytest.mark.parametrize("ends", ["ERROR", "STATUS_CODE_ERROR", "503", "BROKEN_SOMEHOW"])
async def test_spans_that_fail_or_end_nobody_knows_how_contradict_nothing(tmp_path: Path, ends: str) -> None:
    verdict = await investigated(tmp_path, Story(lines=LINES, spans=spans(ends)))
    assert [one.text for one in verdict.contradictions if "spans" in one.text] == []
