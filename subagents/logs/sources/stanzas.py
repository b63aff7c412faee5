"""Events of several lines of which only the first has a time, as databases and application servers write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subagents.logs.levels import INFO
from subagents.logs.sources.expressions import quick
from subagents.logs.sources.pieces import SAMPLE

if TYPE_CHECKING:
    import polars as pl

_BARE = r"^[^A-Za-z]*$"
"""It says when, and nothing else."""
_REPORT = r"^=[A-Z]+ REPORT="
_SLOW = "# Time: "
"""MySQL's slow log"""
_HEADING = quick(rf"{_BARE}|{_REPORT}|^{_SLOW}")
_RECORD = "# User@Host: "
"""What is logged within one second may share one heading."""
_NO_STATEMENT = quick(r"^\s*$|^#|^(?i:SET timestamp=\d+|use \S+);\s*$")
_STATEMENT_CHARS = 2000
_FEWEST = 2
"""Stanzas that a sample must show."""


@dataclass
class StanzaReader:
    """Whether a file is written in stanzas; what its first lines show stays."""

    stands: bool = False
    settled: bool = False
    """It learns no more."""

    def read(self, bodies: pl.Series, stamped: pl.Series, glued: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
        """Bring what a bare heading is about to its line.

        Return also which lines are the rest of the one before, and statements that were slow in place of others.
        """
        if not self.settled:
            self.stands, self.settled = _stands(bodies.head(SAMPLE), stamped.head(SAMPLE)), True
        if not self.stands:
            return bodies, glued, _no_text(bodies.len())
        rest = ~stamped & (stamped.cum_sum() > 0)
        following = " " + bodies.shift(-1).zip_with(rest.shift(-1).fill_null(False), bodies).str.strip_chars()
        bare, report = (stamped & bodies.str.contains(form) for form in (_BARE, _REPORT))
        bodies = following.zip_with(bare, bodies)
        return (bodies + following).zip_with(report, bodies), glued | rest, _statements(bodies, stamped, rest)

    def as_said(self, columns: pl.DataFrame, statements: pl.Series) -> pl.DataFrame:
        """Give each event the severity of the worst of its lines, where lines of a stanza name one.

        A statement is what its record says; what it asks for, be it for what failed, tells nothing of how it went.
        """
        import polars as pl

        if not self.stands:
            return columns
        worst = pl.col("level").max().over((~pl.col("glued")).cum_sum())
        columns = columns.with_columns_seq(level=pl.when("glued").then("level").otherwise(worst))
        rows = statements.is_not_null().arg_true()
        return columns.with_columns_seq(
            body=columns["body"].scatter(rows, statements[rows]),
            level=columns["level"].scatter(rows, INFO),
            suffix=columns["suffix"].scatter(rows, None),
        )


def _statements(bodies: pl.Series, stamped: pl.Series, rest: pl.Series) -> pl.Series:
    """Return the statement of each record of a slow log at its heading; null elsewhere."""
    import polars as pl

    heads = stamped & bodies.str.starts_with(_SLOW)
    if not heads.any():
        return _no_text(bodies.len())
    lines = pl.DataFrame({"body": bodies, "stanza": stamped.cum_sum(), "rest": rest})
    record = pl.col("body").str.starts_with(_RECORD).cum_sum().over("stanza")
    said = lines.filter(pl.col("rest") & (record <= 1) & ~pl.col("body").str.contains(_NO_STATEMENT))
    statement = pl.col("body").str.strip_chars().str.join(" ").str.slice(0, _STATEMENT_CHARS)
    found = lines.join(said.group_by("stanza").agg(said=statement), "stanza", "left", maintain_order="left")["said"]
    return found.zip_with(heads, _no_text(bodies.len()))


def _no_text(count: int) -> pl.Series:
    import polars as pl

    return pl.Series([None], dtype=pl.String).new_from_index(0, count)


def _stands(bodies: pl.Series, stamped: pl.Series) -> bool:
    """Say whether each line with a time heads lines without: it says nothing itself, or stands behind a blank line."""
    blank = bodies.str.contains(r"^\s*$") & ~stamped
    headed = ~stamped.shift(-1).fill_null(False) & ~blank.shift(-1).fill_null(False)
    heads = stamped & (bodies.str.contains(_HEADING) | (blank.shift(1).fill_null(True) & headed))
    return int(stamped.sum() or 0) >= _FEWEST and bool((heads == stamped).all())
