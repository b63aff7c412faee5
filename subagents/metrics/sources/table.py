"""CSV as columns of text, with the line of every row, however it is broken."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from subagents.contract import Problem
from subagents.files import open_bounded, read_all
from subagents.metrics.series import Floats
from subagents.metrics.sources.cells import read_numbers
from subagents.metrics.sources.stamps import naive, parse_by_calendar, parse_unique

SHOWN = 5
"""Most bad rows of one kind that are named by line."""
BLOCK = 32 << 20
"""Bytes of a large file that are read at once."""
LONGEST_LINE = 1 << 20
UNCLOSED_LIMIT = 20
"""After so many unclosed quotes no row of the file is taken to go on in the next line."""


def _nobody(read: int) -> None:
    """Listen to nothing."""


@dataclass
class Faults:
    """What was wrong with one file, by kind, with the first lines of each kind."""

    name: str
    lines: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    on_read: Callable[[int], None] = _nobody
    """Is told, while a large file is read, how many of its bytes were."""

    def add(self, what: str, lines: list[int]) -> None:
        """Count rows that could not be used."""
        if lines:
            self.counts[what] = self.counts.get(what, 0) + len(lines)
            shown = self.lines.setdefault(what, [])
            shown.extend(lines[: SHOWN - len(shown)])

    def note(self, what: str, lost: str = "", todo: str = "", count: int = 1) -> None:
        """Add a problem that is not about single rows."""
        problem = Problem(what=what, where=self.name, lost=lost, todo=todo, count=count)
        if problem not in self.problems:  # said once, however many blocks of a file say it
            self.problems.append(problem)

    def all(self) -> tuple[Problem, ...]:
        """Return every problem, each kind of bad row once, with file and line."""
        rows = []
        for what, count in self.counts.items():
            first, *others = self.lines[what]
            also = f" (also lines {', '.join(map(str, others))})" if others else ""
            rows.append(
                Problem(what=what + also, where=f"{self.name}:{first}", lost=f"{count} row(s)", count=count, todo="")
            )
        return tuple(self.problems + rows)


@dataclass(frozen=True)
class Table:
    """Columns of text; `line` is each row's line in the file, 1 is the header."""

    header: tuple[str, ...]
    frame: pl.DataFrame
    line: pl.Series
    part: bool = False
    """It is one block of a large file: what is decided from its cells must not depend on them."""

    def __len__(self) -> int:
        return len(self.frame)

    def text(self, column: str) -> pl.Series:
        """Return a column as stripped text, empty where it is missing."""
        return self.frame[column].fill_null("").str.strip_chars()


def read_table(path: Path, faults: Faults) -> Table | None:
    """Read a CSV file (plain, .gz, .zst); None where it holds no header. Rows of a wrong length are faults."""
    raw, problem = read_all(path, faults.name)
    if problem is not None:
        faults.problems.append(problem)
    return _table(raw, faults)


def read_tables(path: Path, faults: Faults, block: int = BLOCK) -> Iterator[Table]:
    """Read a CSV file as `read_table` does, in tables of about `block` bytes: memory does not grow with the file."""
    stream, bounded = open_bounded(path, faults.name)
    with stream:
        raw = stream.read(block)
        several = len(raw) == block
        raw += stream.readline(LONGEST_LINE)
        table = _table(raw, faults)
        head = _start(raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")).encode()
        lines = 0
        while table is not None:
            yield replace(table, part=several)
            faults.on_read(bounded.read_bytes)
            lines += raw.count(b"\n")
            raw = stream.read(block)
            raw += stream.readline(LONGEST_LINE)
            table = _table(head + b"\n" + raw, faults, lines - 1) if raw.strip() else None
    if bounded.problem is not None:
        faults.problems.append(bounded.problem)


def _table(raw: bytes, faults: Faults, above: int = 0) -> Table | None:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        faults.note("the file is empty", todo="give a CSV file with a header line")
        return None
    text = raw.decode("utf-8", "replace")
    if "\0" in text:
        text = text.replace("\0", "")
        faults.note("NUL bytes were removed")
    text = _without_preamble(text)
    return _fast(text, above) or _slow(text, faults, above)


def _without_preamble(text: str) -> str:
    """Return the table with blank lines for what is written around it: InfluxDB's annotations, Excel's `sep=`."""
    if text.startswith("#"):
        return re.sub(r"(?m)^#.*$", "", text)
    return re.sub(r"\A\"?sep=.\"?(?=\r?\n)", "", text)


def _start(text: str) -> str:
    """Return the first line that holds anything."""
    found = re.search(r"(?m)^(?!#|\"?sep=)[^\r\n]+", text)
    return found.group() if found else ""


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count) if any(mark in head for mark in ",;\t") else ","


def _unique_names(header: list[str]) -> list[str]:
    names: list[str] = []
    for place, name in enumerate(header):
        name = name.strip().strip('"') or f"column_{place + 1}"
        names.append(name if name not in names else f"{name}_{place + 1}")
    return names


def _fast(text: str, above: int) -> Table | None:
    """Read with Polars where every line has the header's number of fields; None where it is not so plain."""
    if text[:1] in "\r\n":
        return None
    head = text[: text.find("\n")] if "\n" in text else text
    mark = _delimiter(head)
    header = _unique_names(next(csv.reader([head.rstrip("\r")], delimiter=mark)))
    if "\r" in text.replace("\r\n", "\n"):
        return None
    try:
        frame = pl.read_csv(
            text.encode(), separator=mark, has_header=False, skip_rows=1, infer_schema=False, new_columns=header
        )
    except (pl.exceptions.PolarsError, OverflowError):
        return None
    newlines = text.count("\n") + (not text.endswith("\n"))
    if frame.width != len(header) or len(frame) != newlines - 1:
        return None
    if frame.height and frame[header[-1]].null_count():  # an empty last cell, or a row that is cut short
        return None
    return Table(tuple(header), frame, pl.Series("line", np.arange(2, 2 + len(frame)) + above))


def _slow(text: str, faults: Faults, above: int) -> Table | None:
    """Read row by row: blank lines skipped, rows of a wrong length dropped and named."""
    mark = _delimiter(_start(text))
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    first: list[str] = []
    wrong: list[int] = []
    for number, row in _rows(text, mark):
        number += above
        if not any(cell.strip() for cell in row):
            continue
        if not header:
            header, first = _unique_names(row), row
        elif row == first:  # several tables one after the other
            continue
        elif len(row) != len(header):
            wrong.append(number)
        else:
            rows.append(row)
            lines.append(number)
    faults.add(f"a row does not have {len(header)} fields", wrong)
    if not header:
        return None
    columns = {name: [row[place] for row in rows] for place, name in enumerate(header)}
    frame = pl.DataFrame(columns, schema={name: pl.String for name in header})
    return Table(tuple(header), frame, pl.Series("line", lines, dtype=pl.Int64))


def _rows(text: str, mark: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row and its first line; a quote that nobody closes spoils its own line, not those that follow."""
    csv.field_size_limit(1 << 27)
    parts = io.StringIO(text, newline="").readlines()
    start = width = unclosed = 0
    while start < len(parts):
        last = len(parts) if unclosed < UNCLOSED_LIMIT else start + 1
        reader = csv.reader((parts[place] for place in range(start, last)), delimiter=mark)
        row, error = _next(reader)
        first, spanned = start + 1, reader.line_num
        while row is not None:
            width = width or len(row)
            if spanned > 1 and (len(row) != width or not _well_quoted(parts[start : start + spanned], mark)):
                error = True
                break
            start += spanned
            yield first, row
            before = reader.line_num
            row, error = _next(reader)
            first, spanned = start + 1, reader.line_num - before
        if error:
            unclosed += spanned > 1
            start += 1
            yield first, [parts[start - 1]]


def _well_quoted(lines: list[str], mark: str) -> bool:
    """Say whether a row of several lines is one: two quotes that nobody closes look like it."""
    try:
        return len(list(csv.reader(lines, delimiter=mark, strict=True))) == 1
    except csv.Error:
        return False


def _next(reader: Iterator[list[str]]) -> tuple[list[str] | None, bool]:
    """Return the next row, None at the end, and whether it cannot be read."""
    try:
        return next(reader, None), False
    except csv.Error:
        return None, True


def stamps_of(column: pl.Series, faults: Faults) -> Floats:
    """Return epoch seconds of a text column, NaN where it is not a time; unique texts are parsed once."""
    known = parse_unique(column.unique().to_list())
    remarks = parse_by_calendar(known)
    for remark in remarks:
        faults.note(remark)
    if any(naive(text) for text in list(known)[:50]) or remarks:
        faults.note("times name no zone: taken as UTC", todo="if they are local times, give them with an offset")
    old = list(known)
    new = [known[text] for text in old]
    mapped = column.replace_strict(old, new, return_dtype=pl.Float64)
    return mapped.fill_null(float("nan")).to_numpy().astype(np.float64)


def numbers_of(column: pl.Series) -> Floats:
    """Return a text column as numbers: NaN where it is none, infinities kept for the caller to count."""
    return read_numbers(column)[0]
