"""What people capture in a loop of `date` and a command: tables in columns, each below a line that says when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from subagents.files import open_bounded
from subagents.metrics.sources.heads import Head, unique_names
from subagents.metrics.sources.snapshots import header_of, is_capture, is_moment, parted_row
from subagents.metrics.sources.table import LONGEST_LINE, MOST_TABLES, Faults, Table

BEGINNING = 1 << 13
"""Bytes by which a capture is known."""
ROWS = 200_000
"""Rows of one kind of table that are put together at once."""
_HUMAN = re.compile(r"^(\d[\d.]*[KMGTP])$")
"""A size as `df -h` and `ls -h` write it."""
_OF = {"Filesystem": "disk", "of": "memory"}
"""What `df` and `free` measure, which their columns do not say."""
_IN_OUT = re.compile(r"(.*) I/O")


@dataclass
class _Rows:
    """Rows of tables of one header, with their moments."""

    names: tuple[str, ...]
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def is_captured(path: Path) -> bool:
    """Say whether a file is a capture, by its first lines."""
    stream, _ = open_bounded(path)
    with stream:
        return is_capture(stream.peek(BEGINNING)[:BEGINNING].decode("utf-8", "replace"))


def captured_tables(path: Path, faults: Faults) -> Iterator[Table]:
    """Yield the tables of a capture, those of one header put together, each row with the moment above its table."""
    gathered: dict[tuple[str, ...], _Rows] = {}
    header: tuple[str, ...] = ()
    when, wrong, several = "", [], False
    stream, bounded = open_bounded(path, faults.name)
    with stream:
        for number, raw in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
            line = raw.decode("utf-8", "replace").strip()
            if not line:
                continue
            if is_moment(line):
                when, header = line, ()
                faults.on_read(bounded.read_bytes)
                continue
            cells = parted_row(line, header)
            names = tuple(header_of(line))
            if names == header or (not header and (names in gathered or len(gathered) < MOST_TABLES)):
                header = names
                gathered.setdefault(header, _Rows(_names(header)))
                continue
            held = gathered.get(header)
            row = _row(cells, header) if header else []
            if held is None or len(row) != len(held.names) - 1:
                wrong.append(number)
                continue
            held.rows.append([when, *row])
            held.lines.append(number)
            if len(held.rows) >= ROWS:
                several = True
                yield _table(held, part=True)
                held.rows, held.lines = [], []
    faults.add("a row does not fit its header", wrong)
    if bounded.problem is not None:
        faults.problems.append(bounded.problem)
    yield from (_table(held, part=several) for held in gathered.values() if held.rows)


def _table(held: _Rows, part: bool) -> Table:
    frame = pl.DataFrame(held.rows, schema={name: pl.String for name in held.names}, orient="row")
    kept = tuple(name for name in held.names if name != "CONTAINER ID")  # it tells no more than the name beside it
    head = Head(kept, "\t", 0, time="time")
    return Table(head, frame.select(kept), pl.Series("line", held.lines, dtype=pl.Int64), part=part)


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns: two of one that shows two numbers, and of what a row is by what it is beside."""
    names = ["time"]
    for name in header:
        both = _IN_OUT.fullmatch(name)
        names += [f"{both[1]} in", f"{both[1]} out"] if both else name.split(" / ")
    if header[0] in _OF:
        names = [*names[:2], *(f"{_OF[header[0]]} {name}" for name in names[2:])]
    owner = "container" if {"CONTAINER ID", "POD"} & set(names) else "host" if "CPU%" in names else "pod"
    return unique_names([owner if name == "NAME" else name for name in names])


def _row(cells: Sequence[str], header: Sequence[str]) -> list[str]:
    """Return the cells of a row as many as the header has names: what shows two numbers is two."""
    if header[0] == "of" and len(cells) < len(header):  # `free` says less of swap
        cells = [*cells, *[""] * (len(header) - len(cells))]
    row: list[str] = []
    cells = [cells[0].rstrip(":"), *cells[1:]]
    for name, cell in zip(header, cells, strict=False):
        row += cell.split(" / ") if " / " in name or _IN_OUT.fullmatch(name) else [_HUMAN.sub(r"\1iB", cell)]
    return row if len(cells) == len(header) else []
