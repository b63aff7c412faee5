"""Statuses of requests in a text: `status=503`, `"status": 503`, `GET /carts 503 7ms`. For access logs see `access`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.logs.levels import ERROR, INFO, UNKNOWN
from subagents.logs.sources.expressions import all_with, quick, shown_in, with_part
from subagents.logs.sources.headers import HEAD_CHARS, levels_in

if TYPE_CHECKING:
    import polars as pl

_NAME = r"(?:(?:https?|response|resp|res|upstream)[._-]){0,2}[Ss]tatus(?:[._-]?[Cc]ode)?"
_STATUS = r"(?:10[0-3]|20[0-8]|226|30[0-8]|4[0-4]\d|45[01]|46\d|49\d|5[0-3]\d|56[01]|59[89])"
"""Those that servers and balancers send: another number may be the status of anything."""
_PAIR = quick(rf'(?:^|[\s,;{{(\["]){_NAME}"?(?:=|: ?)"?({_STATUS})"?(?:[\s,;}})\]]|$)')
_REQUEST = r"\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) \"?/\S*(?: HTTP/[\d.]+)?[\"|:,]?"
_GIVES = r"(?: (?:[-=]>|-|\|))? "
_SPOKEN = quick(
    rf"{_REQUEST}{_GIVES}({_STATUS})"
    r"(?:,|:|;|\)|$| [-|(]| (?:in |took )?\(?[\d.]+ ?(?:[mun\u00b5\u03bc]?s|sec|$)| (?:OK|[A-Z][a-z]+))"
)
_APART = quick(rf'[ \t]{_NAME}="?{_STATUS}"?([ \t]|$)')
"""A pair between blanks: the status is told behind the message, where it is not masked."""
_BEHIND = quick(rf"({_REQUEST}){_GIVES}{_STATUS}\b")
_FORMS = (("tatus", _PAIR, _APART), (" /", _SPOKEN, _BEHIND), (' "/', _SPOKEN, _BEHIND))
"""A part that all lines of a form have, what holds the status, and what is left of it without that."""


@dataclass
class StatusReader:
    """Which forms of statuses a file has; what was seen once stays."""

    forms: tuple[tuple[str, str, str], ...] = ()
    settled: bool = False
    """It learns no more."""

    def learn(self, lines: Sequence[str] | pl.Series) -> None:
        """Look for forms that are not known yet."""
        if not self.settled:
            unknown = [form for form in _FORMS if form not in self.forms]
            self.forms += tuple(unknown[each] for each in shown_in([form[:2] for form in unknown], lines))

    def read(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Put statuses behind what is said; a request that failed is an error where nothing says more than `info`."""
        import polars as pl

        if not self.forms:
            return columns
        likely = columns.select_seq(
            with_part(pl.col("body"), part).alias(part) & pl.col("suffix").is_null() for part, _, _ in self.forms
        )
        for rows, (_, pattern, without) in zip(likely, self.forms, strict=True):
            if rows.any():
                columns = _read(columns, rows & columns["suffix"].is_null(), pattern, without)
        return columns

    def has_one(self, lines: pl.Series) -> Any:
        """Say which lines have a status (numpy bool)."""
        return all_with([form[:2] for form in self.forms], lines)


def _read(columns: pl.DataFrame, likely: pl.Series, pattern: str, without: str) -> pl.DataFrame:
    import polars as pl

    bodies = columns["body"].filter(likely)
    found = bodies.str.extract(pattern, 1)
    has = found.is_not_null()
    if not has.any():
        return columns
    rows, found = likely.arg_true().filter(has), found.filter(has)
    read = pl.DataFrame({"body": bodies.filter(has), "status": found}).select_seq(
        body=pl.col("body").str.replace(without, "$1"),
        suffix=" status=" + pl.col("status"),
        failed=pl.col("status").str.starts_with("5"),
    )
    new, failed = [columns[name].scatter(rows, read[name]) for name in ("body", "suffix")], rows.filter(read["failed"])
    if failed.len():
        new.append(columns["level"].scatter(failed, _raised(columns[failed])))
    return columns.with_columns_seq(new)


def _raised(columns: pl.DataFrame) -> pl.Series:
    """Return the severities of requests that failed."""
    import polars as pl

    told = pl.Series(levels_in(columns["body"].str.slice(0, HEAD_CHARS).to_list()), dtype=pl.Int8)
    level = pl.coalesce("level", told)
    is_no_more = level.is_in([UNKNOWN, INFO])
    return columns.select_seq(pl.when(is_no_more).then(pl.lit(ERROR, pl.Int8)).otherwise(level)).to_series()
