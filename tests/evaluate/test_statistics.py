"""Intervals and exact tests against figures known from elsewhere."""

from __future__ import annotations

import random

import pytest

from orchestrator.evaluate.statistics import interval, sign_test, wilson


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(6, 12, 0.254, 0.746), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (9, 12, 0.468, 0.911), (0, 0, 0.0, 1.0)],
)
def test_wilson(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == pytest.approx((low, high), abs=5e-4)


def test_means_of_partial_scores_are_as_unsure_as_shares_of_that_mean() -> None:
    assert interval([1.0] * 6 + [0.0] * 6) == wilson(6, 12)
    assert interval([0.5] * 12) == wilson(6, 12), "a few cases that happen to be alike are no certainty"
    assert interval([0.8])[0] < 0.5
    assert interval([]) == (0.0, 1.0)


def test_the_interval_of_partial_scores_holds_their_mean_as_often_as_it_says() -> None:
    draw, missed = random.Random(4), 0
    for _ in range(400):
        low, high = interval([draw.choice((0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.0)) for _ in range(8)])
        missed += not low <= 4.0 / 7 <= high
    assert missed <= 20


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (10, 2, 0.03857), (7, 7, 1.0), (600, 400, 2.7e-10)],
)
def test_sign_test(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p, rel=0.02)
    assert sign_test(losses, wins) == sign_test(wins, losses)
