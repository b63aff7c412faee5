"""The tools over files, and that whatever they cite opens again with the same digest."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pydantic import ValidationError

from subagents import citations
from subagents.contract import EXCERPT_LIMIT, Evidence, Params, SourceSpec, ToolContext, ToolError, ToolResult
from subagents.metrics.agent import build
from subagents.metrics.cite import thinned
from subagents.metrics.model import (
    CompareReport,
    CoverageReport,
    EdgesReport,
    OnsetsReport,
    RankReport,
    SeriesReport,
)
from subagents.metrics.params import (
    CompareParams,
    CoverageParams,
    EdgesParams,
    OnsetsParams,
    RankParams,
    SeriesParams,
)
from subagents.specialist import Agent
from tests.fakes import FakeClock
from tests.metrics.files import long_csv, minute, shifted, spec, steady

SERIES: Mapping[tuple[str, str], list[float]] = {
    ("web", "latency_p99_ms"): shifted(90, 900, 22),
    ("cart", "latency_p99_ms"): shifted(60, 600, 22),
    ("cart", "cpu_pct"): shifted(10, 95, 21),
    ("ads", "latency_p99_ms"): steady(15),
    ("web", "requests_per_s"): steady(200),
}


@pytest.fixture
def specs(tmp_path: Path) -> tuple[SourceSpec, ...]:
    topology = tmp_path / "topology.csv"
    topology.write_text("caller,callee,calls\nweb,cart,100\nweb,ads,40\n")
    spans = tmp_path / "spans.json"
    spans.write_text(
        json.dumps(
            [
                {"trace_id": "t1", "span_id": "1", "service": "web", "name": "GET /", "start": minute(23).isoformat()},
                {
                    "trace_id": "t1",
                    "span_id": "2",
                    "parent_id": "1",
                    "service": "cart",
                    "name": "get",
                    "start": minute(23).isoformat(),
                    "error": "deadline exceeded",
                },
            ]
        )
    )
    metrics = long_csv(tmp_path / "metrics.csv", SERIES)
    return (spec(metrics), spec(topology, "topology"), spec(spans, "spans"))


def call(agent: Agent, name: str, params: Params) -> ToolResult[Any]:
    tool = next(t for t in agent.tools if t.name == name)
    result: ToolResult[Any] = tool.run(params, ToolContext(key="k", clock=FakeClock()))
    data = tool.result.model_validate_json(result.need().model_dump_json())
    assert data == result.data, "results survive the journal"
    return result


def resolves(agent: Agent, proofs: tuple[Evidence, ...]) -> None:
    assert agent.resolver is not None
    assert proofs
    for proof in proofs:
        again = agent.resolver.resolve(proof.ref)
        assert (again.ref, again.digest, again.excerpt) == (proof.ref, proof.digest, proof.excerpt)


def test_every_tool_is_named_flat_and_run_in_a_worker(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    assert agent.cites == ("metric", "trace")
    for tool in agent.tools:
        assert tool.name.startswith("metrics_")
        assert tool.worker
        assert tool.effect == "read"
        for field in tool.schema()["properties"].values():
            kinds = [field.get("type"), *(option.get("type") for option in field.get("anyOf", ()))]
            assert "object" not in kinds, "arguments are flat"


def test_building_imports_no_analysis() -> None:
    code = (
        "import sys; from subagents.metrics.agent import build; build(()); "
        "print(any(name in sys.modules for name in ('numpy', 'polars')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_coverage_says_what_there_is(specs: tuple[SourceSpec, ...]) -> None:
    report = cast(CoverageReport, call(build(specs), "metrics_coverage", CoverageParams()).need())
    assert report.series == 5
    assert report.services == ("ads", "cart", "web")
    assert dict(report.roles)["latency"] == 3
    assert (report.edges, report.spans) == (2, 2)
    assert report.span is not None
    assert report.span.start == minute(0)


def test_coverage_names_holes_that_all_series_share(tmp_path: Path) -> None:
    holed = [None if 10 <= i < 14 else v for i, v in enumerate(steady(50))]
    path = long_csv(tmp_path / "m.csv", {("a", "rps"): holed, ("b", "rps"): holed})
    report = cast(CoverageReport, call(build((spec(path),)), "metrics_coverage", CoverageParams()).need())
    assert "no points of any series from 2026-03-01 12:09:00Z to 12:14:00Z" in report.sources[0].problems[0].what


def test_one_series_with_bounded_points(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    result = call(agent, "metrics_series", SeriesParams(service="cart", name="cpu_pct", points=10))
    report = cast(SeriesReport, result.need())
    assert len(report.points) == 10
    assert report.cut == 20
    assert report.view.onset == minute(21)
    assert report.view.role == "saturation"
    resolves(agent, result.citations)


def test_a_series_that_is_not_there_is_told_with_those_that_are(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    with pytest.raises(ToolError, match=r"there are: cpu_pct, latency_p99_ms"):
        call(agent, "metrics_series", SeriesParams(service="cart", name="rps"))
    with pytest.raises(ToolError, match=r"measured on 3 services: name one of ads, cart, web"):
        call(agent, "metrics_series", SeriesParams(name="latency_p99_ms"))
    with pytest.raises(ToolError, match=r"no metric points in that window: the series cover 2026-03-01 12:00:00 to "):
        call(agent, "metrics_series", SeriesParams(name="cpu_pct", start=minute(900), end=minute(950)))
    with pytest.raises(ToolError, match=r"attach metrics\.csv"):
        call(build(()), "metrics_onsets", OnsetsParams())


def test_bounds_are_kept_by_the_arguments() -> None:
    with pytest.raises(ValidationError):
        SeriesParams(name="x", points=100_000)
    with pytest.raises(ValidationError):
        OnsetsParams.model_validate({"start": "2026-03-01T12:00:00"})


def test_onsets_are_in_order_and_say_what_did_not_move(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    result = call(agent, "metrics_onsets", OnsetsParams())
    report = cast(OnsetsReport, result.need())
    assert (report.moved[0].service, report.moved[0].name) == ("cart", "cpu_pct")
    assert {v.onset for v in report.moved[1:]} == {minute(22)}
    assert report.still == 2
    assert report.still_services == ("ads",)
    resolves(agent, result.citations)
    few = cast(OnsetsReport, call(agent, "metrics_onsets", OnsetsParams(limit=1)).need())
    assert (len(few.moved), few.more) == (1, 2)


def test_rank_finds_the_symptom_its_onset_and_the_origin(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    asked = RankParams(service="web", metric="latency_p99_ms", fired=minute(25))
    result = call(agent, "metrics_rank", asked)
    report = cast(RankReport, result.need())
    assert report.symptom is not None
    assert report.symptom.onset == report.split == minute(22)
    assert report.onset_found
    assert report.services[0].service == "cart"
    assert report.surge == pytest.approx(1.0, abs=0.05)
    assert report.services[0].reasons[0].citation in {proof.ref for proof in result.citations}
    resolves(agent, result.citations)


def test_rank_without_any_hint_finds_the_break_itself(specs: tuple[SourceSpec, ...]) -> None:
    report = cast(RankReport, call(build(specs), "metrics_rank", RankParams()).need())
    assert report.split == minute(22)
    assert report.services[0].service == "cart"


def test_two_windows_side_by_side(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    asked = CompareParams(
        first_start=minute(0), first_end=minute(19), second_start=minute(23), second_end=minute(29), limit=2
    )
    result = call(agent, "metrics_compare", asked)
    report = cast(CompareReport, result.need())
    assert [row.hurts for row in report.rows] == [True, True]
    assert report.more == 3
    assert report.rows[0].after > 5 * report.rows[0].before
    resolves(agent, result.citations)


def test_edges_show_callers_callees_and_broken_traces(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    result = call(agent, "metrics_edges", EdgesParams(service="cart"))
    report = cast(EdgesReport, result.need())
    assert [(e.caller, e.callee) for e in report.edges] == [("web", "cart")]
    assert report.entries == ("web",)
    assert report.failed[0].error == "deadline exceeded"
    resolves(agent, result.citations)
    assert citations.parse(report.failed[0].citation).kind == "trace"


def test_a_citation_is_the_digest_of_the_canonical_points(specs: tuple[SourceSpec, ...]) -> None:
    agent = build(specs)
    assert agent.resolver is not None
    ref = "metric:metrics.csv/ads/latency_p99_ms@2026-03-01T12:01:00Z..2026-03-01T12:02:00Z"
    values = SERIES[("ads", "latency_p99_ms")]
    raw = json.dumps(
        [["2026-03-01T12:01:00Z", values[1]], ["2026-03-01T12:02:00Z", values[2]]], separators=(",", ":")
    ).encode()
    proof = agent.resolver.resolve(ref)
    assert proof.digest == "sha256:" + hashlib.sha256(raw).hexdigest()
    assert json.loads(agent.resolver.resolve(ref, context_lines=1).excerpt)[0][0] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("metric:metrics.csv/ads/gone@2026-03-01T12:01:00Z..2026-03-01T12:02:00Z", "no such series"),
        ("metric:metrics.csv/ads/latency_p99_ms@2031-03-01T12:01:00Z..2031-03-01T12:02:00Z", "no points"),
        ("trace:spans.json#nope", "no such trace"),
        ("log:app.log@0+1", "not a metric"),
        ("rubbish", "not a citation"),
    ],
)
def test_what_cannot_be_opened_is_refused(specs: tuple[SourceSpec, ...], ref: str, told: str) -> None:
    agent = build(specs)
    assert agent.resolver is not None
    with pytest.raises(ToolError, match=told):
        agent.resolver.resolve(ref)


def test_odd_names_survive_the_citation(tmp_path: Path) -> None:
    odd = ("a/b @ c#1, d%20", "p99 (ms)/x:y")
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({odd[0]: {odd[1]: [[minute(i).timestamp(), 5 + i % 2] for i in range(12)]}}))
    agent = build((spec(path),))
    result = call(agent, "metrics_series", SeriesParams(service=odd[0], name=odd[1]))
    resolves(agent, result.citations)


def test_evidence_that_changed_has_another_digest(tmp_path: Path) -> None:
    path = long_csv(tmp_path / "m.csv", {("a", "rps"): steady(50)})
    agent = build((spec(path),))
    assert agent.resolver is not None
    proof = call(agent, "metrics_series", SeriesParams(service="a", name="rps")).citations[0]
    long_csv(path, {("a", "rps"): [*steady(50)[:-1], 51.0]})
    assert agent.resolver.resolve(proof.ref).digest != proof.digest


def test_a_long_series_keeps_its_whole_span_and_its_extremes_in_the_excerpt() -> None:
    times = np.arange(5_000, dtype=np.float64) * 0.5 + 1_772_000_000.123456
    values = np.sin(times) / 3
    values[10], values[4_321] = np.nan, 97.25
    excerpt = thinned(times, values)
    points = json.loads(excerpt)
    assert len(excerpt.encode()) <= EXCERPT_LIMIT
    assert (points[0][1], points[-1][1]) == (values[0], values[-1])
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    assert max(value for _, value in points) == 97.25
    assert min(value for _, value in points) == np.nanmin(values)
