"""The tools of the logs specialist: each typed, bounded, read-only; scans run in the worker process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from subagents.contract import Tool, ToolContext, ToolResult
from subagents.logs import answers, recorded, scans
from subagents.logs.compare import Spans, spans_of
from subagents.logs.index import LogIndex
from subagents.logs.levels import LEVELS, UNKNOWN
from subagents.logs.log_set import LogSet
from subagents.logs.model import (
    LogsContext,
    LogsCoverage,
    LogsDistinct,
    LogsFirstLook,
    LogsHistogram,
    LogsPatterns,
    LogsSearch,
    LogsStacks,
)
from subagents.logs.params import (
    ContextParams,
    CoverageParams,
    DistinctParams,
    FirstLookParams,
    HistogramParams,
    PatternsParams,
    RecordedParams,
    SearchParams,
    WindowParams,
)
from subagents.logs.recorded_model import LogsRecorded
from subagents.logs.so_far import index_for
from subagents.logs.windows import UNTIMED, IncidentTimes

SCAN_TIMEOUT_S = 120.0


def logs_tools(logs: LogSet) -> tuple[Tool[Any, Any], ...]:
    """Return the tools over one set of log files."""
    return (*_of_the_index(logs), *_of_the_files(logs))


def _of_the_index(logs: LogSet) -> tuple[Tool[Any, Any], ...]:
    """Return the tools that answer from what one pass over the files has gathered."""
    return (
        _tool(
            "logs_coverage",
            "What log files there are: events, layout, time span, levels, services; every problem with file and line.",
            CoverageParams,
            LogsCoverage,
            lambda params, context: answers.coverage(logs, index_for(logs, context)),
        ),
        _tool(
            "logs_first_look",
            "Start here: chooses incident window and baseline, finds when errors rise, known kinds of failure by "
            "wording (certificate, disk, DNS, timeouts, …), requests that leave their usual course or became slow, and "
            "ranks services by log evidence.",
            FirstLookParams,
            LogsFirstLook,
            lambda params, context: _first_look(logs, params, context),
        ),
        _tool(
            "logs_patterns",
            "Log templates of a window against a baseline: new, bursting, vanished, rare and severe; counts, first and "
            "last time, services, hosts, a raw example with its citation.",
            PatternsParams,
            LogsPatterns,
            lambda params, context: _patterns(logs, params, context),
        ),
        _tool(
            "logs_stacks",
            "Stack traces of a window grouped by exception and frames; frames of own code as file:line.",
            WindowParams,
            LogsStacks,
            lambda params, context: _stacks(logs, params, context),
        ),
        _tool(
            "logs_recorded",
            "Recorded outputs of tools (kubectl, events, …): known kinds of failure that their lines show, each cited.",
            RecordedParams,
            LogsRecorded,
            lambda params, context: recorded.answer(logs, context.cancelled),
        ),
    )


def _of_the_files(logs: LogSet) -> tuple[Tool[Any, Any], ...]:
    """Return the tools that read the lines themselves."""
    return (
        _tool(
            "logs_search",
            "Search events by text, RE2 regex, service, level, time, source: first the count, then cited lines.",
            SearchParams,
            LogsSearch,
            lambda params, context: scans.search_answer(logs, params, context),
            beside=True,
        ),
        _tool(
            "logs_histogram",
            "Events over time, in total or by service, level or source, with the filters of logs_search.",
            HistogramParams,
            LogsHistogram,
            lambda params, context: scans.histogram_answer(logs, params, context),
        ),
        _tool(
            "logs_distinct",
            "Values of a field (service, host, level, source, a JSON field, a key of key=value), most frequent first.",
            DistinctParams,
            LogsDistinct,
            lambda params, context: scans.distinct_answer(logs, params, context),
            beside=True,
        ),
        Tool(
            name="logs_context",
            description="The lines before and after a log citation, as they stand in the file.",
            params=ContextParams,
            result=LogsContext,
            run=lambda params, context: scans.context_answer(logs, params),
        ),
    )


def _tool(
    name: str,
    description: str,
    params: type[Any],
    result: type[Any],
    run: Callable[[Any, ToolContext], ToolResult[Any]],
    beside: bool = False,
) -> Tool[Any, Any]:
    return Tool(
        name=name,
        description=description,
        params=params,
        result=result,
        run=run,
        worker=True,
        beside=beside,
        timeout_s=SCAN_TIMEOUT_S,
    )


def _first_look(logs: LogSet, params: FirstLookParams, context: ToolContext) -> ToolResult[LogsFirstLook]:
    times = IncidentTimes(
        started_at=answers.when(params.started_at, "started_at"),
        fired_at=answers.when(params.fired_at, "fired_at"),
        start=answers.when(params.start, "start"),
        end=answers.when(params.end, "end"),
    )
    return answers.look(logs, index_for(logs, context), times)


def _windows(index: LogIndex, params: WindowParams) -> Spans:
    if answers.untimed(index, params):
        return Spans(UNTIMED, None, 0.0, 0.0)
    window = answers.window_of(index, answers.when(params.start, "start"), answers.when(params.end, "end"))
    before = answers.window_of(index, None, None)
    start = answers.when(params.baseline_start, "baseline_start") or before.start
    end = answers.when(params.baseline_end, "baseline_end") or window.start
    baseline = None
    if start < end:
        baseline = answers.window_of(index, start, end)
    return spans_of(index, window, baseline)


def _patterns(logs: LogSet, params: PatternsParams, context: ToolContext) -> ToolResult[LogsPatterns]:
    index = index_for(logs, context)
    if answers.untimed(index, params):
        index = answers.at_no_time(index)
    asked = answers.Asked(
        service=params.service,
        least=LEVELS.index(params.level) if params.level else UNKNOWN,
        changes=params.changes,
        limit=params.limit,
    )
    return answers.patterns(logs, index, _windows(index, params), asked)


def _stacks(logs: LogSet, params: WindowParams, context: ToolContext) -> ToolResult[LogsStacks]:
    index = index_for(logs, context)
    return answers.stacks(logs, index, _windows(index, params), service=params.service, limit=params.limit)
