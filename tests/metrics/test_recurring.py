"""Single points that come again and again are a change; one, or such as always came, are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from subagents.metrics.measure import measure
from tests.metrics.files import START, minute, steady
from tests.metrics.test_procedure import PAGE, Series, investigate

EVERY_FIVE = list(range(60, 90, 5))


def bursts(places: list[int], count: int = 90, height: float = 0.4) -> list[float]:
    return [height if at in places else value for at, value in enumerate(steady(0.002, count, wobble=0.3))]


def onset(values: list[float], name: str = "http_5xx_ratio") -> float | None:
    times = np.array([START.timestamp() + 60.0 * at for at in range(len(values))])
    found = measure(name, times, np.array(values), 60.0)
    return None if found is None or found.onset is None else (found.onset - START.timestamp()) / 60


@pytest.mark.parametrize(
    ("places", "began"),
    [
        (EVERY_FIVE, 60),
        ([60, 68, 71, 79, 82, 88], 60),
        ([70], None),  # one happens to any series
        ([84, 88], None),
        ([58, 66, 74, 82, 88], 58),
        ([14, 29, 44, 59, 74, 89], None),  # a batch, each quarter of an hour
    ],
)
def test_when_they_began_to_come(places: list[int], began: float | None) -> None:
    assert onset(bursts(places)) == began


def test_they_hurt_only_where_users_feel_them() -> None:
    assert onset(bursts(EVERY_FIVE), "go_gc_cycles_ratio") is None


async def test_requests_that_fail_each_five_minutes_are_an_incident_that_lasts(tmp_path: Path) -> None:
    """A process that runs out of memory and starts again: calm between, and not over in the calm at the end."""
    series: Series = {
        ("web", "http_5xx_ratio"): bursts(EVERY_FIVE, height=0.2),
        ("cart", "http_5xx_ratio"): bursts(EVERY_FIVE, height=0.7),
        ("ads", "http_5xx_ratio"): steady(0.002, 90, wobble=0.3),
    }
    page = PAGE.model_copy(update={"title": "web 5xx", "metric": "", "threshold": None, "observed": None})
    _, summary = await investigate(tmp_path, series, page.model_copy(update={"fired_at": minute(72)}))
    assert summary.symptom is not None
    assert (summary.symptom.service, summary.symptom.onset, summary.state) == ("web", minute(60), "ongoing")
    assert summary.services[0].service == "cart"


async def test_a_small_move_elsewhere_is_no_trouble_of_a_service_that_is_calm(tmp_path: Path) -> None:
    """Two failed requests at a service that has few, while the one that was paged has none."""
    few = [0.0] * 90
    few[70:72] = [0.03, 0.03]
    series: Series = {
        ("web", "http_5xx_ratio"): steady(0.002, 90, wobble=0.3),
        ("web", "requests_per_s"): steady(50, 90),
        ("fraud", "errors_per_s"): few,
        ("fraud", "requests_per_s"): steady(1.5, 90),
    }
    page = PAGE.model_copy(update={"title": "web 5xx", "metric": "", "threshold": None, "observed": None})
    _, summary = await investigate(tmp_path, series, page.model_copy(update={"fired_at": minute(73)}))
    assert summary.symptom is None
