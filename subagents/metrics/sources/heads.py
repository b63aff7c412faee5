"""Where a table begins, what parts its cells, and what its columns are called: by its first lines, whoever wrote it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from subagents.metrics.sources.naming import METRIC_NAMES, SERVICE_NAMES, TIME_NAMES, first_of
from subagents.metrics.sources.stamps import DateOrder, parse_by_calendar, parse_unique
from subagents.metrics.sources.units import factor, is_unit

PROBED = 40
"""Lines that are looked at for a row with a time."""
_MARKS = ",;\t|"
LEAST_SHARE = 0.6
"""Share of lines that a mark must part alike to be what parts the cells."""
_DATED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)")
_ROW_COUNT = re.compile(r"\(\d+ rows?( affected)?\)")
_ANY_MARK = re.compile(f"[{_MARKS}]")
_SEPARATOR = re.compile(r"\"?sep=(.)\"?")
_NUMBER = re.compile(r"[+-]?(?!\d+\.\d{1,2}\.)[.,]?\d[\d.,\u00a0\u202f]*+(e[+-]?\d+)?%?", re.IGNORECASE)
"""Versions, addresses and dates, of which a point parts one or two digits from others, are none."""


@dataclass(frozen=True)
class Head:
    """How a table begins: `lines` are above its first row, the header's among them; `left_out` of them are no part."""

    names: tuple[str, ...]
    mark: str
    lines: int
    left_out: int = 0

    time: str | None = None
    """The column of the time: the one that is called so, or the first that holds times."""
    unnamed: bool = False
    """There is no header: names say what the columns hold, as far as that can be told."""
    aligned: bool = False
    """Blanks part the cells: rows are read as `parted` returns them."""


def head_of(lines: Sequence[str]) -> Head | None:
    """Return how a table begins by its first lines; None where they hold nothing."""
    told = next((found[1] for line in lines[:1] if (found := _SEPARATOR.fullmatch(line.strip("\ufeff\r\n ")))), "")
    rows = _rows(lines[bool(told) :], first=1 + bool(told))
    if not rows:
        return None
    mark, share = (told, 1.0) if told else mark_of([text for _, text in rows])
    aligned = [(number, parted(text)) for number, text in rows]
    if share < LEAST_SHARE and mark_of([text for _, text in aligned])[1] >= LEAST_SHARE:
        head = _by_rows(aligned, "\t")
        return replace(head, aligned=True) if first_of(head.names, TIME_NAMES) else _by_rows(rows, mark)
    return _by_rows(rows, mark)


def parted(line: str) -> str:
    """Return a line whose cells blanks part as one with tabs, a date and its clock as one cell."""
    return re.sub(r"\s+", "\t", _DATED.sub(r"\1T\2", line.strip()))


def is_ornament(line: str) -> bool:
    """Say whether a line only draws a table, or says how many rows it has."""
    bare = line.strip()
    return ("---" in bare and not bare.strip("-|+:= \t")) or _ROW_COUNT.fullmatch(bare) is not None


def _by_rows(rows: list[tuple[int, str]], mark: str) -> Head:
    cells = [(number, _split(text, mark), text.startswith("#")) for number, text in rows]
    timed = [place for place, (_, row, remark) in enumerate(cells) if not remark and time_place(row) is not None]
    called = (p for p, (_, row, _) in enumerate(cells) if all(row) and first_of(row, TIME_NAMES) and p not in timed)
    begun = next(called, -1)  # what is above it may say of what time all is
    data = next((place for place in timed if place > begun), next(iter(timed), None))
    if data is None:
        number, row, _ = next((one for one in cells if not one[2]), cells[0])
        return _head(unique_names(row), mark, number)
    width = len(cells[data][1])
    above = [one for one in cells[:data] if not one[2] or _is_header(one[1], width)]
    fitting = list(takewhile(lambda one: len(one[1]) == width, reversed(above)))[::-1]
    named = next((place for place, (_, row, _) in enumerate(fitting) if all(row) and first_of(row, TIME_NAMES)), 0)
    fitting = fitting[named:]
    if fitting:
        names, used = _merged([row for _, row, _ in fitting], time_place(cells[data][1]) or 0)
        return _head(names, mark, fitting[used - 1][0], len(above) - len(fitting), cells[data][1])
    if any(len(row) > 1 for _, row, _ in above):
        return _head(unique_names(above[0][1]), mark, above[0][0])
    head = _head(_unnamed(cells[data][1]), mark, cells[data][0] - 1, row=cells[data][1])
    return replace(head, unnamed=True, left_out=len(above))


def _head(names: tuple[str, ...], mark: str, lines: int, left_out: int = 0, row: Sequence[str] = ()) -> Head:
    at = time_place(row)
    held = at is not None and (at == 0 or not is_number(row[at]))  # a large number may be one of bytes
    return Head(
        names, mark, lines, left_out, first_of(names, TIME_NAMES) or (names[at] if at is not None and held else None)
    )


def _rows(lines: Sequence[str], first: int) -> list[tuple[int, str]]:
    """Return the lines that hold anything, with their number: remarks, and what is below them."""
    numbered = ((number, line.strip("\ufeff\r\n")) for number, line in enumerate(lines, first))
    held = [(number, line) for number, line in numbered if line.strip() and not is_ornament(line)]
    remarks = sum(1 for _ in takewhile(lambda one: one[1].startswith("#"), held))
    return held[max(0, remarks - PROBED) : remarks + PROBED]


def mark_of(lines: Sequence[str]) -> tuple[str, float]:
    """Return what parts the cells of a table, and the share of the lines that it gives as many cells, two at least."""
    counts = {mark: Counter(len(_split(line, mark)) for line in lines) for mark in _MARKS}
    best = {
        mark: max(((n, width) for width, n in each.items() if width > 1), default=(0, 1))
        for mark, each in counts.items()
    }
    mark = max(_MARKS, key=lambda mark: best[mark])
    return mark, best[mark][0] / max(1, len(lines))


def _split(text: str, mark: str) -> list[str]:
    try:
        row = next(csv.reader([text.removeprefix("#").lstrip() if text.startswith("#") else text], delimiter=mark), [])
    except csv.Error:
        return [text]
    return [cell.strip() for cell in row]


def _is_header(row: list[str], width: int) -> bool:
    return len(row) == width and first_of(row, TIME_NAMES) is not None


def names_time(line: str) -> bool:
    """Say whether a line may be a header: one of its cells is what a time is called."""
    return first_of((cell.strip(' "') for cell in _ANY_MARK.split(line.lstrip("# "))), TIME_NAMES) is not None


def is_number(text: str) -> bool:
    """Say whether a cell is a number, as people write it."""
    return _NUMBER.fullmatch(text) is not None


def time_place(row: Sequence[str]) -> int | None:
    """Return which cell of a row is a time; None where none is."""
    known = parse_unique(row)
    order = DateOrder()
    order.add(known)
    parse_by_calendar(known, order)
    return next((place for place, cell in enumerate(row) if known[cell] is not None), None)


def numbers_below(head: Head, lines: Sequence[str], only: bool = False) -> bool:
    """Say whether numbers stand below a header; `only`: rows with a time hold nothing else but whose, and of what."""
    numbers = _measured_below(head, lines, only)
    return bool(numbers) and (all(numbers) if only else any(numbers))


def only_words_below(head: Head, lines: Sequence[str]) -> bool:
    """Say whether there is something below a header, and no number."""
    numbers = _measured_below(head, lines)
    return bool(numbers) and not any(numbers)


def _measured_below(head: Head, lines: Sequence[str], timed: bool = False) -> list[bool]:
    """Say of the cells below a header which are measured; those of the time, of owners, and empty ones left out."""
    below = (line for line in lines[head.lines : head.lines + PROBED] if line.strip() and not is_ornament(line))
    rows = [_split(parted(line) if head.aligned else line, head.mark) for line in below]
    rows = [row for row in rows if not timed or time_place(row) is not None]
    named = {head.time, *(n for n in head.names if n.lower() in (*SERVICE_NAMES, *METRIC_NAMES, "unit", "units"))}
    known = [name not in named for name in head.names]
    return [_is_measured(cell) for row in rows for cell, counts in zip(row, known, strict=False) if counts and cell]


def _is_measured(cell: str) -> bool:
    """Say whether a cell is a number, maybe with its unit, a yes or a no, or says that there is none."""
    found = _NUMBER.match(cell)
    return (
        cell.lower() in ("nan", "null", "true", "false")
        if found is None
        else factor(cell[found.end() :].strip()) is not None
    )


def unique_names(row: Sequence[str]) -> tuple[str, ...]:
    """Return names of columns, each once and none empty."""
    names: dict[str, None] = {}
    for place, name in enumerate(row):
        name = name.strip().strip('"') or f"column_{place + 1}"
        while name in names:
            name = f"{name}_{place + 1}"
        names[name] = None
    return tuple(names)


def _unnamed(row: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of a table that has no header: the time, one number the value, one word the metric."""
    at = time_place(row)
    numbers = [place for place, cell in enumerate(row) if place != at and (is_number(cell) or not cell)]
    words = [place for place in range(len(row)) if place != at and place not in numbers]
    known = {at: "time"} | ({numbers[0]: "value"} if len(numbers) == 1 else {})
    known |= {words[0]: "metric"} if len(words) == 1 and len(numbers) == 1 else {}
    return tuple(known.get(place, f"column_{place + 1}") for place in range(len(row)))


def _merged(rows: list[list[str]], at: int) -> tuple[tuple[str, ...], int]:
    """Return one name of a column of several rows of headers, and of how many: `service/metric`, `metric [unit]`.

    A second row belongs to the header where it holds units, or where the first leaves names empty or says them twice.
    `at` is the column of the time.
    """
    first, *others = rows
    whole = all(cell for place, cell in enumerate(first) if place != at) and len(set(first)) == len(first)
    names, used = [[cell] for cell in first], 1
    for row in others:
        cells = [cell for place, cell in enumerate(row) if cell and place != at]
        if cells and all(map(is_unit, cells)):
            names = [
                [*name[:-1], f"{name[-1]} [{cell}]"] if is_unit(cell) else name
                for name, cell in zip(names, row, strict=True)
            ]
        elif whole or any(map(is_number, cells)):
            break
        else:
            names = [[*name, cell] for name, cell in zip(_carried(names), row, strict=True)]
        used += 1
    return unique_names(["/".join(part for part in name if part) for name in names]), used


def _carried(names: list[list[str]]) -> list[list[str]]:
    """Return names, empty ones as the one before them: cells that were merged. The first is the time's, or nothing."""
    carried: list[list[str]] = []
    for place, name in enumerate(names):
        carried.append(carried[-1] if not any(name) and place > 1 and carried else name)
    return carried
