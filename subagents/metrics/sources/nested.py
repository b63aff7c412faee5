"""Points that lie anywhere in a JSON document, whoever wrote it: lists of records of a time and numbers.

What encloses them says of what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from subagents.metrics.sources.courses import Course, merged
from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, VALUE_NAMES, Labels, first_of
from subagents.metrics.sources.stamps import stamp_of

MOST_LEVELS = 8
PROBED = 20
LONGEST = 200
"""Characters of the longest text that may be a label."""
_TIMES = (*TIME_NAMES, "start", "starttime", "start_time", "from", "end", "endtime", "end_time")
_NAMES = (*METRIC_NAMES, "label", "metricid", "displayname", "title", "id")
_OWNERS = (*SERVICE_NAMES, *METRIC_NAMES)


def courses_within(tree: Any, stem: str) -> list[Course]:
    """Return the series of a document; `stem` names those that nothing names."""
    return merged(course for about, rows in _lists(tree, {}, MOST_LEVELS) for course in _courses(rows, about, stem))


def holds_points(tree: Any) -> bool:
    """Say whether there are such lists."""
    return next(_lists(tree, {}, MOST_LEVELS), None) is not None


def _lists(tree: Any, about: Labels, levels: int) -> Iterator[tuple[Labels, list[dict[str, Any]]]]:
    if isinstance(tree, dict) and levels:
        about = about | _said(tree, 2)
        for part in tree.values():
            yield from _lists(part, about, levels - 1)
    elif isinstance(tree, list) and levels:
        if len(tree) > 1 and all(map(_is_point, tree[:PROBED])):
            yield about, [row for row in tree if isinstance(row, dict)]
        else:
            for part in tree:
                yield from _lists(part, about, levels - 1)


def _said(tree: dict[str, Any], levels: int) -> Labels:
    """Return what a record says in words of what lies below it, be they in records of their own."""
    said: Labels = {}
    for key, part in tree.items():
        if isinstance(part, dict) and levels:
            said |= _said(part, levels - 1) if all(isinstance(one, str | dict) for one in part.values()) else {}
        elif isinstance(part, str) and part and len(part) <= LONGEST and stamp_of(part) is None:
            said[key] = part
    return said


def _is_point(row: Any) -> bool:
    """Say whether a record has a time and numbers, and no words but other times and whose they are."""
    if not isinstance(row, dict) or _time(row) is None:
        return False
    leaves = dict(_leaves(row))
    words = [key for key, leaf in leaves.items() if isinstance(leaf, str) and stamp_of(leaf) is None]
    return any(map(_is_number, leaves.values())) and all(first_of((key,), _OWNERS) for key in words)


def _time(row: dict[str, Any]) -> str | None:
    key = first_of(row, _TIMES)
    return key if key is not None and stamp_of(row[key]) is not None else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _leaves(row: dict[str, Any], levels: int = 3) -> Iterator[tuple[str, Any]]:
    """Yield what a point holds beside its time, by its last key; below records that have no other name by both."""
    time = _time(row)
    for key, part in row.items():
        if isinstance(part, dict) and levels:
            below = "" if key.lower() in ("data", "values", "fields") else f"{key}_"
            yield from ((below + inner, leaf) for inner, leaf in _leaves(part, levels - 1))
        elif key != time:
            yield key, part


def _courses(rows: list[dict[str, Any]], about: Labels, stem: str) -> Iterator[Course]:
    named = first_of(about, _NAMES)
    name = about[named] if named else stem
    others = {key: said for key, said in about.items() if key != named}
    for row in rows:
        time = _time(row)
        leaves = list(_leaves(row))
        words = {key: leaf for key, leaf in leaves if isinstance(leaf, str) and stamp_of(leaf) is None}
        for key, leaf in leaves:
            if _is_number(leaf) and time is not None:
                alone = first_of((key,), VALUE_NAMES) is not None
                yield Course(others | words, name if alone else key, [row[time]], [leaf])
