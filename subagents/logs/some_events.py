"""The text of some of many events, read anew from the files: each file once, however many are asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from subagents.logs.log_set import LogSet

if TYPE_CHECKING:
    import polars as pl

LOOKED_AT = 12
"""Events of which it is asked whether they are about one and the same record, or whom."""


def some_of(logs: LogSet, rows: pl.DataFrame) -> list[str]:
    """Return the text of some events, spread over all of them."""
    return some_of_each(logs, [rows])[0]


def some_of_each(logs: LogSet, asked: Sequence[pl.DataFrame]) -> list[list[str]]:
    """Return `some_of` of each; one pass per file."""
    chosen = [
        [(row["source"], row["byte"], row["lines"]) for row in rows[_spread(rows.height)].iter_rows(named=True)]
        for rows in asked
    ]
    wanted = dict[int, list[tuple[int, int]]]()
    for source, byte, lines in (place for places in chosen for place in places):
        wanted.setdefault(source, []).append((byte, lines))
    texts = dict[tuple[int, int, int], str]()
    for source, spans in wanted.items():
        found = zip(spans, logs.texts(source, spans), strict=True)
        texts.update(((source, *span), text) for span, text in found)
    return [[texts[place] for place in places] for places in chosen]


def _spread(count: int) -> list[int]:
    """Return which of so many to look at, the same each time: at equal steps, of what takes turns one would be seen."""
    chosen = random.Random(count)  # noqa: S311  # nothing is secret here
    return sorted(chosen.sample(range(count), min(LOOKED_AT, count)))
