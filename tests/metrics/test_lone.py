"""The one moment at which a series that keeps its level was far from it: found where it stands alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from subagents.contract import Brief, Incident, SourceSpec
from subagents.metrics.agent import build
from subagents.metrics.lone import lone_excursion
from subagents.metrics.measure import measure
from subagents.metrics.model import MetricsSummary
from subagents.metrics.series import Floats
from subagents.metrics.sources.stamps import moment
from tests.fakes import run_procedure

STEP, POINTS = 300.0, 2_000
FIRST = 1_772_000_000.0
TIMES: Floats = np.asarray(FIRST + STEP * np.arange(POINTS), np.float64)


def noisy(seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(50.0 + rng.normal(0.0, 2.0, POINTS), np.float64)


def with_spike(values: Floats, at: int = 1_234, height: float = 90.0, points: int = 1) -> Floats:
    values = values.copy()
    values[at : at + points] += height
    return values


@pytest.mark.parametrize("points", [1, 3])
def test_an_excursion_that_stands_alone_is_told_and_over_soon(points: int) -> None:
    found = measure("value", TIMES, with_spike(noisy(1), points=points), STEP)
    assert found is not None
    assert found.onset == TIMES[1_234]
    assert found.state == "recovered"
    assert found.ended == TIMES[1_234 + points]
    assert (found.score < 1) == (points == 1), "one point is no change"


def test_noise_has_none() -> None:
    assert not any(lone_excursion(noisy(seed), 2.0) for seed in range(100))


def test_where_excursions_are_of_all_sizes_the_largest_is_hardly_ever_one_of_its_own() -> None:
    found = []
    for seed in range(100):
        values = np.random.default_rng(seed).lognormal(0.0, 1.0, POINTS)
        found.append(lone_excursion(values, float(np.median(np.abs(values - np.median(values))))))
    assert sum(one is not None for one in found) <= 6


def test_what_comes_again_is_none() -> None:
    values = noisy(3)
    values[288::288] += 90.0
    assert lone_excursion(values, 2.0) is None
    assert lone_excursion(with_spike(values, height=120.0), 2.0) is None


def test_few_points_or_the_first_ones_say_nothing() -> None:
    assert lone_excursion(with_spike(noisy(4))[1_200:1_250], 2.0) is None
    assert lone_excursion(with_spike(noisy(4), at=1), 2.0) is None


def _spec(folder: Path, values: dict[str, Floats]) -> SourceSpec:
    path = folder / "value.csv"
    rows = [
        f"{moment(at).isoformat()},{','.join(f'{one[n]:.3f}' for one in values.values())}" for n, at in enumerate(TIMES)
    ]
    path.write_text("\n".join([f"ts,{','.join(values)}", *rows]) + "\n")
    return SourceSpec(id="value.csv", kind="metrics", path=str(path), origin="value.csv")


async def _summary(spec: SourceSpec) -> MetricsSummary:
    agent = build([spec])
    asked = Brief(incident=Incident(id="i-1", title="what happened"), sources=(spec,))
    _, summary = await run_procedure(agent, asked)
    assert isinstance(summary, MetricsSummary)
    return summary


async def test_of_the_only_series_that_is_given_it_is_the_symptom(tmp_path: Path) -> None:
    spiked = await _summary(_spec(tmp_path, {"value": with_spike(noisy(5))}))
    assert spiked.symptom is not None
    assert (spiked.onset, spiked.state) == (moment(TIMES[1_234]), "recovered")
    assert (await _summary(_spec(tmp_path, {"value": noisy(5)}))).symptom is None


async def test_among_others_it_is_none(tmp_path: Path) -> None:
    values = {f"value{n}": noisy(n) for n in range(6)} | {"spiked": with_spike(noisy(9))}
    assert (await _summary(_spec(tmp_path, values))).symptom is None
