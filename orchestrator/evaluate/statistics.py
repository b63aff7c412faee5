"""Intervals and paired tests for small numbers of cases."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

_Z95 = 1.959963984540054
RESAMPLES = 2000
_SEED = 20260301


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion; (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    share, squared = hits / total, _Z95**2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    reach = _Z95 * math.sqrt(share * (1 - share) / total + squared / (4 * total**2)) / (1 + squared / total)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a mean, from a fixed seed; (0, 1) of nothing."""
    if not values:
        return 0.0, 1.0
    draw = random.Random(_SEED)  # noqa: S311  resampling, not secrets; the same figures give the same interval
    means = sorted(math.fsum(draw.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the interval of a mean: Wilson's where every value is 0 or 1, else the bootstrap's."""
    if all(value in (0.0, 1.0) for value in values):
        return wilson(sum(value == 1.0 for value in values), len(values))
    return bootstrap(values)


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided exact p of so many wins against losses, ties left out.

    On values that are 0 or 1 it is McNemar's exact test.
    """
    decided = wins + losses
    if decided == 0:
        return 1.0
    tail = sum(math.comb(decided, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2.0 * tail / float(2**decided))
