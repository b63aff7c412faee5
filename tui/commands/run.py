"""`warroom run`: investigate an incident; the verdict goes to standard output, progress to standard error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from orchestrator.compose import Request

_COMMAND = "tui.commands.run.command"


class RunCommand(click.Command):
    """Keeps what follows `--` apart: it is a command to run, not paths."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split the arguments at the first `--`."""
        if "--" in args:
            cut = args.index("--")
            ctx.meta[_COMMAND] = tuple(args[cut + 1 :])
            args = args[:cut]
        return super().parse_args(ctx, args)


@click.command(cls=RunCommand)
@click.argument("paths", nargs=-1, metavar="[PATH... | - | -- COMMAND...]")
@click.option(
    "--repo", "repos", multiple=True, metavar="DIR", help="Git repository to look for changes in; repeatable."
)
@click.option(
    "--engine",
    metavar="NAME",
    help="auto (default: managed with a key and synced agents, else offline), offline, managed.",
)
@click.option("--headless", is_flag=True, help="One JSON document on standard output, progress on standard error.")
@click.option("--json", "as_json", is_flag=True, help="The same as --headless.")
@click.option("--plain", is_flag=True, help="No war room: progress lines, then the report.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Also write the result: .md for Markdown.")
@click.option("--title", metavar="TEXT", help="What is broken, in a line.")
@click.option("--service", metavar="NAME", help="The service that is broken, if you know.")
@click.option("--since", metavar="TIME", help="Start of the window: ISO 8601 with a zone, or an age such as 90m.")
@click.option("--until", metavar="TIME", help="End of the window, likewise.")
@click.option("--incident", metavar="ID", help="The incident's id, such as INC-0412.")
@click.option(
    "--budget", metavar="AMOUNT,…", help="Most it may use: 5usd, 10m, 200calls, 50turns, 400ktokens, logs:50calls."
)
@click.option("--config", "config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.pass_context
def run(ctx: click.Context, /, **given: object) -> int:
    """Investigate an incident: a folder, files, a log on standard input (-), or the output of a COMMAND.

    \b
    warroom run incident/ --headless
    warroom run app.log metrics.csv --repo ~/src/shop
    kubectl logs deploy/shop | warroom run - --service shop
    warroom run -- kubectl logs deploy/shop --since=1h

    Exit status: 0 the run finished, whatever the verdict; 2 unusable input or arguments; 3 the engine
    failed; 130 interrupted (Ctrl-C once: stops and can be resumed; twice: quits at once).
    """
    _refuse_nothing(given, ctx.meta.get(_COMMAND))
    if given["budget"] is not None:
        from tui.commands.budget import budget_from

        budget_from(str(given["budget"]))  # what is wrong with it is said before a war room opens
    if _wants_war_room(given):
        return _war_room(given, ctx.meta.get(_COMMAND))
    from tui.commands.investigation import investigate, presentation_from, request_from

    return investigate(request_from(given, ctx.meta.get(_COMMAND)), presentation_from(given))


def _refuse_nothing(given: Mapping[str, Any], command: tuple[str, ...] | None) -> None:
    from tui.commands.faults import Fault

    if command is not None and not command:
        raise Fault("nothing follows `--`: name the command whose output is the evidence")
    if not given["paths"] and not command and not given["repos"]:
        raise Fault("nothing to look at: name a folder, files, `-` for standard input, or `-- COMMAND`")


def _wants_war_room(given: Mapping[str, Any]) -> bool:
    """Say whether a person is there to watch, and asked for nothing else."""
    from tui.launch import fits_terminal

    elsewhere = ("headless", "as_json", "plain", "out", "quiet")
    return not any(given.get(name) for name in elsewhere) and "-" not in given["paths"] and fits_terminal()


def _war_room(given: Mapping[str, Any], command: tuple[str, ...] | None) -> int:
    """Open the war room on a new session; what is wrong with the arguments is said before it opens."""
    from tui.launch import launch
    from tui.start import Start

    def asked() -> Request:
        from tui.commands.investigation import request_from

        return request_from(given, command)

    words = " ".join(command or given["paths"] or given["repos"])
    return launch(Start(request=asked, config=given["config"], words=f"opening {words}"))
