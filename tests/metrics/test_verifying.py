"""What the metrics resolver says of claims: values from the cited span alone, names, and the time covered."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from subagents import quantities as q
from subagents.citations import MetricRef
from subagents.contract import Fact, SourceSpec, ToolError
from subagents.metrics.agent import build
from subagents.verifying import NameKind, Recomputed, Verifier
from tests.metrics.files import long_csv, minute, shifted, spec, steady


@pytest.fixture
def specs(tmp_path: Path) -> tuple[SourceSpec, ...]:
    metrics = long_csv(
        tmp_path / "metrics.csv",
        {
            ("web", "latency_p99_ms"): shifted(90, 900, 22),
            ("cart", "latency_p99_ms"): shifted(60, 600, 22),
            ("web", "requests_per_s"): steady(200),
        },
    )
    topology = tmp_path / "topology.csv"
    topology.write_text("caller,callee,calls\nweb,cart,100\nweb,ads,40\n")
    spans = tmp_path / "spans.json"
    spans.write_text(
        json.dumps(
            [{"trace_id": "t1", "span_id": "1", "service": "edge", "name": "GET /", "start": minute(50).isoformat()}]
        )
    )
    return (spec(metrics), spec(topology, "topology"), spec(spans, "spans"))


def verifier(*specs: SourceSpec) -> Verifier:
    resolver: object = build(specs).resolver
    assert isinstance(resolver, Verifier)
    return resolver


def ref(service: str, name: str = "latency_p99_ms", first: int = 0, last: int = 39) -> str:
    return str(MetricRef(source="metrics.csv", service=service, name=name, start=minute(first), end=minute(last)))


def fact(quantity: str, citation: str, value: float | str = 0.0) -> Fact:
    return Fact(quantity=quantity, value=value, citation=citation)


def test_each_quantity_comes_from_the_cited_span(specs: tuple[SourceSpec, ...]) -> None:
    known = verifier(*specs)
    assert known.recompute(fact(q.ONSET, ref("web"))) == Recomputed(value="2026-03-01T12:22:00Z")
    found = {name: known.recompute(fact(name, ref("web"))) for name in (q.BASELINE, q.PEAK, q.LATEST, q.FACTOR)}
    values = {name: each.value for name, each in found.items() if each is not None}
    assert {name: each.unit for name, each in found.items() if each is not None} == {
        q.BASELINE: "ms", q.PEAK: "ms", q.LATEST: "ms", q.FACTOR: ""
    }  # fmt: skip
    assert float(values[q.FACTOR]) == pytest.approx(float(values[q.PEAK]) / float(values[q.BASELINE]))
    before = known.recompute(fact(q.LATEST, ref("web", last=20)))
    assert before is not None
    assert before.value != values[q.LATEST], "another span is another value"


def test_the_number_of_another_series_is_not_this_ones(specs: tuple[SourceSpec, ...]) -> None:
    known = verifier(*specs)
    mine, other = (known.recompute(fact(q.PEAK, ref(service))) for service in ("web", "cart"))
    assert mine is not None
    assert other is not None
    assert mine.value != other.value


@pytest.mark.parametrize(
    ("quantity", "citation", "told"),
    [
        (q.ONSET, ref("web", "requests_per_s"), "no onset"),
        (q.FACTOR, ref("web", last=20), "no ratio"),
        (q.PEAK, ref("web", last=20), "no peak"),
        (q.BASELINE, ref("nobody"), "no such series"),
        (q.BASELINE, ref("web").replace("metrics.csv", "other.csv"), "no such series"),
        (q.BASELINE, ref("web").replace("2026-", "2031-"), "no points"),
        (q.BASELINE, "trace:spans.json#t1", "not a metric"),
        (q.COUNT, ref("web"), "cites log lines"),
        (q.LEAD_TIME, ref("web"), "cites the change"),
    ],
)
def test_what_the_span_does_not_hold_is_refused(
    specs: tuple[SourceSpec, ...], quantity: str, citation: str, told: str
) -> None:
    with pytest.raises(ToolError, match=told):
        verifier(*specs).recompute(fact(quantity, citation))


def test_a_span_that_reaches_days_beyond_the_points_is_refused(specs: tuple[SourceSpec, ...]) -> None:
    later = ref("web").replace("..2026-03-01", "..2026-03-09")
    with pytest.raises(ToolError, match=r"the source covers .* only"):
        verifier(*specs).recompute(fact(q.PEAK, later))


@pytest.mark.parametrize("quantity", [q.SCORE, q.RANK, "mood"])
def test_what_no_series_settles_is_left_open(specs: tuple[SourceSpec, ...], quantity: str) -> None:
    assert verifier(*specs).recompute(fact(quantity, ref("web"))) is None


def test_a_file_that_changed_is_read_again(specs: tuple[SourceSpec, ...]) -> None:
    known = verifier(*specs)
    before = known.recompute(fact(q.PEAK, ref("web")))
    long_csv(Path(specs[0].path), {("web", "latency_p99_ms"): shifted(90, 4_000, 22)})
    after = known.recompute(fact(q.PEAK, ref("web")))
    assert before is not None
    assert after is not None
    assert float(after.value) > 2 * float(before.value)


@pytest.mark.parametrize(
    ("kind", "name", "known"),
    [
        ("service", "web", True),
        ("service", "ads", True),
        ("service", "edge", True),
        ("service", "weba", False),
        ("service", "", False),
        ("metric", "latency_p99_ms", True),
        ("metric", "cart/latency_p99_ms", True),
        ("metric", "cart/requests_per_s", False),
        ("metric", "latency", False),
        ("host", "web", True),
        ("host", "web/requests_per_s", True),
        ("host", "node-1", None),
        ("commit", "0" * 40, None),
        ("deploy", "d1", None),
        ("flag", "f", None),
        ("path", "a.py", None),
    ],
)
def test_names(specs: tuple[SourceSpec, ...], kind: NameKind, name: str, known: bool | None) -> None:
    assert verifier(*specs).has(kind, name) is known


def test_the_time_covered(specs: tuple[SourceSpec, ...]) -> None:
    span = verifier(*specs).span()
    assert span is not None
    assert span.start == minute(0)
    assert minute(50) < span.end < minute(50) + timedelta(seconds=1)


def test_with_no_source_nothing_is_known() -> None:
    known = verifier()
    assert known.span() is None
    assert known.has("service", "web") is None
    assert known.has("metric", "latency_p99_ms") is None
