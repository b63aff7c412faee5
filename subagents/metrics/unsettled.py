"""Why calm series do not show that all is well: some are gone, new, far away, or as high from the first point on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from subagents import quantities as q
from subagents.contract import Alert, Finding, Incident
from subagents.metrics.heat import ERRORS
from subagents.metrics.model import BornView, Ceased, CoverageReport, ExhaustedView, OnsetsReport, SeriesView
from subagents.metrics.render import amount, clock, onset_of
from subagents.metrics.series import Store, pause
from subagents.metrics.sources.stamps import moment
from subagents.metrics.used_up import sentence
from subagents.pods import deployment_of

LEAST_POINTS = 5
"""A series of fewer says nothing of whether its service goes on."""
PAGED_AFTER = timedelta(minutes=5)
"""So much later than the page the series may end: until then they were still sent."""
NEAR = 0.5
"""Relative distance within which a usual level counts as what the alert observed."""
LEAST_SIZE = 1.0
"""Size from which a series counts as moved."""
FAR = 2.0
"""Times its baseline, or part of it, from which a series is far away."""
_TELLING = frozenset({"saturation", "memory", "queue", "lag", "restarts", "ready", "traffic", "other", *ERRORS})
"""Roles of which that counts wherever it is; of others, and of levels that drift, at the alert's own service."""
HIGH_IS_BAD = frozenset({"error_ratio", "error_count", "latency", "saturation", "queue", "lag"})


def ceased(store: Store) -> tuple[Ceased, ...]:
    """Return the services of which every series ends well before the last point that there is, first ended first.

    Pods come and go: one of a deployment that goes on has not ended.
    """
    span = store.span()
    if span is None:
        return ()
    end, whole = span.end.timestamp(), (span.end - span.start).total_seconds()
    lasts: dict[str, float] = {}
    late: set[str] = set()
    for frame, row, key in store.series():
        present = np.flatnonzero(np.isfinite(frame.values[row]))
        if not present.size:
            continue
        last = float(frame.times[present[-1]])
        lasts[key.service] = max(last, lasts.get(key.service, last))
        if present.size < LEAST_POINTS or end - last <= pause(frame.step, whole):
            late.add(key.service)
    deployments = {deployment_of(name) for name in late}
    late |= {name for name in lasts if deployment_of(name) in deployments}
    gone = [Ceased(service=name, last=moment(last)) for name, last in lasts.items() if name and name not in late]
    return tuple(sorted(gone, key=lambda one: (one.last, one.service))) if late else ()


def unsettled(
    incident: Incident,
    coverage: CoverageReport,
    named: SeriesView | None,
    onsets: OnsetsReport,
    standing: SeriesView | None = None,
    exhausted: tuple[ExhaustedView, ...] = (),
) -> Finding | None:
    """Return why calm series settle nothing about the alert; None where they do.

    `standing`: failures of the paged service that are a large share of its requests from the first point on.
    `exhausted`: resources that are used up.
    """
    alert = incident.alert
    place = (alert.service if alert else None) or incident.service
    fired = alert.fired_at if alert else None
    for one in coverage.ceased:
        if one.service == place and (fired is None or one.last <= fired + PAGED_AFTER):
            return gone(one)
    if named is not None and _has_ended(named, coverage, alert):
        return _ended(named)
    if spent := [one for one in exhausted if one.view.state != "recovered"]:
        return _spent(spent[0])
    if onsets.born:
        return newborn(onsets.born[0])
    throughout = _throughout(alert, place, named) if alert is not None and named is not None else None
    if throughout is None and standing is not None and alert is not None and not alert.resolved:
        throughout = _standing(standing)
    return throughout or _away(onsets, named, place)


def _spent(one: ExhaustedView) -> Finding:
    """Say that a resource is used up, though nobody is seen to be hurt by it."""
    claim = f"{sentence(one)}: whether anybody is hurt by it, these series do not show."
    found = _about(one.view, claim, ())
    cited = (one.view, *(each for each in (one.limit, one.ended) if each is not None))
    citations = tuple(dict.fromkeys(each.citation for each in cited))
    return found.model_copy(update={"facts": one.facts, "citations": citations, "at": one.at})


def gone(one: Ceased) -> Finding:
    """Say that all series of a service end while others go on."""
    claim = (
        f"Every series of {one.service} ends at {clock(one.last)}, and others go on: whether {one.service} "
        "stopped or only its measuring did, these series cannot tell."
    )
    return Finding(agent="metrics", claim=claim, topic="gap", weight=0.5, services=(one.service,), at=one.last)


def newborn(born: BornView) -> Finding:
    """Say that a series is new and stands worse than one that it takes the place of did."""
    view, elder = born.view, born.elder
    claim = (
        f"{view.title} is there from {clock(born.first)} on only, at {amount(view.baseline, view.unit)}, and "
        f"{elder.title} stood at {amount(elder.baseline, elder.unit)}: what is new has no baseline of its own to leave."
    )
    return Finding(
        agent="metrics",
        claim=claim,
        topic="gap",
        weight=0.6,
        facts=tuple(fact for each in (view, elder) for fact in each.facts if fact.quantity == q.BASELINE),
        citations=(view.citation, elder.citation),
        services=(view.service,) if view.service else (),
        at=born.first,
    )


def _has_ended(named: SeriesView, coverage: CoverageReport, alert: Alert | None) -> bool:
    """Say whether a series tells nothing of the time since the page, and others do."""
    if coverage.span is None or named.last is None or (alert is not None and alert.resolved):
        return False
    fired = alert.fired_at if alert is not None else None
    silent = (coverage.span.end - named.last).total_seconds()
    if silent <= pause(named.step, coverage.span.seconds):
        return False
    return fired is None or named.last <= fired + PAGED_AFTER


def _ended(named: SeriesView) -> Finding:
    claim = (
        f"{named.title} ends at {clock(named.last)}, at {amount(named.latest, named.unit)}, and others go on: what "
        "became of it since, these series cannot tell."
    )
    return _about(named, claim, (q.LATEST,))


def _throughout(alert: Alert, place: str | None, named: SeriesView) -> Finding | None:
    """Return that a series stood beyond the alert's threshold from the first point on: when that began is not known."""
    if alert.threshold is None or alert.resolved or named.role not in HIGH_IS_BAD:
        return None
    if alert.observed is None and named.role not in ERRORS:
        return None  # a threshold below what is usual is a wrong one, unless it is of failures
    if place and named.service != place:
        return None
    if not any(_stands(alert.observed, alert.threshold, named, scale) for scale in _scales(named, alert)):
        return None
    claim = (
        f"{named.title} stands at {amount(named.baseline, named.unit)}, beyond the alert's threshold of "
        f"{amount(alert.threshold)}, from the first point on: if that is the trouble, it began before the data does."
    )
    return _about(named, claim, (q.BASELINE, q.LATEST))


def _standing(view: SeriesView) -> Finding:
    claim = (
        f"{view.title} stands at {amount(view.baseline, view.unit)} from the first point on, a large share of what is "
        "asked: if that is the trouble, it began before the data does."
    )
    return _about(view, claim, (q.BASELINE, q.LATEST))


def _away(onsets: OnsetsReport, named: SeriesView | None, place: str | None) -> Finding | None:
    """Return that what no user feels yet is far away from its baseline, the farthest of it."""
    far = [view for view in onsets.moved if _is_far(view) and (view.service == place or view.role in _TELLING)]
    best = max(far, key=lambda view: (view.service == place, view.size), default=None)
    if best is None:
        return None
    calm = f"; {named.title} kept its baseline" if named is not None and named.onset is None else ""
    claim = (
        f"{best.title} went from {amount(best.baseline, best.unit)} to {amount(best.peak, best.unit)}, from "
        f"{onset_of(best)}, and is at {amount(best.latest, best.unit)} now: whether anybody is hurt by it, these "
        f"series do not show{calm}."
    )
    return _about(best, claim, (q.ONSET, q.BASELINE, q.PEAK, q.LATEST))


def _is_far(view: SeriesView) -> bool:
    """Say whether a series is still where it hurts, at twice or half of what is usual."""
    if not view.hurts or not view.beyond or view.size < LEAST_SIZE or (view.role == "traffic" and view.rising):
        return False
    low, high = sorted((abs(view.baseline), abs(view.latest)))
    return high >= FAR * low


def _about(view: SeriesView, claim: str, quantities: tuple[str, ...]) -> Finding:
    return Finding(
        agent="metrics",
        claim=claim,
        topic="gap",
        weight=0.5,
        facts=tuple(fact for fact in view.facts if fact.quantity in quantities),
        citations=(view.citation,),
        services=(view.service,) if view.service else (),
        at=view.onset,
    )


def _scales(named: SeriesView, alert: Alert) -> Iterator[float]:
    """Yield what the alert's numbers may have to be multiplied with: shares are of one or of a hundred."""
    if named.role != "error_ratio" and named.unit not in ("%", "ratio"):
        yield 1.0
    elif alert.observed is not None:
        yield from (1.0, 100.0, 0.01)  # what was observed tells which
    else:
        in_percent, of_one = named.baseline > 1.0, (alert.threshold or 0.0) <= 1.0
        yield 1.0 if in_percent is not of_one else 100.0 if in_percent else 0.01


def _stands(observed: float | None, threshold: float, named: SeriesView, scale: float) -> bool:
    if observed is not None and (
        observed <= threshold or abs(named.baseline - observed * scale) > NEAR * observed * scale
    ):
        return False
    return min(named.baseline, named.latest) > threshold * scale
