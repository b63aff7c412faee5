"""Series of several paces in one source, and series that are scraped at moments of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from subagents.metrics.scene import measure_all
from subagents.metrics.series import Points, SeriesKey, build_frames
from subagents.metrics.sources.stamps import moment
from tests.metrics.files import brief, problems, read, shifted, spec, steady
from tests.metrics.test_procedure import run

T0 = 1_772_366_400.0


def rows(service: str, metric: str, times: np.ndarray, values: list[float]) -> Iterator[str]:
    yield from (f"{at:.3f},{service},{metric},{value}" for at, value in zip(times, values, strict=True))


def written(folder: Path, *series: Iterator[str]) -> Path:
    path = folder / "metrics.csv"
    path.write_text("\n".join(["ts,service,metric,value", *(line for each in series for line in each)]) + "\n")
    return path


async def test_a_coarser_series_beside_finer_ones_is_judged_at_its_own_pace(tmp_path: Path) -> None:
    fine, coarse = T0 + 15.0 * np.arange(240), T0 + 60.0 * np.arange(60)
    path = written(
        tmp_path,
        *(rows(name, "cpu_pct", fine, steady(40, 240)) for name in ("web", "cart", "ads")),
        rows("orders", "latency_p95_ms", coarse, shifted(80, 900, 40, 60)),
    )
    assert sorted(frame.step for frame in read(path).frames) == [15.0, 60.0]
    _, summary = await run([spec(path)], brief([spec(path)]))
    assert summary.symptom is not None
    assert (summary.symptom.title, summary.symptom.onset) == ("orders latency_p95_ms", moment(float(coarse[40])))


def test_a_series_with_holes_stays_on_the_grid_of_the_others() -> None:
    points, times = Points(), T0 + 60 * np.arange(60.0)
    for name in ("a", "b"):
        points.add(name, "cpu_pct", times, np.array(steady(40, 60)))
    held = np.array([0, 2, 5, 6, 9, 14, 15, 17, 23, 28, 29, 35, 41, 43, 50])
    points.add("c", "cpu_pct", times[held], np.array(steady(40, len(held))))
    frames, _ = build_frames("m", points)
    assert [len(frame.keys) for frame in frames] == [3]


def test_scrapes_beside_the_clock_fall_on_no_point_of_their_own_series(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    series = [
        rows(f"pod-{n}", "cpu_pct", T0 + n * 3.7 + 15.0 * np.arange(200) + rng.uniform(-2, 2, 200), steady(40, 200))
        for n in range(6)
    ]
    store = read(written(tmp_path, *series))
    assert sum(int(np.isfinite(frame.values).sum()) for frame in store.frames) == 1200
    assert not problems(store)


def test_points_that_fall_together_on_the_grid_are_counted(tmp_path: Path) -> None:
    apart = T0 + 15.0 * np.arange(100)
    series = [rows(f"pod-{n}", "cpu_pct", apart + n * 4.0, steady(40, 100)) for n in range(3)]
    twice = np.sort(np.append(apart + 12.0, apart[:4] + 13.0))
    store = read(written(tmp_path, *series, rows("pod-3", "cpu_pct", twice, steady(40, 104))))
    assert "within one step: the last counts (x4); lost: 4 points" in problems(store)


def test_scrapes_around_the_full_step_stay_on_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    late = {False: steady(80, 120), True: shifted(80, 900, 60, 120)}
    minutes = T0 + 60.0 * np.arange(120)
    series = [rows(f"s-{n}", "latency_ms", minutes + rng.normal(0, 0.4, 120), late[n < 3]) for n in range(6)]
    (frame,) = read(written(tmp_path, *series)).frames
    assert frame.times.tolist() == minutes.tolist()
    found = measure_all(read(tmp_path / "metrics.csv"), T0, T0 + 7200)
    assert {one.found.onset for one in found if one.found.onset is not None} == {float(minutes[60])}


def test_no_point_moves_by_more_than_half_a_step() -> None:
    points = Points()
    for n in range(7):
        points.add(f"s-{n}", "cpu_pct", T0 + n * 7.9 + 60 * np.arange(60.0), np.array(steady(40, 60)))
    (frame,), together = build_frames("m", points)
    assert together == 0
    for n in range(7):
        here = frame.times[np.isfinite(frame.values[frame.rows[SeriesKey("m", f"s-{n}", "cpu_pct")]])]
        assert np.abs(here - (T0 + n * 7.9 + 60 * np.arange(60.0))).max() <= 30.5


def test_a_series_of_nothing_is_left_out() -> None:
    points, empty = Points(), np.empty(0)
    points.add("a", "cpu_pct", T0 + 60 * np.arange(30.0), np.array(steady(40)))
    points.add("b", "cpu_pct", empty, empty)
    assert [len(frame.keys) for frame in build_frames("m", points)[0]] == [1]
