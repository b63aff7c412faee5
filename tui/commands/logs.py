"""`warroom logs`: the tools of the logs specialist in a person's hands, on any files, with no session."""

from __future__ import annotations

from typing import Any

import click

from tui.commands.lazy import LazyGroup, Listed
from tui.commands.tool_options import Decorated, in_window, limited, of_paths, with_baseline
from tui.views.log_query import LEVELS

COMMANDS = {
    "search": Listed("tui.commands.logs:search", "Find events by text, regex, service, level and time."),
    "patterns": Listed("tui.commands.logs:patterns", "What is new, bursting, vanished, rare and severe."),
    "histogram": Listed("tui.commands.logs:histogram", "Events over time, in total or by service, level or file."),
    "stacks": Listed("tui.commands.logs:stacks", "Stack traces, grouped by exception and frames."),
    "distinct": Listed("tui.commands.logs:distinct", "The values of a field, most frequent first."),
    "context": Listed("tui.commands.logs:context", "The lines around a position, as they stand in the file."),
    "coverage": Listed("tui.commands.logs:coverage", "What the files are, and how much of them was understood."),
}


@click.group(
    cls=LazyGroup,
    listed=COMMANDS,
    epilog="""\b
Example:
  warroom logs search incident/ --level error --since 90m
  warroom logs context incident/ --at log:app.log@1024+1
  kubectl logs deploy/shop | warroom logs patterns - --since 30m --json

Exit status: 0 done, 1 a search that found nothing, 2 unusable input or arguments, 130 interrupted.""",
)
def logs() -> None:
    """Search and compare logs of any layout: files, folders, or `-` for standard input.

    These are the tools that the logs specialist works with. A position such as `log:app.log@1024+1` is one that
    `context` opens and that reports cite. Times are UTC. What is wrong with the input goes to standard error.
    """


def _service(command: Decorated) -> Decorated:
    return click.option("--service", metavar="NAME", help="Only events of this service.")(command)


def _filters(command: Decorated) -> Decorated:
    for option in (
        click.option("--source", metavar="ID", help="Only this file, as `coverage` names it."),
        click.option("--level", type=click.Choice(LEVELS), help="This severity or above."),
        click.option("--regex", metavar="RE2", help="A regular expression on raw lines: RE2, so that it always ends."),
        click.option("--text", metavar="TEXT", help="A text in the event, whatever its case."),
    ):
        command = option(command)
    return _service(in_window(command))


@click.command()
@of_paths
@_filters
@limited(20, 500)
@click.option("--cursor", metavar="CURSOR", help="Where to go on: the one that an earlier answer ends with.")
def search(paths: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Find events in PATH...: how many first, then the first of them, each with its position.

    \b
    warroom logs search app.log --text "connection refused"
    warroom logs search incident/ --regex 'timeout after \\d{5,} ms' --service checkout
    """
    from tui.commands.logs_answers import ask
    from tui.commands.tool_answers import shown

    answer = ask(paths, "logs_search", given)
    shown(answer, as_json)
    return 0 if answer.data.matches else 1


@click.command()
@of_paths
@in_window
@with_baseline("event")
@_service
@click.option("--level", type=click.Choice(LEVELS), help="Only patterns of this severity or above.")
@click.option(
    "--change",
    "changes",
    multiple=True,
    type=click.Choice(("new", "burst", "vanished", "rare", "steady")),
    help="Only such patterns; repeatable. Default: all but steady.",
)
@limited(20, 200)
def patterns(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Compare the messages in PATH... of a window with those before it.

    \b
    warroom logs patterns app.log.gz --since 2026-03-01T12:00Z
    warroom logs patterns incident/ --since 30m --level warn
    """
    from tui.commands.logs_answers import ask
    from tui.commands.tool_answers import shown

    given["changes"] = list(given["changes"]) or None
    shown(ask(paths, "logs_patterns", given), as_json)


@click.command()
@of_paths
@_filters
@click.option(
    "--by", type=click.Choice(("total", "service", "level", "source")), default="total", help="One line for each."
)
@click.option(
    "--bucket", "bucket_seconds", type=click.IntRange(10, 86_400), metavar="SECONDS", help="Default: by span."
)
def histogram(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Count events in PATH... over time.

    \b
    warroom logs histogram app.log --level error
    warroom logs histogram incident/ --by service --since 2h --bucket 60
    """
    from tui.commands.logs_answers import ask, bars
    from tui.commands.tool_answers import shown

    answer = ask(paths, "logs_histogram", given)
    shown(answer, as_json, bars(answer.data))


@click.command()
@of_paths
@in_window
@with_baseline("event")
@_service
@limited(20, 200)
def stacks(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Group the stack traces in PATH... by exception and frames; own code is shown as file:line."""
    from tui.commands.logs_answers import ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "logs_stacks", given), as_json)


@click.command()
@of_paths
@click.option(
    "--field", required=True, metavar="NAME", help="service, host, level, source, a JSON field, a key of k=v."
)
@_filters
@limited(20, 500)
def distinct(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """List the values of a field in PATH..., each with how often and where first.

    \b
    warroom logs distinct incident/ --field service --level error
    warroom logs distinct app.log --field http.response.status_code
    """
    from tui.commands.logs_answers import ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "logs_distinct", given), as_json)


@click.command()
@of_paths
@click.option("--at", "citation", required=True, metavar="POSITION", help="Such as log:app.log@1024+1.")
@click.option("--before", "-B", type=click.IntRange(0, 500), default=10, show_default=True, help="Lines before it.")
@click.option("--after", "-A", type=click.IntRange(0, 500), default=10, show_default=True, help="Lines after it.")
def context(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show the lines around a position in PATH..., the same paths that gave the position."""
    from tui.commands.logs_answers import ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "logs_context", given), as_json)


@click.command()
@of_paths
def coverage(paths: tuple[str, ...], as_json: bool) -> None:
    """Say what the log files in PATH... are: layout, span, levels, services, and every problem with file and line."""
    from subagents.logs.native import absence
    from tui.commands.logs_answers import ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "logs_coverage", {}), as_json)
    if said := absence():
        click.echo(said, err=True)
