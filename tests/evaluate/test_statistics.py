"""Intervals and exact tests against figures known from elsewhere."""

from __future__ import annotations

import pytest

from orchestrator.evaluate.statistics import bootstrap, interval, sign_test, wilson


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(6, 12, 0.254, 0.746), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (9, 12, 0.468, 0.911), (0, 0, 0.0, 1.0)],
)
def test_wilson(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == pytest.approx((low, high), abs=5e-4)


def test_bootstrap_holds_the_mean_and_repeats_itself() -> None:
    values = [0.2, 0.4, 0.4, 0.8, 1.0, 0.0, 0.6, 0.2]
    low, high = bootstrap(values)
    assert 0.2 < low < sum(values) / len(values) < high < 0.75
    assert bootstrap(values) == (low, high)
    assert bootstrap([]) == (0.0, 1.0)
    assert bootstrap([0.4] * 5) == pytest.approx((0.4, 0.4))


def test_shares_get_wilson_and_other_means_the_bootstrap() -> None:
    assert interval([1.0] * 6 + [0.0] * 6) == wilson(6, 12)
    assert interval([0.5, 1.0, 0.0]) == bootstrap([0.5, 1.0, 0.0])


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (10, 2, 0.03857), (7, 7, 1.0), (600, 400, 2.7e-10)],
)
def test_sign_test(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p, rel=0.02)
    assert sign_test(losses, wins) == sign_test(wins, losses)
