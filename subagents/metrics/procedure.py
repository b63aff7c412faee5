"""What the metrics specialist does with no model: symptom, onset, order, origin, state, and what did not move."""

from __future__ import annotations

from datetime import timedelta

from subagents.contract import Brief, Finding, Incident, ToolResult, Window
from subagents.metrics import findings as say
from subagents.metrics.contradictions import contradictions
from subagents.metrics.model import (
    Ceased,
    CoverageReport,
    EdgesReport,
    MetricsSummary,
    OnsetsReport,
    RankReport,
    SeriesView,
)
from subagents.metrics.params import CoverageParams, EdgesParams, OnsetsParams, RankParams
from subagents.metrics.unsettled import LEAST_SIZE, gone, newborn, unsettled
from subagents.metrics.used_up import used_up
from subagents.specialist import Workbench

FEW = 4
"""Series up to which one that moves a little is no chance."""
LEAST_NAMED = 0.25
"""The same for the series that the alert itself points at: two points that hurt are enough to be shown."""
LOST = 0.5
"""Share of its usual traffic below which users no longer reach a service as they did."""
QUIET_SCORE = 0.4
"""A best service below this score is noise: with hundreds of series something always moves a little."""
FAINT_SCORE = 0.15
"""A best service below this score shows nothing at all."""
BEFORE = timedelta(minutes=10)
"""So long before the symptom a service that falls silent may have to do with it."""
MOST_SILENT = 3
MOVED_SHOWN = 60
MOST_REPORTED = 12


async def investigate(brief: Brief, bench: Workbench) -> MetricsSummary:
    """Investigate the incident on the bench; report at most a dozen findings; return what was learnt."""
    read = await bench.call("metrics_coverage", CoverageParams(), CoverageReport)
    coverage = read.data
    if coverage is None:
        return await _failed(bench, "read", read.text)
    if coverage.series == 0:
        return await _without_series(brief, bench, coverage)
    incident = brief.incident
    ranked, window = await _ranked(bench, incident, coverage)
    if ranked.data is None:
        return await _failed(bench, "analysed", ranked.text)
    rank = ranked.data
    span = OnsetsParams(start=window.start if window else None, end=window.end if window else None, limit=MOVED_SHOWN)
    onsets = (await bench.call("metrics_onsets", span, OnsetsReport)).data or OnsetsReport(window=rank.window)
    edges = (await bench.call("metrics_edges", EdgesParams(since=rank.split), EdgesReport)).data or EdgesReport()
    is_told = incident.alert is not None or incident.started_at is not None or coverage.series <= FEW
    symptom, why = _symptom(rank, onsets, incident, is_told)
    if symptom is None and (incident.alert is not None or coverage.series <= FEW):
        symptom, why = await _faint(bench, rank, span, incident)
    if symptom is None and coverage.series == 1 and _stands_alone(rank.symptom):
        symptom, why = rank.symptom, "the one moment at which the only series that was given was far from its level"
    if symptom is None:
        return await _healthy(bench, coverage, rank, onsets, incident)
    moved = _with(symptom, onsets.moved)
    silent = [one for one in coverage.ceased if _about_then(one, symptom)]
    clashes = contradictions(incident, symptom, rank, coverage)
    spent = {one.view.citation for one in rank.exhausted} | {one.limit.citation for one in rank.exhausted if one.limit}
    reported: list[Finding] = [
        say.symptom(symptom, why),
        *used_up(rank, symptom),
        *say.order(symptom, moved, rank),
        *say.likewise(symptom, moved),
        *say.origins(rank, moved),
        *say.traffic(rank, symptom, moved),
        *say.resources(symptom, tuple(view for view in moved if view.citation not in spent), rank),
        *say.controls(onsets, coverage),
        *say.failed_calls(edges),
        *(newborn(born) for born in onsets.born[:1]),
        *map(gone, silent[:MOST_SILENT]),
    ]
    gaps = say.gaps(coverage, symptom)
    for finding in [*reported, *gaps][:MOST_REPORTED]:
        await bench.report(finding)
    if not any(place.reasons for place in rank.services[:1]):
        await bench.say("no service stands out")
    return MetricsSummary(
        symptom=symptom,
        why_symptom=why,
        onset=symptom.onset,
        state=symptom.state,
        onsets=tuple(view for view in moved if view.hurts),
        services=rank.services,
        lead=rank.lead,
        sees=rank.sees,
        surge=rank.surge,
        exhausted=rank.exhausted,
        contradictions=clashes,
        dark=_dark(rank, edges, coverage, {one.service for one in silent}),
        gaps=tuple(finding.claim for finding in gaps),
    )


def _stands_alone(view: SeriesView | None) -> bool:
    """Say whether a series of which either direction may hurt has a moment of its own (`subagents.metrics.lone`)."""
    return view is not None and view.bad == "both" and view.onset is not None


def _about_then(one: Ceased, symptom: SeriesView) -> bool:
    """Say whether a service fell silent about when the trouble began, or while it lasts."""
    return symptom.onset is not None and one.last >= symptom.onset - BEFORE


def _dark(rank: RankReport, edges: EdgesReport, coverage: CoverageReport, silent: set[str]) -> tuple[str, ...]:
    """Return what the first in rank calls, where nothing of that is measured and no work of its own shows trouble.

    What fell `silent` with the symptom is not measured either; where one of several did, that one is meant.

    Errors and slowness come from callees, too: at which of them it began these series cannot tell.
    """
    first = rank.services[0] if rank.services else None
    if first is None or any(reason.kind == "own work" for reason in first.reasons):
        return ()
    callees = {edge.callee for edge in edges.edges if edge.caller == first.service} - {first.service}
    return tuple(sorted(callees & silent or (callees if callees <= set(coverage.unmeasured) else ())))


async def _ranked(
    bench: Workbench, incident: Incident, coverage: CoverageReport
) -> tuple[ToolResult[RankReport], Window | None]:
    """Return the ranking over the incident's window, or over everything where that and the data do not meet."""
    window = window_of(incident, coverage)
    asked = rank_params(incident, window)
    ranked = await bench.call("metrics_rank", asked, RankReport)
    if ranked.data is not None or incident.window is None:
        return ranked, window
    everything = asked.model_copy(update={"start": None, "end": None})
    return await bench.call("metrics_rank", everything, RankReport), None


def window_of(incident: Incident, coverage: CoverageReport) -> Window | None:
    """Return the incident's window widened to all the baseline there is; None for everything."""
    if incident.window is None or coverage.span is None:
        return None
    start = min(incident.window.start, coverage.span.start)
    if coverage.span.start < incident.window.start - timedelta(days=3):
        start = incident.window.start - timedelta(days=3)
    end = max(incident.window.end, incident.window.start + timedelta(seconds=1))
    return Window(start=start, end=end) if start < coverage.span.end and end > coverage.span.start else None


def rank_params(incident: Incident, window: Window | None) -> RankParams:
    """Return what is asked about an incident."""
    alert = incident.alert
    return RankParams(
        start=window.start if window else None,
        end=window.end if window else None,
        since=incident.started_at,
        fired=alert.fired_at if alert else None,
        service=(alert.service if alert else None) or incident.service or "",
        metric=(alert.metric if alert else None) or "",
        about=" ".join(filter(None, [alert.title, alert.summary] if alert else [incident.title, incident.text]))[:500],
        candidates=incident.services,
        limit=1000,
    )


def _symptom(
    rank: RankReport, onsets: OnsetsReport, incident: Incident, is_told: bool
) -> tuple[SeriesView | None, str]:
    """Return the series that shows the trouble, or None where nothing does.

    `is_told`: somebody says that something is wrong, or too few series were given for one to move a little by chance.
    """
    named = rank.symptom
    alert = incident.alert
    least = LEAST_NAMED if alert is not None and (alert.metric or alert.service) else LEAST_SIZE
    told_apart = {item.service for item in rank.services if item.score >= say.LEAST_SCORE}
    if named is not None and not (is_told or named.service in told_apart):
        least = max(least, 2 * LEAST_SIZE)
    if named is not None and named.hurts and named.size >= least and rank.onset_found:
        return named, rank.why_symptom
    points_at = "which the alert points at" if alert is not None else "where trouble would show first"
    told = f"; {named.title}, {points_at}, keeps its baseline" if named is not None and not named.size else ""
    near = [v for v in onsets.moved if v.hurts and not v.spread and _in_time(v, incident)]
    facing = [v for v in near if v.user_facing and v.size >= 2 * LEAST_SIZE and v.service in told_apart]
    best = max(facing, key=lambda v: v.size, default=None)
    if best is not None and (named is None or best.service == named.service or best.size >= 3 * LEAST_SIZE):
        return best, "the worst of the signals that users feel" + told
    top = rank.services[0] if rank.services else None
    if top is not None and top.score >= QUIET_SCORE:
        best = max((v for v in near if v.service == top.service), key=lambda v: v.size, default=None)
        if best is not None:
            return best, "the strongest departure of the service that stands out" + told
    steady = rank.surge is not None and rank.surge > LOST  # users come as before: who is asked less is behind them
    lost = [] if steady else [v for v in near if _is_lost(v)]
    place = (alert.service if alert is not None else None) or incident.service
    best = max(lost, key=lambda v: (v.service == place, v.baseline), default=None)
    return best, "what is asked of it fell by half or more" + told if best is not None else ""


def _is_lost(view: SeriesView) -> bool:
    """Say whether most of what a service is asked for stays away at once, and still: an evening comes slowly."""
    fell = view.stays_away and not view.spread and view.state != "recovered"
    return fell and view.sudden and view.beyond and view.size >= LEAST_SIZE and 0 <= view.latest <= LOST * view.baseline


async def _faint(
    bench: Workbench, rank: RankReport, span: OnsetsParams, incident: Incident
) -> tuple[SeriesView | None, str]:
    """Return the best-ranked service's small departure where the ranking says that it matters all the same."""
    top = rank.services[0] if rank.services else None
    if top is None or top.score < FAINT_SCORE:
        return None, ""
    asked = span.model_copy(update={"service": top.service, "least": LEAST_NAMED})
    found = (await bench.call("metrics_onsets", asked, OnsetsReport)).data
    near = [v for v in (found.moved if found else ()) if v.hurts and not v.spread and _in_time(v, incident)]
    named, alert = rank.symptom, incident.alert
    if alert is not None and alert.service and named is not None and named.service == alert.service != top.service:
        near = [] if named.onset is None else near  # the page's own service is calm: others' small moves say nothing
    best = max(near, key=lambda v: (v.user_facing, v.size), default=None)
    return best, "small, but at the service that explains the alert best" if best is not None else ""


def _in_time(view: SeriesView, incident: Incident) -> bool:
    """Say whether a series left its baseline when the incident may have begun."""
    fired = incident.alert.fired_at if incident.alert else None
    if view.onset is None:
        return False
    if incident.started_at is not None:
        return view.onset >= incident.started_at - timedelta(minutes=5)
    return fired is None or fired - timedelta(hours=2) <= view.onset <= fired + timedelta(minutes=5)


def _with(symptom: SeriesView, moved: tuple[SeriesView, ...]) -> tuple[SeriesView, ...]:
    if any(view.citation == symptom.citation for view in moved):
        return moved
    return tuple(sorted((*moved, symptom), key=lambda v: (v.onset is None, v.onset or symptom.onset, -v.size)))


async def _failed(bench: Workbench, what: str, why: str) -> MetricsSummary:
    """Say what could not be done with the series: that is no lack of series."""
    await bench.report(say.gap(f"The metric series could not be {what}: {why}", 0.3))
    return MetricsSummary(gaps=(why,))


async def _without_series(brief: Brief, bench: Workbench, coverage: CoverageReport) -> MetricsSummary:
    """Say what is missing when there is no series at all."""
    alert = brief.incident.alert
    wanted = (alert.metric if alert else None) or "latency, error ratio and traffic"
    where = (alert.service if alert else None) or brief.incident.service or "the entry point"
    problems = [p.line() for c in coverage.sources for p in c.problems]
    broken = f" ({'; '.join(problems[:3])})" if problems else ""
    claim = (
        f"No metric series was usable{broken}: onset, size and state are not measured; "
        f"attach metrics.csv (ts,service,metric,value) with {wanted} of {where}, from an hour before the alert."
    )
    await bench.report(say.gap(claim, 0.4))
    if coverage.spans:
        edges = (await bench.call("metrics_edges", EdgesParams(), EdgesReport)).data
        for finding in say.failed_calls(edges) if edges is not None else []:
            await bench.report(finding)
    return MetricsSummary(gaps=(claim,))


async def _healthy(
    bench: Workbench, coverage: CoverageReport, rank: RankReport, onsets: OnsetsReport, incident: Incident
) -> MetricsSummary:
    """Say with numbers that nothing departs from its baseline, or why that settles nothing."""
    named = rank.asked or rank.symptom
    open_ = unsettled(incident, coverage, named, onsets, rank.standing, rank.exhausted)
    await bench.report(open_ or say.health(rank, onsets))
    gaps = say.gaps(coverage, rank.symptom)
    for finding in gaps:
        await bench.report(finding)
    return MetricsSummary(
        symptom=None,
        why_symptom=rank.why_symptom,
        state="unknown" if rank.symptom is None else "recovered" if rank.symptom.onset else "unknown",
        onsets=tuple(view for view in onsets.moved if view.hurts),
        services=rank.services,
        lead=rank.lead,
        sees=rank.sees,
        surge=rank.surge,
        contradictions=contradictions(incident, rank.symptom, rank, coverage) if open_ is None else (),
        healthy=open_ is None,
        unsettled=open_.claim if open_ is not None else "",
        gaps=tuple(finding.claim for finding in gaps),
    )
