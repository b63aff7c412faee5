"""CSV as columns of text, with the line of every row, however it is broken."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from subagents.contract import Problem
from subagents.files import open_bounded, read_all
from subagents.metrics.series import Floats
from subagents.metrics.sources.cells import PROBE, read_numbers
from subagents.metrics.sources.heads import Head, head_of, is_ornament, names_time, parted, time_place, unique_names
from subagents.metrics.sources.stamps import DateOrder, naive, parse_by_calendar, parse_unique, serial_days
from subagents.quantities import counted

SHOWN = 5
"""Most bad rows of one kind that are named by line."""
BLOCK = 32 << 20
"""Bytes of a large file that are read at once."""
LONGEST_LINE = 1 << 20
OPENING = 200
"""Lines in which a table's header and first rows lie."""
MOST_TABLES = 1_000
"""Tables with columns of their own that are told apart in one block."""
_MAY_BE_APART = re.compile(r"\n(?:#|\r?\n)")
_APART = re.compile(r"(?m)^(?:(?:#[^\n]*|[ \t\r]*)\n)+")
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

    def no_zone(self) -> None:
        """Say that times name no zone."""
        self.note("times name no zone: taken as UTC", todo="if they are local times, give them with an offset")

    def all(self) -> tuple[Problem, ...]:
        """Return every problem, each kind of bad row once, with file and line."""
        rows = []
        for what, count in self.counts.items():
            first, *others = self.lines[what]
            also = f" (also lines {', '.join(map(str, others))})" if others else ""
            rows.append(
                Problem(
                    what=what + also, where=f"{self.name}:{first}", lost=counted(count, "row"), count=count, todo=""
                )
            )
        return tuple(self.problems + rows)


@dataclass(frozen=True)
class Table:
    """Columns of text; `line` is each row's line in the file."""

    head: Head
    frame: pl.DataFrame
    line: pl.Series
    part: bool = False
    """It is one block of a large file: what is decided from its cells must not depend on them."""
    labels: tuple[str, ...] = ()
    """Columns that tell series apart, be they numbers: nothing that is measured."""

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def header(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return self.head.names

    @cached_property
    def plain(self) -> dict[str, Floats]:
        """The columns of nothing but plain numbers and gaps, NaN: read at once, for there may be thousands of them."""
        found = _plain(self.frame.select(list(_plain(self.frame.head(PROBE)))))  # what is text shows in its first cells
        return {name: values for name, values in found.items() if not np.isnan(values).all()}

    def text(self, column: str) -> pl.Series:
        """Return a column as stripped text, empty where it is missing."""
        return self.frame[column].fill_null("").str.strip_chars()


def _plain(frame: pl.DataFrame) -> dict[str, Floats]:
    texts = frame.select(pl.all().str.strip_chars().replace("", None))
    numbers = texts.select(pl.all().cast(pl.Float64, strict=False))
    pairs = zip(texts.columns, texts.null_count().row(0), numbers.null_count().row(0), strict=True)
    whole = [name for name, gaps, missing in pairs if gaps == missing]
    if not whole:
        return {}
    values = numbers.select(whole).fill_null(float("nan")).to_numpy(order="fortran")
    return {name: values[:, place] for place, name in enumerate(whole)}


def read_table(path: Path, faults: Faults) -> Table | None:
    """Read a CSV file (plain, .gz, .zst); None where it holds no header. Rows of a wrong length are faults."""
    raw, problem = read_all(path, faults.name)
    if problem is not None:
        faults.problems.append(problem)
    text = _decoded(raw, faults)
    head = head_of(_opening(text, 0))
    return None if head is None else _table(head, _after(text, head.lines), faults, head.lines)


def read_tables(path: Path, faults: Faults, block: int = BLOCK) -> Iterator[Table]:
    """Read a CSV file as `read_table` does, in tables of about `block` bytes: memory does not grow with the file.

    Where another header begins within the file, another table does.
    """
    stream, bounded = open_bounded(path, faults.name)
    with stream:
        raw = stream.read(block)
        several = len(raw) == block
        raw += stream.readline(LONGEST_LINE)
        text, head, above = _decoded(raw, faults), None, 0
        while text:
            for each, rows, lines in _parts(text, head, faults):
                head = each
                yield replace(_table(head, rows, faults, above + lines), part=several)
            faults.on_read(bounded.read_bytes)
            above += text.count("\n")
            raw = stream.read(block)
            raw += stream.readline(LONGEST_LINE)
            text = _decoded(raw, faults) if raw.strip() else ""
    if bounded.problem is not None:
        faults.problems.append(bounded.problem)


def _decoded(raw: bytes, faults: Faults) -> str:
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if not raw.strip():
        faults.note("the file is empty", todo="give a CSV file with a header line")
        return ""
    text = raw.decode("utf-8", "replace")
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
        faults.note("NUL bytes were removed")
    return text


def _after(text: str, lines: int) -> str:
    """Return what is below so many lines."""
    at = 0
    for _ in range(lines):
        at = text.find("\n", at) + 1
        if not at:
            return ""
    return text[at:]


def _parts(text: str, head: Head | None, faults: Faults) -> Iterator[tuple[Head, str, int]]:
    """Yield the tables of a text: header, rows, and how many lines of the text are above them.

    The first goes on with `head`, where there is one.
    """
    first = replace(head, lines=0, left_out=0) if head is not None else head_of(_opening(text, 0))
    if first is None:
        return
    begun = [(0, first), *_begins(text, len(text) - len(_after(text, first.lines)), first)]
    for (start, each), (end, _) in zip(begun, [*begun[1:], (len(text), None)], strict=True):
        if each.left_out:
            faults.note(f"{counted(each.left_out, 'line')} above the table left out: no part of it")
        yield each, _after(text[start:end], each.lines), text.count("\n", 0, start) + each.lines


def _opening(text: str, start: int) -> list[str]:
    """Return the lines from a place on in which a header and the first rows lie."""
    lines: list[str] = []
    while len(lines) < OPENING and start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        lines.append(text[start:end])
        start = end + 1
    return lines


def _begins(text: str, start: int, head: Head) -> Iterator[tuple[int, Head]]:
    """Yield where, behind blank lines or remarks, a table of other columns begins that names its time, and its head."""
    known: dict[str, Head | None] = {}
    may = text[start : start + 1] in ("#", "\r", "\n") or _MAY_BE_APART.search(text, start) is not None
    for run in _APART.finditer(text, start) if may else ():
        last = [line for line in run.group().splitlines() if line.startswith("#")][-1:]
        below = text[run.end() : text.find("\n", run.end()) + 1 or len(text)]
        heading = "\n".join((*last, below))
        if heading not in known:
            named = any(map(names_time, (*last, below)))
            known[heading] = head_of(_opening(text, run.start())) if named and len(known) < MOST_TABLES else None
        found = known[heading]
        if found is not None and found.lines and found.names != head.names:
            head = found
            yield run.start(), found


def _table(head: Head, rows: str, faults: Faults, above: int) -> Table:
    return _fast(head, rows, above) or _slow(head, rows, faults, above)


def _fast(head: Head, rows: str, above: int) -> Table | None:
    """Read with Polars where every line has the header's number of fields; None where it is not so plain."""
    if rows[:1] in "\r\n#" or "\r" in rows.replace("\r\n", "\n"):
        return None
    names = head.names
    if head.aligned:
        return None
    try:
        frame = pl.read_csv(
            rows.encode(), separator=head.mark, has_header=False, infer_schema=False, new_columns=list(names)
        )
    except (pl.exceptions.PolarsError, OverflowError):
        return None
    if frame.width != len(names) or len(frame) != rows.count("\n") + (not rows.endswith("\n")):
        return None
    if frame.height and frame[names[-1]].null_count():  # an empty last cell, or a row that is cut short
        return None
    return Table(head, frame, pl.Series("line", np.arange(1, 1 + len(frame)) + above))


def _slow(head: Head, text: str, faults: Faults, above: int) -> Table:
    """Read row by row: blank lines and remarks skipped, rows of a wrong length dropped and named."""
    names = list(head.names)
    at = names.index(head.time) if head.time in names else 0
    rows: list[list[str]] = []
    lines: list[int] = []
    wrong: list[int] = []
    if head.aligned:
        text = "\n".join(map(parted, text.split("\n")))
    for number, row in _rows(text, head.mark, len(names)):
        if not any(cell.strip() for cell in row) or _is_remark(row, head):
            continue
        if len(row) != len(names):
            wrong.append(number + above)
        elif row[at].strip() != names[at] or unique_names(row) != head.names:  # else the header once more
            rows.append(row)
            lines.append(number + above)
    faults.add(f"a row does not have {len(names)} fields", wrong)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    frame = pl.DataFrame(columns, schema={name: pl.String for name in names})
    return Table(head, frame, pl.Series("line", lines, dtype=pl.Int64))


def _is_remark(row: list[str], head: Head) -> bool:
    if row[0].startswith("#"):
        return len(row) != len(head.names) or time_place(row) is None
    return is_ornament(head.mark.join(row))


def _rows(text: str, mark: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row and its first line; a quote that nobody closes spoils its own line, not those that follow."""
    csv.field_size_limit(1 << 27)
    parts = io.StringIO(text, newline="").readlines()
    start = unclosed = 0
    while start < len(parts):
        last = len(parts) if unclosed < UNCLOSED_LIMIT else start + 1
        reader = csv.reader((parts[place] for place in range(start, last)), delimiter=mark)
        row, error = _next(reader)
        first, spanned = start + 1, reader.line_num
        while row is not None:
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


def stamps_of(column: pl.Series, faults: Faults, order: DateOrder | None = None, serial: bool = False) -> Floats:
    """Return epoch seconds of a text column, NaN where it is not a time; unique texts are parsed once.

    `order` is that of the dates of the whole file, where this is a part of it; `serial`: they are a spreadsheet's days.
    """
    texts = column.unique().to_list()
    known = {text: serial_days(text) for text in texts} if serial else parse_unique(texts)
    if serial:
        faults.note(
            "times are read as days of a spreadsheet, in UTC", todo="if they are local, give them with an offset"
        )
    if order is None:
        order = DateOrder()
        order.add(text for text, stamp in known.items() if stamp is None)
    parse_by_calendar(known, order)
    if order.remark:
        faults.note(order.remark)
    if not serial and any(stamp is not None and naive(text) for text, stamp in islice(known.items(), PROBE)):
        faults.no_zone()
    old = list(known)
    new = [known[text] for text in old]
    mapped = column.replace_strict(old, new, return_dtype=pl.Float64)
    return mapped.fill_null(float("nan")).to_numpy().astype(np.float64)


def numbers_of(column: pl.Series) -> Floats:
    """Return a text column as numbers: NaN where it is none, infinities kept for the caller to count."""
    return read_numbers(column)[0]
