"""Spans are counted by whose they are and how they ended; where the source does not say how, nothing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from subagents import quantities as q
from subagents.contract import Fact, SourceSpec, ToolContext, ToolError, Window
from subagents.metrics.agent import build
from subagents.metrics.answers import MetricsAnswers
from subagents.metrics.model import TracedView
from subagents.metrics.params import EdgesParams
from subagents.verifying import Verifier
from tests.fakes import FakeClock
from tests.metrics.files import minute, spec

SINCE = Window(start=minute(20), end=minute(60))


def span(at: float, service: str, status: str = "OK", trace: str = "", **more: Any) -> dict[str, Any]:
    start = minute(int(at)).isoformat()
    return {
        "trace_id": trace or f"t{at}",
        "span_id": service,
        "service": service,
        "start": start,
        "status": status,
        **more,
    }


def given(tmp_path: Path, *spans: dict[str, Any]) -> SourceSpec:
    path = tmp_path / "spans.json"
    path.write_text(json.dumps(spans))
    return spec(path, "spans")


def counted(source: SourceSpec) -> dict[tuple[str, str | None], tuple[int, int]]:
    return {(one.service, one.caller): (one.spans, one.failed) for one in views(source)}


def views(source: SourceSpec) -> tuple[TracedView, ...]:
    asked = EdgesParams(since=minute(20))
    result = MetricsAnswers((source,)).edges(asked, ToolContext(key="k", clock=FakeClock()))
    assert {view.citation for view in result.need().traced} <= {each.ref for each in result.citations}
    return result.need().traced


def call(at: int, status: str) -> list[dict[str, Any]]:
    return [span(at, "web"), span(at, "till", status, parent_id="web"), span(at, "till2", parent_id="nobody")]


def test_services_and_calls_are_counted_from_the_moment_on(tmp_path: Path) -> None:
    source = given(tmp_path, *call(10, "ERROR"), *call(30, "OK"), *call(31, "ERROR"), *call(32, "500"))
    assert counted(source) == {
        ("web", None): (3, 0),
        ("till", None): (3, 2),
        ("till", "web"): (3, 2),
        ("till2", None): (3, 0),
    }


def test_a_call_that_names_its_peer_counts_once_by_what_the_caller_saw(tmp_path: Path) -> None:
    mine = span(30, "web", "ERROR", peer="till")
    source = given(tmp_path, mine, span(30, "till", "OK", parent_id="web"), span(31, "web", peer="ads"))
    assert counted(source) == {
        ("web", None): (2, 1),
        ("till", "web"): (1, 1),
        ("till", None): (1, 0),
        ("ads", "web"): (1, 0),
    }


@pytest.mark.parametrize(
    "spans",
    [
        [span(30, "web", ""), span(31, "web", "")],
        [span(30, "web", "OK"), span(31, "web", "ABANDONED")],
        [span(5, "web")],
    ],
    ids=["no status anywhere", "a status that nobody knows", "all before"],
)
def test_where_the_source_does_not_say_how_they_ended_nothing_is_counted(
    tmp_path: Path, spans: list[dict[str, Any]]
) -> None:
    assert views(given(tmp_path, *spans)) == ()


def test_what_is_stated_is_counted_again_and_only_so(tmp_path: Path) -> None:
    source = given(tmp_path, *call(10, "ERROR"), *call(30, "OK"), *call(31, "ERROR"))
    resolver: object = build((source,)).resolver
    assert isinstance(resolver, Verifier)
    for view in views(source):
        for fact in view.facts:
            found = resolver.recompute(fact)
            assert found is not None
            assert (found.value, found.unit) == (fact.value, fact.unit)
    base = Fact(quantity=q.FAILED_SPANS, value=1, unit="spans of till", citation="trace:spans.json#t31", window=SINCE)
    good = resolver.recompute(base)
    assert good is not None
    assert good.value == 1
    for change in (
        {"unit": "spans of cash"},
        {"unit": ""},
        {"window": None},
        {"citation": "trace:spans.json#t10"},
        {"citation": "trace:other.json#t31"},
        {"citation": "metric:m/web/latency@2026-03-01T12:00:00Z..2026-03-01T12:10:00Z"},
    ):
        with pytest.raises(ToolError):
            resolver.recompute(base.model_copy(update=change))
