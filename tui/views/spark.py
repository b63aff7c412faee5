"""A series as one row of bars, with what came before its onset told apart from what came after."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BARS = "▁▂▃▄▅▆▇█"
_POINT = re.compile(r'\["([^"]{10,40})",(-?[0-9.eE+-]{1,32})\]')


@dataclass(frozen=True)
class Sparkline:
    """Bars in time order; those from `onset_at` on are after the onset (None: it is not known)."""

    bars: str
    onset_at: int | None = None
    cut: bool = False
    """The series goes on beyond what is held."""


def points_of(excerpt: str) -> tuple[list[tuple[str, float]], bool]:
    """Read the points of a metric's frozen excerpt, and say whether it was cut short."""
    try:
        whole = json.loads(excerpt)
        return [(str(at), float(value)) for at, value in whole], False
    except (ValueError, TypeError):
        return [(at, float(value)) for at, value in _POINT.findall(excerpt) if _is_number(value)], True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def sparkline(points: Sequence[tuple[str, float]], width: int, onset: datetime | None, cut: bool = False) -> Sparkline:
    """Draw points in at most `width` bars, each the largest of those it stands for."""
    if not points or width <= 0:
        return Sparkline("")
    buckets = min(width, len(points))
    groups = [points[len(points) * at // buckets : len(points) * (at + 1) // buckets] for at in range(buckets)]
    middle = sorted(value for _, value in points)[len(points) // 2]
    tall = [max((value for _, value in group), key=lambda value: abs(value - middle)) for group in groups]
    low, high = min(tall), max(tall)
    steps = len(BARS) - 1
    bars = "".join(BARS[round((value - low) / (high - low) * steps) if high > low else 0] for value in tall)
    return Sparkline(bars, _onset_at(groups, onset), cut)


def _onset_at(groups: Sequence[Sequence[tuple[str, float]]], onset: datetime | None) -> int | None:
    if onset is None:
        return None
    for at, group in enumerate(groups):
        try:
            last = datetime.fromisoformat(group[-1][0])
            if last >= onset:
                return at
        except (ValueError, TypeError):
            return None
    return None
