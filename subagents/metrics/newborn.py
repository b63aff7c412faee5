"""Series that are there from some moment on only: what is new has no baseline, so it is held against its elders.

The pods of a new version are other series than those they take the place of. Each measures the same of the same
service, and only the label that says which pod it is tells them apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from subagents.metrics.roles import analysed
from subagents.metrics.series import Flags, Floats, Frame, SeriesKey, Store, pause
from subagents.metrics.signals import floor_of, noise_of
from subagents.pods import deployment_of

LEAST_POINTS = 4
WORSE, FACTOR = 3.0, 1.5
"""Noises, and times, by which one that is new is worse than its elders."""
MOST = 3
MOST_ELDERS, MOST_FIRSTS = 32, 200
"""So many of those that were there before tell what is usual, and at so many moments new ones are looked at."""
_INSTANCE = re.compile(
    r"\b(pod(_?name)?|instance|host(_?name)?|node|container(_?id)?|task(_?id)?|replica(_?set)?|ip|address|version|revision"
    r"|rs|pod_template_hash|image)=(\"[^\"]*\"|[^,}]*),?"
)


class Newborn(NamedTuple):
    """A series that is worse than those it takes the place of were before it was there."""

    key: SeriesKey
    first: float
    """Epoch seconds of its first point."""
    elder: SeriesKey
    """The one of those that is the most usual."""
    size: float
    """By how many of their noises it stands worse."""


class _Row(NamedTuple):
    frame: Frame
    key: SeriesKey
    times: Floats
    values: Floats
    known: Flags


def newborn(store: Store, start: float, end: float) -> list[Newborn]:
    """Return the series that begin in a window while others go on, and are worse than their elders, worst first."""
    families: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for row in _rows(store, start, end):
        families[_family(row.key)].append(row)
    found = [one for rows in families.values() if len(rows) > 1 for one in _in_family(rows, start, end)]
    return sorted(found, key=lambda one: (-one.size, one.key))[:MOST]


def _rows(store: Store, start: float, end: float) -> Iterator[_Row]:
    for frame, row, key in store.series():
        window = frame.slice(start, end)
        values = frame.values[row, window]
        known = np.isfinite(values)
        if known.any():
            yield _Row(frame, key, frame.times[window], values, known)


def _family(key: SeriesKey) -> tuple[str, ...]:
    """Return what the series of all pods of a service share."""
    return key.source, deployment_of(key.service), _INSTANCE.sub("", key.name)


def _in_family(rows: list[_Row], start: float, end: float) -> Iterator[Newborn]:
    late = start + pause(rows[0].frame.step, end - start)
    firsts = [float(row.times[row.known][0]) for row in rows]
    elders = [row for row, first in zip(rows, firsts, strict=True) if first <= late][:MOST_ELDERS]
    by_first: dict[float, list[_Row]] = defaultdict(list)
    for row, first in zip(rows, firsts, strict=True):
        if first > late and elders:
            by_first[first].append(row)
    worked = [(row, analysed(row.key.name, row.times, row.values)[1]) for row in elders] if by_first else []
    for first in sorted(by_first)[:MOST_FIRSTS]:
        old = [(row, values[(row.times < first) & np.isfinite(values)]) for row, values in worked]
        old = [(row, values) for row, values in old if len(values) >= LEAST_POINTS]
        if not old:
            continue
        usual = np.concatenate([values for _, values in old])
        middle = float(np.median(usual))
        elder = min(old, key=lambda pair: (abs(float(np.median(pair[1])) - middle), pair[0].key))[0]
        traits = analysed(elder.key.name, elder.times, elder.values)[0]
        noise = noise_of(usual, middle, floor_of(traits, middle, usual))
        for row in by_first[first]:
            size = _worse(row, middle, noise)
            if size > 0:
                yield Newborn(row.key, first, elder.key, size)


def _worse(row: _Row, middle: float, noise: float) -> float:
    """Return by how many noises a series stands where it hurts, 0 where it does not."""
    traits, values = analysed(row.key.name, row.times, row.values)
    values = values[row.known & np.isfinite(values)]
    if len(values) < LEAST_POINTS or traits.bad == "both":
        return 0.0
    level, sign = float(np.median(values)), 1.0 if traits.bad == "up" else -1.0
    size = sign * (level - middle) / noise
    far = level >= FACTOR * middle if sign > 0 else FACTOR * level <= middle
    return size if size >= WORSE and far else 0.0
