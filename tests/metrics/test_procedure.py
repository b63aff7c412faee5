"""What the metrics specialist reports with no model, on incidents with known answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from subagents import quantities as q
from subagents.contract import Alert, Brief, Finding, Incident, SourceSpec, ToolContext, ToolError, ToolResult, Window
from subagents.metrics.agent import build
from subagents.metrics.cite import MetricsResolver
from subagents.metrics.model import CoverageReport, MetricsSummary
from subagents.verifying import Recomputed
from tests.fakes import FakeWorkbench, run_procedure
from tests.metrics.files import brief, long_csv, minute, shifted, spec, steady

Series = Mapping[tuple[str, str], Sequence[float | None]]
SLOW: Series = {
    ("web", "latency_p99_ms"): shifted(90, 900, 22),
    ("web", "requests_per_s"): steady(200),
    ("cart", "latency_p99_ms"): shifted(60, 600, 22),
    ("cart", "cpu_pct"): shifted(10, 95, 21),
    ("ads", "latency_p99_ms"): steady(15),
}
PAGE = Alert(
    title="web is slow", service="web", metric="latency_p99_ms", threshold=500, observed=900, fired_at=minute(25)
)


async def investigate(
    folder: Path, series: Series, alert: Alert | None = None, started: datetime | None = None, topology: str = ""
) -> tuple[FakeWorkbench, MetricsSummary]:
    specs: list[SourceSpec] = [spec(long_csv(folder / "metrics.csv", series))]
    if topology:
        (folder / "topology.csv").write_text(topology)
        specs.append(spec(folder / "topology.csv", "topology"))
    return await run(specs, brief(specs, alert, started))


async def run(specs: Sequence[SourceSpec], given: Brief) -> tuple[FakeWorkbench, MetricsSummary]:
    bench, summary = await run_procedure(build(specs), given)
    assert isinstance(summary, MetricsSummary)
    MetricsSummary.model_validate_json(summary.model_dump_json())
    sound(bench, specs)
    return bench, summary


def sound(bench: FakeWorkbench, specs: Sequence[SourceSpec]) -> None:
    """Every citation came from a tool call, every fact holds, and there are not too many findings."""
    known = {proof.ref for _, _, result in bench.calls for proof in result.citations}
    resolver = MetricsResolver(tuple(specs))
    assert len(bench.reported) <= 12
    for finding in bench.reported:
        assert set(finding.citations) <= known, finding
        assert {fact.citation for fact in finding.facts} <= known, finding
        for fact in finding.facts:
            assert resolver.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit), (finding.claim, fact)


def about(bench: FakeWorkbench, topic: str) -> list[Finding]:
    return [finding for finding in bench.reported if finding.topic == topic]


async def test_a_slow_service_is_measured_ordered_and_placed(tmp_path: Path) -> None:
    bench, summary = await investigate(tmp_path, SLOW, PAGE, topology="caller,callee\nweb,cart\nweb,ads\n")
    symptom = about(bench, "symptom")[0]
    assert symptom.at == minute(22)
    assert symptom.services == ("web",)
    facts = {fact.quantity: fact for fact in symptom.facts}
    assert facts[q.ONSET].value == "2026-03-01T12:22:00Z"
    assert facts[q.BASELINE].unit == "ms"
    assert 9 < float(facts[q.FACTOR].value) < 11
    assert "the alert names latency_p99_ms" in symptom.claim
    assert (summary.state, summary.onset) == ("ongoing", minute(22))
    origin = next(f for f in bench.reported if f.about is not None and f.about.kind == "service")
    assert origin.about is not None
    assert (origin.about.key, origin.stance) == ("cart", "for")
    assert summary.services[0].service == "cart"
    sequence = next(f for f in about(bench, "order") if f.about is None)
    assert sequence.claim.index("cart cpu_pct") < sequence.claim.index("web latency_p99_ms")
    traffic = about(bench, "exclusion")[0]
    assert traffic.stance == "rules_out"
    assert traffic.about is not None
    assert traffic.about.kind == "traffic"
    assert "nothing that hurts on ads" in about(bench, "health")[0].claim
    assert summary.contradictions == ()


async def test_nothing_wrong_is_said_with_numbers(tmp_path: Path) -> None:
    calm: Series = {key: steady(50 + 10 * i) for i, key in enumerate(SLOW)}
    bench, summary = await investigate(tmp_path, calm, PAGE)
    assert summary.healthy
    assert about(bench, "symptom") == []
    health = about(bench, "health")[0]
    assert {fact.quantity for fact in health.facts} == {q.BASELINE, q.LATEST}
    assert any("keeps its baseline" in one.text for one in summary.contradictions)


async def test_a_symptom_that_is_over_is_recovered(tmp_path: Path) -> None:
    back = steady(90)
    back[18:24] = [900.0] * 6
    _, summary = await investigate(tmp_path, {("web", "latency_p99_ms"): back}, PAGE)
    assert summary.state == "recovered"
    assert summary.symptom is not None
    assert summary.symptom.seconds == 360


async def test_a_resource_that_fills_after_the_symptom_is_a_consequence(tmp_path: Path) -> None:
    series: Series = {
        ("web", "latency_p99_ms"): shifted(90, 900, 18),
        ("web", "db_pool_in_use"): shifted(10, 60, 22),
    }
    bench, _ = await investigate(tmp_path, series, PAGE)
    finding = about(bench, "consequence")[0]
    assert finding.stance == "against"
    assert "240 s after the symptom" in finding.claim
    before: Series = {**series, ("web", "db_pool_in_use"): shifted(10, 60, 15)}
    bench, _ = await investigate(tmp_path, before, PAGE)
    assert about(bench, "consequence") == []
    assert any(f.about is not None and f.about.kind == "resource" and f.stance == "for" for f in bench.reported)


async def test_a_traffic_surge_before_the_symptom_is_a_suspect(tmp_path: Path) -> None:
    series: Series = {**SLOW, ("web", "requests_per_s"): shifted(200, 900, 21)}
    bench, summary = await investigate(tmp_path, series, PAGE)
    surge = next(f for f in bench.reported if f.about is not None and f.about.kind == "traffic")
    assert surge.stance == "for"
    assert summary.surge is not None
    assert summary.surge > 4


async def test_the_alert_is_checked_against_the_series(tmp_path: Path) -> None:
    wrong = PAGE.model_copy(update={"observed": 9000.0, "threshold": 5000.0, "fired_at": minute(12), "resolved": True})
    _, summary = await investigate(tmp_path, SLOW, wrong, started=minute(2))
    told = "\n".join(one.text for one in summary.contradictions)
    assert "the alert observed 9000" in told
    assert "was never crossed" in told
    assert "before web latency_p99_ms left its baseline" in told
    assert "impact was said to start at 12:02:00Z" in told
    assert "the alert is resolved, but" in told


async def test_a_threshold_below_the_usual_is_told(tmp_path: Path) -> None:
    low = PAGE.model_copy(update={"threshold": 20.0})
    _, summary = await investigate(tmp_path, SLOW, low)
    assert any("would always fire" in one.text for one in summary.contradictions)


async def test_percent_and_share_do_not_contradict_each_other(tmp_path: Path) -> None:
    series: Series = {("web", "http_5xx_ratio"): [0.002 + 0.0005 * (i % 3) if i < 22 else 0.74 for i in range(30)]}
    alert = Alert(service="web", metric="http_5xx_ratio", observed=74.0, threshold=2.0, fired_at=minute(24))
    _, summary = await investigate(tmp_path, series, alert)
    assert summary.contradictions == ()


async def test_an_alert_about_a_service_without_series_says_so(tmp_path: Path) -> None:
    alert = Alert(title="payments fail", service="payments", fired_at=minute(25))
    _, summary = await investigate(tmp_path, SLOW, alert)
    assert any("payments, of which there is no series" in one.text for one in summary.contradictions)
    assert summary.symptom is not None


async def test_no_metrics_is_a_gap_and_no_crash(tmp_path: Path) -> None:
    bench, summary = await run((), brief((), PAGE))
    gap = about(bench, "gap")[0]
    assert "latency_p99_ms of web" in gap.claim
    assert summary.symptom is None
    assert not summary.healthy


async def test_broken_metrics_are_a_gap_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("one,two\n1,2\n")
    bench, _ = await run((spec(path),), brief((spec(path),)))
    assert "no time column" in about(bench, "gap")[0].claim


@pytest.mark.parametrize(("tool", "done"), [("metrics_coverage", "read"), ("metrics_rank", "analysed")])
async def test_a_tool_that_fails_is_no_lack_of_series(tmp_path: Path, tool: str, done: str) -> None:
    def fails(params: Any, context: ToolContext) -> ToolResult[Any]:
        raise ToolError("the worker was killed")

    specs = (spec(long_csv(tmp_path / "metrics.csv", SLOW)),)
    agent = build(specs)
    tools = tuple(replace(one, run=fails) if one.name == tool else one for one in agent.tools)
    bench, summary = await run_procedure(replace(agent, tools=tools), brief(specs, PAGE))
    assert [one.claim for one in bench.reported] == [f"The metric series could not be {done}: the worker was killed"]
    assert isinstance(summary, MetricsSummary)
    assert summary.gaps == ("the worker was killed",)


async def test_what_a_finding_says_is_not_said_again(tmp_path: Path) -> None:
    bench, _ = await investigate(tmp_path, SLOW, PAGE, topology="caller,callee\nweb,cart\n")
    assert bench.said == []


async def test_half_broken_metrics_are_used_and_told(tmp_path: Path) -> None:
    path = long_csv(tmp_path / "metrics.csv", SLOW)
    path.write_text(path.read_text() + "rubbish\n2026-03-01T12:00:00Z,web,latency_p99_ms,fast\n")
    bench, summary = await run((spec(path),), brief((spec(path),), PAGE))
    assert summary.onset == minute(22)
    assert "metrics.csv:153" in " ".join(f.claim for f in about(bench, "gap"))


async def test_only_traces_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "spans.json"
    path.write_text(
        json.dumps([{"trace_id": "t", "span_id": "1", "service": "cart", "name": "get", "error": "refused"}])
    )
    bench, _ = await run((spec(path, "spans"),), brief((spec(path, "spans"),), PAGE))
    assert "cart get: refused" in about(bench, "errors")[0].claim


async def test_a_window_far_from_the_data_falls_back_to_the_data(tmp_path: Path) -> None:
    specs = (spec(long_csv(tmp_path / "metrics.csv", SLOW)),)
    window = Window(start=minute(0) + timedelta(days=40), end=minute(30) + timedelta(days=40))
    given = Brief(incident=Incident(id="i", title="slow", window=window), sources=specs)
    _, summary = await run(specs, given)
    assert summary.onset == minute(22)


async def test_it_says_the_same_every_time(tmp_path: Path) -> None:
    first, _ = await investigate(tmp_path, SLOW, PAGE)
    second, _ = await investigate(tmp_path, SLOW, PAGE)
    assert [f.id for f in first.reported] == [f.id for f in second.reported]


async def test_a_resource_that_filled_first_is_told_before_one_that_moved_more(tmp_path: Path) -> None:
    filling = [min(16.0, max(0.0, 1.6 * (index - 12))) + index * 7 % 5 / 4 for index in range(30)]
    series: Series = {
        ("web", "latency_p99_ms"): shifted(90, 900, 22),
        ("web", "cpu_pct"): shifted(10, 95, 22),
        ("web", "slot_pool_in_use"): filling,
    }
    bench, _ = await investigate(tmp_path, series, PAGE)
    told = [f for f in bench.reported if f.about is not None and f.about.kind == "resource"]
    assert [f.about.key for f in told if f.about is not None] == ["web/slot_pool_in_use"]
    assert "before the symptom" in told[0].claim


async def test_how_a_source_was_read_is_no_loss(tmp_path: Path) -> None:
    path = long_csv(tmp_path / "metrics.csv", SLOW)
    path.write_text(path.read_text().replace("2026-03-01T", "01/03/2026 ").replace("Z,", ","))
    bench, _ = await run((spec(path),), brief((spec(path),), PAGE))
    told = " ".join(f.claim for f in about(bench, "gap"))
    assert "How metric sources were read: metrics.csv: dates like 10/09/2025 are read month first" in told
    assert "not wholly usable" not in told


async def test_series_of_no_service_accuse_none(tmp_path: Path) -> None:
    rows = [f"{minute(n):%Y-%m-%dT%H:%M:%SZ},{value}" for n, value in enumerate(shifted(0.004, 0.2, 22))]
    (tmp_path / "m.csv").write_text("\n".join(["timestamp,error_rate", *rows]) + "\n")
    specs = [spec(tmp_path / "m.csv")]
    bench, summary = await run(specs, brief(specs))
    assert summary.symptom is not None
    assert [finding.claim for finding in bench.reported if finding.about is not None and not finding.about.key] == []


@pytest.mark.parametrize(("observed", "settled"), [(900, False), (None, True), (9000, True)])
async def test_what_stands_as_high_as_the_alert_saw_from_the_first_point_on_is_not_called_well(
    tmp_path: Path, observed: float | None, settled: bool
) -> None:
    always = {("web", "latency_p99_ms"): steady(900), ("web", "requests_per_s"): steady(200)}
    alert = PAGE.model_copy(update={"observed": observed})
    bench, summary = await investigate(tmp_path, always, alert)
    assert summary.healthy is settled
    assert bool(about(bench, "health")) is settled
    assert ("it began before the data does" in summary.unsettled) is not settled
    assert bool(summary.contradictions) is settled


@pytest.mark.parametrize("gone", ["web", "ads"])
async def test_that_all_series_of_the_paged_service_end_is_said_and_settles_nothing(tmp_path: Path, gone: str) -> None:
    calm: Series = {(name, "requests_per_s"): steady(200) for name in ("web", "cart", "ads")}
    cut = {key: values[:20] if key[0] == gone else values for key, values in calm.items()}
    alert = PAGE.model_copy(update={"metric": "requests_per_s", "observed": 0.0, "threshold": 5.0})
    bench, summary = await investigate(tmp_path, cut, alert)
    told = "Every series of web ends at 12:19:00Z" in summary.unsettled
    assert (told, summary.healthy) == ((True, False) if gone == "web" else (False, True))
    assert not [one for one in summary.contradictions if "points at cart" in one.text], "another service is not meant"
    coverage = next(result.data for name, _, result in bench.calls if name == "metrics_coverage")
    assert isinstance(coverage, CoverageReport)
    assert [one.service for one in coverage.ceased] == [gone]


@pytest.mark.parametrize(
    ("more", "dark"),
    [
        ({}, ("cart", "stock")),
        ({("cart", "requests_per_s"): steady(200)}, ()),
        ({("web", "cpu_pct"): shifted(10, 95, 21)}, ()),
    ],
    ids=["nothing of them", "one is measured", "work of its own"],
)
async def test_callees_of_the_first_that_no_series_is_of_are_told(
    tmp_path: Path, more: Series, dark: tuple[str, ...]
) -> None:
    alone: Series = {("web", "latency_p99_ms"): shifted(90, 900, 22), ("web", "requests_per_s"): steady(200), **more}
    _, summary = await investigate(tmp_path, alone, PAGE, topology="caller,callee\nweb,cart\nweb,stock\n")
    assert summary.services[0].service == "web"
    assert summary.dark == dark
