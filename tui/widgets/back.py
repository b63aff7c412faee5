"""The button that changes nothing: it has the focus when a decision is put before a person."""

from __future__ import annotations

from textual.strip import Strip

from tui.views.paint import line
from tui.widgets.painted import Painted


class BackButton(Painted, can_focus=True):
    """One line; what pressing it does is the screen's own action."""

    DEFAULT_CSS = """
    BackButton { height: 1; width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__(id="back")

    def render_line(self, y: int) -> Strip:
        """Paint it; the focus is a mark, not only a colour."""
        here = self.has_focus
        words = line(
            ("> " if here else "  ", "accent"),
            ("[ Back ]", "match" if here else "plain"),
            ("  enter or esc: back, with nothing decided", "dim"),
        )
        return self.paint(words, self.size.width)

    def on_focus(self) -> None:
        """Show that it has the focus."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that it has not."""
        self.refresh()
