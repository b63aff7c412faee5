"""Parts of JSON answers, taken only where they are of the kind that they should be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from subagents.metrics.sources.naming import Labels


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list; nothing where it is none."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def within(value: Any, *keys: str) -> Any:
    """Return what lies below these keys, one after the other; None where one is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def labels_of(value: Any) -> Labels:
    """Return an object as labels, empty ones left out."""
    return {str(k): str(v) for k, v in value.items() if v not in (None, "")} if isinstance(value, dict) else {}


def columns_of(value: Any, time: int = 0, number: int = 1) -> tuple[list[object], list[object]]:
    """Return times and values of a list of pairs."""
    rows = [row for row in value if isinstance(row, list) and len(row) >= 2] if isinstance(value, list) else []
    return [row[time] for row in rows], [row[number] for row in rows]


def rows_within(tree: Any, levels: int = 8) -> Iterator[dict[str, Any]]:
    """Yield the records of the first list, from the top down, that holds nothing but records."""
    if isinstance(tree, list) and tree and all(isinstance(one, dict) for one in tree):
        yield from tree
    elif isinstance(tree, dict) and levels:
        inner = (rows_within(part, levels - 1) for part in tree.values() if isinstance(part, dict | list))
        yield from next((chain([first], rows) for rows in inner if (first := next(rows, None)) is not None), ())
