"""Text on a page: lines with a gutter, wrapped so that nothing is ever out of sight to the right. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from rich.cells import cell_len

from tui.views.paint import Line, Tone, line, span, text_of
from tui.views.shown import wrap

Piece = tuple[int, int]
"""Part of a line's text that one row shows: from, and one past the last character."""


@dataclass(frozen=True)
class PageLine:
    """One line of a page."""

    body: Line
    gutter: Line = ()
    """Stands before the first row; continuation rows have blanks there."""
    words: bool = False
    """Wrapped between words; else exactly, character by character, so that no blank is lost."""

    @cached_property
    def text(self) -> str:
        """What it says, without tones and gutter."""
        return text_of(self.body)

    @cached_property
    def gutter_width(self) -> int:
        """Cells that the gutter takes."""
        return cell_len(text_of(self.gutter))


def prose(*parts: str | tuple[str, Tone]) -> PageLine:
    """Make a line that is wrapped between words."""
    return PageLine(line(*parts), words=True)


def field(name: str, text: str, tone: Tone = "plain", width: int = 11) -> PageLine:
    """Make a line with a name in its gutter: `base       4be1…`."""
    return PageLine(line((text, tone)), line((f"{name:<{width}}", "dim")), words=True)


def pieces_of(text: str, width: int) -> list[Piece]:
    """Cut a text into rows of at most `width` cells, losing nothing; a text of nothing has one empty row."""
    if len(text) <= width and (text.isascii() or cell_len(text) <= width):
        return [(0, len(text))]
    if text.isascii():
        return [(at, min(at + width, len(text))) for at in range(0, len(text), width)]
    made: list[Piece] = []
    start = 0
    while start < len(text):
        end = min(len(text), start + width)
        while end > start + 1 and (over := cell_len(text[start:end]) - width) > 0:
            end -= max(1, over // 2)
        made.append((start, max(end, start + 1)))
        start = made[-1][1]
    return made


def cut(line_: Line, start: int, end: int) -> Line:
    """Return the part of a line from one character to before another."""
    made, at = [], 0
    for one in line_:
        low, high = max(start - at, 0), min(end - at, len(one.text))
        if low < high:
            made.append(span(one.text[low:high], one.tone))
        at += len(one.text)
    return tuple(made)


class Layout:
    """Where each line is for one width: rows, and what each shows. Lines are laid out when they are asked for."""

    def __init__(self, lines: Sequence[PageLine], width: int) -> None:
        self.lines, self.width = lines, max(1, width)
        self._cut: dict[int, list[Piece]] = {}
        self._worded: dict[int, tuple[Line, ...]] = {}
        self._ends = list(accumulate(self._height(index) for index in range(len(lines))))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._ends[-1] if self._ends else 0

    def _room(self, index: int) -> int:
        return max(1, self.width - self.lines[index].gutter_width)

    def _height(self, index: int) -> int:
        one, room = self.lines[index], self._room(index)
        if len(one.text) <= room and one.text.isascii():
            return 1
        if one.words:
            return len(self._words(index))
        return -(-len(one.text) // room) if one.text.isascii() else len(self.pieces(index))

    def _words(self, index: int) -> tuple[Line, ...]:
        if index not in self._worded:
            made = wrap(self.lines[index].body, self._room(index)) or [()]
            self._worded[index] = tuple(tuple(one) for one in made)
        return self._worded[index]

    def pieces(self, index: int) -> list[Piece]:
        """Return the pieces of a line that is wrapped exactly."""
        if index not in self._cut:
            self._cut[index] = pieces_of(self.lines[index].text, self._room(index))
        return self._cut[index]

    def locate(self, row: int) -> tuple[int, int]:
        """Return (line, row within it)."""
        index = bisect_right(self._ends, row)
        return index, row - (self._ends[index - 1] if index else 0)

    def row_of(self, index: int) -> int:
        """Return the first row of a line."""
        return self._ends[index - 1] if index else 0

    def row_at(self, index: int, offset: int) -> int:
        """Return the row that shows a character of a line."""
        if self.lines[index].words:
            return self.row_of(index)
        found = bisect_right(self.pieces(index), offset, key=lambda piece: piece[0]) - 1
        return self.row_of(index) + max(0, found)

    def row(self, row: int) -> tuple[Line, int, Piece]:
        """Return (what the row paints, its line, the piece of that line)."""
        index, sub = self.locate(row)
        one = self.lines[index]
        gutter = one.gutter if not sub else (span(" " * one.gutter_width),) if one.gutter_width else ()
        if one.words:
            return (*gutter, *self._words(index)[sub]), index, (0, len(one.text))
        piece = self.pieces(index)[sub]
        return (*gutter, *cut(one.body, *piece)), index, piece
