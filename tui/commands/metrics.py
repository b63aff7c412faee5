"""`warroom metrics`: the tools of the metrics specialist in a person's hands, on any files, with no session."""

from __future__ import annotations

from typing import Any

import click

from tui.commands.lazy import LazyGroup, Listed
from tui.commands.tool_options import Decorated, in_window, limited, of_paths, with_baseline

COMMANDS = {
    "onsets": Listed("tui.commands.metrics:onsets", "What left its baseline, since when, how far; what did not."),
    "rank": Listed("tui.commands.metrics:rank", "Where it began: services by how well they explain it, and why."),
    "compare": Listed("tui.commands.metrics:compare", "Two times side by side, largest differences first."),
    "series": Listed("tui.commands.metrics:series", "One series: baseline, onset, peak, state, and its points."),
    "edges": Listed("tui.commands.metrics:edges", "Who calls whom, how often and how slowly; spans that failed."),
    "coverage": Listed("tui.commands.metrics:coverage", "What series and traces there are; what was not understood."),
}


@click.group(
    cls=LazyGroup,
    listed=COMMANDS,
    epilog="""\b
Example:
  warroom metrics onsets metrics.csv
  warroom metrics rank incident/ --service checkout --about "checkout is slow"
  warroom metrics compare incident/ --since 2026-03-01T12:00Z --service orders
  curl -s "$PROMETHEUS/api/v1/query_range?..." | warroom metrics onsets - --json

Exit status: 0 done, 2 unusable input or arguments, 130 interrupted.""",
)
def metrics() -> None:
    """Find out from metrics and traces what changed, since when, and where it began: files, folders, or `-`.

    These are the tools that the metrics specialist works with, on exports of any usual layout. Times are UTC. What is
    wrong with the input goes to standard error.
    """


def _service(command: Decorated) -> Decorated:
    return click.option("--service", metavar="NAME", help="Only this service.")(command)


@click.command()
@of_paths
@in_window
@_service
@limited(40, 500)
def onsets(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Say which series in PATH... left their baseline, in order of onset, and how many did not.

    A window holds the time before, too: what is usual is told from its beginning.

    \b
    warroom metrics onsets metrics.csv
    warroom metrics onsets incident/ --since 3h --service checkout
    """
    from tui.commands.metrics_answers import ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "metrics_onsets", given), as_json)


@click.command()
@of_paths
@in_window
@click.option("--started", metavar="TIME", help="When it began, where that is known.")
@click.option("--service", metavar="NAME", help="The service that the page names.")
@click.option("--metric", metavar="NAME", help="The metric that the page names.")
@click.option("--about", metavar="TEXT", help="What the page says is wrong, in its words.")
@limited(15, 1000)
def rank(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Rank the services in PATH... by how well they explain the trouble, each with its reasons.

    What is not given is taken from an alert in PATH..., as an investigation would.

    \b
    warroom metrics rank incident/
    warroom metrics rank metrics.csv traces.csv --service web --about "p95 latency over 2 s"
    """
    from tui.commands.metrics_answers import ask_rank, places
    from tui.commands.tool_answers import shown

    answer = ask_rank(paths, given)
    shown(answer, as_json, places(answer.data))


@click.command()
@of_paths
@in_window
@with_baseline("point")
@_service
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only such series, as `coverage` names roles.")
@limited(30, 500)
def compare(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Compare the series in PATH... of a window with the time before it; `!` marks what hurts.

    Without a window it is the time since the onset that `rank` finds.

    \b
    warroom metrics compare incident/
    warroom metrics compare metrics.csv --since 2026-03-01T12:00Z --role latency --role error_ratio
    """
    from tui.commands.metrics_answers import ask_compare
    from tui.commands.tool_answers import shown

    shown(ask_compare(paths, given), as_json)


@click.command()
@of_paths
@click.option("--name", required=True, metavar="NAME", help="The metric, as `onsets` names it.")
@click.option("--service", metavar="NAME", help="Of this service, where several have it.")
@click.option("--source", metavar="ID", help="In this file, where several have it, as `coverage` names it.")
@in_window
@click.option("--points", type=click.IntRange(2, 2000), default=60, show_default=True, help="Most points shown.")
def series(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show one series in PATH...: what it did, and its points.

    \b
    warroom metrics series incident/ --name latency_p95_ms --service checkout
    """
    from tui.commands.metrics_answers import ask, chart
    from tui.commands.tool_answers import shown

    answer = ask(paths, "metrics_series", given)
    shown(answer, as_json, chart(answer.data))


@click.command()
@of_paths
@click.option("--service", metavar="NAME", help="Only its callers and callees.")
@click.option("--since", metavar="TIME", help="Compare latencies before and after; count failed spans since.")
@limited(60, 1000)
def edges(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show who calls whom in PATH..., by traces or a topology."""
    from tui.commands.metrics_answers import EDGES_TIMES, ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "metrics_edges", given, EDGES_TIMES), as_json)


@click.command()
@of_paths
def coverage(paths: tuple[str, ...], as_json: bool) -> None:
    """Say what the metric files and traces in PATH... hold: series, services, roles, span, and every problem."""
    from tui.commands.metrics_answers import ask
    from tui.commands.tool_answers import shown

    shown(ask(paths, "metrics_coverage", {}), as_json)
