"""Change points on series with known answers, each seed fixed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.hard_series import harder
from subagents.metrics.measure import measure
from subagents.metrics.moving_sums import median3, median5
from subagents.metrics.onset import filled, find_changes, without_season
from tests.metrics.known import Known, many, score


def places(series: list[Known]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in series]
    for change in find_changes(np.stack([item.values for item in series])):
        found[change.row].append(change.index)
    return found


def test_a_day_of_minutes_is_found_and_clean_series_are_left_alone() -> None:
    series = many(256, 1440, seed=2026)
    marks = score(series, places(series))
    assert marks.f1 >= 0.88, marks
    assert marks.clean_flagged <= 0.02, marks


@pytest.mark.parametrize("points", [24, 36, 60, 110, 200, 480])
def test_short_windows_raise_no_alarm_on_clean_series(points: int) -> None:
    series = [item for item in many(400, points, seed=points) if item.shape == "none"]
    flagged = sum(bool(found) for found in places(series))
    assert flagged / len(series) <= 0.02


@pytest.mark.parametrize("points", [24, 40, 100])
def test_a_clear_shift_in_a_short_window_is_placed_exactly(points: int) -> None:
    rng = np.random.default_rng(points)
    at = points - 7
    values = rng.normal(100, 3, (50, points))
    values[:, at:] += 40
    found = {c.row: c for c in find_changes(values) if c.kind == "level" and c.index == at}
    assert len(found) >= 48
    assert all(change.delta > 25 for change in found.values())


def test_noise_before_a_clear_step_is_no_part_of_it_and_a_ramp_begins_where_it_does() -> None:
    rng = np.random.default_rng(1)
    rows = np.maximum(0, rng.normal(0.0015, 0.0006, (300, 180)))
    rows[:150, 100:] = rng.normal(0.3, 0.02, (150, 80))
    rows[150:, 100:] += 0.3 * np.minimum(1, np.arange(1, 81) / 40)
    found = {c.row: c for c in find_changes(rows) if c.kind == "level"}
    assert {found[row].index - 100 for row in range(300)} <= {-1, 0, 1}
    assert sum(found[row].index == 100 for row in range(300)) > 290


def test_a_spike_of_two_points_is_no_change() -> None:
    series = [item for item in many(400, 1440, seed=5) if item.shape == "spike"]
    assert sum(bool(found) for found in places(series)) <= 0.02 * len(series)


def test_what_began_in_the_last_five_points_of_a_long_series_is_seen() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(100, 3, (40, 1440))
    values[:, -5:] += 60
    seen = {c.row for c in find_changes(values) if 1433 <= c.index <= 1436}
    assert len(seen) >= 38
    calm = find_changes(rng.normal(100, 3, (200, 1440)))
    assert len({c.row for c in calm}) <= 4


def test_a_slow_slide_is_one_departure_from_its_start() -> None:
    values = np.full((1, 60), 0.97) + np.tile([0.002, -0.003, 0.001], 20)
    values[0, 30:] -= np.minimum(np.arange(30) * 0.02, 0.4)
    changes = find_changes(values)
    assert any(29 <= c.index <= 34 and c.delta < 0 for c in changes)


def test_short_and_back_gives_both_ends() -> None:
    values = np.array([10.0, 10.2, 9.9, 10.1] * 8)
    values[20:26] += 5
    assert [c.index for c in find_changes(values[None, :])] == [20, 26]


def test_a_daily_season_is_taken_off_where_three_days_are_there() -> None:
    t = np.arange(4 * 1440)
    season = 50 * np.sin(2 * np.pi * t / 1440)
    noise = np.random.default_rng(0).normal(0, 1, len(t))
    rest = without_season((season + noise)[None, :], 60.0)[0]
    assert rest.std() < 3
    assert without_season((season + noise)[None, : 2 * 1440], 60.0)[0].std() > 30, "two days are too few to know it"
    flat = noise[None, :]
    assert np.array_equal(without_season(flat, 60.0), flat), "a series without a season stays as it is"


def test_gaps_are_bridged_and_empty_rows_left_out() -> None:
    values = np.full((3, 40), np.nan)
    values[0] = [5.0 + 0.1 * (i % 3) if i < 25 else 9.0 + 0.1 * (i % 3) for i in range(40)]
    values[0, 3:6] = np.nan
    values[1, :4] = 1.0
    whole, share = filled(values)
    assert np.isfinite(whole).all()
    assert share[1] == pytest.approx(0.1)
    assert {c.row for c in find_changes(values)} == {0}


@pytest.mark.parametrize("variant", ["blocks", "late", "stops", "counter"])
def test_what_is_not_there_is_no_change(variant: str) -> None:
    series = harder(many(160, 1440, seed=8), variant, seed=8)
    marks = score(series, places(series))
    assert marks.f1 >= 0.88, marks
    assert marks.clean_flagged <= 0.02, marks


def test_a_change_within_a_gap_is_told_at_the_first_point_after_it() -> None:
    values = np.random.default_rng(4).normal(100, 2, (1, 300))
    values[0, 150:] += 40
    values[0, 140:160] = np.nan
    assert [c.index for c in find_changes(values)] == [160]


def test_a_series_that_lives_for_a_part_of_the_time_is_judged_within_its_life() -> None:
    values = np.full((2, 1000), np.nan)
    values[:, 600:900] = np.random.default_rng(5).normal(100, 2, (2, 300))
    values[0, 800:900] += 40
    (found,) = find_changes(values)
    assert found.row == 0
    assert abs(found.index - 800) <= 1


def test_noise_that_grows_is_one_change_of_spread_and_no_shifts() -> None:
    rng = np.random.default_rng(6)
    values = 100 + 5 * rng.normal(0, 1, (20, 1440)) * np.where(np.arange(1440) < 900, 1.0, 3.0)
    found = find_changes(values)
    assert {c.kind for c in found} == {"spread"}
    assert sum(abs(c.index - 900) <= 8 for c in found) >= 17
    assert all(0.0 < c.delta < 30.0 for c in found), "how much further apart neighbours are, in the series' unit"


@pytest.mark.parametrize("shape", [(0, 50), (3, 0), (2, 5)])
def test_too_little_is_no_error(shape: tuple[int, int]) -> None:
    assert find_changes(np.ones(shape)) == []


def test_constant_series_never_change() -> None:
    assert find_changes(np.full((5, 1440), 7.0)) == []
    assert find_changes(np.zeros((5, 30))) == []


def test_running_medians_match_the_definition() -> None:
    x = np.random.default_rng(1).normal(0, 1, (4, 31))
    for width, running in ((3, median3), (5, median5)):
        half = width // 2
        expected = np.median(np.lib.stride_tricks.sliding_window_view(x, width, axis=1), axis=2)
        assert np.allclose(running(x)[:, half:-half], expected)


def test_a_measure_says_baseline_peak_factor_and_state() -> None:
    times = np.array([1.7e9 + 60 * i for i in range(30)])
    values = np.array([10.0, 10.2, 9.9, 10.1, 10.0] * 6)
    values[20:] = 50.0
    found = measure("latency_p99_ms", times, values, 60.0)
    assert found is not None
    assert (found.onset, found.baseline, found.peak, found.state) == (times[20], 10.0, 50.0, "ongoing")
    assert found.factor == pytest.approx(5.0)
    assert found.bad
    back = values.copy()
    back[26:] = 10.0
    recovered = measure("latency_p99_ms", times, back, 60.0)
    assert recovered is not None
    assert (recovered.state, recovered.ended) == ("recovered", times[26])
    falls = measure("success_rate_pct", times, np.where(values > 20, 80.0, 100.0), 60.0)
    assert falls is not None
    assert falls.bad
    assert falls.factor == pytest.approx(1.25)
    better = measure("latency_p99_ms", times, np.where(values > 20, 2.0, values), 60.0)
    assert better is not None
    assert better.onset == times[20]
    assert not better.bad, "a latency that falls hurts nobody"


def test_a_counter_is_measured_by_its_rate_across_a_reset() -> None:
    times = np.array([1.7e9 + 60 * i for i in range(40)])
    total = np.cumsum([60.0 + (i % 3) if i < 30 else 600.0 + (i % 3) for i in range(40)])
    total[15:] -= total[15] - 60
    found = measure("http_requests_total", times, total, 60.0)
    assert found is not None
    assert found.traits.counter
    assert found.baseline == pytest.approx(1.0, abs=0.1)
    assert found.onset == times[30]


def test_a_series_that_just_ends_has_no_change_after_its_last_point() -> None:
    noisy = 200 * np.random.default_rng(3).lognormal(0, 0.3, 300)
    values = np.concatenate([noisy, np.full(60, np.nan)])
    assert find_changes(values[None, :], 60.0) == []
    found = measure("latency_p99_ms", np.arange(360, dtype=np.float64) * 60.0, values.astype(np.float64), 60.0)
    assert found is not None
    assert (found.onset, found.peak, found.points) == (None, None, 300)


def test_a_step_in_a_long_series_is_placed_exactly_though_what_came_before_wiggles() -> None:
    rng = np.random.default_rng(3)
    values = 80 * np.exp(rng.normal(0, 0.12, (100, 240)))
    values[:, 150:] *= 6
    found = {c.row: c.index for c in find_changes(values) if c.kind == "level"}
    assert [found[row] for row in range(100)] == [150] * 100


@pytest.mark.parametrize("points", [480, 1440])
def test_a_slow_departure_is_found_however_long_the_series_and_a_trend_is_none(points: int) -> None:
    rng = np.random.default_rng(points)
    noise, along = np.exp(rng.normal(0, 0.08, (20, points))), np.arange(points) / points
    ramps = 80 * noise * (1 + 4 * np.maximum(0, along - 0.25))
    first = {c.row: c.index / points for c in find_changes(ramps) if c.kind == "level"}
    assert len(first) == 20
    assert all(0.2 < place < 0.45 for place in first.values())
    day, trend = 80 * noise * (1.5 - np.cos(2 * np.pi * along)), 80 * noise * (1 + 2 * along)
    for calm in (day, trend):
        assert len({c.row for c in find_changes(calm) if c.kind == "level"}) <= 1


def test_points_that_come_now_and_then_are_judged_as_they_follow_each_other() -> None:
    values = np.full((1, 90), np.nan)
    values[0, ::3] = [0.0] * 20 + [1.0] * 10
    assert [(c.index, c.delta) for c in find_changes(values)] == [(60, 1.0)]


@pytest.mark.parametrize(
    ("rest", "state"),
    [
        (400 * np.exp(np.random.default_rng(1).normal(0, 0.4, 40)), "ongoing"),
        (np.random.default_rng(2).poisson(300, 40) * 1.0, "ongoing"),
        (np.linspace(900, 180, 40), "recovering"),
        (np.append(np.full(30, 800.0), np.full(10, 81.0)), "recovered"),
    ],
    ids=["wild", "counts", "on its way back", "back"],
)
def test_how_an_incident_stands_is_told_by_its_usual_level(rest: np.ndarray, state: str) -> None:
    before = 80 * np.exp(np.random.default_rng(0).normal(0, 0.05, 140))
    found = measure("latency_p95_ms", 60 * np.arange(180.0), np.append(before, rest).astype(np.float64), 60.0)
    assert found is not None
    assert (found.onset, found.state) == (140 * 60.0, state)
