"""Is it over? Back at the verdict's own baseline, long enough, and never by silence."""

from __future__ import annotations

import pytest

from orchestrator.verdict import recovery
from orchestrator.verdict.recovery import Answer, Points, Was, judge, judge_counts, was_of
from subagents.metrics import measure

BEFORE = [(float(at), 1.0 + 0.02 * (at % 3)) for at in range(20)]
DURING = [(float(at), 9.0 + 0.1 * (at % 2)) for at in range(20, 30)]


def was(before: Points = BEFORE, during: Points = DURING, *, rising: bool = True, silent: bool = False) -> Was:
    return was_of(1.0, rising, before, during, silent_at_zero=silent)


def after(*values: float, start: float = 30.0) -> list[tuple[float, float]]:
    return [(start + at, value) for at, value in enumerate(values)]


def test_the_thresholds_are_those_that_the_symptom_was_measured_by() -> None:
    assert (recovery.BACK, recovery.ON_THE_WAY) == (measure.RECOVERED, measure.RECOVERING)
    assert recovery.LAST_POINTS == measure.LATEST_POINTS


@pytest.mark.parametrize(
    ("values", "state", "says"),
    [
        ((1.0, 1.1, 1.0, 1.0), "recovered", "stays"),
        ((9.0, 6.0, 3.0, 1.0, 1.1), "recovered", "stays"),
        ((9.0, 7.0, 5.0, 4.0, 3.5), "recovering", "on its way"),
        ((9.0, 9.0, 9.0, 9.0, 1.0), "ongoing", "as far"),
        ((9.0, 9.1, 8.9), "ongoing", "as far"),
        ((10.0, 12.0, 14.0), "ongoing", "worse"),
        ((1.0,), "recovering", "on its way"),
        ((), "unknown", "no newer"),
    ],
)
def test_newer_points_say_how_it_stands(values: tuple[float, ...], state: str, says: str) -> None:
    answer = judge(was(), DURING, after(*values))
    assert answer.state == state
    assert says in answer.why


def test_since_when_it_is_back_is_the_first_point_that_stays() -> None:
    assert judge(was(), DURING, after(9.0, 1.0, 9.0, 1.0, 1.0, 1.0)).since == 33.0


def test_what_comes_and_goes_has_to_stay_longer_than_it_did_before() -> None:
    calm, away = [1.0] * 5, [9.0] * 3
    answer = judge(was(), DURING, after(*calm, *away, *calm[:4]))
    assert answer.state == "recovering"
    assert "comes and goes" in answer.why
    assert judge(was(), DURING, after(*calm, *away, *calm, 1.0, 1.0)).state == "recovered"
    relapsing = [*DURING, *after(1.0, 1.0, 1.0, 9.0, start=30.0)]
    assert judge(was(), relapsing, after(1.0, 1.0, 1.0, start=34.0)).state == "recovering", "known before: it counts"


def test_a_thin_baseline_is_never_enough_to_call_it_recovered() -> None:
    answer = judge(was(before=BEFORE[:3]), DURING, after(1.0, 1.0, 1.0))
    assert answer.state == "recovering"
    assert "3 points" in answer.why


def test_what_falls_recovers_by_rising() -> None:
    low = [(float(at), 0.1) for at in range(20, 30)]
    fallen = was(during=low, rising=False)
    assert judge(fallen, low, after(0.1, 0.15, 0.1)).state == "ongoing"
    assert judge(fallen, low, after(1.0, 1.0, 0.98)).state == "recovered"


def test_a_latency_of_nothing_is_silence_and_an_error_ratio_of_nothing_is_not() -> None:
    assert judge(was(silent=True), DURING, after(0.0, 0.0, 0.0)).state == "unknown"
    assert judge(was(), DURING, after(0.0, 0.0, 0.0)).state == "recovered"


def test_a_departure_within_its_noise_cannot_be_told_to_be_over() -> None:
    noisy = [(float(at), 1.0 + at % 5) for at in range(20)]
    answer = judge(was_of(3.0, True, noisy, [(20.0, 5.0), (21.0, 5.0)]), [], after(3.0, 3.0))
    assert answer.state == "unknown"


@pytest.mark.parametrize(
    ("count", "seconds", "state"),
    [(0, 60, "recovered"), (5, 60, "recovered"), (20, 60, "recovering"), (55, 60, "ongoing"), (0, 2, "unknown")],
)
def test_lines_are_held_against_their_usual_rate_over_long_enough(count: int, seconds: float, state: str) -> None:
    answer = judge_counts(0.0, 1.0, (count, seconds))
    assert answer.state == state
    assert isinstance(answer, Answer)


def test_lines_that_were_no_more_frequent_during_the_incident_tell_nothing() -> None:
    assert judge_counts(1.0, 0.9, (0, 600)).state == "unknown"
