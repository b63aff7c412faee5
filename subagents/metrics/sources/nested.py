"""Points that lie anywhere in a JSON document, whoever wrote it: lists of records of a time and numbers.

What encloses them says of what they are; the keys in which they differ tell those apart that it leaves alike.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, TypeAlias

from subagents.metrics.sources.courses import Course, merged
from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, VALUE_NAMES, Labels, first_of
from subagents.metrics.sources.stamps import stamp_of

MOST_LEVELS = 8
PROBED = 20
LONGEST = 200
"""Characters of the longest text that may be a label."""
_WRAPPERS = ("data", "values", "fields", "dimensions")
_OF_LOGS = ("level", "severity")
_EVENTS = re.compile(
    r"_?u?u?id|(request|trace|span|session|user|customer|order|transaction|event|message)[_.-]?id", re.IGNORECASE
)
"""Numbers that name what happened once, or who did it."""
_CODES = re.compile(r"(.*[_.-])?(status|code|status[_-]?code|response[_-]?code)", re.IGNORECASE)
_TIMES = (*TIME_NAMES, "start", "starttime", "start_time", "from", "end", "endtime", "end_time")
_NAMES = (*METRIC_NAMES, "label", "metricid", "displayname")
_OWNERS = (*SERVICE_NAMES, *METRIC_NAMES)
Leaves: TypeAlias = dict[tuple[str, ...], Any]
"""What a record holds, by its key and those of the records around it."""


@dataclass(frozen=True)
class _About:
    """What encloses points says of them: the nearest name, and all else in words."""

    name: str
    """Empty where nothing names them."""
    labels: Labels
    keys: tuple[str, ...] = ()
    """Those below which they lie, from the outermost."""
    apart: str = ""
    """The keys in which these differ from others of the same name and labels."""

    @property
    def known(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """Return what tells them from others but for the keys."""
        return self.name, frozenset(self.labels.items())

    def within(self, tree: dict[str, Any]) -> _About:
        """Return this and what a record says in words of what lies below it."""
        said = _said(tree, 2)
        named = first_of(said, _NAMES)
        others = {key: text for key, text in said.items() if key != named}
        return replace(self, name=said[named] if named else self.name, labels=self.labels | others)


@dataclass
class _Around:
    """A record around others, and what is around it; its words are looked at only where points lie below it."""

    record: dict[str, Any]
    above: _Around | None

    @cached_property
    def about(self) -> _About:
        """Return what it and all around it say."""
        return _about(self.above).within(self.record)


def _about(around: _Around | None, keys: tuple[str, ...] = ()) -> _About:
    return replace(around.about if around else _About("", {}), keys=keys)


def courses_within(tree: Any, stem: str) -> list[Course]:
    """Return the series of a document; `stem` names those that nothing names."""
    found = _told_apart([(_about(around, keys), rows) for around, keys, rows in _lists(tree)])
    return merged(
        course for about, rows in found for course in (*_paired(rows, about, stem), *_recorded(rows, about, stem))
    )


def holds_points(tree: Any, least: int = 1) -> bool:
    """Say whether there are such lists, as many at least."""
    return len(list(islice(_lists(tree), least))) == least


def is_point(row: Any) -> bool:
    """Say whether a record has a time and numbers, and no words but other times and whose they are."""
    leaves = dict(_leaves(row)) if isinstance(row, dict) else {}
    time = _time(leaves)
    if time is None or first_of((path[-1] for path in leaves), _OF_LOGS):
        return False
    numbers = any(_is_number(leaf) for path, leaf in leaves.items() if path != time)
    return numbers and all(first_of((path[-1],), _OWNERS) for path in _words(leaves))


def is_event(row: Any) -> bool:
    """Say whether a record is of what happened once: it has an id of its own, or a status of HTTP."""
    leaves = dict(_leaves(row)) if isinstance(row, dict) else {}
    return any(
        _EVENTS.fullmatch(path[-1]) or (_CODES.fullmatch(path[-1]) and isinstance(leaf, int) and 100 <= leaf < 600)
        for path, leaf in leaves.items()
    )


def _is_pair(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and stamp_of(row[0]) is not None and _is_number(row[1])


def _lists(
    tree: Any, around: _Around | None = None, keys: tuple[str, ...] = (), levels: int = MOST_LEVELS
) -> Iterator[tuple[_Around | None, tuple[str, ...], list[Any]]]:
    """Yield the lists of points, each with what is around it and the keys below which it lies."""
    if isinstance(tree, dict) and levels:
        around = _Around(tree, around)
        for key, part in tree.items():
            if isinstance(part, dict | list):
                yield from _lists(part, around, (*keys, key), levels - 1)
    elif isinstance(tree, list) and levels:
        if len(tree) > 1 and (all(map(is_point, tree[:PROBED])) or all(map(_is_pair, tree[:PROBED]))):
            yield around, keys, tree
        else:
            for part in tree:
                if isinstance(part, dict | list):
                    yield from _lists(part, around, keys, levels - 1)


def _told_apart(found: list[tuple[_About, list[Any]]]) -> list[tuple[_About, list[Any]]]:
    """Return the lists, those of which the same is said with the keys in which they differ."""
    alike: dict[tuple[str, frozenset[tuple[str, str]]], set[tuple[str, ...]]] = defaultdict(set)
    for about, _ in found:
        alike[about.known].add(about.keys)
    shared: dict[tuple[str, frozenset[tuple[str, str]]], tuple[int, int]] = {}
    for known, paths in alike.items():
        begun = _begin_alike(paths)
        shared[known] = begun, _begin_alike([path[begun:][::-1] for path in paths])
    told = []
    for about, rows in found:
        begun, ended = shared[about.known]
        told.append((replace(about, apart=".".join(about.keys[begun : len(about.keys) - ended])), rows))
    return told


def _begin_alike(paths: Collection[tuple[str, ...]]) -> int:
    """Return with how many keys all paths begin alike: as many as the least and the greatest of them."""
    least, greatest = min(paths), max(paths)
    return next(
        (place for place, pair in enumerate(zip(least, greatest, strict=False)) if len(set(pair)) > 1), len(least)
    )


def _said(tree: dict[str, Any], levels: int) -> Labels:
    """Return the words of a record, and of those within it that hold nothing else."""
    said: Labels = {}
    for key, part in tree.items():
        if isinstance(part, dict) and levels:
            said |= _said(part, levels - 1) if all(isinstance(one, str | dict) for one in part.values()) else {}
        elif isinstance(part, str) and part and len(part) <= LONGEST and stamp_of(part) is None:
            said[key] = part
    return said


def _leaves(row: dict[str, Any], levels: int = 3) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what a record holds; records that only wrap others are left out of the path."""
    for key, part in row.items():
        if isinstance(part, dict) and levels:
            below = () if key.lower() in _WRAPPERS else (key,)
            yield from (((*below, *path), leaf) for path, leaf in _leaves(part, levels - 1))
        else:
            yield (key,), part


def _time(leaves: Leaves) -> tuple[str, ...] | None:
    """Return which leaf of a record is its time, None where none is."""
    called = {path[-1]: path for path in reversed(leaves)}
    key = first_of(called, _TIMES)
    return called[key] if key is not None and stamp_of(leaves[called[key]]) is not None else None


def _words(leaves: Leaves) -> dict[tuple[str, ...], str]:
    return {path: leaf for path, leaf in leaves.items() if isinstance(leaf, str) and stamp_of(leaf) is None}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _paired(rows: list[Any], about: _About, stem: str) -> Iterator[Course]:
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2]
    if pairs:
        name, labels = _named(about, stem)
        yield Course(labels, name, [row[0] for row in pairs], [row[1] for row in pairs])


def _named(about: _About, stem: str) -> tuple[str, Labels]:
    """Return the name and the labels of points that have no name of their own."""
    if not about.name:
        return about.apart or stem, about.labels
    return about.name, about.labels | ({"in": about.apart} if about.apart else {})


def _recorded(rows: list[Any], about: _About, stem: str) -> Iterator[Course]:
    name, labels = _named(about, stem)
    apart = {"in": about.apart} if about.apart else {}
    for row in rows:
        leaves = dict(_leaves(row)) if isinstance(row, dict) else {}
        time = _time(leaves)
        own = {path[-1]: word for path, word in _words(leaves).items()}
        for path, leaf in leaves.items():
            if time is not None and path != time and _is_number(leaf):
                alone = len(path) == 1 and first_of(path, VALUE_NAMES) is not None
                course = (labels | own, name) if alone else (about.labels | apart | own, ".".join(path))
                yield Course(*course, [leaves[time]], [leaf])
