"""What `warroom metrics` asks the metrics specialist's tools, and its chart of a series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tui.commands.faults import narrate
from tui.commands.tool_answers import TIMES, Answer, arguments_of, ask_about, clean_text, run

if TYPE_CHECKING:
    from subagents.contract import Incident, SourceSpec, Tool
    from subagents.metrics.model import RankReport, SeriesReport, SeriesView

    Tools = Mapping[str, Tool[Any, Any]]

EDGES_TIMES = {"since": "since"}
"""What the tool of the edges calls its time"""
_RANK_TIMES = {**TIMES, "started": "since"}
_WINDOWS = {
    "since": "second_start", "until": "second_end", "baseline_since": "first_start", "baseline_until": "first_end"
}  # fmt: skip
_BAR, _SILENT = 50, 12


def ask(paths: Sequence[str], tool: str, given: Mapping[str, Any], times: Mapping[str, str] = TIMES) -> Answer:
    """Ask one tool about the metrics in some paths; raise Fault where there are none or the arguments are unusable."""
    arguments = arguments_of(given, times)
    return _ask_about(paths, lambda _, tools: run(tools[tool], arguments))


def ask_rank(paths: Sequence[str], given: Mapping[str, Any]) -> Answer:
    """Ask where it began; what is not given is taken from the incident in the paths."""
    arguments = arguments_of(given, _RANK_TIMES)
    return _ask_about(paths, lambda incident, tools: _ranked(tools, incident, arguments))


def ask_compare(paths: Sequence[str], given: Mapping[str, Any]) -> Answer:
    """Compare two windows; of what is not given the second begins at the onset, and the first is all before."""
    from subagents.contract import ToolError

    arguments = arguments_of(given, _WINDOWS)

    def answer(incident: Incident, tools: Tools) -> Answer:
        span = run(tools["metrics_coverage"], {}).data.span
        if span is None:
            raise ToolError("no series has points with times")
        if "second_start" not in arguments:
            found = _ranked(tools, incident, {}).data
            if not (found.onset_found or incident.started_at or incident.alert):
                raise ToolError("nothing left its baseline: name the window with --since TIME")
            why = f"the onset of {_title(found.symptom)}" if found.onset_found else "as the alert has it"
            narrate(f"  window: from {found.split:%Y-%m-%d %H:%M:%S} UTC, {why}")
            arguments["second_start"] = found.split.isoformat()
        usual = {
            "first_start": span.start.isoformat(),
            "first_end": _just_before(arguments["second_start"]),
            "second_end": span.end.isoformat(),
        }
        return run(tools["metrics_compare"], usual | arguments)

    return _ask_about(paths, answer)


def _ask_about(paths: Sequence[str], ask: Callable[[Incident, Tools], Answer]) -> Answer:
    from subagents.metrics.agent import build
    from subagents.metrics.model import KINDS

    def answer(incident: Incident, specs: tuple[SourceSpec, ...]) -> Answer:
        return ask(incident, {each.name: each for each in build(specs).tools})

    return ask_about(paths, KINDS, "metrics or traces", answer)


def _ranked(tools: Tools, incident: Incident, given: dict[str, Any]) -> Answer:
    from subagents.metrics.procedure import rank_params, window_of

    coverage = run(tools["metrics_coverage"], {}).data
    usual = rank_params(incident, window_of(incident, coverage)).model_dump(exclude_defaults=True, exclude={"limit"})
    return run(tools["metrics_rank"], usual | given)


def _title(symptom: SeriesView | None) -> str:
    return clean_text(symptom.title, newlines=False) if symptom is not None else "the trouble"


def _just_before(moment: str) -> str:
    from datetime import datetime

    return (datetime.fromisoformat(moment) - timedelta(microseconds=1)).isoformat()


def places(report: RankReport) -> str:
    """Return where it began, a line for each reason."""
    from subagents.metrics.render import clock, ranking_head

    lines = ranking_head(report)
    for place, one in enumerate(report.services, 1):
        if one.reasons:
            since = f", since {clock(one.since)}" if one.since is not None else ""
            lines.append(f"{place}. {one.service}: score {one.score:.2f}{since}")
            lines += [f"     {reason.text}" for reason in one.reasons]
    silent = [one.service for one in report.services if not one.reasons]
    if silent:
        more = f" and {len(silent) - _SILENT} more" if len(silent) > _SILENT else ""
        lines.append(f"no evidence against: {', '.join(silent[:_SILENT])}{more}")
    return "\n".join(lines)


def chart(report: SeriesReport) -> str:
    """Return what a series did, and its points with a bar for each; the onset is marked."""
    from subagents.metrics.render import amount, series_head

    view, values = report.view, [value for _, value in report.points]
    least, most = min([0.0, *values]), max([0.0, *values])
    lines = series_head(view)
    amounts = [amount(value, view.unit) for value in values]
    width = max(map(len, amounts), default=0)
    onset = next((at for at, _ in report.points if view.onset is not None and at >= view.onset), None)
    for (at, value), number in zip(report.points, amounts, strict=True):
        bar = "█" * round((value - least) / (most - least) * _BAR) if most > least else ""
        mark = "  <- onset" if at == onset else ""
        lines.append(f"{at:%Y-%m-%d %H:%M:%S}  {number:>{width}}  {bar}{mark}".rstrip())
    if report.cut:
        lines.append(f"{report.cut} more points between these (--points)")
    return "\n".join(lines)
