"""`warroom eval`: run labelled cases, one line of JSON each, and say how well the verdicts did."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.faults import INTERRUPTED, Fault, complain, narrate

if TYPE_CHECKING:
    from orchestrator.evaluate.cases import Tree
    from orchestrator.evaluate.lines import EvalLine, LineFile
    from orchestrator.evaluate.pool import Pool, Setting
    from orchestrator.evaluate.run import Outcome
    from subagents.contract import Clock


class EvalGroup(click.Group):
    """`eval PATH` runs; `eval compare A B` compares. A folder called `compare` is `./compare`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take anything but a command's name as the arguments of `run`."""
        if not args or args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group("eval", cls=EvalGroup)
def evaluate() -> None:
    """Run labelled cases and score the verdicts; compare two runs."""


@evaluate.command("run")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="Only this family (may be a glob); repeatable."
)
@click.option("--only", "globs", multiple=True, metavar="GLOB", help="Only cases whose id fits; repeatable.")
@click.option(
    "--half", type=click.Choice(("choose", "confirm")), help="One half of the cases, split by their ids' hash."
)
@click.option("--engine", default="offline", show_default=True, metavar="NAME", help="Which engine works.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Cases at a time.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("warroom-eval.jsonl"),
    show_default=True,
    metavar="FILE",
    help="The lines; what is done there already is not done again.",
)
@click.option("--retry", is_flag=True, help="Run cases again that failed (crashed, timed out, unusable, no verdict).")
@click.option("--timeout", type=click.FloatRange(1), default=300.0, show_default=True, help="Seconds for one case.")
@click.option(
    "--memory", type=click.IntRange(0), default=4096, show_default=True, help="MiB per process; 0: unbounded."
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep each case's state and copy there.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings; without it, defaults count.")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON instead of tables.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def run(**given: Any) -> int:
    """Run the cases at PATH (a tree of families, a family, or one case) and print a table per family.

    \b
    warroom eval cases/ --jobs 2 --out today.jsonl
    warroom eval cases/ --family reverts --half choose
    warroom eval compare yesterday.jsonl today.jsonl

    Labels (PATH/labels/<family>.jsonl) are opened after all lines are written; without them nothing is scored.
    Exit status: 0 finished, 2 unusable input or arguments, 130 interrupted (what is done is kept and shown).
    """
    from orchestrator.compose import ComposeError
    from orchestrator.evaluate.cases import CasesError, Choice, find_cases
    from orchestrator.evaluate.lines import LineFile, LinesError
    from orchestrator.evaluate.pool import PoolError
    from orchestrator.evaluate.run import refuse_engine
    from subagents.quantities import counted

    choice = Choice(given["families"], given["ids"], given["globs"], given["half"])
    try:
        tree = find_cases(given["path"], choice)
        setting = _setting(given)
        refuse_engine(setting, os.environ)
        with LineFile(given["out"]) as out:
            outcome, stopped = asyncio.run(_carry_out(tree, out, setting, given["quiet"]))
    except (CasesError, LinesError, ComposeError, PoolError) as error:
        raise Fault(str(error)) from error
    _show(outcome, tree.skipped, given)
    if stopped:
        complain(f"interrupted; {counted(outcome.left, 'case')} left: the same command goes on from there")
        return INTERRUPTED
    return 0


@evaluate.command("compare")
@click.argument("first", type=click.Path(path_type=Path), metavar="A.jsonl")
@click.argument("second", type=click.Path(path_type=Path), metavar="B.jsonl")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON instead of tables.")
def compare_runs(first: Path, second: Path, as_json: bool) -> int:
    """Compare two runs on the cases that both have: wins, losses and ties of B, with exact tests."""
    import json

    from orchestrator.evaluate.comparison import compare, read_scores
    from orchestrator.evaluate.lines import LinesError
    from orchestrator.evaluate.table import render_comparison
    from tui.commands.output import to_stdout

    try:
        families, remarks = compare(read_scores(first), read_scores(second))
    except LinesError as error:
        raise Fault(str(error)) from error
    if not families:
        raise Fault("the two runs have no scored case in common")
    if as_json:
        made = {"families": [one.model_dump(mode="json") for one in families], "remarks": remarks}
        to_stdout(json.dumps(made, indent=2) + "\n")
    else:
        to_stdout(render_comparison(families, remarks))
    return 0


def _setting(given: Mapping[str, Any]) -> Setting:
    from orchestrator.evaluate.pool import Setting
    from orchestrator.evaluate.run import build_digest, wanted_engine
    from orchestrator.journal.home import StateHome
    from subagents.clock import SystemClock
    from tui.commands.version import version

    if given["config"] is not None and not given["config"].is_file():
        raise Fault(f"{given['config']}: no such file; check --config")
    engine = wanted_engine(given["engine"])
    return Setting(
        engine=engine,
        version=version(),
        build=build_digest(given["config"]),
        clock=SystemClock(),
        jobs=given["jobs"],
        retry=given["retry"],
        timeout_s=given["timeout"],
        memory_mib=given["memory"],
        keep=given["keep"].resolve() if given["keep"] else None,
        config=given["config"].resolve() if given["config"] else None,
        state=None if engine == "offline" else StateHome.locate().path,
    )


async def _carry_out(tree: Tree, out: LineFile, setting: Setting, quiet: bool) -> tuple[Outcome, bool]:
    """Run with progress; the first Ctrl-C stops the cases that run and shows what is done."""
    from orchestrator.evaluate.pool import Pool
    from orchestrator.evaluate.run import evaluate as carry_out

    pool = Pool(setting)
    progress = Progress(quiet, setting.clock, pool)
    ticking = asyncio.create_task(_tick(progress, setting.clock))
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, pool.stop)
    interrupted = False
    try:
        outcome = await carry_out(tree, out, pool, progress)
        interrupted = outcome.left > 0
    finally:
        ticking.cancel()
        progress.clear()
        for number in signals:
            loop.remove_signal_handler(number)
    return outcome, interrupted


async def _tick(progress: Progress, clock: Clock) -> None:
    while True:
        await clock.sleep(1)
        progress.tick()


class Progress:
    """Cases done, failures, how long the rest will take, and on a terminal which cases run, on standard error."""

    def __init__(self, quiet: bool, clock: Clock, pool: Pool) -> None:
        self._quiet, self._clock, self._pool = quiet, clock, pool
        self._began = clock.monotonic()
        self._todo = self._failed = 0
        self._so_far = ""
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def began(self, to_do: int, done_before: int) -> None:
        """Say what there is to do."""
        from subagents.quantities import counted

        self._todo, self._began = to_do, self._clock.monotonic()
        before = f", {done_before} done already" if done_before else ""
        self._say(f"{counted(to_do, 'case')} to run{before}", last=True)

    def finished(self, line: EvalLine, left: int) -> None:
        """Say how far it is."""
        self._failed += line.failure is not None
        done = self._todo - left
        took = self._clock.monotonic() - self._began
        rest = f", about {duration(took / done * left)} left" if left else f", took {duration(took)}"
        failed = f", {self._failed} failed" if self._failed else ""
        if line.failure is not None:
            self._say(f"{line.id}: {line.failure}: {line.error}", last=True)
        self._so_far = f"{done} of {self._todo} cases done{failed}{rest}"
        self._say(self._so_far, last=not left)

    def tick(self) -> None:
        """Say on a terminal that it goes on, and with which cases."""
        from orchestrator.evaluate.wording import some

        if self._terminal and self._pool.running:
            spent = duration(self._clock.monotonic() - self._began)
            so_far = self._so_far or f"0 of {self._todo} cases done"
            self._say(f"{so_far}; {spent} so far, now {some(sorted(self._pool.running))}", last=False)

    def clear(self) -> None:
        """Take away what would stand before the tables on a terminal."""
        if self._terminal and not self._quiet:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _say(self, text: str, *, last: bool) -> None:
        if self._quiet:
            return
        if not self._terminal:
            complain(text)
            return
        from orchestrator.journal.text import clean

        limit = 200 if last else max(20, shutil.get_terminal_size().columns - 1)
        sys.stderr.write(f"\r\x1b[K{clean(text, newlines=False, limit=limit)}" + ("\n" if last else ""))
        sys.stderr.flush()


def duration(seconds: float) -> str:
    """Return a time span in words, such as `3 min` or `40 s`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _show(outcome: Outcome, skipped: tuple[tuple[str, str], ...], given: Mapping[str, Any]) -> None:
    import json

    from orchestrator.evaluate.table import render
    from tui.commands.output import to_stdout

    if given["as_json"]:
        families = [summary.model_dump(mode="json") for summary in outcome.summaries]
        made = {"families": families, "skipped": dict(skipped), "remarks": outcome.remarks, "left": outcome.left}
        to_stdout(json.dumps(made, indent=2) + "\n", f"the lines are in {given['out']}")
    else:
        to_stdout(render(outcome.summaries, skipped, outcome.remarks), f"the lines are in {given['out']}")
    if not given["quiet"]:
        narrate(f"warroom: the lines are in {given['out']}")
