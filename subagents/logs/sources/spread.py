"""Records of JSON that are spread over several lines, as consoles and command lines of clouds print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

_OPENING = r"^\s*\{\s*$"
"""A record, or an object of a list within one: what belongs to a key opens behind it."""
_FEWEST = 2
"""Records that the first lines must show."""


@dataclass
class SpreadReader:
    """How far records are indented; what a file's first lines show stays."""

    indent: int = -1
    settled: bool = False
    """It learns no more."""

    def read(self, lines: pl.Series) -> tuple[pl.Series, pl.Series] | None:
        """Give the first line of each record all of it; return also which lines are the rest of the one before.

        None where records are not spread.
        """
        if not self.settled:
            self.indent, self.settled = _indent(lines), True
        if self.indent < 0:
            return None
        return _whole(lines, self.indent)

    def inside(self, lines: Mapping[int, bytes], count: int) -> Any:
        """Say of so many lines which belong to records (numpy bool); `lines` has those that may begin or end one."""
        import numpy as np

        opening, closing = (b" " * self.indent + bracket for bracket in (b"{", b"}"))
        bare = {row: line.rstrip(b" ,\r") for row, line in lines.items()}
        opens, closes = np.full((2, count + 1), -1)
        for row, line in bare.items():
            if line == opening:
                opens[row] = row
            elif line == closing:
                closes[row + 1] = row
        return (np.maximum.accumulate(opens) > np.maximum.accumulate(closes))[:count]


def _indent(lines: pl.Series) -> int:
    """Return how far the outermost records of which there are several are indented; -1 where there are none."""
    opening = lines.filter(lines.str.contains(_OPENING))
    counts = opening.str.find("{", literal=True).value_counts().sort(opening.name) if opening.len() else None
    several = counts.filter(counts["count"] >= _FEWEST) if counts is not None else None
    return int(several[0, 0]) if several is not None and several.height else -1


def _whole(lines: pl.Series, indent: int) -> tuple[pl.Series, pl.Series]:
    import polars as pl

    bare = lines.str.strip_chars_end(" ,\r")
    opens, closes = bare == " " * indent + "{", bare == " " * indent + "}"
    number = opens.cum_sum()
    table = pl.DataFrame({"line": lines, "opens": opens, "closes": closes, "number": number}).with_columns_seq(
        ended=pl.col("closes").shift(1, fill_value=False).cast(pl.Int32).cum_sum().over("number") > 0
    )
    inside = table["number"].gt(0) & ~table["ended"]
    whole = (
        table.filter(inside)
        .group_by("number", maintain_order=True)
        .agg(pl.col("line").str.strip_chars().str.join(" "), closed=pl.col("closes").any())
    )
    texts = pl.select(pl.when(whole["closed"]).then(whole["line"].str.strip_chars_end(",")).otherwise(pl.lit("{")))
    heads = pl.arg_where(opens, eager=True)
    rest = inside & ~opens
    return lines.set(rest, "").scatter(heads, texts.to_series()), rest
