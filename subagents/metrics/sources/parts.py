"""Parts of JSON answers, taken only where they are of the kind that they should be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from subagents.metrics.sources.naming import TIME_NAMES, Labels, first_of


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


def tags_of(value: Any) -> Labels:
    """Return a list of `key:value` as labels."""
    tags = value if isinstance(value, list) else []
    return dict(tag.split(":", 1) for tag in tags if isinstance(tag, str) and ":" in tag)


def columns_of(value: Any, time: int = 0, number: int = 1) -> tuple[list[object], list[object]]:
    """Return times and values of a list of pairs."""
    rows = [row for row in value if isinstance(row, list) and len(row) >= 2] if isinstance(value, list) else []
    return [row[time] for row in rows], [row[number] for row in rows]


def _bare(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what a search wraps around it."""
    held = record.get("_source")
    return held if isinstance(held, dict) else record


def _tabled(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table that a document holds by its rows, or by its columns; none where it is no table."""
    time = first_of(tree, TIME_NAMES)
    if time is not None and isinstance(tree[time], list):
        lists = {key: part for key, part in tree.items() if isinstance(part, list) and len(part) == len(tree[time])}
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    names = tree.get("columns", tree.get("labels", tree.get("meta")))
    rows: list[Any] = next((tree[key] for key in ("rows", "data", "values") if isinstance(tree.get(key), list)), [])
    if not isinstance(names, list) or not rows:
        return []
    if all(isinstance(row, dict) for row in rows):
        return rows if "meta" in tree else []
    called = [str(name.get("name", "")) if isinstance(name, dict) else str(name) for name in names]
    index = tree.get("index")
    full = [row for row in rows if isinstance(row, list) and len(row) == len(called)]
    if isinstance(index, list) and len(index) == len(full):
        return [{"time": at, **dict(zip(called, row, strict=True))} for at, row in zip(index, full, strict=True)]
    return [dict(zip(called, row, strict=True)) for row in full]


def rows_within(tree: Any, levels: int = 8) -> Iterator[dict[str, Any]]:
    """Yield the records of the first list, from the top down, that holds nothing but records; or of the first table.

    A table has the names of its columns beside its rows, maybe an index.
    """
    if isinstance(tree, list) and tree and all(isinstance(one, dict) for one in tree) and not _tabled(tree[0]):
        yield from (_bare(one) for one in tree)
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
        yield from rows_within(tree[0], levels - 1)
    elif isinstance(tree, dict) and (table := _tabled(tree)):
        yield from table
    elif isinstance(tree, dict) and levels:
        inner = (rows_within(part, levels - 1) for part in tree.values() if isinstance(part, dict | list))
        yield from next((chain([first], rows) for rows in inner if (first := next(rows, None)) is not None), ())
