"""Where the alert and the series disagree: the alert is a claim, and here it is checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from subagents import quantities as q
from subagents.contract import Alert, Incident
from subagents.contradiction import Contradiction
from subagents.metrics.alert_words import said_growth
from subagents.metrics.model import CoverageReport, RankReport, SeriesView
from subagents.metrics.render import amount, clock

CLOSE = 0.25
"""Relative distance within which an observed value counts as the series' own."""
OVERSTATED = 2.0
"""An alert overstates growth from so many times what is measured; less may be rounding, or its window."""
GRACE = timedelta(minutes=2)
"""By so much an alert may seem to fire before its cause: minute-grained series are stamped late."""
IMPACT_OFF = timedelta(minutes=15)
"""Beyond this, the start of impact that somebody gave is not the measured one."""


def contradictions(
    incident: Incident, view: SeriesView | None, rank: RankReport, coverage: CoverageReport
) -> tuple[Contradiction, ...]:
    """Return every disagreement between the alert and the series."""
    alert = incident.alert
    if alert is None:
        return ()
    named = rank.symptom
    out = [*_naming(alert, coverage)]
    if named is not None and (alert.metric or alert.service) and not _elsewhere(alert, named, coverage):
        if not (named.hurts and (named.size >= 1 or (view is not None and view.citation == named.citation))):
            out += _quiet(alert, named)
        else:
            out += _growth(alert, named)
            out += _numbers(alert, named) if alert.metric else ()
    if view is not None:
        out += _times(alert, incident, view)
    return tuple({one.text: one for one in out}.values())


def _elsewhere(alert: Alert, named: SeriesView, coverage: CoverageReport) -> bool:
    """Say whether what was found by the alert's words is another service's: the alert's own is known."""
    return bool(alert.service) and alert.service != named.service and alert.service in coverage.services


def _clash(view: SeriesView, text: str, *quantities: str) -> Contradiction:
    facts = tuple(fact for fact in view.facts if fact.quantity in quantities)
    return Contradiction(kind="alert and series", text=text, facts=facts, citations=(view.citation,))


def _quiet(alert: Alert, named: SeriesView) -> Iterator[Contradiction]:
    """Yield where what the alert points at did not move; a service alone must not have moved at all."""
    near = abs(named.latest - named.baseline) <= CLOSE * abs(named.baseline)
    if not alert.metric and (named.hurts or not near):
        return
    kept = f"{amount(named.baseline, named.unit)}, latest {amount(named.latest, named.unit)}"
    text = f"the alert points at {named.title}, which keeps its baseline of {kept}"
    yield _clash(named, text, q.BASELINE, q.LATEST)


def _naming(alert: Alert, coverage: CoverageReport) -> Iterator[Contradiction]:
    if alert.service and coverage.services and alert.service not in coverage.services:
        text = f"the alert names the service {alert.service}, of which there is no series"
        yield Contradiction(kind="alert and sources", text=text)


def _growth(alert: Alert, named: SeriesView) -> Iterator[Contradiction]:
    """Yield where the alert states more growth than the series shows."""
    said = said_growth(f"{alert.title}. {alert.summary}")
    if said is None or named.factor is None or named.peak is None or named.factor * OVERSTATED >= said.factor:
        return
    text = (
        f"the alert says {said.text}; {named.title} went from {amount(named.baseline, named.unit)} to "
        f"{amount(named.peak, named.unit)}, {q.figure(named.factor)} times"
    )
    yield _clash(named, text, q.BASELINE, q.PEAK, q.FACTOR)


def _numbers(alert: Alert, named: SeriesView) -> Iterator[Contradiction]:
    values = {fact.quantity: float(fact.value) for fact in named.facts if not isinstance(fact.value, str)}
    extremes = {values[name]: name for name in (q.PEAK, q.LATEST, q.BASELINE) if name in values}
    scale = _scale(alert, named)
    if alert.observed is not None and extremes:
        observed = alert.observed * scale
        low, high = min(extremes), max(extremes)
        if observed > high + CLOSE * abs(high) or observed < low - CLOSE * abs(low):
            text = (
                f"the alert observed {amount(alert.observed)}; {named.title} lies between "
                f"{amount(low, named.unit)} and {amount(high, named.unit)}"
            )
            yield _clash(named, text, extremes[low], extremes[high])
    if alert.threshold is not None and named.peak is not None:
        threshold = alert.threshold * scale
        crossed = named.peak >= threshold if named.rising else named.peak <= threshold
        if not crossed:
            text = (
                f"the alert's threshold {amount(alert.threshold)} was never crossed: {named.title} reaches "
                f"{amount(named.peak, named.unit)}"
            )
            yield _clash(named, text, q.PEAK)
        elif named.rising and named.baseline >= threshold:
            text = (
                f"the threshold {amount(alert.threshold)} lies below the usual {amount(named.baseline, named.unit)} of "
                f"{named.title}: the alert would always fire"
            )
            yield _clash(named, text, q.BASELINE)


def _scale(alert: Alert, named: SeriesView) -> float:
    """Return what turns the alert's numbers into the series' unit: a share and percent differ by 100."""
    if named.peak is None or alert.observed is None:
        return 1.0
    if named.role in ("error_ratio", "availability", "hit_ratio") or named.unit in ("%", "ratio"):
        ratio = abs(named.peak) / abs(alert.observed) if alert.observed else 1.0
        return 100.0 if 30 < ratio < 300 else 0.01 if 1 / 300 < ratio < 1 / 30 else 1.0
    return 1.0


def _times(alert: Alert, incident: Incident, view: SeriesView) -> Iterator[Contradiction]:
    if view.onset is None:
        return
    if alert.fired_at is not None and view.onset > alert.fired_at + max(GRACE, timedelta(seconds=2 * view.step)):
        text = (
            f"the alert fired at {clock(alert.fired_at)}, before {view.title} left its baseline ({clock(view.onset)})"
        )
        yield _clash(view, text, q.ONSET)
    started = incident.started_at
    if started is not None and abs(view.onset - started) > IMPACT_OFF:
        text = f"impact was said to start at {clock(started)}; {view.title} left its baseline at {clock(view.onset)}"
        yield _clash(view, text, q.ONSET)
    if alert.resolved and view.state == "ongoing":
        text = f"the alert is resolved, but {view.title} is still at {amount(view.latest, view.unit)}"
        yield _clash(view, text, q.LATEST)
