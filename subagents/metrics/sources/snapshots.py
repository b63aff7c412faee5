"""Tables in columns below lines that say when: by what a text begins with, and how its lines are parted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from subagents.metrics.sources.heads import time_place
from subagents.metrics.sources.naming import TIME_NAMES, first_of

CAPTURE = "tables below the moments at which they were captured"
LONGEST_MOMENT = 48
MOST_BLANK = 8
_BEGUN = re.compile(
    r"\"?(\d|(mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b.*\d)", re.I
)
"""How times begin: most lines of a capture are none."""
_USAGE = re.compile(r"\b(CPU|MEM|MEMORY)\b")
_FREE = re.compile(r"total\s+used\s+free")
_CLOSE = re.compile(r"Filesystem\s|total\s+used\s+free")
"""Headers of `df` and `free`, whose columns a single blank may part."""
_MOUNTED = re.compile(r"Mounted on$")
_UPPER = re.compile(r"[A-Z][A-Z /%()a-z-]*")


def is_moment(line: str) -> bool:
    """Say whether a line is nothing but a time."""
    return len(line) <= LONGEST_MOMENT and _BEGUN.match(line) is not None and time_place([line]) is not None


def parted_row(line: str, header: Sequence[str] = ()) -> list[str]:
    """Return the cells of a line that two blanks or more part, or a single one where a header has as many cells."""
    line = _MOUNTED.sub("Mounted_on", line.strip())
    cells = re.split(r"\s{2,}|\t", line)
    if len(cells) == len(header):
        return cells
    closely = line.split()
    return closely if len(closely) == len(header) or (not header and _CLOSE.match(line)) else cells


def is_capture(text: str) -> bool:
    """Say whether a text begins with a moment, and below it with a table of columns."""
    first, _, below = text.lstrip("\ufeff \r\n").partition("\n")
    return is_moment(first.strip()) and is_table(below)


def is_table(text: str) -> bool:
    """Say whether a text begins with a header of usage, over rows of as many cells: numbers, but no times."""
    lines = [line.strip() for line in text.split("\n", MOST_BLANK)[:MOST_BLANK] if line.strip()]
    if len(lines) < 2:
        return False
    header = header_of(lines[0])
    usage = _CLOSE.match(lines[0]) or (_USAGE.search(lines[0]) and all(map(_UPPER.fullmatch, header)))
    row = parted_row(lines[1], header)
    timed = first_of(header, TIME_NAMES) or any(map(is_moment, row))
    measured = any(cell[0].isdigit() for line in lines[1:] for cell in parted_row(line, header)[1:] if cell)
    return bool(usage) and not timed and measured and len(header) > 1 and len(row) == len(header)


def header_of(line: str) -> list[str]:
    """Return the names of the columns of such a table; `free` leaves the first without one."""
    return [*(["of"] if _FREE.match(line) else []), *parted_row(line)]
