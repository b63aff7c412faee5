"""Failures count by how surely there are more of them, and where they lie, not by their share alone."""

from __future__ import annotations

import numpy as np
import pytest

from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import Question
from subagents.metrics.ranking import rank
from subagents.metrics.series import Points, Store, build_frames
from subagents.metrics.signals import Signal, failure_noises, signals
from tests.metrics.files import START

T0 = START.timestamp()
SPLIT, END = T0 + 22 * 60, T0 + 29 * 60
Values = list[float]


def store_of(series: dict[tuple[str, str], Values]) -> Store:
    points = Points()
    for (service, name), values in series.items():
        points.add(service, name, np.array([T0 + 60.0 * i for i in range(len(values))]), np.array(values))
    return Store(frames=build_frames("m", points)[0])


def seen(shares: Values, asked: float, unit: str = "sum") -> tuple[Signal, Signal]:
    made = store_of({("web", "availability_pct"): shares, ("web", f"requests_{unit}"): [asked] * len(shares)})
    found = {signal.traits.role: signal for signal in signals(made, T0, SPLIT, END)}
    return found["availability"], found["traffic"]


def noises(shares: Values, asked: float, unit: str = "sum") -> float:
    found = failure_noises(*seen(shares, asked, unit), SPLIT)
    assert found is not None
    return found


def test_a_few_failures_where_there_never_were_any_are_sure() -> None:
    two_of_many = [100.0] * 24 + [99.0, 99.0] + [100.0] * 4
    assert noises(two_of_many, 200) > 3.0
    assert noises(two_of_many, 2000) > noises(two_of_many, 200)
    assert noises(two_of_many, 10) < 3.0, "a fifth of a request"


def test_failures_that_are_usual_or_come_in_bursts_are_less_sure() -> None:
    shares = [100.0] * 22 + [97.0] * 8
    usual = [97.0] * 22 + [97.0] * 8
    bursts = [100.0, 100.0, 88.0] * 7 + [100.0] + [97.0] * 8
    assert noises(usual, 200) < 0.01
    assert noises(bursts, 200) < 0.3 * noises(shares, 200)
    assert noises([97.0] * 22 + [100.0] * 8, 200) == 0.0, "fewer than before"


def test_a_rate_counts_as_what_it_makes_in_a_minute() -> None:
    shares = [100.0] * 22 + [97.0] * 8
    assert noises(shares, 2.0, "per_s") == pytest.approx(noises(shares, 120.0), rel=1e-6)


def test_without_traffic_failures_cannot_be_counted() -> None:
    availability, _ = seen([100.0] * 22 + [97.0] * 8, 100)
    assert failure_noises(availability, None, SPLIT) is None


def test_an_old_outage_in_the_baseline_does_not_hide_what_fails_now() -> None:
    """That the entry failed hours ago says nothing of whose failures agree with its own today."""
    now = [100.0] * 22 + [99.0, 97.0, 98.0] + [100.0] * 5
    old = list(now)
    old[4] = 10.0
    elsewhere = [100.0] * 26 + [99.0, 97.0, 98.0, 100.0]
    series = {
        ("entry", "availability_pct"): old,
        ("cart", "availability_pct"): now,
        ("ads", "availability_pct"): elsewhere,
    }
    series |= {(name, "requests_sum"): [500.0] * 30 for name in ("entry", "cart", "ads")}
    made = store_of(series)
    symptom = next(
        s for s in signals(made, T0, SPLIT, END) if s.key.service == "entry" and s.traits.role == "availability"
    )
    ranked = rank(made, CallGraph(), Question(T0, SPLIT, END, symptom, "errors", ("cart", "ads")))
    assert [item.service for item in ranked] == ["cart", "ads"]
    assert ranked[0].raw > 3 * ranked[1].raw
