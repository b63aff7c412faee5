"""What a window holds of each template: how many events, the first and the last, who logged them, in which files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from subagents.collector import collector_waiting
from subagents.contract import Window
from subagents.logs.counts import STEP
from subagents.logs.index import LogIndex
from subagents.logs.patterns import Template
from subagents.logs.sources.timestamps import microseconds

if TYPE_CHECKING:
    import polars as pl

MOST_NAMED = 12
"""Services, and sources."""
MOST_KEYS = 64
MOST_CODES = 1_000_000
ROWS_AT_ONCE = 100_000
_NEVER = (1 << 63) - 1
_COLUMNS = ("template", "key", "n", "source", "byte", "lines", "t0", "t1", "service")


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


def by_template(index: LogIndex, windows: Sequence[Window | None], service: str | None = None) -> list[dict[int, Held]]:
    """Return what windows that do not overlap hold of each template, by its number; of one service, if one is given."""
    import polars as pl

    wanted = pl.col("window").is_not_null()
    if service is not None:
        wanted &= pl.col("service") == service
    tally, which = _Tally.of(index, len(windows)), _which(windows)
    for rows in index.table.iter_slices(ROWS_AT_ONCE):
        tally.add(rows.lazy().with_columns(which).filter(wanted).select("window", *_COLUMNS).collect())
    with collector_waiting():
        return tally.held(index.different)


def by_service(
    index: LogIndex, windows: Sequence[Window | None], services: Sequence[str]
) -> Iterator[tuple[str, list[dict[int, Held]]]]:
    """Yield what `by_template` returns for each of these services, having looked through the table once."""
    import numpy as np
    import polars as pl

    names = pl.Series(services, dtype=pl.String)
    numbers = pl.col("service").cast(pl.String).replace_strict(names, np.arange(len(services)), default=None)
    told = index.table.lazy().select(_which(windows), number=numbers).collect()
    rows = pl.DataFrame({"row": (told["window"].is_not_null() & told["number"].is_not_null()).arg_true()})
    rows = rows.with_columns(number=told["number"][rows["row"]], window=told["window"][rows["row"]])
    of_service = rows.partition_by("number", as_dict=True, include_key=False)
    for number, service in enumerate(services):
        tally = _Tally.of(index, len(windows))
        for some in of_service.get((number,), rows.clear()).iter_slices(ROWS_AT_ONCE):
            tally.add(index.table[some["row"]].select(_COLUMNS).insert_column(0, some["window"]))
        with collector_waiting():
            yield service, tally.held(index.different)


def _which(windows: Sequence[Window | None]) -> pl.Expr:
    """Return the expression that says, as `window`, in which of the windows rows are; null: in none."""
    import polars as pl

    which, bucket = pl.lit(None, pl.Int64), pl.col("bucket")
    for place, window in enumerate(windows):
        if window is not None:
            first, end = bucket_range(window)
            which = pl.when((bucket >= first) & (bucket < end)).then(place).otherwise(which)
    return which.alias("window")


@dataclass
class _Tally:
    """What was counted of some rows, by template of each window (numpy): those of the first one, of the second ..."""

    windows: int
    names: list[str]
    """Of services, by number."""
    of_code: Any
    """The number of each service by its code in the table; the last is that of none."""
    counts: Any
    first: Any
    """µs; `_NEVER` where there is none, -1 where events have no time."""
    last: Any
    of_key: Any
    """The template of each key, by window as all of these."""
    key_first: Any
    at: list[Any]
    """Rows of template, time, source, byte, lines that may be the first of their template."""
    services: list[Any]
    sources: list[Any]
    """Rows of template, item, time that may be the first of these two."""

    @classmethod
    def of(cls, index: LogIndex, windows: int) -> _Tally:
        import numpy as np

        size, keys = len(index.different) * windows, len(index.keys) * windows
        counts, last, of_key = np.zeros(size, np.int64), np.full(size, -1), np.zeros(keys, np.int64)
        codes = index.services.to_physical().to_numpy()
        of_code = np.full(max(codes.tolist(), default=-1) + 2, -1)
        of_code[codes] = np.arange(len(codes))
        names = index.services.to_list()
        first, key_first = np.full(size, _NEVER), np.full(keys, _NEVER)
        return cls(windows, names, of_code, counts, first, last, of_key, key_first, [], [], [])

    def add(self, rows: pl.DataFrame) -> None:
        """Count rows."""
        import numpy as np
        import polars as pl

        template, key, count, source, byte, lines = (rows[name].to_numpy() for name in _COLUMNS[:6])
        window = rows["window"].to_numpy()
        template = window * (len(self.counts) // self.windows) + template
        key = window * (len(self.of_key) // self.windows) + key
        times, ends = rows["t0"].fill_null(-1).to_numpy(), rows["t1"].fill_null(-1).to_numpy()
        self.counts += np.bincount(template, count, len(self.counts)).astype(np.int64)
        np.minimum.at(self.first, template, times)
        np.maximum.at(self.last, template, ends)
        np.minimum.at(self.key_first, key, times)
        self.of_key[key] = template
        earliest = np.flatnonzero(times == self.first[template])
        self.at.append(np.stack([each[earliest] for each in (template, times, source, byte, lines)], dtype=np.int64))
        self.sources.append(_earliest(template, source, times))
        codes = rows["service"].to_physical().cast(pl.Int64).fill_null(len(self.of_code) - 1).to_numpy()
        services = self.of_code[codes]
        has = np.flatnonzero(services >= 0)
        self.services.append(_earliest(template[has], services[has], times[has]))

    def held(self, templates: Sequence[Template]) -> list[dict[int, Held]]:
        """Return what was counted of each template, by window."""
        import numpy as np

        there = np.flatnonzero(self.key_first != _NEVER)
        numbers = there % max(1, len(self.of_key) // self.windows)
        keys = _listed(self.of_key[there], numbers, self.key_first[there], MOST_KEYS)
        services, sources = (_merged(parts) for parts in (self.services, self.sources))
        at = np.concatenate(self.at, axis=1) if self.at else np.empty((5, 0), np.int64)
        at = at[:, np.lexsort((at[3], at[2], at[1], at[0]))]
        codes, places = np.unique(at[0], return_index=True)
        found: list[dict[int, Held]] = [{} for _ in range(self.windows)]
        for code, (start, source, byte, lines) in zip(codes.tolist(), at[1:, places].T.tolist(), strict=True):
            window, number = divmod(code, len(templates))
            end = int(self.last[code])
            found[window][number] = Held(
                template=number,
                level=templates[number].level,
                severe=templates[number].is_severe,
                count=int(self.counts[code]),
                first=start if start >= 0 else None,
                last=end if end >= 0 else None,
                source=source,
                byte=byte,
                lines=lines,
                services=tuple(self.names[each] for each in services.get(code, ())),
                sources=sources[code],
                keys=keys[code],
            )
        return found


def _merged(parts: Sequence[Any]) -> dict[int, tuple[int, ...]]:
    """Return the items of each template by their first time, at most so many."""
    import numpy as np

    template, item, times = np.concatenate(parts, axis=1) if parts else np.empty((3, 0), np.int64)
    template, item, first = _earliest(template, item, times)
    return _listed(template, item, first, MOST_NAMED)


def _earliest(template: Any, item: Any, times: Any) -> Any:
    """Return (template, item, first time) of each pair of the two, as rows (numpy)."""
    import numpy as np

    if not len(template):
        return np.empty((3, 0), np.int64)
    width = int(item.max()) + 1
    codes, size = template.astype(np.int64) * width + item, (int(template.max()) + 1) * width
    if size <= MOST_CODES:
        known, places = np.arange(size), codes
    else:
        known, places = np.unique(codes, return_inverse=True)
    first = np.full(len(known), _NEVER)
    np.minimum.at(first, places, times)
    there = np.flatnonzero(first != _NEVER)
    return np.stack([known[there] // width, known[there] % width, first[there]])


def _listed(template: Any, item: Any, first: Any, most: int) -> dict[int, tuple[int, ...]]:
    """Return the first items of each template, at most so many; of two at a time the one that stands before."""
    import numpy as np

    order = np.lexsort((first, template))
    template, item = template[order], item[order].tolist()
    numbers, starts = np.unique(template, return_index=True)
    ends = [*starts.tolist(), len(item)]
    return {
        number: tuple(item[start : min(end, start + most)])
        for number, (start, end) in zip(numbers.tolist(), pairwise(ends), strict=True)
    }
