"""What a list shows of its rows: those that a filter lets through, and what is unfolded below them. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TypeGuard

from rich.cells import cell_len

from tui.views.paint import Line, Row, Span, span, text_of
from tui.views.ring import Ring

WRAP_UP_TO = 600
"""Rows up to which those that may take several lines do; longer lists have one line per row."""
MOST_LINES = 4
"""Lines that a wrapped row takes at most; the rest is there when it is unfolded."""
INDENT = 4
"""Cells that continuation lines and unfolded lines are moved in."""


class Shown:
    """Lines over a ring. A line's index moves with its row: nobody keeps indexes across `update()` but by row key."""

    def __init__(self, source: Ring) -> None:
        self.source = source
        self.text = ""
        """The filter, or what is searched for; empty: none."""
        self.filtering = False
        """Whether rows that do not hold the text are left out."""
        self._unfolded: dict[str, tuple[Line, ...]] = {}
        self._numbers: list[int] | None = None
        self._folds: list[tuple[int, tuple[Line, ...]]] = []
        """Rows with lines below them: index, and those lines."""
        self._starts: list[int] = []
        """The line of each of these rows."""
        self._wrapped: dict[str, tuple[Row, tuple[Line, ...]]] = {}
        self._seen = -1
        self._width = 0
        self._wrapped_width = 0

    def retarget(self, source: Ring) -> None:
        """Show other rows, with the same filter and the same rows unfolded."""
        self.source, self._seen, self._numbers = source, -1, None

    def look_for(self, text: str, *, filtering: bool) -> None:
        """Set the text to filter by or to search for."""
        self.text, self.filtering, self._seen = text.casefold(), filtering and bool(text), -1
        self._numbers = None

    def toggle(self, key: str) -> bool:
        """Unfold a row, or fold it again; say whether it is unfolded now."""
        if key in self._unfolded:
            del self._unfolded[key]
        else:
            self._unfolded[key] = ()
        self._seen = -1
        return key in self._unfolded

    def is_unfolded(self, key: str) -> bool:
        """Say whether a row is unfolded."""
        return key in self._unfolded

    def update(self, width: int) -> bool:
        """Take changes of the rows, the filter or the width into account; say whether there were any."""
        if self._seen == self.source.changes and width == self._width:
            return False
        before = self._seen
        self._wrapped_width, self._seen, self._width = self._width, self.source.changes, width
        self._numbers = self._filtered(before) if self.filtering else None
        self._fold(width)
        return True

    def _filtered(self, seen: int) -> list[int]:
        """Return the numbers of the rows that hold the text, looking only at those that were put since `seen`."""
        ring = self.source
        fresh = ring.since(seen) if self._numbers is not None and seen >= 0 else None
        if fresh is None or self._numbers is None:
            return [number for number in range(ring.first, ring.end) if self.matches(ring[number])]
        kept = self._numbers[bisect_left(self._numbers, ring.first) :]
        for number in fresh:
            at = bisect_left(kept, number)
            there = at < len(kept) and kept[at] == number
            if number >= ring.first and self.matches(ring[number]) != there:
                kept[at : at + there] = [] if there else [number]
        return kept

    def _fold(self, width: int) -> None:
        wrapping = self.rows <= WRAP_UP_TO
        folds: list[tuple[int, tuple[Line, ...]]] = []
        wrapped: dict[str, tuple[Row, tuple[Line, ...]]] = {}
        if wrapping:
            for index in range(self.rows):
                row = self.row_at(index)
                pieces = self._pieces(row, width, wrapped)
                below = (*pieces[1:], *self._details(row, width))
                if below:
                    folds.append((index, below))
        else:
            numbers = [self.source.number_of(key) for key in self._unfolded]
            indexes = [self.index_of(number) for number in numbers if number is not None]
            folds = [(one, self._details(self.row_at(one), width)) for one in sorted(filter(_is_there, indexes))]
        self._wrapped, self._folds, self._starts = wrapped, folds, []
        extra = 0
        for index, lines in folds:
            self._starts.append(index + extra)
            extra += len(lines)

    def _pieces(self, row: Row, width: int, wrapped: dict[str, tuple[Row, tuple[Line, ...]]]) -> tuple[Line, ...]:
        """Return a row's own lines, from those of the last time where nothing changed."""
        if not row.wraps:
            return (row.line,)
        held = self._wrapped.get(row.key) if self._wrapped_width == width else None
        pieces = held[1] if held is not None and held[0] is row else capped(wrap(row.line, width), MOST_LINES)
        wrapped[row.key] = row, pieces
        return pieces

    def _details(self, row: Row, width: int) -> tuple[Line, ...]:
        if row.key not in self._unfolded:
            return ()
        made = tuple((span(" " * INDENT), *part) for one in row.detail for part in wrap(one, width - INDENT))
        return made or ((span(" " * INDENT + "nothing more is known", "dim"),),)

    def line_at(self, index: int, sub: int) -> Line:
        """Return a line of a row: 0 its first, then what it wraps to and what is unfolded."""
        if sub:
            at = bisect_left(self._folds, index, key=lambda fold: fold[0])
            return self._folds[at][1][sub - 1]
        row = self.row_at(index)
        held = self._wrapped.get(row.key)
        return held[1][0] if held is not None and held[0] is row else row.line

    def matches(self, row: Row) -> bool:
        """Say whether a row holds the text."""
        return bool(self.text) and self.text in text_of(row.line).casefold()

    @property
    def rows(self) -> int:
        """How many rows are shown."""
        return len(self.source) if self._numbers is None else len(self._numbers)

    @property
    def lines(self) -> int:
        """How many lines they take."""
        return self.line_of(self.rows)

    def number_at(self, index: int) -> int:
        """Return the number of the shown row at an index."""
        return self.source.first + index if self._numbers is None else self._numbers[index]

    def index_of(self, number: int) -> int | None:
        """Return where a row is shown; None where it is not."""
        if self._numbers is None:
            index = number - self.source.first
            return index if 0 <= index < len(self.source) else None
        at = bisect_left(self._numbers, number)
        return at if at < len(self._numbers) and self._numbers[at] == number else None

    def row_at(self, index: int) -> Row:
        """Return the shown row at an index."""
        return self.source[self.number_at(index)]

    def locate(self, y: int) -> tuple[int, int]:
        """Return the row index of a line, and which of its lines it is: 0 the row itself, 1… what is unfolded."""
        at = bisect_right(self._starts, y) - 1
        if at < 0:
            return y, 0
        index, lines = self._folds[at]
        below = y - self._starts[at]
        return (index, below) if below <= len(lines) else (index + below - len(lines), 0)

    def line_of(self, index: int) -> int:
        """Return the line of the row at an index."""
        at = bisect_left(self._folds, index, key=lambda fold: fold[0]) - 1
        if at < 0:
            return index
        before, lines = self._folds[at]
        return self._starts[at] + len(lines) + index - before

    def next_match(self, index: int, step: int) -> int | None:
        """Return the next row from an index that holds the text, going round; None where none does."""
        count = self.rows
        for distance in range(1, count + 1):
            at = (index + step * distance) % count
            if self.matches(self.row_at(at)):
                return at
        return None


def _is_there(index: int | None) -> TypeGuard[int]:
    return index is not None


def capped(pieces: Sequence[Line], most: int) -> tuple[Line, ...]:
    """Return the first lines; where there are more, the last of them says so."""
    if len(pieces) <= most:
        return tuple(pieces)
    return (*pieces[: most - 1], (*pieces[most - 1], span(" …", "dim")))


def wrap(line: Sequence[Span], width: int) -> list[Line]:
    """Break a line so that each piece fits `width` cells, at blanks where there are some."""
    width = max(width, 8)
    text = text_of(line)
    if cell_len(text) <= width:
        return [tuple(line)]
    pieces, start = [], 0
    while start < len(text):
        room = width if not start else width - INDENT
        end = _fits(text, start, room)
        if end < len(text):
            blank = text.rfind(" ", start + room // 2, end + 1)
            end = blank if blank > start else end
        piece = _part(line, start, end)
        pieces.append(piece if not start else (span(" " * INDENT), *piece))
        start = end + (end < len(text) and text[end] == " ")
    return pieces


def _fits(text: str, start: int, width: int) -> int:
    """Return one past the last character from `start` that fits; at least one does."""
    end = min(len(text), start + width)
    while end > start + 1 and cell_len(text[start:end]) > width:
        end -= 1
    return end


def _part(line: Sequence[Span], start: int, end: int) -> Line:
    made, at = [], 0
    for one in line:
        low, high = max(start - at, 0), min(end - at, len(one.text))
        if low < high:
            made.append(span(one.text[low:high], one.tone))
        at += len(one.text)
    return tuple(made)
