"""The same series in several files: an export made again, or one of what came later.

Analysed twice it would count twice, and what came later alone has no time before. An export that holds all that an
older one held takes its place; one that goes on where another ends is joined to it, under the name of the first. What
is not analysed stays, for what cites it.
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
    joined: dict[str, dict[str, int]] = field(default_factory=dict)
    """By source, of which earlier one it holds what came later, and for how many series."""

    def problems(self, source: str) -> tuple[Problem, ...]:
        """Say of a source what is read elsewhere."""
        said = [
            f"{count} {HELD_AGAIN} {newer}: analysed there, once" for newer, count in self.taken.get(source, {}).items()
        ]
        said += [
            f"{count} series of it go on where {earlier} ends: analysed as one with that"
            for earlier, count in self.joined.get(source, {}).items()
        ]
        return tuple(Problem(what=what, where=source) for what in said)


Place = tuple[int, int]
"""A frame and a row of it."""


def superseding(frames: Sequence[Frame]) -> Superseding:
    """Set aside each series that another source holds whole, with the same values; of equal ones the first stays.

    Those left that go on where another ends are joined to it.
    """
    made = Superseding()
    by_name: dict[tuple[str, str], list[Place]] = {}
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
    groups = []
    for held in by_name.values():
        groups += _in_a_row(frames, [one for one in held if one[1] not in aside.get(one[0], ())])
    first = {group[0] for group in groups}
    for (place, row), *later in groups:
        for each in later:
            aside.setdefault(each[0], set()).add(each[1])
            told = made.joined.setdefault(frames[each[0]].keys[each[1]].source, {})
            earlier = frames[place].keys[row].source
            told[earlier] = told.get(earlier, 0) + 1
    for place, frame in enumerate(frames):
        gone = aside.get(place, set())
        made.frames += _rows(frame, [r for r in range(len(frame.keys)) if r not in gone and (place, r) not in first])
        made.older += _rows(frame, sorted(gone))
    made.frames += _joined(frames, groups)
    return made


def _in_a_row(frames: Sequence[Frame], held: Sequence[Place]) -> list[list[Place]]:
    """Return the groups of series of one name, of several sources, each of which goes on where the one before ends."""
    there = [one for one in held if np.isfinite(frames[one[0]].values[one[1]]).any()]
    groups: list[list[Place]] = []
    for one in sorted(there, key=lambda one: tuple(_points(frames[one[0]], one[1])[0][[0, -1]])):
        group = next((group for group in groups if _goes_on(frames, group, one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return [group for group in groups if len(group) > 1]


def _goes_on(frames: Sequence[Frame], group: Sequence[Place], one: Place) -> bool:
    """Say whether a series goes on where a group ends: later altogether, or the same wherever both have points.

    The last value of an export may be of a moment that was not over, so that one need not be the same.
    """
    last, frame = frames[group[-1][0]], frames[one[0]]
    if frame.keys[one[1]].source in {frames[place].keys[row].source for place, row in group}:
        return False
    if min(last.step, frame.step) > 0 and not 0.5 <= frame.step / last.step <= 2.0:
        return False
    (times, values), (later, newer) = _points(last, group[-1][1]), _points(frame, one[1])
    if later[-1] <= times[-1]:
        return False
    both, again = times >= later[0], later <= times[-1]
    if not np.array_equal(times[both], later[again]):
        return False
    return bool(np.allclose(values[both][:-1], newer[again][:-1], rtol=1e-6, atol=1e-12))


def _joined(frames: Sequence[Frame], groups: Iterable[Sequence[Place]]) -> list[Frame]:
    """Return the series that were joined, those with points at the same times in one frame."""
    made: dict[tuple[int, bytes], list[tuple[SeriesKey, Floats, Floats]]] = {}
    for group in groups:
        times, values = _until_last(frames, group[0])
        for one in group[1:]:
            later, more = _until_last(frames, one)
            new = later > times[-1]
            times, values = np.concatenate([times, later[new]]), np.concatenate([values, more[new]])
        place, row = group[0]
        made.setdefault((place, times.tobytes()), []).append((frames[place].keys[row], times, values))
    found = []
    for (place, _), rows in made.items():
        values = np.stack([values for _, _, values in rows])
        found.append(Frame(tuple(key for key, _, _ in rows), rows[0][1], values, frames[place].step))
    return found


def _until_last(frames: Sequence[Frame], one: Place) -> tuple[Floats, Floats]:
    """Return the times and values of a series up to its last point, gaps and all."""
    frame, row = frames[one[0]], one[1]
    end = int(np.flatnonzero(np.isfinite(frame.values[row]))[-1]) + 1
    return frame.times[:end], frame.values[row, :end]


def _holder(frames: Sequence[Frame], mine: Place, others: Iterable[Place]) -> SeriesKey | None:
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
