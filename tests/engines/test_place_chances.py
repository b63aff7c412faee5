"""Chances of places grow with evidence and with the lead, keep the order, and are together no more than one."""

from __future__ import annotations

import pytest

from orchestrator.engines.offline.place_chances import chances
from orchestrator.engines.offline.sureness import MOST


def test_the_first_is_surer_with_more_evidence_and_with_more_lead() -> None:
    alone = [chances([score])[0] for score in (0.0, 0.05, 0.2, 0.4, 0.6)]
    assert alone == sorted(set(alone))
    assert alone[0] == 0.0
    beside = [chances([0.3, second])[0] for second in (0.3, 0.2, 0.1, 0.0)]
    assert beside == sorted(set(beside))


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0], [0.9, 0.2, 0.0], [0.02, 0.01], [0.3] * 40, [0.0, 0.0], []])
def test_the_order_stays_and_all_are_at_most_one(scores: list[float]) -> None:
    found = chances(scores)
    assert len(found) == len(scores)
    assert found == sorted(found, reverse=True)
    assert all(0.0 <= chance <= MOST for chance in found)
    assert sum(found) <= 1.0 + 1e-9


def test_what_little_evidence_there_is_makes_nobody_sure() -> None:
    assert chances([0.03, 0.02])[0] < 0.1
    assert 0.5 < chances([0.35, 0.3])[0] < 0.75


def test_what_nothing_given_could_have_shown_takes_from_the_chance() -> None:
    weak, strong = ([chances([score, 0.1], unseen)[0] for unseen in range(3)] for score in (0.4, 0.99))
    assert weak == sorted(weak, reverse=True)
    assert weak[1] < 0.6 < weak[0]
    assert strong[1] > 0.85, "strong evidence is hardly a bystander's"


def test_of_two_that_are_alike_neither_is_likelier() -> None:
    first, second = chances((0.86, 0.86))
    assert first == second == 0.5
    assert chances((0.86,) * 6)[0] == pytest.approx(1 / 6)
    assert chances((0.86, 0.8))[0] < chances((0.86, 0.6))[0]
