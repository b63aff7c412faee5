"""Where the alert and the series disagree: the alert is a claim, and here it is checked."""

from __future__ import annotations

from datetime import timedelta

from subagents import quantities as q
from subagents.contract import Alert, Incident
from subagents.metrics.model import CoverageReport, RankReport, SeriesView
from subagents.metrics.render import amount, clock

CLOSE = 0.25
"""Relative distance within which an observed value counts as the series' own."""


def contradictions(
    incident: Incident, view: SeriesView | None, rank: RankReport, coverage: CoverageReport
) -> tuple[str, ...]:
    """Return every disagreement between the alert and the series, in plain sentences."""
    alert = incident.alert
    if alert is None:
        return ()
    named = rank.symptom
    out = [*_naming(alert, coverage)]
    if named is not None and (alert.metric or alert.service):
        if not (named.hurts and (named.size >= 1 or (view is not None and view.citation == named.citation))):
            kept = f"{amount(named.baseline, named.unit)}, latest {amount(named.latest, named.unit)}"
            out.append(f"the alert points at {named.title}, which keeps its baseline of {kept}")
        elif alert.metric:
            out += _numbers(alert, named)
    if view is not None:
        out += _times(alert, incident, view)
    return tuple(dict.fromkeys(out))


def _naming(alert: Alert, coverage: CoverageReport) -> list[str]:
    if alert.service and coverage.services and alert.service not in coverage.services:
        return [f"the alert names the service {alert.service}, of which there is no series"]
    return []


def _numbers(alert: Alert, named: SeriesView) -> list[str]:
    out = []
    values = {fact.quantity: float(fact.value) for fact in named.facts if not isinstance(fact.value, str)}
    extremes = [values[name] for name in (q.PEAK, q.LATEST, q.BASELINE) if name in values]
    scale = _scale(alert, named)
    if alert.observed is not None and extremes:
        observed = alert.observed * scale
        low, high = min(extremes), max(extremes)
        if observed > high + CLOSE * abs(high) or observed < low - CLOSE * abs(low):
            out.append(
                f"the alert observed {amount(alert.observed)}; {named.title} lies between "
                f"{amount(low, named.unit)} and {amount(high, named.unit)}"
            )
    if alert.threshold is not None and named.peak is not None:
        threshold = alert.threshold * scale
        crossed = named.peak >= threshold if named.rising else named.peak <= threshold
        if not crossed:
            out.append(
                f"the alert's threshold {amount(alert.threshold)} was never crossed: {named.title} reaches "
                f"{amount(named.peak, named.unit)}"
            )
        elif named.rising and named.baseline >= threshold:
            out.append(
                f"the threshold {amount(alert.threshold)} lies below the usual {amount(named.baseline, named.unit)} of "
                f"{named.title}: the alert would always fire"
            )
    return out


def _scale(alert: Alert, named: SeriesView) -> float:
    """Return what turns the alert's numbers into the series' unit: a share and percent differ by 100."""
    if named.peak is None or alert.observed is None:
        return 1.0
    if named.role in ("error_ratio", "availability", "hit_ratio") or named.unit in ("%", "ratio"):
        ratio = abs(named.peak) / abs(alert.observed) if alert.observed else 1.0
        return 100.0 if 30 < ratio < 300 else 0.01 if 1 / 300 < ratio < 1 / 30 else 1.0
    return 1.0


def _times(alert: Alert, incident: Incident, view: SeriesView) -> list[str]:
    if view.onset is None:
        return []
    out = []
    grace = timedelta(minutes=2)
    if alert.fired_at is not None and view.onset > alert.fired_at + grace:
        out.append(
            f"the alert fired at {clock(alert.fired_at)}, before {view.title} left its baseline ({clock(view.onset)})"
        )
    started = incident.started_at
    if started is not None and abs(view.onset - started) > timedelta(minutes=15):
        out.append(
            f"impact was said to start at {clock(started)}; {view.title} left its baseline at {clock(view.onset)}"
        )
    if alert.resolved and view.state == "ongoing":
        out.append(f"the alert is resolved, but {view.title} is still at {amount(view.latest, view.unit)}")
    return out
