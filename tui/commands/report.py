"""`warroom report`: what a session found out, from its journal alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.verdict.report_model import Report

FORMATS = ("markdown", "json", "status")


@click.command()
@click.argument("session")
@click.option("--format", "form", type=click.Choice(FORMATS), default="markdown", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE instead.")
def report(session: str, form: str, out: Path | None) -> None:
    """Print the report of SESSION (the start of its id is enough); `status` is five lines for a chat channel."""
    import asyncio

    from tui.commands.opening import read_report
    from tui.commands.output import refuse_unwritable, to_file, to_stdout

    if out is not None:
        refuse_unwritable(out)
    text = render(read_report(session), form)
    if out is None:
        to_stdout(text)
    else:
        asyncio.run(to_file(out, text))


def render(made: Report, form: str) -> str:
    """Return a report in one of FORMATS."""
    if form == "json":
        from orchestrator.verdict.document import to_json

        return to_json(made)
    if form == "status":
        from orchestrator.verdict.status_update import status_update

        return status_update(made)
    from orchestrator.verdict.report_markdown import render_markdown

    return render_markdown(made)
