"""What can be picked while a text is typed: those that hold all of its words, a few at a time, above the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tui.views.paint import Line, flat, line
from tui.widgets.painted import Painted

MOST_ROWS = 6


@dataclass(frozen=True)
class Pick:
    """One thing to pick: what it stands for, and how it is shown."""

    answer: str
    told: str


class PickList(Painted):
    """Never has the focus: the prompt tells it what is typed, and which way to go."""

    DEFAULT_CSS = """
    PickList { dock: top; width: 100%; height: 0; display: none; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__(id="picks")
        self._all: Sequence[Pick] = ()
        self._found: Sequence[Pick] = ()
        self._at: int | None = None
        self._typed = ""

    @property
    def rows(self) -> int:
        """How many rows it takes: those that match, and one that counts where more do."""
        return min(len(self._found), MOST_ROWS)

    @property
    def picked(self) -> Pick | None:
        """The one under the mark; None: what is typed counts."""
        return self._found[self._at] if self._at is not None and self._at < len(self._found) else None

    def offer(self, picks: Sequence[Pick], typed: str = "") -> None:
        """Offer these from now on."""
        self._all, self._typed = picks, typed
        self._narrow()

    def narrow(self, typed: str) -> None:
        """Keep those that hold every word that is typed; what is picked stays so while nothing else is typed."""
        if typed != self._typed:
            self._typed = typed
            self._narrow()

    def _narrow(self) -> None:
        words = self._typed.casefold().split()
        self._found = [one for one in self._all if all(word in one.told.casefold() for word in words)]
        self._at = None
        self._fit()

    def move(self, step: int) -> None:
        """Go down or up; above the first nothing is picked, and what is typed counts."""
        at = (-1 if self._at is None else self._at) + step
        self._at = None if at < 0 or not self._found else min(at, len(self._found) - 1)
        self.refresh()

    def _fit(self) -> None:
        self.display = bool(self._found)
        self.styles.height = self.rows
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint one of those that match; the picked one is always among them."""
        first = max(0, (self._at or 0) - MOST_ROWS + 1)
        at = first + y
        if at >= len(self._found):
            return self.paint((), self.size.width)
        return self.paint(self._row(at, first), self.size.width)

    def _row(self, at: int, first: int) -> Line:
        here = at == self._at
        rest = len(self._found) - first - MOST_ROWS
        more = f"  (and {rest} more)" if rest > 0 and at == first + MOST_ROWS - 1 else ""
        told = flat(self._found[at].told)
        return line(("> " if here else "  ", "accent"), (told, "match" if here else "plain"), (more, "dim"))
