"""What a table may hold other than samples of the series that it is read as: events, or series that never meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from subagents.metrics.series import Floats
from subagents.metrics.sources.cells import NULLS, PROBE
from subagents.metrics.sources.stamps import parse_unique
from subagents.metrics.sources.table import Table

FEWEST = 20
"""Rows that say nothing of how others would follow."""
NEAR = 0.1
"""Of the usual distance: so far the distances of samples lie from it, as a share of it."""
STEADY = 0.25
"""Share of the distances that lie near the usual one where somebody samples; of events at random it is 0.07."""
IN_TURN = 0.9
"""Share of the steps of running numbers that are by one: some are given to what is never written down."""
RECURRING = 2
"""Rows to each value of a column that says of what they are."""


def numbering_of(table: Table, times: Floats, words: Sequence[str]) -> str:
    """Return the column that gives every row a name or running number of its own, where times keep no step either.

    Empty where there is none: samples come at steps, and nothing numbers them. `words`: columns of words.
    """
    if len(table) < FEWEST or not _keep_no_step(table, times, words):
        return ""
    numbered = (name for name in table.header if name != table.head.time and name not in words and _runs(table, name))
    named = (name for name in words if _is_name(table.text(name)))
    return next(named, "") or next(numbered, "")


def keep_step(times: Floats) -> bool:
    """Say whether moments come at steps, so that what is missing between two of them is a hole."""
    return _steady_share(times, np.zeros(len(times), np.int64)) >= STEADY


def _keep_no_step(table: Table, times: Floats, words: Sequence[str]) -> bool:
    """Say whether the rows come at no step: not all of them, nor those of any column's words."""
    usable = np.flatnonzero(np.isfinite(times))
    if keep_step(times[usable]):
        return False
    groups = (table.text(name).rank("dense").to_numpy().astype(np.int64)[usable] for name in words)
    recurring = (group for group in groups if group.max(initial=0) * RECURRING <= len(usable))
    return all(_steady_share(times[usable], group) < STEADY for group in recurring)


def _steady_share(times: Floats, group: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """Return the share of the distances from one moment of a group to its next about as long as most; of few, 1."""
    order = np.lexsort((times, group))
    distances, same = np.diff(times[order]), np.diff(group[order]) == 0
    distances = distances[same & (distances > 0)]
    if len(distances) < FEWEST // RECURRING:
        return 1.0
    usual = float(np.median(distances))
    return float(np.mean(np.abs(distances - usual) <= NEAR * usual))


def _runs(table: Table, name: str) -> bool:
    """Say whether a column holds running numbers."""
    numbers = table.text(name).cast(pl.Int64, strict=False)
    if numbers.null_count():
        return False
    steps = np.diff(numbers.to_numpy())
    return any(bool((one * steps > 0).all()) and float(np.mean(steps == one)) >= IN_TURN for one in (1, -1))


def _is_name(cells: pl.Series) -> bool:
    """Say whether every cell is another word, and no time."""
    if cells.n_unique() < len(cells) or (cells == "").any():
        return False
    return not any(stamp is not None for stamp in parse_unique(cells.head(PROBE).to_list()).values())


def merging(table: pl.DataFrame, words: Sequence[str], series: pl.DataFrame) -> Iterator[str]:
    """Yield the columns whose words recur and vary within a series: what tells its rows apart, though not at once."""
    known = series.n_unique()
    for name in words:
        cells = table[name].fill_null("").str.strip_chars().alias("by")
        recurs = cells.n_unique() * RECURRING <= len(cells)
        if (
            recurs
            and series.with_columns(cells).filter(~pl.col("by").str.to_lowercase().is_in(NULLS)).n_unique() > known
        ):
            yield name
