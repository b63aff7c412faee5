"""A metric as a chart of blocks for any width: baseline, onset and changes marked, time below in UTC. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tui.views.paint import Line, Span, Tone, flat, line, span

BARS = " ▁▂▃▄▅▆▇█"
AXIS = 10
"""Cells of the value axis."""
MOST_MARKERS, LEAST_MARKERS, BESIDE_MARKERS = 9, 3, 12
"""Changes that are marked, most and least, and the lines that the rest of a chart takes."""


@dataclass(frozen=True)
class Marker:
    """A change at a moment, such as a deploy."""

    at: float
    """Epoch seconds."""
    label: str


@dataclass(frozen=True)
class Chart:
    """What is drawn."""

    points: tuple[tuple[float, float], ...]
    """(epoch seconds, value), in time order."""
    unit: str = ""
    baseline: float | None = None
    onset: float | None = None
    cited: tuple[float, float] | None = None
    """The span that is cited; the rest is what stands around it."""
    markers: tuple[Marker, ...] = ()


def drawn(chart: Chart, width: int, height: int) -> tuple[Line, ...]:
    """Return the chart as lines of at most `width` cells: title, plot, time axis, marks, and what they mean."""
    if not chart.points:
        return (line(("no points to draw", "warn")),)
    plot = _Plot(chart, max(8, width - AXIS))
    marks = plot.shown_markers(max(LEAST_MARKERS, height - BESIDE_MARKERS))
    below = (plot.axis(), plot.mark_line(marks), *plot.legend(marks))
    rows = max(3, height - len(below) - 1)
    return (plot.title(), *plot.rows(rows), *below)


def number(value: float) -> str:
    """Return a number in at most eight characters or so."""
    return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.3g}"


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


class _Plot:
    def __init__(self, chart: Chart, columns: int) -> None:
        self.chart, self.columns = chart, columns
        self.start, self.end = chart.points[0][0], chart.points[-1][0]
        values = [value for _, value in chart.points]
        self.low, self.high = min(values), max(values)
        self.floor = 0.0 if 0 <= self.low < self.high / 2 else self.low - (self.high - self.low) * 0.08
        self.values = self._columns()
        self._stamp = "%H:%M:%S" if _utc(self.start).date() == _utc(self.end).date() else "%m-%d %H:%M"

    def moment(self, at: float) -> str:
        """Return a moment as `09:12:40`, with its day where the chart is of several."""
        return _utc(at).strftime(self._stamp)

    def column(self, at: float) -> int:
        """Return the column of a moment; out of range where it lies outside."""
        if self.end <= self.start:
            return 0
        return int((at - self.start) / (self.end - self.start) * (self.columns - 1) + 0.5)

    def _columns(self) -> list[float | None]:
        """Give each column the point that is farthest from what is usual; hold a value over columns without one."""
        middle = self.chart.baseline
        if middle is None:
            middle = sorted(value for _, value in self.chart.points)[len(self.chart.points) // 2]
        made: list[float | None] = [None] * self.columns
        for at, value in self.chart.points:
            here = min(max(self.column(at), 0), self.columns - 1)
            held = made[here]
            if held is None or abs(value - middle) > abs(held - middle):
                made[here] = value
        return self._held(made)

    def _held(self, made: list[float | None]) -> list[float | None]:
        """Fill the columns between two points that are next to each other; a real gap stays a gap."""
        gaps = sorted(b[0] - a[0] for a, b in zip(self.chart.points, self.chart.points[1:], strict=False))
        usual = gaps[len(gaps) // 2] if gaps else 0.0
        reach = self.column(self.start + usual * 1.6) if usual else 0
        last: tuple[int, float] | None = None
        for at, value in enumerate(list(made)):
            if value is not None:
                last = at, value
            elif last is not None and at - last[0] <= reach and any(one is not None for one in made[at:]):
                made[at] = last[1]
        return made

    def title(self) -> Line:
        chart = self.chart
        unit = f" {flat(chart.unit)}" if chart.unit else ""
        last = number(chart.points[-1][1])
        parts: list[str | tuple[str, Tone]] = [
            ("min ", "dim"), number(self.low), ("  max ", "dim"), (number(self.high), "strong"),
            ("  last ", "dim"), last, (unit, "dim"),
        ]  # fmt: skip
        if chart.baseline is not None:
            parts += [("  baseline ", "dim"), number(chart.baseline)]
        return line(*parts, (f"  {len(chart.points)} points", "dim"))

    def _level(self, value: float, rows: int) -> int:
        """Return a value's height in eighths of a row; at least one."""
        span_ = self.high - self.floor
        share = (value - self.floor) / span_ if span_ > 0 else 0.5
        return max(1, round(share * rows * 8))

    def rows(self, rows: int) -> list[Line]:
        """Return the plot, top row first."""
        baseline = self.chart.baseline
        base_row = None if baseline is None else (self._level(baseline, rows) - 1) // 8
        made = []
        for row in range(rows - 1, -1, -1):
            label = number(self.high) if row == rows - 1 else number(self.floor) if not row else ""
            if row == base_row and row not in (0, rows - 1) and baseline is not None:
                label = number(baseline)
            made.append((span(f"{label:>{AXIS - 2}} ", "dim"), span("│", "dim"), *self._cells(row, rows, base_row)))
        return made

    def _cells(self, row: int, rows: int, base_row: int | None) -> list[Span]:
        onset = None if self.chart.onset is None else self.column(self.chart.onset)
        cells: list[tuple[str, Tone]] = []
        for at, value in enumerate(self.values):
            eighths = 0 if value is None else min(8, max(0, self._level(value, rows) - row * 8))
            after = onset is not None and at >= onset
            if eighths:
                cells.append((BARS[eighths], "bad" if after else "good"))
            elif onset == at:
                cells.append(("┊", "bad"))
            elif row == base_row:
                cells.append(("┄", "accent"))
            else:
                cells.append((" ", "plain"))
        return _joined(cells)

    def axis(self) -> Line:
        """Return the time axis: first, middle and last moment, UTC."""
        room = [" "] * self.columns
        stamps = [(0, self.start), (self.columns // 2, (self.start + self.end) / 2), (self.columns, self.end)]
        size = len(self.moment(self.start))
        two = stamps[::2] if self.columns >= 2 * size + 2 else stamps[:1]
        shown = stamps if self.columns >= 5 * size else two
        for place, at in shown:
            text = self.moment(at)
            left = min(max(0, place - len(text) // 2), max(0, self.columns - len(text)))
            room[left : left + len(text)] = text
        return line((f"{'UTC':>{AXIS - 2}} └", "dim"), ("".join(room)[: self.columns], "dim"))

    def shown_markers(self, most: int) -> list[Marker]:
        """Return the changes within the chart that are nearest to the onset, or else the last, oldest first."""
        near = self.end if self.chart.onset is None else self.chart.onset
        kept = sorted(self._markers(), key=lambda one: abs(one.at - near))[: min(most, MOST_MARKERS)]
        return sorted(kept, key=lambda one: one.at)

    def _markers(self) -> list[Marker]:
        return [one for one in self.chart.markers if self.start <= one.at <= self.end]

    def mark_line(self, marks: Sequence[Marker]) -> Line:
        """Return the line below the axis: `^` is the onset, digits are changes, `~` the span that is cited."""
        room: list[tuple[str, Tone]] = [(" ", "plain")] * self.columns
        if self.chart.cited is not None:
            first, last = (min(max(self.column(at), 0), self.columns - 1) for at in self.chart.cited)
            for at in range(first, last + 1):
                room[at] = ("~", "dim")
        for index, one in enumerate(marks, 1):
            room[min(self.column(one.at), self.columns - 1)] = (str(index), "accent")
        onset = self.chart.onset
        if onset is not None and self.start <= onset <= self.end:
            room[min(self.column(onset), self.columns - 1)] = ("^", "bad")
        return (span(" " * AXIS), *_joined(room))

    def legend(self, marks: Sequence[Marker]) -> list[Line]:
        """Say what the marks are."""
        made = []
        if self.chart.onset is not None:
            day = _utc(self.chart.onset).strftime("%Y-%m-%d %H:%M:%S UTC")
            inside = self.start <= self.chart.onset <= self.end
            made.append(line(("  ^ ", "bad"), f"onset {day}", ("" if inside else " (not in this chart)", "dim")))
        made += [
            line((f"  {index} ", "accent"), (f"{self.moment(one.at)} ", "dim"), flat(one.label))
            for index, one in enumerate(marks, 1)
        ]
        if left := len(self._markers()) - len(marks):
            where = "before these" if self.chart.onset is None else "farther from the onset"
            made.append(line(("    ", "plain"), (f"{left} more, {where}", "dim")))
        if self.chart.cited is not None:
            first, last = (self.moment(at) for at in self.chart.cited)
            made.append(line(("  ~ ", "dim"), (f"cited: {first} to {last}", "dim")))
        return made


def _joined(cells: Sequence[tuple[str, Tone]]) -> list[Span]:
    """Join neighbours of one tone into spans."""
    made: list[Span] = []
    text, tone = "", cells[0][1] if cells else "plain"
    for char, own in cells:
        if own != tone:
            made.append(span(text, tone))
            text, tone = "", own
        text += char
    return [*made, span(text, tone)] if text else made
