"""Code faults that metrics show only as calls that are not made any more: the caller that fails early is to blame."""

from __future__ import annotations

import numpy as np
import pytest

from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import Question
from subagents.metrics.ranking import Ranked, rank
from subagents.metrics.series import Edge, Points, Store, build_frames
from subagents.metrics.signals import signals
from tests.metrics.files import START, steady

T0 = START.timestamp()
SPLIT, END = T0 + 22 * 60, T0 + 29 * 60
SHOP = [
    Edge("web", "checkout", 60),
    Edge("web", "ads", 600),
    Edge("checkout", "mail", 60),
    Edge("checkout", "pay", 60),
    Edge("mail", "queue", 60),
]
Rates = dict[str, list[float]]


def calm() -> Rates:
    return {"web": steady(10), "checkout": steady(1), "ads": steady(10), "mail": steady(1), "pay": steady(1)}


def scaled(values: list[float], by: float, start: int = 23, end: int = 27) -> list[float]:
    return [v * by if start <= i < end else v for i, v in enumerate(values)]


def ranking(rates: Rates, *, counted: str = "", kind: str = "", edges: list[Edge] = SHOP) -> list[Ranked]:
    points = Points()
    times = np.array([T0 + 60.0 * i for i in range(30)])
    for service, values in rates.items():
        points.add(service, "requests_per_s", times, np.array(values))
    points.add("entry", "success_rate_pct", times, np.array([100.0] * 23 + [80.0] * 4 + [100.0] * 3))
    if counted:
        points.add(counted, "error_ratio", times, np.array([0.001] * 30))
    frames, _ = build_frames("m", points)
    store = Store(frames=frames, edges=edges)
    symptom = next(s for s in signals(store, T0, SPLIT, END) if s.key.service == "entry")
    return rank(store, CallGraph.of(edges), Question(T0, SPLIT, END, symptom, kind))


def blamed(ranked: list[Ranked]) -> list[str]:
    return [item.service for item in ranked if any(reason.kind == "calls" for reason in item.reasons)]


def test_a_service_that_fails_before_its_calls_is_blamed_before_those_it_does_not_call() -> None:
    rates = {**calm(), "mail": scaled(steady(1), 0.0), "pay": scaled(steady(1), 0.0)}
    ranked = ranking(rates)
    assert blamed(ranked)[0] == "checkout"
    assert set(blamed(ranked)) == {"checkout", "mail", "pay"}
    best = next(reason for item in ranked for reason in item.reasons if reason.kind == "calls")
    assert "get fewer calls than checkout gets" in best.text
    assert best.signal is not None
    assert best.signal.key.name == "requests_per_s"


def test_what_gets_less_because_its_caller_gets_less_is_short_of_nothing() -> None:
    rates = {
        **calm(),
        "checkout": scaled(steady(1), 0.1),
        "mail": scaled(steady(1), 0.1),
        "pay": scaled(steady(1), 0.1),
    }
    ranked = ranking(rates)
    assert set(blamed(ranked)) == {"web", "checkout"}
    assert blamed(ranked)[0] == "web"


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param(calm(), id="as ever"),
        pytest.param({name: scaled(values, 0.2) for name, values in calm().items()}, id="fewer users"),
        pytest.param({**calm(), "mail": scaled(steady(1), 0.8)}, id="a little less"),
        pytest.param({**calm(), "mail": scaled(steady(1), 0.0, 5, 29)}, id="a callee that was silent before"),
        pytest.param({**calm(), "mail": scaled(steady(1), 3.0)}, id="more calls than usual"),
        pytest.param({**calm(), "mail": [0.0] * 30}, id="never any traffic"),
        pytest.param({name: v for name, v in calm().items() if name != "checkout"}, id="a caller nobody measures"),
    ],
)
def test_who_is_short_of_nothing(rates: Rates) -> None:
    assert blamed(ranking(rates)) == []


def test_missing_calls_explain_no_slowness() -> None:
    assert blamed(ranking({**calm(), "mail": scaled(steady(1), 0.0)}, kind="latency")) == []


def test_a_caller_whose_failures_are_counted_is_judged_by_those() -> None:
    silent = {**calm(), "mail": scaled(steady(1), 0.0)}
    assert blamed(ranking(silent)) == ["checkout", "mail"]
    assert blamed(ranking(silent, counted="checkout")) == []


def test_without_a_call_graph_nobody_is_expected_to_call() -> None:
    assert blamed(ranking({**calm(), "mail": scaled(steady(1), 0.0)}, edges=[])) == []
