"""A list of rows that paints what is visible and nothing else; holds cursor, filter, follow mode, unfolded rows."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.bindings import bindings_of
from tui.views.paint import Row, Span, span
from tui.views.ring import Ring
from tui.views.shown import Shown
from tui.widgets.painted import Painted

STAMP_FROM = 72
"""Width from which rows show when they happened."""
_CACHE = 256
_GUTTER = 1
_BAR = 1
_STAMP = 9
_WHEEL = 3


class LineView(Painted, can_focus=True):
    """See the module. It scrolls by itself: nothing it holds ever changes the screen's layout."""

    BINDINGS = bindings_of("list")

    class FilterRequested(Message):
        """The person wants to type a filter for this list."""

        def __init__(self, view: LineView) -> None:
            self.view = view
            super().__init__()

    def __init__(self, *, id: str | None = None, follow: bool = False) -> None:
        super().__init__(id=id)
        self.shown = Shown(Ring())
        self.following = follow
        self.follows = follow
        """Whether it is a stream, which can be followed."""
        self._cursor: str | None = None
        """Key of the row under the cursor."""
        self._top = 0
        self._first = 0
        self._read_to = 0
        """One past the newest row that was in view."""
        self._fitted_to = 0
        self._painted: tuple[tuple[Span, ...], list[tuple[Row, int]]] = self.empty, []
        self._cache: dict[tuple[int, int], tuple[Row, tuple[object, ...], Strip]] = {}

    # -- rows --------------------------------------------------------------------------------

    def attach(self, source: Ring) -> None:
        """Show other rows; cursor and unfolded rows stay where their keys are there too."""
        self.shown.retarget(source)
        self._cache.clear()
        self.sync()

    def sync(self) -> bool:
        """Take in what changed; repaint, and say so, where that is to be seen. Called by the ticker."""
        first = self.shown.source.first
        height = self.size.height
        if not self.shown.update(self._row_width) and height == self._fitted_to:
            return False
        self._fitted_to = height
        if first > self._first and not self.following and not self.shown.filtering:
            self._top = max(0, self._top - (first - self._first))
        self._first = first
        self._settle()
        visible = self.empty, self._visible()
        if visible != self._painted:
            self._painted = visible
            self.refresh()
        return True

    def _visible(self) -> list[tuple[Row, int]]:
        """Return what is in view, to tell whether it is what was painted."""
        last = min(self.shown.lines, self._top + self.size.height)
        places = [self.shown.locate(line) for line in range(self._top, last)]
        return [(self.shown.row_at(index), sub) for index, sub in places]

    def _settle(self) -> None:
        """Keep cursor and top where they can be."""
        count = self.shown.rows
        height = max(1, self.size.height)
        if self.following:
            self._top = max(0, self.shown.lines - height)
            if count:
                self._cursor = self.shown.row_at(count - 1).key
        self._top = max(0, min(self._top, self.shown.lines - height))
        if self.cursor_index is None:
            self._cursor = self.shown.row_at(self.shown.locate(self._top)[0]).key if count else None
        last_line = min(self.shown.lines, self._top + height) - 1
        if last_line >= 0 and count:
            bottom = self.shown.number_at(min(count - 1, self.shown.locate(last_line)[0])) + 1
            self._read_to = self.shown.source.end if self.following else max(self._read_to, bottom)

    @property
    def cursor_index(self) -> int | None:
        """Where the cursor is among the rows shown."""
        number = self.shown.source.number_of(self._cursor) if self._cursor is not None else None
        return None if number is None else self.shown.index_of(number)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        index = self.cursor_index
        return None if index is None else self.shown.row_at(index)

    @property
    def unseen(self) -> int:
        """How many rows came below what was in view while it was held."""
        return 0 if self.following else max(0, self.shown.source.end - max(self._read_to, self.shown.source.first))

    # -- moving ------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and bring it into view; moving by hand holds the view."""
        count = self.shown.rows
        if not count:
            return
        index = max(0, min(index, count - 1))
        self._cursor = self.shown.row_at(index).key
        self.following = self.follows and index == count - 1 and self.following
        line, height = self.shown.line_of(index), max(1, self.size.height)
        if line < self._top:
            self._top = line
        elif line >= self._top + height:
            self._top = line - height + 1
        self._settle()
        self.refresh()

    def select(self, key: str) -> None:
        """Put the cursor on the row of that key, where it is shown."""
        number = self.shown.source.number_of(key)
        index = None if number is None else self.shown.index_of(number)
        if index is not None:
            self.following = False
            self.move_to(index)

    def action_cursor(self, step: int) -> None:
        """Move the cursor."""
        if step < 0:
            self.following = False
        index = self.cursor_index
        self.move_to(0 if index is None else index + step)

    def action_page(self, step: int) -> None:
        """Move by a page."""
        self.following = False
        self._top = max(0, min(self._top + step * max(1, self.size.height - 1), self.shown.lines - 1))
        if self.shown.rows:
            self.move_to(self.shown.locate(self._top)[0] if step < 0 or not self._at_end else self.shown.rows - 1)

    @property
    def _at_end(self) -> bool:
        return self._top >= self.shown.lines - self.size.height

    def action_first(self) -> None:
        """Go to the first row."""
        self.following = False
        self._top = 0
        self.move_to(0)

    def action_last(self) -> None:
        """Go to the last row; a stream follows from there."""
        self.following = self.follows
        self.move_to(self.shown.rows - 1)

    def hold_or_follow(self) -> None:
        """Follow what comes in, or hold the view as it is."""
        if not self.follows:
            return
        self.following = not self.following
        self._settle()
        self.refresh()

    def action_unfold(self) -> None:
        """Unfold the row under the cursor, or fold it."""
        row = self.row
        if row is None:
            return
        index = self.cursor_index or 0
        opened = self.shown.toggle(row.key)
        self.following = self.following and not opened
        self.shown.update(self._row_width)
        if opened:
            below = self.shown.line_of(index + 1) if index + 1 < self.shown.rows else self.shown.lines
            height = max(1, self.size.height)
            if below > self._top + height:
                self._top = min(self.shown.line_of(index), below - height)
        self._settle()
        self.refresh()

    # -- filter and search -------------------------------------------------------------------

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.post_message(self.FilterRequested(self))

    def look_for(self, text: str, *, filtering: bool = True) -> None:
        """Filter by a text, or search for it; the cursor stays on its row where that is still shown."""
        self.shown.look_for(text, filtering=filtering)
        self.shown.update(self._row_width)
        self._cache.clear()
        self._settle()
        index = self.cursor_index
        if index is not None:
            self.move_to(index)
        self.refresh()

    def action_match(self, step: int) -> None:
        """Go to the next row that holds the text, among all rows."""
        if not self.shown.text:
            return
        if self.shown.filtering:
            self.look_for(self.shown.text, filtering=False)
        found = self.shown.next_match(self.cursor_index or 0, step) if self.shown.rows else None
        if found is not None:
            self.following = False
            self.move_to(found)

    # -- painting ----------------------------------------------------------------------------

    @property
    def _text_width(self) -> int:
        return max(1, self.size.width - _GUTTER - _BAR)

    @property
    def _stamped(self) -> bool:
        return self.follows and self._text_width >= STAMP_FROM

    @property
    def _row_width(self) -> int:
        """Cells that a row's own text has."""
        return self._text_width - (_STAMP if self._stamped else 0)

    def on_resize(self) -> None:
        """Fit to the new size."""
        self._cache.clear()
        self.shown.update(self._row_width)
        self._settle()
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget painted lines: a theme or a class has changed."""
        super().notify_style_update()
        self._cache.clear()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by the wheel."""
        self._wheel(_WHEEL)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by the wheel."""
        self._wheel(-_WHEEL)
        event.stop()

    def _wheel(self, lines: int) -> None:
        self.following = False
        self._top = max(0, min(self._top + lines, self.shown.lines - max(1, self.size.height)))
        self._settle()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where it was clicked."""
        offset = event.get_content_offset(self)
        if offset is not None and self.shown.rows and self._top + offset.y < self.shown.lines:
            self.following = False
            self.move_to(self.shown.locate(self._top + offset.y)[0])

    def render_line(self, y: int) -> Strip:
        """Paint one line of what is in view."""
        width, at = self.size.width, self._top + y
        if at >= self.shown.lines:
            return self._placeholder(y, width)
        index, sub = self.shown.locate(at)
        number = self.shown.number_at(index)
        row = self.shown.source[number]
        current = row.key == self._cursor and not sub
        bar = self._bar(y)
        state = (width, current, self.has_focus, bar, self.shown.text, self.shown.is_unfolded(row.key))
        held = self._cache.get((number, sub))
        if held is not None and held[0] is row and held[1] == state:
            return held[2]
        strip = self._paint_row(row, index, sub, current, bar)
        if len(self._cache) >= _CACHE:
            self._cache.clear()
        self._cache[number, sub] = row, state, strip
        return strip

    def _paint_row(self, row: Row, index: int, sub: int, current: bool, bar: str) -> Strip:
        width = self._text_width
        text = self.shown.line_at(index, sub)
        if self._stamped:
            text = (span(f"{row.stamp:<8} " if not sub else " " * _STAMP, "dim"), *text)
        if not sub and self.shown.matches(row):
            text = (span("» ", "match"), *text)
        body = self.paint(text, width, self._cursor_style if current else None)
        gutter = Segment("▌" if current and self.has_focus else " ", self.tone("accent"))
        return Strip([gutter, *body, Segment(bar, self.tone("dim"))], width + _GUTTER + _BAR)

    @property
    def _cursor_style(self) -> Style | None:
        return Style(reverse=True) if self.has_focus else None

    def _bar(self, y: int) -> str:
        lines, height = self.shown.lines, self.size.height
        if lines <= height or height < 2:
            return " "
        size = max(1, height * height // lines)
        start = round(self._top / max(1, lines - height) * (height - size))
        return "┃" if start <= y < start + size else "│"

    empty: tuple[Span, ...] = (span("nothing yet", "dim"),)
    """What is said where there is no row."""

    def _placeholder(self, y: int, width: int) -> Strip:
        if y or self.shown.lines:
            return self.paint((), width)
        said = (span("no row holds ", "dim"), span(self.shown.text)) if self.shown.filtering else self.empty
        return self.paint((span(" "), *said), width)
