"""Series with known answers: what changes, where, under which noise. Used by tests and by the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHAPES = ("shift", "short", "ramp", "spread", "spike", "none", "none", "none")
NOISES = ("gaussian", "ar", "poisson", "lognormal")


@dataclass(frozen=True)
class Known:
    """A series and the indexes where it truly changes."""

    values: NDArray[np.float64]
    truth: tuple[int, ...]
    shape: str
    noise: str
    seasonal: bool


def _noise(kind: str, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if kind == "ar":
        white = rng.normal(0, 0.8, n)
        out = np.zeros(n)
        for i in range(1, n):
            out[i] = 0.6 * out[i - 1] + white[i]
        return out
    if kind == "lognormal":
        out = rng.lognormal(0, 0.5, n)
        out[rng.random(n) < 0.004] *= 8
        return (out - 1.13) / 0.6
    return rng.normal(0, 1, n)


def known(shape: str, noise: str, seasonal: bool, n: int, rng: np.random.Generator) -> Known:
    """Return one series: level 100 (Poisson: 30), noise of spread about 5, a change of four to eight spreads."""
    level, unit = (30.0, 5.5) if noise == "poisson" else (100.0, 5.0)
    size = rng.uniform(4, 8) * unit * (1 if noise == "poisson" or rng.random() < 0.7 else -1)
    at = int(rng.integers(int(n * 0.25), int(n * 0.8)))
    mean, scale = np.full(n, level), np.ones(n)
    truth: tuple[int, ...] = ()
    if shape == "shift":
        mean[at:] += size
        truth = (at,)
    elif shape == "short":
        length = int(rng.integers(15, 40))
        mean[at : at + length] += size
        truth = (at, at + length)
    elif shape == "ramp":
        mean[at:] += size * np.clip(np.arange(n - at) / 10, 0, 1)
        truth = (at,)
    elif shape == "spread":
        scale[at:] = 3.0
        truth = (at,)
    elif shape == "spike":
        mean[at : at + 2] += 2 * size
    if seasonal:
        phase = rng.uniform(0, 2 * np.pi)
        mean = mean + 3 * unit * np.sin(2 * np.pi * np.arange(n) / 1440 + phase)
    if noise == "poisson":
        rate = np.clip(mean, 1, None)
        values = rng.poisson(rate).astype(float)
        values = np.where(scale > 1, rate + (values - rate) * scale, values)
    else:
        values = mean + unit * scale * _noise(noise, n, rng)
    return Known(values, truth, shape, noise, seasonal)


def many(count: int, n: int, seed: int) -> list[Known]:
    """Return `count` series over all shapes and noises; a third have a daily season."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(count):
        shape = SHAPES[i % len(SHAPES)]
        out.append(known(shape, NOISES[(i // len(SHAPES)) % 4], rng.random() < 1 / 3, n, rng))
    return out


@dataclass(frozen=True)
class Marks:
    """How found places compare with true ones; a hit lies within `tolerance` points."""

    precision: float
    recall: float
    f1: float
    clean_flagged: float
    by_shape: dict[str, str]


def score(series: list[Known], found: list[list[int]], tolerance: int = 8) -> Marks:
    """Match found places with true ones, each at most once."""
    hits = extra = missed = clean = flagged = 0
    shapes: dict[str, list[int]] = {}
    for item, places in zip(series, found, strict=True):
        left = list(places)
        matched = 0
        for true in item.truth:
            near = [p for p in left if abs(p - true) <= tolerance]
            if near:
                left.remove(min(near, key=lambda p: abs(p - true)))
                matched += 1
        hits, extra, missed = hits + matched, extra + len(left), missed + len(item.truth) - matched
        tally = shapes.setdefault(item.shape, [0, 0, 0])
        tally[0], tally[1], tally[2] = tally[0] + matched, tally[1] + len(item.truth), tally[2] + len(left)
        if not item.truth and item.shape == "none":
            clean += 1
            flagged += bool(places)
    precision, recall = hits / max(1, hits + extra), hits / max(1, hits + missed)
    return Marks(
        precision,
        recall,
        2 * precision * recall / max(1e-9, precision + recall),
        flagged / max(1, clean),
        {shape: f"{a}/{b} found, {c} extra" for shape, (a, b, c) in sorted(shapes.items())},
    )
