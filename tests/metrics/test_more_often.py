"""Where few requests come, failures that come more often are a change; a few by chance, or in one run, are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from subagents.metrics.measure import Measure, measure
from tests.metrics.files import START, minute, steady
from tests.metrics.test_procedure import Series, investigate

COUNT, BROKEN = 120, 90


def told(values: list[float], name: str = "http_5xx_ratio") -> Measure:
    times = np.array([START.timestamp() + 60.0 * at for at in range(len(values))])
    found = measure(name, times, np.array(values), 60.0)
    assert found is not None
    return found


def chance(seed: int, before: float, since: float) -> list[float]:
    """Return the share of six requests a minute that fail."""
    rng = np.random.default_rng(seed)
    return [float(rng.binomial(6, before if at < BROKEN else since)) / 6 for at in range(COUNT)]


@pytest.mark.parametrize("seed", range(6))
def test_one_in_five_that_fails_of_six_a_minute_is_seen(seed: int) -> None:
    found = told(chance(seed, 0.02, 0.2))
    assert found.score >= 1.0
    assert found.onset is not None
    assert abs(found.onset - minute(BROKEN).timestamp()) <= 300
    assert found.state != "recovered"


def test_of_many_calm_series_none_is_called_so() -> None:
    sure = [told(chance(seed, 0.02, 0.02)).score for seed in range(100, 160)]
    assert max(sure) < 1.0


def test_what_comes_in_one_run_counts_less() -> None:
    """Failures that follow each other are few incidents, not many."""
    runs = [0.2 if at in (*range(30, 36), *range(95, 101)) else 0.0 for at in range(COUNT)]
    assert told(runs, "login_failures_ratio").onset != minute(95).timestamp()


async def test_a_service_of_few_requests_that_fails_is_found_though_nobody_says_so(tmp_path: Path) -> None:
    series: Series = {
        (service, name): values
        for place, service in enumerate(("web", "orders", "stock", "auth"))
        for name, values in {
            "http_5xx_ratio": chance(place, 0.02, 0.25 if service == "orders" else 0.02),
            "requests_per_min": steady(6, COUNT),
            "latency_p95_ms": [float(v) for v in np.exp(np.random.default_rng(place).normal(4.5, 0.3, COUNT))],
        }.items()
    }
    _, summary = await investigate(tmp_path, series)
    assert summary.symptom is not None
    assert (summary.symptom.service, summary.services[0].service) == ("orders", "orders")
