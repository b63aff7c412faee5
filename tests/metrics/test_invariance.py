"""What must not matter to a ranking: what services are called, and in which order series and edges are given."""

from __future__ import annotations

import random

import numpy as np
import pytest

from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import Question
from subagents.metrics.ranking import attributed, rank
from subagents.metrics.roles import traits_of
from subagents.metrics.series import Edge, Points, Store, build_frames
from subagents.metrics.signals import signals, size_of
from tests.metrics.files import START, shifted, steady

T0 = START.timestamp()
SPLIT, END = T0 + 22 * 60, T0 + 29 * 60
NAMES = ("alpha", "bravo", "carol", "delta", "eagle", "flora")
SERIES = {
    ("alpha", "latency_p99_ms"): shifted(90, 900, 22),
    ("alpha", "requests_per_s"): steady(10),
    ("bravo", "latency_p99_ms"): shifted(60, 620, 22),
    ("bravo", "requests_per_s"): steady(10),
    ("carol", "cpu_pct"): shifted(10, 60, 22),
    ("delta", "requests_per_s"): [v * (0.2 if 23 <= i < 27 else 1.0) for i, v in enumerate(steady(10))],
    ("eagle", "mem_mib"): shifted(100, 250, 22),
    ("flora", "cpu_pct"): shifted(10, 11, 22),
}
EDGES = [Edge("alpha", "bravo", 5), Edge("bravo", "carol", 5), Edge("alpha", "delta", 3), Edge("bravo", "eagle", 2)]


def ranking(names: dict[str, str], order: random.Random) -> list[tuple[str, float]]:
    points = Points()
    for (service, name), values in order.sample(sorted(SERIES.items()), len(SERIES)):
        points.add(names[service], name, np.array([T0 + 60.0 * i for i in range(30)]), np.array(values))
    edges = [Edge(names[e.caller], names[e.callee], e.calls) for e in order.sample(EDGES, len(EDGES))]
    store = Store(frames=build_frames("m", points)[0], edges=edges)
    symptom = next(s for s in signals(store, T0, SPLIT, END) if s.key == (key_of(store, names["alpha"])))
    candidates = tuple(order.sample(sorted(names.values()), len(names)))
    ranked = rank(store, CallGraph.of(edges), Question(T0, SPLIT, END, symptom, "", candidates))
    back = {new: old for old, new in names.items()}
    return [(back[item.service], round(item.raw, 9)) for item in ranked]


def key_of(store: Store, service: str) -> object:
    return next(key for _, _, key in store.series() if (key.service, key.name) == (service, "latency_p99_ms"))


@pytest.mark.parametrize("seed", range(4))
def test_names_and_order_do_not_matter(seed: int) -> None:
    order = random.Random(seed)
    fresh = [f"svc-{number:03d}" for number in order.sample(range(1000), len(NAMES))]
    usual = ranking({name: name for name in NAMES}, random.Random(99))
    assert ranking(dict(zip(NAMES, fresh, strict=True)), order) == usual
    assert usual[-1][1] == 0.0
    assert usual[2][1] > 0.0


def test_of_services_without_evidence_who_moved_most_comes_first() -> None:
    ranked = ranking({name: name for name in NAMES}, random.Random(5))
    silent = [name for name, score in ranked if score == 0.0]
    assert silent[0] == "flora"


def test_a_point_alone_counts_where_a_second_one_can_hardly_be_expected() -> None:
    calm = np.resize(np.array([-1.0, 0.0, 1.0]), 60)
    assert size_of(calm, np.array([40.0, 0.5])) == pytest.approx(20.0)
    assert size_of(calm[:30], np.array([40.0, 0.5])) == 0.5, "of so few points one in sixteen is no rarity"
    assert size_of(np.append(calm, 39.0), np.array([40.0, 0.5])) == pytest.approx(1.0), "it happened before"
    assert size_of(calm, np.array([40.0, 38.0])) == 38.0
    assert size_of(calm, np.array([-9.0, -8.0])) == 0.0


@pytest.mark.parametrize("caller", ["alpha", "order-cancel-service", "error-queue", "cpu.pool"])
def test_who_calls_does_not_decide_what_a_series_made_of_traces_shows(caller: str) -> None:
    assert traits_of(f"calls_from_{caller}").role == "traffic"
    assert traits_of(f"p95_ms_from_{caller}").role == "latency"
    assert traits_of(f"wait_ms_from_{caller}").role == "client_latency"


def test_what_callers_measure_of_a_service_is_about_that_service() -> None:
    points = Points()
    for name, values in (("p95_ms_from_alpha", shifted(60, 620, 22)), ("alpha_errors_per_s", shifted(1, 90, 22))):
        points.add("bravo", name, np.array([T0 + 60.0 * i for i in range(30)]), np.array(values))
    seen = signals(Store(frames=build_frames("m", points)[0]), T0, SPLIT, END)
    about = {signal.key.name: signal.about for signal in attributed(seen, ["alpha", "bravo"])}
    assert about == {"p95_ms_from_alpha": "", "alpha_errors_per_s": "alpha"}
