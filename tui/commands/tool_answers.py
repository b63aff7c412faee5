"""How a specialist's tools are asked with no session, in this process, and how their answers are shown."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.commands.faults import Fault, narrate, rewrite
from tui.commands.output import to_stdout
from tui.commands.times import moment

if TYPE_CHECKING:
    from orchestrator.intake.model import Intake
    from subagents.contract import Incident, Progress, SourceSpec, Tool

TIMES = {"since": "start", "until": "end", "baseline_since": "baseline_start", "baseline_until": "baseline_end"}
"""Options that are times, and what the tools call them."""
_PROBLEMS_TOLD = 20
_REDRAW_S = 0.2


@dataclass(frozen=True)
class Answer:
    """What a tool answered: as data of its own type, and as text."""

    data: Any
    text: str


def ask_about(
    paths: Sequence[str],
    kinds: Collection[str],
    called: str,
    ask: Callable[[Incident, tuple[SourceSpec, ...]], Answer],
) -> Answer:
    """Ask about the sources of some kinds in some paths, which together are `called` so.

    Raise Fault where there are none, or they cannot be asked that.
    """
    _at_work(f"reading {', '.join('standard input' if path == '-' else path for path in paths)}")
    from subagents.contract import ToolError

    with tempfile.TemporaryDirectory(prefix="warroom-") as spool:
        try:
            taken = _take_in(paths, Path(spool), kinds)
            specs = tuple(spec for spec in taken.specs if spec.kind in kinds)
            if not specs:
                others = sorted({spec.kind.replace("_", " ") for spec in taken.specs})
                there = f"; what is there: {', '.join(others)}" if others else ""
                raise Fault(f"no {called} in {', '.join(paths)[:200]}{there}")
            _at_work(f"reading {_all_of(specs)}")
            return ask(taken.incident, specs)
        except ToolError as error:
            raise Fault(str(error)) from error
        finally:
            _at_work("")


def _all_of(specs: Sequence[SourceSpec]) -> str:
    """Return what is being read and how much that is, for who waits for it."""
    from subagents.quantities import counted
    from tui.views.underway import size_in_words

    size = sum(path.stat().st_size for spec in specs if (path := Path(spec.path)).is_file())
    called = specs[0].origin or specs[0].id if len(specs) == 1 else counted(len(specs), "file")
    return f"{'standard input' if called == '-' else called}, {size_in_words(size)}"


def _at_work(line: str) -> None:
    """Say on a terminal what is being done, until something is found or said; nothing elsewhere."""
    if sys.stderr is not None and sys.stderr.isatty():
        rewrite(f"  {clean_text(line, newlines=False)} …" if line else "")


def run(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> Answer:
    """Run one tool; raise ToolError where it cannot answer."""
    from subagents.clock import SystemClock
    from subagents.contract import ToolContext

    context = ToolContext(key=tool.name, clock=SystemClock(), progress=_teller())
    try:
        result = tool.run(tool.params(**arguments), context)
    finally:
        _at_work("")  # what is said next has a line of its own
    return Answer(result.data, result.text)


def arguments_of(given: Mapping[str, Any], times: Mapping[str, str] = TIMES) -> dict[str, Any]:
    """What was given, by the tools' names; `times` as the tools read them."""
    from datetime import UTC, datetime

    now = datetime.now(UTC).replace(microsecond=0)
    found = {name: value for name, value in given.items() if value is not None}
    for ours, theirs in times.items():
        if ours in found:
            found[theirs] = moment(found.pop(ours), now).isoformat()
    return found


def _take_in(paths: Sequence[str], spool: Path, kinds: Collection[str]) -> Intake:
    from orchestrator.intake.intake import take_in
    from orchestrator.intake.model import IntakeError, IntakeOptions
    from subagents.clock import SystemClock

    stdin = sys.stdin.buffer if sys.stdin is not None else None
    try:
        named = IntakeOptions(stream_name="stdin")  # so that a few lines without times are no words about an incident
        taken = asyncio.run(take_in(paths, stdin=stdin, spool=spool, clock=SystemClock(), config=named))
    except IntakeError as error:
        raise Fault(str(error)) from error
    _at_work("")
    ours = {spec.origin for spec in taken.specs if spec.kind in kinds} | set(taken.unused)
    problems = [problem for problem in taken.problems if problem.where.partition(":")[0] in ours]
    for problem in problems[:_PROBLEMS_TOLD]:
        narrate(f"  ! {clean_text(problem.line(), newlines=False)}")
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
        rewrite(f"  {share}{clean_text(progress.text, newlines=False)}")

    return tell


def shown(answer: Answer, as_json: bool, text: str = "") -> None:
    """Write an answer to standard output: for people what nothing in it can hide, or one JSON document."""
    if as_json:
        to_stdout(answer.data.model_dump_json() + "\n")
        return
    to_stdout(clean_text(text or answer.text).rstrip("\n") + "\n")


def clean_text(text: str, *, newlines: bool = True) -> str:
    """Return what can be written to a terminal."""
    from orchestrator.journal.text import clean

    return str(clean(text, newlines=newlines))
