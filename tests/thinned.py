"""Long lists of which the suite tries some, and `make soak` the others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import pytest


def thinned(values: Iterable[Any], one_in: int, kind: Callable[[Any], Hashable] | None = None) -> list[Any]:
    """Return values as parameters, of which one in so many, from the first on, and the first of each kind stay."""
    kept, met = list[Any](), set[Hashable]()
    for number, value in enumerate(values):
        is_first = kind is not None and kind(value) not in met
        if kind is not None:
            met.add(kind(value))
        stays = is_first or number % one_in == 0
        kept.append(value if stays else pytest.param(*_several(value), marks=pytest.mark.soak))
    return kept


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
