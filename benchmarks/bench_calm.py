"""How often the metrics specialist speaks of trouble where there is none, and finds it where there is some.

Six services of four series each, in nine sorts of calm: independent and correlated noise, few requests, the way into
the night and into the morning, an hourly batch. Each is drawn anew, as it is and with one service failing from a known
point on; nobody says that anything is wrong. Beside it three deviations of the first half, the alert that most would
write. `WARROOM_BENCH_CALM` is how many sets of each sort there are (default 20).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from subagents.metrics.agent import build
from subagents.metrics.model import MetricsSummary
from subagents.metrics.series import Floats, Ints
from tests.fakes import run_procedure
from tests.metrics.files import brief, long_csv, minute, spec

SERVICES = ("web", "orders", "payments", "stock", "search", "auth")
SIGMAS, ON_END = 3.0, 3
"""What the simple rule asks for: so many deviations, so many points on end."""
Course = Mapping[tuple[str, str], Floats]
Random = np.random.Generator


def correlated(rng: Random, count: int, share: float, size: float) -> Floats:
    """Return noise of which each point keeps a share of the one before it."""
    shocks, found = rng.normal(0, size, count), np.zeros(count)
    for place in range(1, count):
        found[place] = share * found[place - 1] + shocks[place]
    return found


def counted(rng: Random, usual: float | Floats, count: int) -> Floats:
    """Return counts of what happens by chance so often a point."""
    return np.asarray(rng.poisson(usual, count), np.float64)


def independent(rng: Random, count: int) -> Course:
    """Points that know nothing of each other."""
    return _each(
        lambda: (
            80 * np.exp(rng.normal(0, 0.08, count)),
            rng.binomial(2000, 0.002, count) / 2000,
            35 + rng.normal(0, 3, count),
            counted(rng, 200.0, count),
        )
    )


def drifting(rng: Random, count: int) -> Course:
    """Points that stay near those before them."""
    return _each(
        lambda: (
            80 * np.exp(correlated(rng, count, 0.9, 0.05)),
            0.003 * np.exp(correlated(rng, count, 0.8, 0.2)),
            35 + correlated(rng, count, 0.92, 1.2),
            200 * np.exp(correlated(rng, count, 0.95, 0.02)),
        )
    )


def few(rng: Random, count: int) -> Course:
    """Six requests a minute."""

    def one() -> tuple[Floats, ...]:
        asked = counted(rng, 6.0, count)
        failed = np.where(asked > 0, rng.binomial(asked.astype(int), 0.02) / np.maximum(asked, 1), np.nan)
        return np.exp(rng.normal(4.5, 0.7, count)), failed, 35 + rng.normal(0, 3, count), asked

    return _each(one)


def turning(rng: Random, count: int, sign: int) -> Course:
    """Two and a half times the traffic in the morning, or the way back."""

    def one() -> tuple[Floats, ...]:
        load = 1 + 1.5 / (1 + np.exp(-sign * (np.arange(count) - count / 2) / 40))
        return (
            80 * np.exp(rng.normal(0, 0.08, count)) * (1 + 0.08 * load),
            rng.binomial(2000, 0.002, count) / 2000,
            15 * load + correlated(rng, count, 0.8, 1.0),
            counted(rng, 100 * load, count),
        )

    return _each(one)


def batches(rng: Random, count: int) -> Course:
    """Six minutes of work at each full hour."""
    busy = (np.arange(count) % 60 < 6) * 1.0
    return _each(
        lambda: (
            80 * np.exp(rng.normal(0, 0.08, count)) * (1 + 0.5 * busy),
            rng.binomial(2000, 0.002, count) / 2000,
            30 + 40 * busy + correlated(rng, count, 0.5, 1.5),
            counted(rng, 200.0, count),
        )
    )


def _each(one: Callable[[], tuple[Floats, ...]]) -> Course:
    names = ("latency_p95_ms", "error_ratio", "cpu_pct", "requests_per_s")
    return {(service, name): values for service in SERVICES for name, values in zip(names, one(), strict=True)}


SORTS: Mapping[str, tuple[Callable[[Random, int], Course], int]] = {
    "independent": (independent, 180),
    "correlated": (drifting, 60),
    "correlated, longer": (drifting, 180),
    "correlated, 8 h": (drifting, 480),
    "correlated, a day": (drifting, 1440),
    "few requests": (few, 180),
    "into the night": (lambda rng, count: turning(rng, count, -1), 360),
    "into the morning": (lambda rng, count: turning(rng, count, 1), 360),
    "hourly batch": (batches, 360),
}


def failing(course: Course, service: str, at: int) -> Course:
    """Return it with one service four times as slow from a point on, one request in seven failing."""
    worse = {key: values.copy() for key, values in course.items()}
    worse[service, "latency_p95_ms"][at:] *= 4
    worse[service, "error_ratio"][at:] += 0.15
    return worse


def told(course: Course, folder: Path) -> MetricsSummary:
    """Return what the specialist says of it."""
    series = {key: [None if np.isnan(one) else float(one) for one in values] for key, values in course.items()}
    specs = [spec(long_csv(folder / "metrics.csv", series))]
    _, summary = asyncio.run(run_procedure(build(specs), brief(specs)))
    assert isinstance(summary, MetricsSummary)
    return summary


def simple(course: Course) -> bool:
    """Say whether what users feel anywhere leaves the first half by so many deviations, so many points on end."""
    for (_, name), values in course.items():
        if name in ("latency_p95_ms", "error_ratio"):
            first = values[: len(values) // 2]
            beyond = values[len(first) :] > np.nanmean(first) + SIGMAS * np.nanstd(first)
            if np.convolve(beyond, np.ones(ON_END), "valid").max() >= ON_END:
                return True
    return False


def main() -> None:
    """Draw, ask, print."""
    sets, seed = int(os.environ.get("WARROOM_BENCH_CALM", "20")), secrets.randbelow(1 << 20)
    print(f"{sets} sets of each sort, seed {seed}; columns: of calm sets called trouble, then of failing ones")
    print(f"{'':20} {'calm':>6} {'rule':>6} | {'found':>6} {'rule':>6} {'exact':>6} {'place':>6}")
    totals = np.zeros(6, int)
    for name, (draw, count) in SORTS.items():
        row = np.zeros(6, int)
        for number in range(sets):
            rng = np.random.default_rng((seed, number, count))
            course, service, at = draw(rng, count), str(rng.choice(SERVICES)), int(count * rng.uniform(0.6, 0.9))
            with tempfile.TemporaryDirectory(prefix="warroom-bench-") as folder:
                calm = told(course, Path(folder))
            worse = failing(course, service, at)
            with tempfile.TemporaryDirectory(prefix="warroom-bench-") as folder:
                found = told(worse, Path(folder))
            place = found.services[0].service if found.services else ""
            seen = found.symptom is not None
            hits = (calm.symptom is not None, simple(course), seen, simple(worse), found.onset == minute(at))
            row += [*hits, seen and place == service]
        totals += row
        print(_line(name, row), flush=True)
    of = len(SORTS) * sets
    print(_line(f"of {of}", totals))


def _line(name: str, row: Ints) -> str:
    calm, rule, *found = row.tolist()
    return f"{name:20} {calm:6d} {rule:6d} | " + " ".join(f"{one:6d}" for one in found)


if __name__ == "__main__":
    main()
