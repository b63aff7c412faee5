"""The chart of a metric, drawn anew for whatever size it has."""

from __future__ import annotations

from textual.strip import Strip

from tui.views.chart import Chart, drawn
from tui.views.paint import Line
from tui.widgets.painted import Painted


class ChartView(Painted):
    """Shows one Chart."""

    DEFAULT_CSS = """
    ChartView { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart: Chart | None = None
        self._drawn: tuple[Line, ...] = ()

    def show(self, chart: Chart | None) -> None:
        """Show another chart."""
        if chart != self._chart:
            self._chart = chart
            self._draw()

    def _draw(self) -> None:
        width, height = self.size.width, self.size.height
        self._drawn = drawn(self._chart, width, height) if self._chart is not None and width and height else ()
        self.refresh()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        return self.paint(self._drawn[y] if y < len(self._drawn) else (), self.size.width)
