"""Known series made harder, the way real telemetry is: each variant keeps the true places of its changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from subagents.metrics.roles import as_rate
from tests.metrics.known import Known

Series = NDArray[np.float64]
Rng = np.random.Generator
DAY = 1440


def missing(item: Known, rng: Rng) -> Series:
    """One point in ten is not there."""
    return np.where(rng.random(len(item.values)) < 0.1, np.nan, item.values)


def blocks(item: Known, rng: Rng) -> Series:
    """Three scrapes failed for 10 to 30 minutes each, not where the change is."""
    values = item.values.copy()
    for _ in range(3):
        start, length = int(rng.integers(0, len(values) - 30)), int(rng.integers(10, 30))
        if all(abs(place - start) > 60 for place in item.truth):
            values[start : start + length] = np.nan
    return values


def weekly(item: Known, rng: Rng) -> Series:
    """One day of a week's slow wave."""
    return item.values + 15.0 * np.sin(2 * np.pi * np.arange(len(item.values)) / (7 * DAY) + rng.uniform(0, 6.28))


def trend(item: Known, rng: Rng) -> Series:
    """A steady rise by six spreads over the whole."""
    return item.values + 30.0 * np.linspace(0, rng.choice([-1.0, 1.0]), len(item.values))


def heavy(item: Known, rng: Rng) -> Series:
    """Student's t with two degrees of freedom on top."""
    return item.values + 2.0 * rng.standard_t(2, len(item.values))


def spiky(item: Known, rng: Rng) -> Series:
    """One point in a hundred shoots up by ten spreads, as a job of every so often makes it."""
    return item.values + np.where(rng.random(len(item.values)) < 0.01, 50.0, 0.0)


def counter(item: Known, rng: Rng) -> Series:
    """A counter that is reset twice, read back as a rate."""
    total: Series = np.cumsum(np.maximum(item.values, 0.0) * 60.0).astype(np.float64)
    for place in sorted(rng.integers(100, len(total) - 100, 2)):
        total[place:] -= total[place]
    return as_rate(np.arange(len(total), dtype=np.float64) * 60.0, total)


def whole(item: Known, rng: Rng) -> Series:
    """Small whole numbers."""
    return np.asarray(np.round(item.values / 5.0), dtype=np.float64)


def late(item: Known, rng: Rng) -> Series:
    """Nothing in the first fifth."""
    return np.where(np.arange(len(item.values)) < len(item.values) // 5, np.nan, item.values)


def stops(item: Known, rng: Rng) -> Series:
    """Nothing in the last tenth."""
    return np.where(np.arange(len(item.values)) > len(item.values) * 9 // 10, np.nan, item.values)


def jittered(item: Known, rng: Rng) -> Series:
    """Scraped at moments that wander by half a step, read as if they did not: neighbours mix."""
    at = np.arange(len(item.values)) + rng.uniform(-0.5, 0.5, len(item.values))
    return np.interp(at, np.arange(len(item.values)), item.values)


def tiny(item: Known, rng: Rng) -> Series:
    """Another unit: billionths, on a level of thousands of spreads."""
    return (item.values + 20_000.0) * 1e-9


HARDER: dict[str, Callable[[Known, Rng], Series]] = {
    each.__name__: each
    for each in (missing, blocks, weekly, trend, heavy, spiky, counter, whole, late, stops, jittered, tiny)
}


def harder(series: list[Known], variant: str, seed: int) -> list[Known]:
    """Return the same series, made harder."""
    rng = np.random.default_rng(seed)
    return [replace(item, values=HARDER[variant](item, rng)) for item in series]
