"""The same series given twice: an export made again holds all that an older one held, and goes on.

Analysed twice it would count twice. The longer one is analysed; the older one stays, for what cites it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from subagents.contract import Problem
from subagents.metrics.model import HELD_AGAIN
from subagents.metrics.series import Floats, Frame, SeriesKey

COMMON = 3
"""Points from which two series can be told to be one."""


@dataclass
class Superseding:
    """Frames to analyse, frames that only citations open, and by source what took the place of how many series."""

    frames: list[Frame] = field(default_factory=list)
    older: list[Frame] = field(default_factory=list)
    taken: dict[str, dict[str, int]] = field(default_factory=dict)

    def problems(self, source: str) -> tuple[Problem, ...]:
        """Say of a source what is read elsewhere."""
        return tuple(
            Problem(what=f"{count} {HELD_AGAIN} {newer}: analysed there, once", where=source, lost="nothing")
            for newer, count in self.taken.get(source, {}).items()
        )


def superseding(frames: Sequence[Frame]) -> Superseding:
    """Set aside each series that another source holds whole, with the same values; of equal ones the first stays."""
    made = Superseding()
    by_name: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for place, frame in enumerate(frames):
        for row, key in enumerate(frame.keys):
            by_name.setdefault((key.service, key.name), []).append((place, row))
    aside: dict[int, set[int]] = {}
    for held in by_name.values():
        for place, row in held:
            newer = _holder(frames, (place, row), (one for one in held if one[1] not in aside.get(one[0], ())))
            if newer is not None:
                aside.setdefault(place, set()).add(row)
                taken = made.taken.setdefault(frames[place].keys[row].source, {})
                taken[newer.source] = taken.get(newer.source, 0) + 1
    for place, frame in enumerate(frames):
        gone = aside.get(place, set())
        made.frames += _rows(frame, [row for row in range(len(frame.keys)) if row not in gone])
        made.older += _rows(frame, sorted(gone))
    return made


def _holder(frames: Sequence[Frame], mine: tuple[int, int], others: Iterable[tuple[int, int]]) -> SeriesKey | None:
    """Return the series of another source that holds all of this one, if there is one."""
    frame, row = frames[mine[0]], mine[1]
    for other in others:
        newer = frames[other[0]]
        if newer.keys[other[1]].source == frame.keys[row].source:
            continue
        if _holds(_points(newer, other[1]), _points(frame, row), earlier=other < mine):
            return newer.keys[other[1]]
    return None


def _points(frame: Frame, row: int) -> tuple[Floats, Floats]:
    there = np.isfinite(frame.values[row])
    return frame.times[there], frame.values[row, there]


def _holds(newer: tuple[Floats, Floats], older: tuple[Floats, Floats], *, earlier: bool) -> bool:
    times, values = older
    if len(times) < COMMON or len(newer[0]) < len(times) or (len(newer[0]) == len(times) and not earlier):
        return False
    at = np.minimum(np.searchsorted(newer[0], times), len(newer[0]) - 1)
    return bool(np.array_equal(newer[0][at], times) and np.allclose(newer[1][at], values, rtol=1e-6, atol=1e-12))


def _rows(frame: Frame, rows: list[int]) -> list[Frame]:
    if len(rows) == len(frame.keys):
        return [frame]
    keys = tuple(frame.keys[row] for row in rows)
    return [Frame(keys, frame.times, frame.values[rows], frame.step)] if rows else []
