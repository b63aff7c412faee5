"""Long lists of which the suite tries some, and `make soak` the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(values: Iterable[Any], one_in: int) -> list[Any]:
    """Return values as parameters, of which one in so many, from the first on, stays in the suite."""
    kept = []
    for number, value in enumerate(values):
        kept.append(value if number % one_in == 0 else pytest.param(*_several(value), marks=pytest.mark.soak))
    return kept


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
