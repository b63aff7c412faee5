"""Lines by which a file's layouts are learnt: those that a block begins with, and some with equally many between.

A file may begin with what its program's start wrote, before the lines that there are most of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

AT_HEAD = 64
"""Lines at the head of a block."""
SPREAD, MANY = 192, 960
"""Others, with equally many between them; and so many where that is asked once."""


def some_of(lines: pl.Series, spread: int) -> pl.Series:
    """Return lines that are looked at for what may be rare: the head, and so many others."""
    if lines.len() <= AT_HEAD + spread:
        return lines
    return lines.head(AT_HEAD).append(_spread(lines.slice(AT_HEAD), spread))


def usual_of(lines: pl.Series, stamped: pl.Series, *, spread: bool) -> Iterator[list[str]]:
    """Yield samples of lines, with stamps if any have one: either may show what most have, at the head and `spread`."""
    for some, dated in ((lines.head(AT_HEAD), stamped.head(AT_HEAD)), (lines, stamped))[: 1 + spread]:
        yield _spread(some.filter(dated) if dated.any() else some, AT_HEAD).to_list()


def _spread(lines: pl.Series, most: int) -> pl.Series:
    return lines.gather_every(-(-lines.len() // most)) if lines.len() > most else lines
