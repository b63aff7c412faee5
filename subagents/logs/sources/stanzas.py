"""Events of several lines of which only the first has a time, as databases and application servers write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subagents.logs.sources.expressions import quick
from subagents.logs.sources.pieces import SAMPLE

if TYPE_CHECKING:
    import polars as pl

_BARE = r"^[^A-Za-z]*$"
"""It says when, and nothing else."""
_REPORT = r"^=[A-Z]+ REPORT="
_HEADING = quick(rf"{_BARE}|{_REPORT}|^# Time: ")
_FEWEST = 2
"""Stanzas that a sample must show."""


@dataclass
class StanzaReader:
    """Whether a file is written in stanzas; what its first lines show stays."""

    stands: bool = False
    settled: bool = False
    """It learns no more."""

    def read(self, bodies: pl.Series, stamped: pl.Series, glued: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Bring what a bare heading is about to its line; return also which lines are the rest of the one before."""
        if not self.settled:
            self.stands, self.settled = _stands(bodies.head(SAMPLE), stamped.head(SAMPLE)), True
        if not self.stands:
            return bodies, glued
        rest = ~stamped & (stamped.cum_sum() > 0)
        following = " " + bodies.shift(-1).zip_with(rest.shift(-1).fill_null(False), bodies).str.strip_chars()
        bare, report = (stamped & bodies.str.contains(form) for form in (_BARE, _REPORT))
        bodies = following.zip_with(bare, bodies)
        return (bodies + following).zip_with(report, bodies), glued | rest

    def as_severe_as_its_worst(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Give each event the severity of the worst of its lines, where lines of a stanza name one."""
        import polars as pl

        if not self.stands:
            return columns
        worst = pl.col("level").max().over((~pl.col("glued")).cum_sum())
        return columns.with_columns_seq(level=pl.when("glued").then("level").otherwise(worst))


def _stands(bodies: pl.Series, stamped: pl.Series) -> bool:
    """Say whether each line with a time heads lines without: it says nothing itself, or stands behind a blank line."""
    blank = bodies.str.contains(r"^\s*$") & ~stamped
    headed = ~stamped.shift(-1).fill_null(False) & ~blank.shift(-1).fill_null(False)
    heads = stamped & (bodies.str.contains(_HEADING) | (blank.shift(1).fill_null(True) & headed))
    return int(stamped.sum() or 0) >= _FEWEST and bool((heads == stamped).all())
