"""The benchmark of words alone: what it fits, holds out and compares."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bench_leads import SHIPPED, Case, difference, fit, held_out, rank

COLUMNS = len(SHIPPED)


def made(number: int, telling: int) -> Case:
    """Return a case of one of two repositories whose culprit stands out in one judgement, most of the time."""
    draw = np.random.default_rng(number)
    judged = draw.random((12, COLUMNS))
    culprit = int(draw.integers(12))
    judged[culprit, telling] += 1.0 if number % 5 else 0.0
    return Case(f"c{number}", f"r{number % 2}", judged, np.zeros(12), culprit, 3)


def test_the_telling_judgement_gets_the_weight_and_holds_out() -> None:
    cases = [made(number, telling=2) for number in range(60)]
    weights = fit(cases)
    assert int(np.argmax(weights)) == 2
    assert weights[2] > 3 * np.abs(np.delete(weights, 2)).max()
    assert np.mean([place == 0 for place in held_out(cases)]) > 0.6
    assert np.mean([place == 0 for place in held_out(cases, without=2)]) < 0.4


def test_a_judgement_left_out_has_no_weight() -> None:
    assert fit([made(number, telling=1) for number in range(20)], without=1)[1] == 0.0


def test_what_was_ruled_out_counts_as_missed_and_of_equals_the_newer_comes_first() -> None:
    same = Case("c", "r", np.ones((3, COLUMNS)), np.zeros(3), 1, 0)
    assert rank(same, np.ones(COLUMNS)) == 1
    assert rank(Case("c", "r", same.judged, np.array([0.0, 2.0, 0.0]), 1, 0), np.ones(COLUMNS)) == 0
    assert rank(Case("c", "r", same.judged, same.given, None, 0), np.ones(COLUMNS)) == 99


def test_a_paired_difference_has_its_interval() -> None:
    low, mean, high = difference([0] * 30 + [5] * 10, [0] * 10 + [5] * 30, lambda place: place == 0)
    assert mean == pytest.approx(0.5)
    assert 0.3 < low < 0.5 < high < 0.7
