"""Logs exported as comma separated values: the file's first line says which column is which."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from subagents.logs.levels import from_name
from subagents.logs.sources.json_fields import ROLES
from subagents.logs.sources.stamp_reader import StampReader

if TYPE_CHECKING:
    import polars as pl

_MORE: Mapping[str, tuple[str, ...]] = {
    "time": ("date and time", "event time", "logged"),
    "level": ("entry type",),
    "message": ("_raw", "content", "line"),
}
"""Names that only exports have."""
_NAMES = {
    role: tuple(dict.fromkeys(name.lower() for name in (*ROLES[role], *_MORE.get(role, ()))))
    for role in ("time", "level", "message", "service", "host")
}
_FEWEST = 3
"""Columns of a table."""
_LONGEST = 200
"""Most lines of a record; behind so many a quotation mark was just a sign."""


@dataclass
class TableReader:
    """Which columns a file's header names; what its first line shows stays."""

    delimiter: str = ""
    places: dict[str, int] = field(default_factory=dict)
    """Columns by role; the message may stand behind those that are named, as in exports of Windows."""
    settled: bool = False
    """It learns no more."""

    def stands_in(self, lines: pl.Series) -> bool:
        """Say whether lines are those of a table."""
        if not self.settled and lines.len():
            (self.delimiter, self.places), self.settled = columns_of(lines[0]), True
        return bool(self.places)

    def read(self, columns: pl.DataFrame, lines: pl.Series, stamps: StampReader) -> pl.DataFrame:
        """Take time, severity, service, host and message of each record from their columns."""
        import polars as pl

        heads, texts = _records(lines.to_list())
        records = [_fields(text, self.delimiter) for text in texts]
        whole = [place for place, record in enumerate(records) if len(record) > max(self.places.values())]
        values = {role: [records[place][at] for place in whole] for role, at in self.places.items()}
        times = stamps.read(pl.Series(values["time"], dtype=pl.String))[0]
        dated = times.is_not_null()
        rows = pl.Series([heads[place] for place in whole], dtype=pl.UInt32).filter(dated)
        new = {
            "t": times,
            "stamped": dated,
            "spaced": ~dated,
            "body": pl.Series(values["message"], dtype=pl.String),
            "level": pl.Series([from_name(each) or None for each in values.get("level", ())], dtype=pl.Int8),
            "service": pl.Series([each or None for each in values.get("service", ())], dtype=pl.String),
            "host": pl.Series([each or None for each in values.get("host", ())], dtype=pl.String),
        }
        columns = columns.with_columns_seq(
            columns[name].scatter(rows, value.filter(dated))
            for name, value in new.items()
            if value.len() == dated.len()
        )
        rest = pl.Series([True]).new_from_index(0, lines.len()).scatter(pl.Series(heads, dtype=pl.UInt32), False)
        return columns.with_columns_seq(glued=columns["glued"] | rest, body=columns["body"].set(rest, ""))


def columns_of(header: str) -> tuple[str, dict[str, int]]:
    """Return the delimiter and the columns by role that a first line names; none where it is no header of a log."""
    for delimiter in (",", ";", "\t"):
        names = [name.split(" [")[0].strip().lower() for name in _fields(header.removeprefix("\ufeff"), delimiter)]
        places = {role: names.index(name) for role, known in _NAMES.items() for name in known[::-1] if name in names}
        places.setdefault("message", len(names))
        if "event id" in names and "source" in names:
            places["service"] = names.index("source")
        told = "level" in places or places["message"] < len(names)
        if len(names) >= _FEWEST and "time" in places and told and len(set(places.values())) == len(places):
            return delimiter, places
    return "", {}


def _fields(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:  # a column of more than 128 KiB, or a lone carriage return
        return []


def _records(lines: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the lines that records begin with, and their texts: a quotation that is open goes on in the next line."""
    heads, texts, place = list[int](), list[str](), 0
    while place < len(lines):
        end, quotes = place + 1, lines[place].count('"')
        while quotes % 2 and end < min(len(lines), place + _LONGEST):
            quotes += lines[end].count('"')
            end += 1
        if quotes % 2 and end < len(lines):
            end = place + 1
        heads.append(place)
        texts.append("\n".join(lines[place:end]))
        place = end
    return heads, texts
