"""Statuses of requests in a text: `status=503`, `"status": 503`, `GET /carts 503 7ms`. For access logs see `access`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.logs.levels import ERROR, INFO, UNKNOWN
from subagents.logs.sources.expressions import all_with, any_with, quick
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
            unknown = (form for form in _FORMS if form not in self.forms)
            self.forms += tuple(form for form in unknown if any_with(*form[:2], lines))

    def read(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Put statuses behind what is said; a request that failed is an error where nothing says more than `info`."""
        for part, pattern, without in self.forms:
            columns = _read(columns, part, pattern, without)
        return columns

    def has_one(self, lines: pl.Series) -> Any:
        """Say which lines have a status (numpy bool)."""
        return all_with([form[:2] for form in self.forms], lines)


def _read(columns: pl.DataFrame, part: str, pattern: str, without: str) -> pl.DataFrame:
    likely = columns["body"].str.contains(part, literal=True) & columns["suffix"].is_null()
    rows = likely.arg_true()
    found = columns["body"][rows].str.extract(pattern, 1)
    rows, found = rows.filter(found.is_not_null()), found.drop_nulls()
    if not rows.len():
        return columns
    bodies, failed = columns["body"][rows], found.str.starts_with("5")
    return columns.with_columns_seq(
        body=columns["body"].scatter(rows, bodies.str.replace(without, "$1")),
        suffix=columns["suffix"].scatter(rows, " status=" + found),
        level=columns["level"].scatter(rows.filter(failed), _raised(columns[rows.filter(failed)])),
    )


def _raised(columns: pl.DataFrame) -> pl.Series:
    """Return the severities of requests that failed."""
    import polars as pl

    told = pl.Series(levels_in(columns["body"].str.slice(0, HEAD_CHARS).to_list()), dtype=pl.Int8)
    told = columns["level"].zip_with(columns["level"].is_not_null(), told)
    return told.set(told.is_in([UNKNOWN, INFO]), ERROR)
