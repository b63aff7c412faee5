"""What the logs specialist does with no model: coverage, windows, what is new, by whom, where in the code."""

from __future__ import annotations

from datetime import datetime

from subagents.contract import Brief, Finding, Incident, Problem, Window
from subagents.logs import recorded, statements
from subagents.logs.model import (
    LogsCoverage,
    LogsFirstLook,
    LogsPatterns,
    LogsStacks,
    LogsSummary,
)
from subagents.logs.params import CoverageParams, FirstLookParams, PatternsParams, RecordedParams, WindowParams
from subagents.logs.recorded_model import LogsRecorded
from subagents.specialist import Workbench

MOST_FINDINGS = 12
PATTERNS_READ = 40


async def investigate(brief: Brief, bench: Workbench) -> LogsSummary:
    """Read the logs of an incident; report findings, strongest first; return what was learnt."""
    if not any(spec.kind == "logs" for spec in brief.sources):
        await bench.report(statements.no_logs())
        return LogsSummary()
    coverage = await bench.call("logs_coverage", CoverageParams(), LogsCoverage)
    if coverage.outcome != "ok" or coverage.data is None:
        await bench.report(statements.gap(f"The logs could not be read: {coverage.text}"))
        return LogsSummary()
    await bench.say(coverage.text.split("\n", 1)[0])
    recordings = ["recorded" in spec.options for spec in brief.sources if spec.kind == "logs"]
    summary = await _dated(brief, bench, coverage.data, all(recordings))
    if any(recordings):
        undated = all(recordings) and coverage.data.span is None
        await _recorded(brief.incident, bench, summary, looked=undated or summary.window is not None)
    return summary


async def _dated(brief: Brief, bench: Workbench, coverage: LogsCoverage, recorded_only: bool) -> LogsSummary:
    if coverage.span is None and recorded_only:
        return LogsSummary(events=coverage.events)
    if coverage.span is None:
        await bench.report(statements.gap(statements.undated(coverage)))
        return LogsSummary(events=coverage.events, problems=_problems(coverage))
    if brief.incident.started_at is None:
        await _others_looked(bench)
    times = _times(brief.incident, bench.board())
    look = await bench.call("logs_first_look", times, LogsFirstLook)
    if look.outcome != "ok" or look.data is None:
        await bench.report(statements.gap(f"The logs could not be compared: {look.text}"))
        return LogsSummary(events=coverage.events, problems=_problems(coverage))
    await bench.say(look.text.split("\n", 1)[0])
    return await _compare(bench, coverage, look.data)


async def _recorded(incident: Incident, bench: Workbench, summary: LogsSummary, *, looked: bool) -> None:
    """Report what recorded outputs of tools show; `looked` says that all logs with times could be compared."""
    found = await bench.call("logs_recorded", RecordedParams(), LogsRecorded)
    if found.data is None:
        await bench.report(statements.gap(f"The recorded outputs could not be read: {found.text}"))
        return
    calm = looked and not (summary.errors or summary.onset or summary.flows or summary.slow)
    known = {sign.name for sign in summary.signatures}
    for finding in recorded.findings(found.data, known, calm=calm, incident=incident):
        await bench.report(finding)


async def _compare(bench: Workbench, coverage: LogsCoverage, look: LogsFirstLook) -> LogsSummary:
    windows = _windows(look.window, look.baseline)
    wanted = PatternsParams(**windows, limit=PATTERNS_READ)
    if look.baseline is None:
        wanted = wanted.model_copy(update={"changes": ["steady", "rare"]})
    found = await bench.call("logs_patterns", wanted, LogsPatterns)
    traces = await bench.call("logs_stacks", WindowParams(**windows, limit=20), LogsStacks)
    patterns = found.data if found.outcome == "ok" else None
    stacks = traces.data if traces.outcome == "ok" else None
    for failed in (found, traces):
        if failed.outcome != "ok":
            await bench.report(statements.gap(f"A part of the logs could not be compared: {failed.text}"))
    findings = statements.findings(coverage, look, patterns, stacks)
    for finding in findings[:MOST_FINDINGS]:
        await bench.report(finding)
    telling = statements.telling(patterns)
    return LogsSummary(
        window=look.window,
        baseline=look.baseline,
        onset=look.onset,
        clean=statements.is_clean(look, patterns, stacks),
        events=patterns.events if patterns is not None else coverage.events,
        errors=look.errors,
        timeline_start=look.timeline_start,
        bucket_seconds=look.bucket_seconds,
        timelines=look.timelines,
        patterns=tuple(telling[:20]),
        stacks=stacks.groups[:10] if stacks is not None else (),
        signatures=look.signatures,
        services=look.services,
        starts=look.starts,
        flows=look.flows,
        slow=look.slow,
        problems=_problems(coverage),
        skew=coverage.skew,
    )


def _problems(coverage: LogsCoverage) -> tuple[Problem, ...]:
    return tuple(problem for source in coverage.sources for problem in source.problems) + coverage.skew


async def _others_looked(bench: Workbench) -> None:
    """Wait until whoever can say when it began has said so: which lines are new must not depend on who is faster."""
    while await bench.more(len(bench.board())):
        pass


def _times(incident: Incident, board: tuple[Finding, ...]) -> FirstLookParams:
    """Return what is known of the incident's times; an onset already on the board counts as one."""
    started = incident.started_at
    if started is None:
        onsets = [each.at for each in board if each.topic == "onset" and each.at is not None and each.agent != "logs"]
        started = min(onsets, default=None)
    alert = incident.alert
    return FirstLookParams(
        started_at=_iso(started),
        fired_at=_iso(alert.fired_at) if alert is not None else None,
        start=_iso(incident.window.start) if incident.window is not None else None,
        end=_iso(incident.window.end) if incident.window is not None else None,
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _windows(window: Window, baseline: Window | None) -> dict[str, str]:
    found = {"start": window.start.isoformat(), "end": window.end.isoformat()}
    if baseline is not None:
        found["baseline_start"] = baseline.start.isoformat()
        found["baseline_end"] = baseline.end.isoformat()
    return found
