"""`warroom recheck`: is it over? The verdict's symptom, measured again with newer data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.faults import Fault, narrate
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.recheck import Result

STATUS: Mapping[str, int] = {"recovered": 0, "recovering": 5, "ongoing": 6, "unknown": 7}
"""Exit status by answer: 0 is for recovered alone, so that a script may wait for it."""


@click.command(
    epilog="Exit status: 0 recovered, 5 recovering, 6 not recovered, 7 it cannot be told; 2 unusable arguments."
)
@click.argument("session")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
def recheck(session: str, paths: tuple[str, ...], as_json: bool, config: Path | None) -> int:
    """Measure the symptom of SESSION again, with what is in PATH, or with its own files read again.

    \b
    warroom recheck 20260301-120000-0a1b2c                  # the same files and folders, with what came since
    warroom recheck 20260301-120000-0a1b2c newer/metrics.csv

    The same series or lines, the same baseline, the same thresholds as in the verdict. The answer, what it rests on
    and the time are recorded in the session and shown in its report; nothing is investigated anew.
    """
    result = asyncio.run(_recheck(session, paths, config))
    body = result.body
    if as_json:
        shown = {"answer": body.word, **body.model_dump(mode="json", exclude={"type"})}
        to_stdout(json.dumps(shown, indent=2) + "\n")
    else:
        to_stdout(_page(result))
    return STATUS[body.state]


async def _recheck(name: str, paths: tuple[str, ...], config: Path | None) -> Result:
    from orchestrator.compose import ComposeError, Surroundings, take_up
    from orchestrator.recheck import recheck as measure
    from orchestrator.session import SessionFault
    from orchestrator.session.settings import person
    from tui.commands.opening import clear_faults, session_folder

    session_id = session_folder(name).name
    with clear_faults():
        around = Surroundings.of_process()
        try:
            async with await take_up(session_id, around, config) as session:
                if session.watches:
                    raise Fault(f"{session_id}: others carry out its calls: it is only watched here")
                return await measure(session, paths, around, person())
        except (ComposeError, SessionFault) as error:
            for problem in getattr(error, "problems", ())[1:4]:
                narrate(f"warroom: {problem.line()}")
            raise Fault(str(error)) from error


def _page(result: Result) -> str:
    from orchestrator.journal.text import clean

    body = result.body
    lines = [result.words]
    lines += [f"meanwhile worse: {text}" for text in body.worse]
    lines += [f"about the newer data: {text}" for text in body.remarks]
    lines += [f"to tell: {text}" for text in body.missing]
    lines += [f"rests on: {ref}" for ref in body.citations]
    return "".join(f"{clean(text, newlines=False)}\n" for text in lines)
