"""Where it began, on call graphs with a known culprit; and what must never win."""

from __future__ import annotations

import numpy as np
import pytest

from subagents.metrics.exhaustion import exhausted
from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import Question
from subagents.metrics.hops import hop_blame, wait_blame
from subagents.metrics.ranking import Ranked, rank
from subagents.metrics.series import Edge, Hop, Points, Span, Store, Wait, build_frames
from subagents.metrics.signals import Signal, signals
from tests.metrics.files import START, shifted, steady

T0 = START.timestamp()
SPLIT = T0 + 22 * 60
END = T0 + 29 * 60
CHAIN = [Edge("web", "cart", 100), Edge("cart", "db", 100), Edge("web", "ads", 50)]


def store_of(series: dict[tuple[str, str], list[float]], edges: list[Edge]) -> Store:
    points = Points()
    for (service, name), values in series.items():
        points.add(service, name, np.array([T0 + 60.0 * i for i in range(len(values))]), np.array(values))
    frames, _ = build_frames("m", points)
    return Store(frames=frames, edges=edges)


def ranking(
    series: dict[tuple[str, str], list[float]],
    edges: list[Edge] | None = None,
    symptom: tuple[str, str] | None = None,
    store: Store | None = None,
) -> list[Ranked]:
    made = store or store_of(series, CHAIN if edges is None else edges)
    chosen: Signal | None = None
    seen = signals(made, T0, SPLIT, END)
    if symptom is not None:
        chosen = next(s for s in seen if (s.key.service, s.key.name) == symptom)
    return rank(made, CallGraph.of(made.edges), Question(T0, SPLIT, END, chosen), exhausted(seen))


def test_a_victim_waits_for_its_callee() -> None:
    slow = {
        (s, "latency_p99_ms"): shifted(level, level * 9, 22) for s, level in (("web", 90), ("cart", 60), ("db", 20))
    }
    slow[("ads", "latency_p99_ms")] = steady(15)
    ranked = ranking(slow, symptom=("web", "latency_p99_ms"))
    assert ranked[0].service == "db"
    assert "explains a part" in " ".join(r.text for item in ranked for r in item.reasons)
    assert ranked[0].raw > 2 * max(item.raw for item in ranked[1:])


def test_without_a_graph_no_one_is_a_victim() -> None:
    slow = {(s, "latency_p99_ms"): shifted(50, 450, 22) for s in ("web", "cart")}
    ranked = ranking(slow, edges=[])
    assert ranked[0].raw == pytest.approx(ranked[1].raw, rel=0.05)


def test_a_service_alone_in_trouble_answers_for_itself() -> None:
    series = {("web", "latency_p99_ms"): shifted(90, 900, 22), ("ads", "latency_p99_ms"): steady(15)}
    ranked = ranking(series, symptom=("web", "latency_p99_ms"))
    assert ranked[0].service == "web"
    assert ranked[0].score > 0.4


def test_errors_travel_up_as_well() -> None:
    errors = {(s, "error_ratio"): [0.001] * 22 + [0.2] * 8 for s in ("web", "cart")}
    errors[("db", "error_ratio")] = [0.001] * 30
    assert ranking(errors, symptom=("web", "error_ratio"))[0].service == "cart"


def test_own_processor_beats_the_latency_of_its_callers() -> None:
    series = {
        ("web", "latency_p99_ms"): shifted(90, 900, 22),
        ("cart", "latency_p99_ms"): shifted(60, 600, 22),
        ("cart", "cpu_pct"): shifted(10, 98, 22),
        ("ads", "cpu_pct"): steady(12),
    }
    assert ranking(series, symptom=("web", "latency_p99_ms"))[0].service == "cart"


def test_processor_time_that_traffic_explains_is_no_fault_of_its_own() -> None:
    busy = {
        ("cart", "cpu_pct"): shifted(10, 40, 22),
        ("cart", "requests_per_s"): shifted(100, 400, 22),
        ("ads", "cpu_pct"): shifted(10, 25, 22),
        ("ads", "requests_per_s"): steady(100),
    }
    assert ranking(busy, edges=[])[0].service == "ads"


def test_overflowing_client_latencies_on_idle_services_never_win() -> None:
    overflow = steady(0.005)
    overflow[24:27] = [3600.0, 3600.0, 2900.0]
    series = {
        ("idle", "client_latency_p99_s"): overflow,
        ("idle", "requests_per_s"): [0.0] * 30,
        ("cart", "latency_p99_s"): shifted(0.06, 0.5, 22),
    }
    ranked = ranking(series, edges=[])
    assert ranked[0].service == "cart"
    assert next(item for item in ranked if item.service == "idle").raw == 0


def test_flat_zero_and_tiny_traffic_never_win() -> None:
    blip = [0.0] * 30
    blip[25] = 0.067
    trickle = [100.0] * 22 + [0.0] * 8
    series = {
        ("quiet", "errors_total"): [0.0] * 30,
        ("blip", "requests_per_s"): blip,
        ("blip", "errors_per_s"): blip,
        ("tiny", "availability_pct"): trickle,
        ("tiny", "requests_sum"): [2.0] * 30,
        ("web", "availability_pct"): [100.0] * 22 + [93.0] * 8,
        ("web", "requests_sum"): [5000.0] * 30,
        ("cart", "availability_pct"): [100.0] * 22 + [95.0] * 8,
        ("cart", "requests_sum"): [6000.0] * 30,
    }
    ranked = ranking(series, symptom=("web", "availability_pct"))
    scores = {item.service: item.raw for item in ranked}
    assert ranked[0].service == "cart"
    assert scores["quiet"] == scores["blip"] == 0
    assert scores["tiny"] < 0.2 * scores["cart"], "two requests cannot explain hundreds of failures"


def test_what_departs_at_another_time_than_the_symptom_counts_less() -> None:
    symptom = steady(50, 40)
    symptom[30:34] = [500.0] * 4
    same = steady(20, 40)
    same[30:34] = [200.0] * 4
    always = shifted(20, 200, 22, 40)
    series = {
        ("web", "latency_p99_ms"): symptom,
        ("matches", "latency_p99_ms"): same,
        ("spliced", "latency_p99_ms"): always,
    }
    made = store_of(series, [])
    seen = signals(made, T0, SPLIT, T0 + 39 * 60)
    chosen = next(s for s in seen if s.key.service == "web")
    ranked = rank(made, CallGraph(), Question(T0, SPLIT, T0 + 39 * 60, chosen))
    order = [item.service for item in ranked]
    assert order.index("matches") < order.index("spliced")


def test_a_metric_named_after_another_service_speaks_of_that_service() -> None:
    series = {
        ("gateway", "payments_endpoint_error_ratio"): [0.001] * 22 + [0.4] * 8,
        ("payments", "cpu_pct"): steady(10),
    }
    assert ranking(series, edges=[])[0].service == "payments"


def test_memory_levels_alone_decide_nothing() -> None:
    series = {
        ("restarted", "mem_mib"): shifted(100, 400, 22),
        ("cart", "latency_p99_ms"): shifted(60, 200, 22),
    }
    assert ranking(series, edges=[])[0].service == "cart"


def test_candidates_bound_the_answer() -> None:
    series = {("web", "latency_p99_ms"): shifted(90, 900, 22), ("db", "latency_p99_ms"): shifted(10, 100, 22)}
    made = store_of(series, CHAIN)
    ranked = rank(made, CallGraph.of(CHAIN), Question(T0, SPLIT, END, candidates=("web", "ghost")))
    assert {item.service for item in ranked} == {"web", "ghost"}


def hop(caller: str, callee: str, gap: float) -> Hop:
    return Hop("t", caller, callee, np.array([SPLIT]), np.array([gap]), np.array([2.0]))


def test_callers_that_wait_for_a_fast_callee_blame_its_network() -> None:
    hops = [hop("web", "cart", 250), hop("checkout", "cart", 248), hop("web", "ads", 3), hop("checkout", "mail", 4)]
    blame = hop_blame(hops, SPLIT, END, {})
    assert max(blame, key=lambda name: blame[name][0]) == "cart"
    assert blame["cart"][2].name in ("wait_ms_from_web", "wait_ms_from_checkout")


def test_a_caller_that_waits_for_everyone_blames_itself() -> None:
    slow = [hop("web", name, 240) for name in ("cart", "ads", "mail")]
    calm = [hop(name, "db", 4) for name in ("cart", "ads", "mail", "pay")]
    blame = hop_blame(slow + calm, SPLIT, END, {})
    assert max(blame, key=lambda name: blame[name][0]) == "web"


def test_a_starved_caller_is_no_witness() -> None:
    hops = [hop("web", "cart", 60), hop("web", "ads", 3), hop("pay", "ads", 4), hop("pay", "db", 3)]
    trusted = hop_blame(hops, SPLIT, END, {})["cart"][0]
    starved = hop_blame(hops, SPLIT, END, {"web": 4.0}).get("cart", (0.0,))[0]
    assert starved < 0.6 * trusted


def wait(caller: str, worst: float, shares: dict[str, float], served: float = 20.0) -> Wait:
    times = np.array([SPLIT, SPLIT + 60])
    full = np.full(2, worst)
    return Wait("t", caller, times, full, np.zeros(2), np.full(2, served), tuple(shares.items()))


def test_unnamed_client_waits_point_at_the_callee_that_all_waiters_share() -> None:
    waits = [
        wait("travel", 2000, {"basic": 0.3, "seat": 0.7}),
        wait("preserve", 1800, {"basic": 0.2, "seat": 0.2, "user": 0.6}),
        wait("basic", 4, {"station": 1.0}),
        wait("gateway", 3, {"user": 0.5, "travel": 0.5}),
    ]
    blame = wait_blame(waits, SPLIT, END)
    assert max(blame, key=lambda name: blame[name][0]) == "basic"
    assert wait_blame([wait("a", 50, {"b": 1.0})], SPLIT, END) == {}, "short pauses happen to any runtime"


def test_the_deepest_failed_span_speaks_for_its_service() -> None:
    series = {(s, "error_ratio"): [0.001] * 22 + [0.2] * 8 for s in ("web", "cart")}
    made = store_of(series, [])
    made.spans["s"] = [
        Span("t", "1", "", "web", "GET /", SPLIT, 10, "ERROR", "502"),
        Span("t", "2", "1", "cart", "get", SPLIT, 9, "ERROR", "no connection"),
    ]
    ranked = ranking({}, store=made)
    assert ranked[0].service == "cart"


def test_the_graph_knows_entries_and_distances() -> None:
    graph = CallGraph.of([*CHAIN, Edge("db", "db", 5)])
    assert graph.entries() == ["web"]
    assert graph.below("web") == {"web": 0, "cart": 1, "ads": 1, "db": 2}
    assert graph.above("db") == {"db": 0, "cart": 1, "web": 2}
    loop = CallGraph.of([Edge("a", "b"), Edge("b", "a")])
    assert loop.below("a") == {"a": 0, "b": 1}
    assert loop.entries() == []


def test_what_a_mesh_measures_is_about_who_is_called() -> None:
    """Both ends are in its labels; the one that calls did not fail."""
    calls = "istio_requests_per_s{{source_workload={},destination_workload={},response_code={}}}"
    series = {
        ("carts", calls.format("frontend", "carts", 503)): shifted(1, 40, 22),
        ("ledger", calls.format("carts", "ledger", 503)): shifted(1, 45, 22),
        ("frontend", calls.format("ingress", "frontend", 503)): shifted(1, 38, 22),
    }
    edges = [Edge("frontend", "carts", 9), Edge("carts", "ledger", 9)]
    assert ranking(series, edges=edges)[0].service == "ledger"
