"""What `warroom logs` asks the logs specialist's tools, and its histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tui.commands.faults import narrate
from tui.commands.tool_answers import TIMES, Answer, arguments_of, ask_about, run

if TYPE_CHECKING:
    from subagents.contract import Incident, SourceSpec, Tool
    from subagents.logs.model import LogsHistogram

_BAR = 50
_EMPTY_SHOWN = 3
_ROW = 80
"""Most bars of a row."""


def ask(paths: Sequence[str], tool: str, given: Mapping[str, Any]) -> Answer:
    """Ask one tool about the logs in some paths; raise Fault where there are none or the arguments are unusable."""
    arguments = arguments_of(given)

    def answer(_: Incident, specs: tuple[SourceSpec, ...]) -> Answer:
        from subagents.contract import ToolError
        from subagents.logs.agent import build

        tools, chosen = {each.name: each for each in build(specs).tools}, dict[str, Any]()
        if tool == "logs_patterns" and not arguments.keys() & set(TIMES.values()):
            with suppress(ToolError):  # no event has a time: the tool says so
                chosen = _chosen_window(tools["logs_first_look"])
        return run(tools[tool], chosen | arguments)

    return ask_about(paths, ("logs",), "logs", answer)


def _chosen_window(first_look: Tool[Any, Any]) -> dict[str, Any]:
    """Take the window that an investigation would take, and say which and why; all patterns where none is before it."""
    found = run(first_look, {}).data
    narrate(f"  window: {found.window.start:%Y-%m-%d %H:%M:%S} to {found.window.end:%H:%M:%S} UTC, {found.derived}")
    window = {"start": found.window.start.isoformat(), "end": found.window.end.isoformat()}
    return window if found.baseline is not None else {**window, "changes": ["new", "burst", "rare", "steady"]}


def bars(data: LogsHistogram) -> str:
    """Return a histogram of one series with a bar for each bucket, of several with a row of bars for each."""
    from datetime import timedelta

    from subagents.quantities import counted

    if not data.series and not data.undated:
        return "no event matches: there is nothing to draw"
    if len(data.series) != 1:
        return _rows(data)
    counts, total = data.series[0].counts, data.series[0].total
    most = max(counts, default=0) or 1
    lines, place = [f"{counted(total, 'event')}, per {data.bucket_seconds} s, UTC"], 0
    for count, same in groupby(counts):
        run = len(list(same))
        shown_of_run = run if count or run <= _EMPTY_SHOWN else 1
        for row in range(place, place + shown_of_run):
            at = data.start + timedelta(seconds=row * data.bucket_seconds)
            lines.append(f"{at:%Y-%m-%d %H:%M:%S}  {count:>8}  {'█' * -(-count * _BAR // most)}".rstrip())
        if shown_of_run < run:
            lines.append(f"{'…':>19}  {0:>8}  ({run - 1} more like this)")
        place += run
    if data.undated:
        lines.append(f"{data.undated} more without a time")
    return "\n".join(lines)


def _rows(data: LogsHistogram) -> str:
    from datetime import timedelta

    from tui.views.spark import BARS

    width = max((len(one.name) for one in data.series), default=0)
    size = max((len(one.counts) for one in data.series), default=1)
    together = -(-size // _ROW)
    sums = [[sum(one.counts[at : at + together]) for at in range(0, len(one.counts), together)] for one in data.series]
    most = max((count for row in sums for count in row), default=0) or 1
    seconds = data.bucket_seconds * together
    end = data.start + timedelta(seconds=size * data.bucket_seconds)
    lines = [
        f"{data.start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC, a bar for {seconds} s, the highest is {most}"
    ]
    for one, row in zip(data.series, sums, strict=True):
        drawn = "".join(" " if not count else BARS[(count * 7) // most] for count in row)
        lines.append(f"{one.name:<{width}} {one.total:>8}  |{drawn}|")
    if data.more:
        lines.append(f"{data.more} more series (filter by service or level)")
    if data.undated:
        lines.append(f"{data.undated} more without a time")
    return "\n".join(lines)
