"""The board: candidate causes, best first, with the grounds of each."""

from __future__ import annotations

from collections.abc import Sequence

from subagents.quantities import counted
from tui.text import content_of
from tui.views.paint import Row, line, span
from tui.views.ring import Ring
from tui.widgets.line_view import LineView

NO_SUSPECT = (span("no finding is about a suspect; h adds one of your own", "dim"),)
"""What stands on the board of a session without hypotheses."""


class HypothesisBoard(LineView):
    """Shows hypotheses; the first unfolds by itself until the person folds or unfolds one."""

    DEFAULT_CSS = """
    HypothesisBoard { border-top: solid $foreground 30%; border-title-color: $foreground; height: 1fr; width: 1fr; }
    HypothesisBoard:focus { border-top: heavy $border; }
    """

    def __init__(self) -> None:
        super().__init__(id="board")
        self._auto: str | None = None
        self._touched = False
        self.border_title = content_of(line(("b ", "accent"), ("hypotheses", "strong")))

    def show(self, rows: Sequence[Row], findings: int, ruled_out: int = 0) -> None:
        """Show these rows, some of them ruled out; cursor and unfolded rows keep their places."""
        self.empty = NO_SUSPECT
        ring = Ring()
        for row in rows:
            ring.put(row)
        if not self._touched and rows and rows[0].key != self._auto:
            if self._auto is not None and self.shown.is_unfolded(self._auto):
                self.shown.toggle(self._auto)
            self._auto = rows[0].key
            if not self.shown.is_unfolded(self._auto):
                self.shown.toggle(self._auto)
        out = f", {ruled_out} ruled out" if ruled_out else ""
        told = f"  {len(rows)} from {counted(findings, 'finding')}{out}"
        title = line(("b ", "accent"), ("hypotheses", "strong"), (told, "dim"))
        self.border_title = content_of(title)
        self.attach(ring)

    def action_unfold(self) -> None:
        """Unfold or fold; from now on nothing unfolds by itself."""
        self._touched = True
        super().action_unfold()
