"""What a window holds of each template: how many events, the first and the last, who logged them, in which files."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from subagents.contract import Window
from subagents.logs.counts import STEP
from subagents.logs.index import LogIndex
from subagents.logs.sources.timestamps import microseconds

if TYPE_CHECKING:
    import polars as pl

MOST_NAMED = 12
"""Services, and sources."""
MOST_KEYS = 64
MOST_CODES = 4_000_000
_NEVER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Held:
    """One template in one window. The first event is at `source`, `byte`; of two at a time, the one written first."""

    template: int
    level: int
    severe: bool
    count: int
    first: int | None
    """µs since 1970; None where it has no time."""
    last: int | None
    source: int
    byte: int
    lines: int
    services: tuple[str, ...]
    sources: tuple[int, ...]
    keys: tuple[int, ...]
    """In order of their first event, as services and sources are; some of many."""


def bucket_range(window: Window) -> tuple[int, int]:
    """Return the index buckets that a window touches, half open."""
    return microseconds(window.start) // STEP, -(-microseconds(window.end) // STEP)


def rows_in(index: LogIndex, window: Window) -> pl.DataFrame:
    """Return the index's rows in a window."""
    import polars as pl

    first, end = bucket_range(window)
    return index.table.filter((pl.col("bucket") >= first) & (pl.col("bucket") < end))


def by_template(index: LogIndex, window: Window | None, service: str | None) -> dict[int, Held]:
    """Return what a window holds of each template, by its number; of one service only, where one is given."""
    import numpy as np
    import polars as pl

    if window is None:
        return {}
    rows = rows_in(index, window)
    if service is not None:
        rows = rows.filter(pl.col("service") == service)
    if not rows.height:
        return {}
    columns = {name: rows[name].to_numpy() for name in ("template", "key", "n", "source", "byte", "lines")}
    template, times = columns["template"], rows["t0"].fill_null(-1).to_numpy()
    size = int(template.max()) + 1
    counts = np.bincount(template, columns["n"], size).astype(np.int64)
    first, last = np.full(size, _NEVER), np.full(size, -1)
    np.minimum.at(first, template, times)
    np.maximum.at(last, template, rows["t1"].fill_null(-1).to_numpy())
    named = _named(rows, template, times)
    sources = _in_order(template, columns["source"], times, MOST_NAMED)
    keys = _keys(template, columns["key"], times)
    found: dict[int, Held] = {}
    for number, row in _first_rows(columns, times == first[template]):
        known = index.different[number]
        start, end = int(first[number]), int(last[number])
        found[number] = Held(
            template=number,
            level=known.level,
            severe=known.is_severe,
            count=int(counts[number]),
            first=start if start >= 0 else None,
            last=end if end >= 0 else None,
            source=int(columns["source"][row]),
            byte=int(columns["byte"][row]),
            lines=int(columns["lines"][row]),
            services=named.get(number, ()),
            sources=sources[number],
            keys=keys[number],
        )
    return found


def _first_rows(columns: dict[str, Any], is_first: Any) -> list[tuple[int, int]]:
    """Return (template, row) of the row of each template's first event."""
    import numpy as np

    rows = np.flatnonzero(is_first)
    template = columns["template"][rows]
    order = np.lexsort((columns["byte"][rows], columns["source"][rows], template))
    found, place = np.unique(template[order], return_index=True)
    return list(zip(found.tolist(), rows[order[place]].tolist(), strict=True))


def _named(rows: pl.DataFrame, template: Any, times: Any) -> dict[int, tuple[str, ...]]:
    """Return the services that logged each template."""
    import numpy as np
    import polars as pl

    names = rows["service"].unique().drop_nulls().to_list()
    numbers = rows["service"].cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    has = np.flatnonzero(numbers >= 0)
    found = _in_order(template[has], numbers[has], times[has], MOST_NAMED)
    return {number: tuple(names[each] for each in some) for number, some in found.items()}


def _keys(template: Any, key: Any, times: Any) -> dict[int, tuple[int, ...]]:
    """Return the keys of each template."""
    import numpy as np

    first, of_key = np.full(int(key.max()) + 1, _NEVER), np.zeros(int(key.max()) + 1, np.int64)
    np.minimum.at(first, key, times)
    of_key[key] = template
    there = np.flatnonzero(first != _NEVER)
    return _listed(of_key[there], there, first[there], MOST_KEYS)


def _in_order(group: Any, item: Any, times: Any, most: int) -> dict[int, tuple[int, ...]]:
    """Return the items of each group by their first time, at most so many."""
    import numpy as np

    if not len(group):
        return {}
    width = int(item.max()) + 1
    codes = group.astype(np.int64) * width + item
    if (int(group.max()) + 1) * width <= MOST_CODES:
        known, places = np.arange((int(group.max()) + 1) * width), codes
    else:
        known, places = np.unique(codes, return_inverse=True)
    first = np.full(len(known), _NEVER)
    np.minimum.at(first, places, times)
    there = np.flatnonzero(first != _NEVER)
    return _listed(known[there] // width, known[there] % width, first[there], most)


def _listed(group: Any, item: Any, first: Any, most: int) -> dict[int, tuple[int, ...]]:
    import numpy as np

    order = np.lexsort((item, first, group))
    group, item = group[order], item[order].tolist()
    numbers, starts = np.unique(group, return_index=True)
    ends = [*starts.tolist(), len(item)]
    return {
        number: tuple(item[start : min(end, start + most)])
        for number, (start, end) in zip(numbers.tolist(), pairwise(ends), strict=True)
    }
