"""A page of text that scrolls by itself and paints what is visible; nothing on it moves unless a key moves it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from tui.bindings import bindings_of
from tui.views.page import Layout, PageLine, Piece
from tui.widgets.painted import Painted

_BAR = 1
_WHEEL = 3


class PageView(Painted, can_focus=True):
    """See the module."""

    BINDINGS = bindings_of("page")

    DEFAULT_CSS = """
    PageView { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[PageLine, ...] = ()
        self._layout_of = Layout((), 1)
        self._top = 0

    def show(self, lines: Sequence[PageLine], at: int = 0) -> None:
        """Show other lines from line `at` on; the same lines stay where they are."""
        held = tuple(lines)
        if held != self._lines:
            self._replace(held, at)

    def _replace(self, lines: tuple[PageLine, ...], at: int = 0) -> None:
        self._lines = lines
        self._lay_out()
        self._top = 0
        self.go_to_line(at)
        self.refresh()

    @property
    def lines(self) -> tuple[PageLine, ...]:
        """What is shown."""
        return self._lines

    @property
    def rows(self) -> int:
        """How many rows the lines take at this width."""
        return self._layout_of.rows

    @property
    def line_at_top(self) -> int:
        """The line that the first row belongs to."""
        return self._layout_of.locate(self._top)[0] if self.rows else 0

    def _lay_out(self) -> None:
        self._layout_of = Layout(self._lines, self.size.width - _BAR)

    def go_to_line(self, index: int, offset: int = 0, above: int = 0) -> None:
        """Put a line (the row of one of its characters) at the top, with some rows above it."""
        if self._lines:
            index = max(0, min(index, len(self._lines) - 1))
            self._go(self._layout_of.row_at(index, offset) - above)

    def _go(self, row: int) -> None:
        self._top = max(0, min(row, self.rows - max(1, self.size.height)))
        self.refresh()

    # -- keys --------------------------------------------------------------------------------

    def action_scroll(self, step: int) -> None:
        """Scroll by rows."""
        self._go(self._top + step)

    def action_page(self, step: int) -> None:
        """Scroll by pages; one row stays in view."""
        self._go(self._top + step * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Go to the beginning."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the end."""
        self._go(self.rows)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by the wheel."""
        self._go(self._top + _WHEEL)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by the wheel."""
        self._go(self._top - _WHEEL)
        event.stop()

    # -- painting ----------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Wrap for the new width; the line at the top stays there."""
        top = self.line_at_top
        self._lay_out()
        self.go_to_line(top)

    def painted(self, index: int, piece: Piece) -> None:
        """Take note that a piece of a line is being painted."""

    def render_line(self, y: int) -> Strip:
        """Paint one row."""
        width, row = max(1, self.size.width - _BAR), self._top + y
        bar = Segment(self._bar(y), self.tone("dim"))
        if row >= self.rows:
            return Strip([*self.paint((), width), bar], width + _BAR)
        shown, index, piece = self._layout_of.row(row)
        self.painted(index, piece)
        return Strip([*self.paint(shown, width), bar], width + _BAR)

    def _bar(self, y: int) -> str:
        rows, height = self.rows, self.size.height
        if rows <= height or height < 2:
            return " "
        size = max(1, height * height // rows)
        start = round(self._top / max(1, rows - height) * (height - size))
        return "┃" if start <= y < start + size else "│"
