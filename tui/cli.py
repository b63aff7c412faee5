"""The command line: what the commands are called. Each one's module is imported when it is chosen."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from tui.commands.lazy import LazyGroup, Listed

COMMANDS = {
    "run": Listed("tui.commands.run:run", "Investigate an incident: folder, files, `-`, or `-- COMMAND`."),
    "open": Listed("tui.commands.open:open_session", "Open a session in the war room."),
    "attach": Listed("tui.commands.attach:attach", "Watch a session that a server keeps, or take it over."),
    "demo": Listed("tui.commands.demo:demo", "Investigate the bundled incident."),
    "sessions": Listed("tui.commands.sessions:sessions", "List, show, resume, export and delete sessions."),
    "logs": Listed("tui.commands.logs:logs", "Search and compare logs with no session: any files, any layout."),
    "metrics": Listed("tui.commands.metrics:metrics", "What changed in metrics, since when, and where it began."),
    "board": Listed("tui.commands.board:board", "Look at the hypotheses; add, pin, rule out, undo."),
    "recheck": Listed("tui.commands.recheck:recheck", "Measure the symptom again with newer data: is it over?"),
    "report": Listed("tui.commands.report:report", "Print a session's report: markdown, json, or five lines."),
    "audit": Listed("tui.commands.audit:audit", "Print who did, decided and sent what, with hashes."),
    "fix": Listed("tui.commands.fix:fix", "Look at drafted fixes, approve, deliver, push, take back."),
    "agents": Listed("tui.commands.agents:agents", "Show the agents: who holds which tools, what each may do."),
    "purge": Listed("tui.commands.removal:purge", "Delete old sessions, in two steps."),
    "eval": Listed("tui.commands.evaluate:evaluate", "Run labelled cases and score the verdicts; compare runs."),
    "init": Listed("tui.commands.config:init", "Write a warroom.toml to start from."),
    "config": Listed("tui.commands.config:config", "Check the configuration."),
    "schema": Listed("tui.commands.schema:schema", "Print a JSON Schema: events, verdict, config, eval."),
    "completion": Listed("tui.commands.completion:completion", "Print shell completion: bash, zsh, fish."),
}


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from tui.commands.version import version

        click.echo(f"warroom {version()}")
        context.exit()


@click.group(
    cls=LazyGroup,
    listed=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 finished, 2 unusable input or arguments, 3 the engine failed, 130 interrupted.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def cli(ctx: click.Context) -> int | None:
    """Find out what broke, from logs, metrics and changes; every claim opens its evidence.

    On a terminal, `warroom` alone opens the list of sessions.
    """
    if ctx.invoked_subcommand is not None:
        return None
    from tui.launch import fits_terminal

    if not fits_terminal():
        raise click.exceptions.NoArgsIsHelpError(ctx)
    from tui.launch import launch
    from tui.start import Start

    return launch(Start())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    from tui.commands.faults import run_to_exit_status

    raise SystemExit(run_to_exit_status(cli, sys.argv[1:] if arguments is None else list(arguments)))


if __name__ == "__main__":
    main()
