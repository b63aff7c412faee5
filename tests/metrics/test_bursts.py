"""Of work that comes in bursts at a pace the burst that differs is the onset, not any edge of the others."""

from __future__ import annotations

import numpy as np
import pytest

from subagents.metrics.measure import Measure, measure
from subagents.metrics.series import Floats


def told(name: str, count: int, pace: int, width: int, heights: tuple[float, float, float], at: int) -> Measure:
    """Return what a series says that is at the first height, and in bursts at the second, from a point on the third."""
    rng, minutes = np.random.default_rng((count, pace)), np.arange(count, dtype=np.float64)
    busy = minutes % pace < width
    course = np.where(busy, np.where(minutes >= at, heights[2], heights[1]), heights[0])
    values: Floats = course * np.exp(rng.normal(0, 0.05, count))
    found = measure(name, 60.0 * minutes, values, 60.0)
    assert found is not None
    return found


PACES = [(180, 10, 1), (180, 10, 2), (180, 10, 3), (360, 30, 5), (720, 60, 6)]
WORSE = [("latency_p95_ms", (80, 900, 2700)), ("error_ratio", (0.002, 0.05, 0.6))]


@pytest.mark.parametrize(("count", "pace", "width"), PACES)
@pytest.mark.parametrize(("name", "heights"), WORSE)
def test_the_first_burst_that_differs_is_the_onset(
    count: int, pace: int, width: int, name: str, heights: tuple[float, float, float]
) -> None:
    found = told(name, count, pace, width, heights, at=count * 2 // 3 // pace * pace)
    assert found.onset == 60.0 * (count * 2 // 3 // pace * pace)
    assert (found.bad, found.state == "recovered") == (True, False)
    assert found.score >= 2.0


@pytest.mark.parametrize(("count", "pace", "width"), [(180, 10, 2), (180, 10, 3), (720, 60, 6)])
def test_bursts_as_ever_are_no_change(count: int, pace: int, width: int) -> None:
    assert told("cpu_pct", count, pace, width, (20, 85, 85), at=0).score < 1.0


def test_bursts_that_begin_are_a_change() -> None:
    found = told("error_ratio", 180, 10, 3, (0.002, 0.002, 0.6), at=120)
    assert found.onset is not None
    assert abs(found.onset - 7200) <= 120
