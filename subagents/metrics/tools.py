"""The metrics tools as agents see them: names, flat arguments, results. The analysis is imported by the first call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from subagents.contract import D, P, SourceSpec, Tool, ToolContext, ToolResult
from subagents.metrics.model import (
    CompareReport,
    CoverageReport,
    EdgesReport,
    OnsetsReport,
    RankReport,
    SeriesReport,
)
from subagents.metrics.params import (
    CompareParams,
    CoverageParams,
    EdgesParams,
    OnsetsParams,
    RankParams,
    SeriesParams,
)


def _answer(specs: tuple[SourceSpec, ...], name: str) -> Callable[[Any, ToolContext], ToolResult[Any]]:
    def run(params: Any, context: ToolContext) -> ToolResult[Any]:
        from subagents.metrics.answers import MetricsAnswers

        answer: ToolResult[Any] = getattr(MetricsAnswers(specs), name)(params, context)
        return answer

    return run


def build_tools(specs: tuple[SourceSpec, ...]) -> tuple[Tool[Any, Any], ...]:
    """Return the metrics tools over these sources."""

    def heavy(name: str, description: str, params: type[P], result: type[D]) -> Tool[P, D]:
        run = _answer(specs, name.removeprefix("metrics_"))
        return Tool(name=name, description=description, params=params, result=result, run=run, worker=True)

    return (
        heavy(
            "metrics_coverage",
            "What metric series, services, roles and traces there are, over what time, and what could not be read.",
            CoverageParams,
            CoverageReport,
        ),
        heavy(
            "metrics_series",
            "One series: its points (bounded), baseline, onset, peak, factor, latest value and state.",
            SeriesParams,
            SeriesReport,
        ),
        heavy(
            "metrics_onsets",
            "What left its baseline in a window, in order of onset, with size and direction; and what did not.",
            OnsetsParams,
            OnsetsReport,
        ),
        heavy(
            "metrics_rank",
            "Where it began: services ranked by how well they explain the symptom, with reasons. "
            "A victim waits for its callee; each kind of signal counts for what it can know.",
            RankParams,
            RankReport,
        ),
        heavy(
            "metrics_compare",
            "Two windows side by side: medians of every series, largest differences first.",
            CompareParams,
            CompareReport,
        ),
        heavy(
            "metrics_edges",
            "Who calls whom, how often and how slowly, what callers wait beyond their callees' work, failed spans.",
            EdgesParams,
            EdgesReport,
        ),
    )
