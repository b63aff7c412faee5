"""Base of the widgets that paint lines themselves: tones become styles, a line is cut to the width there is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.style import Style as TextStyle
from textual.widget import Widget

from tui.text import STYLES
from tui.views.paint import Line, Span, Tone
from tui.views.shown import capped, wrap


class Painted(Widget):
    """Paints lines of spans by the line API; nothing here takes a plain string."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tones: dict[Tone, Style] = {}

    def notify_style_update(self) -> None:
        """Forget the resolved styles: a theme or a class has changed."""
        super().notify_style_update()
        self._tones = {}

    def tone(self, tone: Tone) -> Style:
        """Return a tone's style, resolved once until the styles change."""
        found = self._tones.get(tone)
        if found is None:
            wanted = STYLES[tone]
            if tone == "dim" and self.app.native_ansi_color:
                wanted = "dim"  # sixteen colours have no muted text
            found = self._tones[tone] = (self.visual_style + TextStyle.parse(wanted)).rich_style
        return found

    def paint(self, line: Sequence[Span], width: int, extra: Style | None = None) -> Strip:
        """Return a line as a strip of exactly `width` cells; what does not fit ends in `…`."""
        segments: list[Segment] = []
        room = width
        for one in line:
            style = self.tone(one.tone)
            if extra is not None:
                style = style + extra
            size = cell_len(one.text)
            if size > room:
                if room > 0:
                    segments.append(Segment(set_cell_size(one.text, room - 1) + "…", style))
                elif segments:  # the one before filled the line: its end gives way
                    full = segments[-1]
                    segments[-1] = Segment(set_cell_size(full.text, cell_len(full.text) - 1) + "…", full.style)
                room = 0
                break
            segments.append(Segment(one.text, style))
            room -= size
        if room > 0:
            segments.append(Segment(" " * room, self.tone("plain") if extra is None else self.tone("plain") + extra))
        return Strip(segments, width)


class TextBlock(Painted):
    """A few lines of text that change now and then."""

    DEFAULT_CSS = """
    TextBlock { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    def show(self, *lines: Line) -> None:
        """Show these lines; nothing is painted where they are the same."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def show_whole(self, words: Line, width: int, most: int) -> int:
        """Show one line over as many rows as it takes at a width in cells, `most` of them; return how many."""
        rows = capped(wrap(words, width), most)
        self.styles.height = len(rows)
        self.show(*rows)
        return len(rows)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        return self.paint(self._lines[y] if y < len(self._lines) else (), self.size.width)
