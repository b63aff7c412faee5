"""Series as they are written made into points: times and numbers of whatever JSON and text hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from subagents.metrics.series import Floats, Points
from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.stamps import (
    EARLIEST,
    EPOCH_UNITS,
    LATEST,
    DateOrder,
    naive,
    parse_by_calendar,
    parse_unique,
)
from subagents.metrics.sources.table import Faults
from subagents.quantities import counted

EVERY = 16
"""Series between two that are told of: most of the time nobody asks."""


def gather(courses: Sequence[Course], labels: Sequence[tuple[str, str]], faults: Faults, left: range) -> Points:
    """Return the points of series under their names; what is no point is a fault, empty and NaN values are gaps.

    While it works it tells how far it is in what is `left` of the file's bytes.
    """
    points, bad, infinite = Points(), 0, 0
    order, known = DateOrder(), dict[str, float | None]()
    for course in courses:
        order.add(text for text in course.times if isinstance(text, str))
    for done, (course, label) in enumerate(zip(courses, labels, strict=True)):
        if done % EVERY == 0:
            faults.on_read(left.start + len(left) * done // len(courses))
        times, (values, wrong) = times_of(course.times, order, faults, known), numbers_of(course.values)
        wrong |= np.isnan(times) if label[1] else True
        endless = np.isinf(values) & ~wrong
        bad += int(wrong.sum())
        infinite += int(endless.sum())
        usable = ~(wrong | endless | np.isnan(values))
        if usable.any():
            points.add(*label, times[usable], values[usable])
    if bad:
        faults.note("points without a readable time, name or number", lost=counted(bad, "point"), count=bad)
    if infinite:
        faults.note("the value is infinite", lost=counted(infinite, "point"), count=infinite)
    return points


def times_of(written: Sequence[object], order: DateOrder, faults: Faults, known: dict[str, float | None]) -> Floats:
    """Return epoch seconds of numbers and texts, NaN where one is no time; `known` keeps those of other series."""
    try:
        numbers = np.array([None if isinstance(one, bool) else one for one in written], dtype=np.float64)
        if numbers.ndim == 1:
            return epochs_of(numbers)
    except (TypeError, ValueError, OverflowError):
        pass
    texts = [str(one) if isinstance(one, str | int | float) and not isinstance(one, bool) else "" for one in written]
    unknown = parse_unique(set(texts).difference(known))
    parse_by_calendar(unknown, order)
    known.update(unknown)
    if order.remark:
        faults.note(order.remark)
    if any(known[text] is not None and naive(text) for text in texts[:1]):
        faults.no_zone()
    return np.array([known[text] for text in texts], dtype=np.float64)


def epochs_of(numbers: Floats) -> Floats:
    """Return epoch seconds of numbers in s, ms, us or ns, NaN where one gives none."""
    out = numbers * float("nan")
    for unit in reversed(EPOCH_UNITS):
        seconds = numbers / unit
        fits = (seconds >= EARLIEST) & (seconds <= LATEST)
        out[fits] = seconds[fits]
    return out


def numbers_of(written: Sequence[object]) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return numbers, NaN where there is none, and which of them are no numbers at all."""
    try:
        numbers = np.array(written, dtype=np.float64)
        if numbers.ndim == 1:
            return numbers, np.zeros(len(numbers), dtype=np.bool_)
    except (TypeError, ValueError, OverflowError):
        pass
    read = [_number(one) for one in written]
    wrong = np.array([number is None for number in read], dtype=np.bool_)
    return np.array(read, dtype=np.float64), wrong


def _number(value: object) -> float | None:
    if value is None:
        return float("nan")
    if isinstance(value, int | float | str):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return None
    return None
