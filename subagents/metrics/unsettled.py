"""Why calm series do not show that all is well: the alert's own are gone, or stand as high throughout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from subagents.contract import Alert, Fact, Finding, Incident
from subagents.metrics.model import Ceased, CoverageReport, SeriesView
from subagents.metrics.render import amount, clock
from subagents.metrics.series import Store
from subagents.metrics.sources.stamps import moment

STEPS, SHARE, LEAST_POINTS = 5.0, 0.02, 5
"""Usual steps, and share of all the time that series cover, by which a service's series end before the others'."""
PAGED_AFTER = timedelta(minutes=5)
"""So much later than the page the series may end: until then they were still sent."""
NEAR = 0.5
"""Relative distance within which a usual level counts as what the alert observed."""
HIGH_IS_BAD = frozenset({"error_ratio", "error_count", "latency", "saturation", "queue", "lag"})


def ceased(store: Store) -> tuple[Ceased, ...]:
    """Return the services of which every series ends well before the last point that there is, first ended first."""
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
        if present.size < LEAST_POINTS or end - last <= max(STEPS * frame.step, SHARE * whole):
            late.add(key.service)
    gone = [Ceased(service=name, last=moment(last)) for name, last in lasts.items() if name and name not in late]
    return tuple(sorted(gone, key=lambda one: (one.last, one.service))) if late else ()


def unsettled(incident: Incident, coverage: CoverageReport, named: SeriesView | None) -> Finding | None:
    """Return why calm series settle nothing about the alert; None where they do."""
    alert = incident.alert
    place = (alert.service if alert else None) or incident.service
    fired = alert.fired_at if alert else None
    for one in coverage.ceased:
        if one.service == place and (fired is None or one.last <= fired + PAGED_AFTER):
            claim = (
                f"Every series of {one.service} ends at {clock(one.last)}, and others go on: whether {one.service} "
                "stopped or only its measuring did, these series cannot tell."
            )
            return Finding(agent="metrics", claim=claim, topic="gap", weight=0.5, services=(one.service,), at=one.last)
    return _throughout(alert, place, named) if alert is not None and named is not None else None


def _throughout(alert: Alert, place: str | None, named: SeriesView) -> Finding | None:
    """Return that a series stood where the alert saw it from the first point on: when that began is not in the data."""
    if alert.observed is None or alert.threshold is None or alert.observed <= alert.threshold or alert.resolved:
        return None
    if named.role not in HIGH_IS_BAD or (place and named.service != place):
        return None
    if not any(_stands(alert.observed, alert.threshold, named, scale) for scale in _scales(named)):
        return None
    claim = (
        f"{named.title} stands at {amount(named.baseline, named.unit)}, beyond the alert's threshold of "
        f"{amount(alert.threshold)}, from the first point on: if that is the trouble, it began before the data does."
    )
    facts: tuple[Fact, ...] = tuple(fact for fact in named.facts if fact.quantity in ("baseline", "latest"))
    return Finding(
        agent="metrics",
        claim=claim,
        topic="gap",
        weight=0.5,
        facts=facts,
        citations=(named.citation,),
        services=(named.service,) if named.service else (),
    )


def _scales(named: SeriesView) -> Iterator[float]:
    yield 1.0
    if named.role == "error_ratio" or named.unit in ("%", "ratio"):
        yield from (100.0, 0.01)


def _stands(observed: float, threshold: float, named: SeriesView, scale: float) -> bool:
    seen = observed * scale
    near = abs(named.baseline - seen) <= NEAR * seen
    return near and min(named.baseline, named.latest) > threshold * scale
