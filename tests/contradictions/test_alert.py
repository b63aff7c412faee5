"""What an alert claims of the series is checked, with facts that the checker counts again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orchestrator.verdict.claim_numbers import mismatch
from subagents import quantities as q
from subagents.contract import Alert, Fact, ToolError, Window
from subagents.contradiction import Contradiction
from subagents.metrics.agent import build
from subagents.metrics.alert_words import said_growth
from subagents.metrics.cite import MetricsResolver
from subagents.metrics.model import MetricsSummary
from tests.fakes import run_procedure
from tests.metrics.files import brief, long_csv, minute, shifted, spec, steady

Series = Mapping[tuple[str, str], Sequence[float | None]]
FAILING: Series = {("till", "http_5xx_pct"): shifted(0.2, 1.1, 22), ("till", "requests_per_s"): steady(200)}


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("5xx went from 0.2 % to 11 % within minutes", 55.0),
        ("p99 rose from 120 ms to 2,4 s", None),
        ("latency is 10x its usual", 10.0),
        ("errors are 12 times higher", 12.0),
        ("a 3-fold rise of refusals", 3.0),
        ("HTTP 5xx above 2 %", None),
        ("two of 16 x86 machines are down", None),
        ("fell from 90 % to 20 %", None),
        ("from 12:00 to 12:30 UTC", None),
        ("retried 3 times, then gave up", None),
    ],
)
def test_growth_is_read_only_where_it_is_said(text: str, factor: float | None) -> None:
    said = said_growth(text)
    assert (round(said.factor, 3) if said else None) == factor


async def clashes(folder: Path, alert: Alert, series: Series = FAILING) -> tuple[Contradiction, ...]:
    specs = [spec(long_csv(folder / "metrics.csv", series))]
    bench, summary = await run_procedure(build(specs), brief(specs, alert))
    assert isinstance(summary, MetricsSummary)
    known = {proof.ref for _, _, result in bench.calls for proof in result.citations}
    resolver = MetricsResolver(tuple(specs))
    for one in summary.contradictions:
        assert set(one.citations) <= known
        assert one.facts or one.kind == "alert and sources"
        for fact in one.facts:
            data = resolver.recompute(fact)
            assert data is not None
            assert mismatch(fact, data) is None
            false = fact.model_copy(update={"value": "2026-03-01T09:00:00Z"})
            if not isinstance(fact.value, str):
                false = fact.model_copy(update={"value": fact.value * 1.5 + 1})
            assert mismatch(false, data) is not None, "a number that is not the data's is refused"
    return summary.contradictions


async def test_an_alert_that_overstates_the_growth_is_told(tmp_path: Path) -> None:
    alert = Alert(title="5xx of till", summary="from 0.2 % to 11 %", service="till", metric="http_5xx_pct",
                  fired_at=minute(25))  # fmt: skip
    found = await clashes(tmp_path, alert)
    assert [one.kind for one in found] == ["alert and series"]
    assert "the alert says from 0.2 % to 11 %; till http_5xx_pct went from 0.2012 % to 1.12" in found[0].text
    assert {fact.quantity for fact in found[0].facts} == {q.BASELINE, q.PEAK, q.FACTOR}


async def test_an_alert_that_is_right_or_modest_contradicts_nothing(tmp_path: Path) -> None:
    for summary in ("from 0.2 % to 1.1 %", "5x its usual", "3 times higher than usual", ""):
        alert = Alert(title="5xx", summary=summary, service="till", metric="http_5xx_pct", fired_at=minute(25))
        assert await clashes(tmp_path, alert) == ()


async def test_a_service_that_did_not_move_contradicts_the_alert_and_one_that_drifts_does_not(tmp_path: Path) -> None:
    alert = Alert(title="till is slow", service="till", fired_at=minute(25))
    calm: Series = {("till", "latency_p99_ms"): steady(90), ("web", "latency_p99_ms"): shifted(90, 900, 22)}
    assert "till latency_p99_ms, which keeps its baseline" in (await clashes(tmp_path, alert, calm))[0].text
    drifts: Series = {**calm, ("till", "latency_p99_ms"): [*steady(90)[:27], 140.0, 150.0, 160.0]}
    assert await clashes(tmp_path, alert, drifts) == ()


def test_levels_are_counted_again_and_false_ones_refused(tmp_path: Path) -> None:
    specs = (spec(long_csv(tmp_path / "m.csv", {("till", "requests_per_s"): shifted(200, 204, 22)})),)
    resolver = MetricsResolver(specs)
    ref = "metric:m.csv/till/requests_per_s@2026-03-01T12:00:00Z..2026-03-01T12:29:00Z"
    since = Window(start=minute(22), end=minute(40))
    said = Fact(quantity=q.LEVEL_RATIO, value=1.01, citation=ref, window=since)
    data = resolver.recompute(said)
    assert data is not None
    assert mismatch(said, data) is None
    assert mismatch(said.model_copy(update={"value": 1.2}), data) is not None
    with pytest.raises(ToolError, match="window"):
        resolver.recompute(said.model_copy(update={"window": None}))
    early = Window(start=minute(0), end=minute(40))
    with pytest.raises(ToolError, match="no point before"):
        resolver.recompute(said.model_copy(update={"window": early}))
