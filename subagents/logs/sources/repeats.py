"""Syslog's `message repeated 7 times: [ … ]`: what was said again is read as what it is, and counts as one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subagents.contract import Problem
from subagents.logs.sources.expressions import quick, with_part

if TYPE_CHECKING:
    import polars as pl

_PART = "message repeated "
_TOLD = quick(r"(?:^|[ \t])message repeated \d+ times?")
_SAID = quick(r"^\s*message repeated \d+ times?: \[ ?(.*?) ?\]\s*$")


@dataclass
class RepeatReader:
    """Whether a file has such lines; what was seen once stays."""

    stands: bool = False

    def read(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Put in the place of such a line what it says was repeated."""
        import polars as pl

        bodies = columns["body"]
        likely = columns.select_seq(with_part(pl.col("body"), _PART)).to_series()
        if not likely.any():
            return columns
        rows, some = likely.arg_true(), bodies.filter(likely)
        self.stands = self.stands or bool(some.str.contains(_TOLD).any())
        said = some.str.extract(_SAID)
        return columns.with_columns_seq(bodies.scatter(rows, said.zip_with(said.is_not_null(), some)))

    def problem(self, name: str) -> Problem | None:
        """Say that lines are counted, not repeats, where a file has such lines."""
        if not self.stands:
            return None
        what = "lines that say `message repeated N times` are counted as one event each, so there were more"
        return Problem(what=what, where=name, todo="see their numbers: warroom logs search --text 'message repeated'")
