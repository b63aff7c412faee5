"""How `warroom logs` asks the logs specialist's tools, in this process, and shows what they answer."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.commands.faults import Fault, narrate, rewrite
from tui.commands.output import to_stdout
from tui.commands.times import moment

if TYPE_CHECKING:
    from orchestrator.intake.model import Intake
    from subagents.contract import Progress, Tool
    from subagents.logs.model import LogsHistogram

_TIMES = {"since": "start", "until": "end", "baseline_since": "baseline_start", "baseline_until": "baseline_end"}
_PROBLEMS_TOLD = 20
_REDRAW_S = 0.2
_BAR = 50
_EMPTY_SHOWN = 3
_ROW = 80
"""Most bars of a row."""


@dataclass(frozen=True)
class Answer:
    """What a tool answered: as data of its own type, and as text."""

    data: Any
    text: str


def ask(paths: Sequence[str], tool: str, given: Mapping[str, Any]) -> Answer:
    """Ask one tool about the logs in some paths; raise Fault where there are none or the arguments are unusable."""
    from subagents.contract import ToolError
    from subagents.logs.agent import build

    arguments = _arguments(given)
    with tempfile.TemporaryDirectory(prefix="warroom-") as spool:
        specs = [spec for spec in _take_in(paths, Path(spool)).specs if spec.kind == "logs"]
        if not specs:
            raise Fault(f"no logs in {', '.join(paths)[:200]}")
        tools = {each.name: each for each in build(specs).tools}
        try:
            if tool == "logs_patterns" and not arguments.keys() & set(_TIMES.values()):
                with suppress(ToolError):  # no event has a time: the tool says so
                    arguments = _chosen_window(tools["logs_first_look"]) | arguments
            return _run(tools[tool], arguments)
        except ToolError as error:
            raise Fault(str(error)) from error
        finally:
            if sys.stderr is not None and sys.stderr.isatty():
                rewrite("")


def _run(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> Answer:
    from subagents.clock import SystemClock
    from subagents.contract import ToolContext

    result = tool.run(tool.params(**arguments), ToolContext(key=tool.name, clock=SystemClock(), progress=_teller()))
    return Answer(result.data, result.text)


def _chosen_window(first_look: Tool[Any, Any]) -> dict[str, Any]:
    """Take the window that an investigation would take, and say which and why; all patterns where none is before it."""
    found = _run(first_look, {}).data
    narrate(f"  window: {found.window.start:%Y-%m-%d %H:%M:%S} to {found.window.end:%H:%M:%S} UTC, {found.derived}")
    window = {"start": found.window.start.isoformat(), "end": found.window.end.isoformat()}
    return window if found.baseline is not None else {**window, "changes": ["new", "burst", "rare", "steady"]}


def _arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, by the tools' names; times as the tools read them."""
    from datetime import UTC, datetime

    now = datetime.now(UTC).replace(microsecond=0)
    found = {name: value for name, value in given.items() if value is not None}
    for ours, theirs in _TIMES.items():
        if ours in found:
            found[theirs] = moment(found.pop(ours), now).isoformat()
    return found


def _take_in(paths: Sequence[str], spool: Path) -> Intake:
    from orchestrator.intake.intake import take_in
    from orchestrator.intake.model import IntakeError, IntakeOptions
    from subagents.clock import SystemClock

    stdin = sys.stdin.buffer if sys.stdin is not None else None
    try:
        named = IntakeOptions(stream_name="stdin")  # so that a few lines without times are no words about an incident
        taken = asyncio.run(take_in(paths, stdin=stdin, spool=spool, clock=SystemClock(), config=named))
    except IntakeError as error:
        raise Fault(str(error)) from error
    ours = {spec.origin for spec in taken.specs if spec.kind == "logs"} | set(taken.unused)
    problems = [problem for problem in taken.problems if problem.where.partition(":")[0] in ours]
    for problem in problems[:_PROBLEMS_TOLD]:
        narrate(f"  ! {_clean(problem.line(), newlines=False)}")
    if len(problems) > _PROBLEMS_TOLD:
        narrate(f"  ! {len(problems) - _PROBLEMS_TOLD} more problems with the input")
    return taken


def _teller() -> Callable[[Callable[[], Progress]], None]:
    """Show on a terminal how far the reading is; say nothing elsewhere."""
    told = [time.monotonic()]

    def tell(made: Callable[[], Progress]) -> None:
        if sys.stderr is None or not sys.stderr.isatty() or time.monotonic() - told[0] < _REDRAW_S:
            return
        told[0] = time.monotonic()
        progress = made()
        share = f"{progress.done * 100 // progress.total} % " if progress.total else ""
        rewrite(f"  {share}{_clean(progress.text, newlines=False)}")

    return tell


def shown(answer: Answer, as_json: bool, text: str = "") -> None:
    """Write an answer to standard output: for people what nothing in it can hide, or one JSON document."""
    if as_json:
        to_stdout(answer.data.model_dump_json() + "\n")
        return
    to_stdout(_clean(text or answer.text).rstrip("\n") + "\n")


def bars(data: LogsHistogram) -> str:
    """Return a histogram of one series with a bar for each bucket, of several with a row of bars for each."""
    from datetime import timedelta

    from subagents.quantities import counted

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


def _clean(text: str, *, newlines: bool = True) -> str:
    from orchestrator.journal.text import clean

    return str(clean(text, newlines=newlines))
