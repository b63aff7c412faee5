"""Intervals and paired tests for small numbers of cases."""

from __future__ import annotations

import math
from collections.abc import Sequence

_Z95 = 1.959963984540054


def wilson(hits: float, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion; (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    share, squared = hits / total, _Z95**2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    reach = _Z95 * math.sqrt(share * (1 - share) / total + squared / (4 * total**2)) / (1 + squared / total)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of values from 0 to 1: Wilson's.

    It is made for shares of cases. No values of a mean vary more than 0 and 1 do, so for others it is rather too wide
    than too narrow: a few cases that happen to be alike are no certainty.
    """
    return wilson(math.fsum(values), len(values))


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided exact p of so many wins against losses, ties left out.

    On values that are 0 or 1 it is McNemar's exact test.
    """
    decided = wins + losses
    if decided == 0:
        return 1.0
    tail = sum(math.comb(decided, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2.0 * tail / float(2**decided))
