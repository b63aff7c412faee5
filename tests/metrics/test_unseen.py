"""What no series measures: a slow way to a callee, who calls whom, and work that ends early."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import Question, strongest_callees
from subagents.metrics.ranking import Ranked, rank
from subagents.metrics.scene import Told, see
from subagents.metrics.series import Edge, Hop, Points, Store, build_frames
from subagents.metrics.signals import Signal, signals
from subagents.metrics.symptom import Asked
from subagents.metrics.unseen import LONGER, supposed_callees
from tests.metrics.files import START, shifted, steady

T0 = START.timestamp()
SPLIT, END = T0 + 22 * 60, T0 + 29 * 60
MESH = [
    *(Edge("web", name, 60) for name in ("cart", "search", "pay", "mail")),
    *(Edge(name, "rates", 60) for name in ("cart", "search", "pay")),
    Edge("mail", "queue", 60),
]
HOPS = [
    ("web", "cart", 4.0),
    ("web", "search", 90.0),
    ("web", "pay", 4.0),
    ("web", "mail", 4.0),
    ("cart", "rates", 4.0),
]
NAMES = ("web", "cart", "search", "pay", "mail", "rates", "queue")
Series = dict[tuple[str, str], list[float]]


def latencies(**slow: float) -> Series:
    """Return a steady latency per service, some of which rise to so many times their own."""
    usual = {"web": 200.0, "cart": 60.0, "search": 50.0, "pay": 40.0, "mail": 30.0, "rates": 10.0, "queue": 5.0}
    return {
        (name, "latency_p95_ms"): shifted(level, level * slow[name], 22) if name in slow else steady(level)
        for name, level in usual.items()
    }


def ranking(
    series: Series,
    edges: list[Edge],
    symptom: str = "",
    metric: str = "",
    hops: Sequence[Hop] = (),
    names: tuple[str, ...] = NAMES,
) -> list[Ranked]:
    points = Points()
    for (service, name), values in series.items():
        points.add(service, name, np.array([T0 + 60.0 * i for i in range(len(values))]), np.array(values))
    store = Store(frames=build_frames("m", points)[0], edges=edges, hops=[*hops])
    chosen: Signal | None = None
    if symptom:
        chosen = next(s for s in signals(store, T0, SPLIT, END) if s.key.service == symptom and metric in s.key.name)
    return rank(store, CallGraph.of(edges), Question(T0, SPLIT, END, chosen, "", names))


def test_one_slow_way_explains_several_slow_callers() -> None:
    ranked = ranking(latencies(web=4, cart=8, search=8, pay=8), MESH, "web")
    assert ranked[0].service == "rates"
    assert [reason.kind for reason in ranked[0].reasons] == ["unseen"]
    assert "cart, pay, search" in ranked[0].reasons[0].text


@pytest.mark.parametrize(
    ("slow", "first"),
    [
        pytest.param({"web": 4, "cart": 8}, "cart", id="one caller may itself be slow"),
        pytest.param({"web": 4, "cart": 8, "search": 8, "pay": 8, "rates": 9}, "rates", id="the callee is measured"),
    ],
)
def test_what_is_measured_goes_before_what_is_supposed(slow: dict[str, float], first: str) -> None:
    ranked = ranking(latencies(**slow), MESH, "web")
    assert ranked[0].service == first
    assert ranked[0].reasons[0].kind == "latency"


def test_a_callee_that_most_callers_reach_in_time_is_not_to_blame() -> None:
    edges = [*MESH, Edge("mail", "rates", 60), Edge("queue", "rates", 60), Edge("web", "rates", 60)]
    ranked = ranking(latencies(cart=8, search=8), edges)
    assert {item.service for item in ranked[:2]} == {"cart", "search"}


def test_without_a_graph_the_shortest_of_the_slow_calls_lies_deepest() -> None:
    ranked = ranking(latencies(web=6, cart=6, rates=6), [], "web")
    assert [item.service for item in ranked[:1]] == ["rates"]
    assert ranked[0].raw == pytest.approx(2 * ranked[1].raw), "a supposed caller keeps half of its own"


@pytest.mark.parametrize("seed", range(3))
def test_supposed_callees_are_those_of_the_graph_of_all_shorter_calls(seed: int) -> None:
    chance = np.random.default_rng(seed)
    names = [f"s{number}" + chance.choice(["", "_remote", ".a.b"]) for number in range(40)]
    usual = {name: float(chance.choice([1.0, 2.0, 2.1, 5.0, 30.0])) for name in names}
    points = Points()
    for name, level in usual.items():
        values = np.array(shifted(level, level * float(chance.choice([1.0, 4.0, 9.0])), 22))
        points.add(name, "latency_p95_ms", np.array([T0 + 60.0 * i for i in range(len(values))]), values)
    seen = signals(Store(frames=build_frames("m", points)[0]), T0, SPLIT, END)
    heat = {s.key.service: (s.size, s) for s in seen if s.size > 1}
    bases = {s.key.service: s.base for s in seen}
    pairs = [(one, two) for one in names for two in names if bases[two] < LONGER * bases[one]]
    whole = CallGraph.of(Edge(one, two) for one, two in pairs)
    assert heat
    assert supposed_callees(heat, {s.key.service: [s] for s in seen}) == strongest_callees(heat, whole)


def rates(short: bool, errors: list[float]) -> Series:
    calls = {"web": 20.0, "cart": 10.0, "search": 10.0, "pay": 10.0, "mail": 10.0, "rates": 30.0, "queue": 10.0}
    series: Series = {(name, "requests_per_s"): steady(level) for name, level in calls.items()}
    if short:
        series["queue", "requests_per_s"] = shifted(10, 0.1, 22)
    return series | {("mail", "error_ratio"): steady(0.0001), ("cart", "error_ratio"): errors}


def test_calls_that_are_not_made_any_more_count_where_nothing_fails() -> None:
    ranked = ranking(rates(True, steady(0.0001)), MESH)
    assert ranked[0].service == "mail"
    assert ranked[0].reasons[0].kind == "calls"
    assert not any(r.kind == "calls" for item in ranking(rates(False, steady(0.0001)), MESH) for r in item.reasons)


def test_where_failures_are_counted_they_say_where() -> None:
    ranked = ranking(rates(True, shifted(0.0001, 0.4, 22)), MESH)
    assert ranked[0].service == "cart"
    assert not any(reason.kind == "calls" for item in ranked for reason in item.reasons)


def test_who_became_faster_while_requests_fail_ends_them_early() -> None:
    fails: Series = {("entry", "success_rate_pct"): shifted(100, 70, 22)}  # nobody's own: as seen by a probe
    ranked = ranking(fails | latencies(web=0.4, mail=0.2), MESH, "entry")
    assert ranked[0].service == "mail"
    assert ranked[0].reasons[0].kind == "faster"
    assert not any(
        r.kind == "faster" for item in ranking(latencies(mail=0.2, web=3), MESH, "web") for r in item.reasons
    )


def test_a_wait_explains_no_failures_where_users_feel_no_slowness() -> None:
    felt: Series = {("door", "success_rate_pct"): shifted(100, 70, 22), ("door", "latency_p50_ms"): steady(200)}
    short = {key: values for key, values in rates(True, []).items() if key[1] == "requests_per_s"}
    slow = felt | {("door", "latency_p50_ms"): shifted(200, 900, 22)}
    gaps = [Hop("m", caller, name, np.array([SPLIT]), np.array([gap]), np.array([5.0])) for caller, name, gap in HOPS]
    failing = ranking(short | felt, MESH, "door", "success_rate_pct", gaps)
    both = ranking(short | slow, MESH, "door", "success_rate_pct", gaps)
    assert (failing[0].service, both[0].service) == ("mail", "search")
    assert both[0].reasons[0].kind == "hop"


def test_the_entry_point_answers_for_what_is_felt_outside_where_nobody_else_does() -> None:
    felt: Series = {("door", "success_rate_pct"): shifted(100, 90, 22)}
    ranked = ranking(felt | latencies(), MESH, "door")
    assert (ranked[0].service, [reason.kind for reason in ranked[0].reasons]) == ("web", ["felt"])
    assert not any(item.raw for item in ranked[1:])
    measured = ranking(felt | latencies() | {("pay", "error_ratio"): shifted(0.001, 0.4, 22)}, MESH, "door")
    assert measured[0].service == "pay"
    assert measured[0].raw > 3 * next(item.raw for item in measured if item.service == "web")


def test_a_ranking_says_what_it_could_have_seen() -> None:
    def sees(*names: str) -> tuple[str, ...]:
        points = Points()
        for name in names:
            points.add("web", name, np.array([T0 + 60.0 * i for i in range(30)]), np.array(steady(10)))
        return see(Store(frames=build_frames("m", points)[0]), T0, END, Told(Asked())).sees

    assert sees("latency_p95_ms", "requests_per_s") == ("work",)
    assert sees("errors_per_s", "cpu_pct") == ("failures", "work")
    assert sees("requests_per_s") == ()


def test_where_users_are_watched_from_is_no_place_where_it_began() -> None:
    felt: Series = {("door", "success_rate_pct"): shifted(100, 60, 22)}
    busy = felt | latencies() | {("pay", "cpu_pct"): shifted(10, 95, 22)}
    ranked = ranking(busy, MESH, "door", names=())
    assert ranked[0].service == "pay"
    assert {item.service for item in ranked} == set(NAMES)
    for known in ([*MESH, Edge("door", "web", 9)], []):
        assert "door" in {item.service for item in ranking(busy, known, "door", names=())}
    foreign = [Edge(f"{one.caller}-v1", f"{one.callee}-v1", one.calls) for one in MESH]
    assert "door" in {item.service for item in ranking(busy, foreign, "door", names=())}, "the calls' names are others"
    working = busy | {("door", "cpu_pct"): steady(10)}
    assert "door" in {item.service for item in ranking(working, MESH, "door", names=())}
