"""What only the whole of a file settles: how its dates and numbers are written, and which columns tell series apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from subagents.metrics.sources.cells import CommaUse, Meanings
from subagents.metrics.sources.stamps import DateOrder, are_serial_days
from subagents.metrics.sources.table import Table

MOST_REPEATED = 100_000
"""Moments of series with several rows of which those rows are compared."""
Digests = NDArray[np.uint64]
Part = tuple[Table, str, Sequence[str]]
"""One table of a file, its column of times, and its columns of numbers."""


@dataclass
class Writing:
    """How dates and numbers are written in one file: settled once for all its tables, whatever their columns."""

    dates: DateOrder = field(default_factory=DateOrder)
    commas: CommaUse = field(default_factory=CommaUse)
    small_m: Meanings = field(default_factory=dict)
    serial: bool | None = None
    """Times are a spreadsheet's days, by the first table; None: not looked at yet."""
    _looked: bool = False
    """The whole file was looked at: it says no more."""

    def settle(self, part: Part, whole: Callable[[], Iterable[Part]]) -> None:
        """Settle what the cells of a table leave open by the whole file: none may be read another way."""
        if self.serial is None:
            self.serial = are_serial_days(part[0].text(part[1]).unique().to_list())
        self._add(part)
        if self._is_open() and not self._looked:
            self._looked = True
            for other in whole():
                self._add(other)
                if not self._is_open():
                    break
        self.dates.settle()
        self.commas.settle(part[0].head.mark)

    def _is_open(self) -> bool:
        return self.dates.is_open or self.commas.is_open

    def _add(self, part: Part) -> None:
        """Take in the columns that a table has of these: others of its file may have others."""
        table, time, numbers = part
        if self.dates.days_first is None and time in table.header:
            self.dates.add(table.text(time).unique().to_list())
        for column in numbers:
            if column in table.header and (table.head.mark == ";" or column not in table.plain):
                self.commas.add(table.text(column), table.head.mark)


@dataclass
class Moments:
    """Which rows of a file that is read in blocks are of one series and one moment, by digests of both."""

    parts: list[Digests] = field(default_factory=list)

    def repeated(self) -> Digests:
        """Return the digests that came more than once; of very many some, from all over the file."""
        if not self.parts:
            return np.empty(0, dtype=np.uint64)
        came = np.sort(np.concatenate(self.parts))
        again = np.unique(came[1:][came[1:] == came[:-1]])
        return again[:: 1 + len(again) // MOST_REPEATED]


def telling_columns(table: pl.DataFrame, candidates: Sequence[str], keys: pl.DataFrame) -> list[str]:
    """Return the candidates, from left to right, that tell rows of equal keys apart and hold the same for several."""
    left = len(keys) - keys.n_unique()
    telling: list[str] = []
    for column in candidates:
        if not left:
            break
        if table[column].n_unique() * 2 > max(4, len(table)):
            continue
        more = keys.with_columns(table[column].fill_null("").str.strip_chars().alias(f"by {column}"))
        fewer = len(more) - more.n_unique()
        if fewer < left:
            keys, left = more, fewer
            telling.append(column)
    return telling
