"""Bounded plain text of the results, as models and panes read it."""

from __future__ import annotations

from datetime import datetime

from subagents.metrics.model import (
    CompareReport,
    CoverageReport,
    EdgesReport,
    OnsetsReport,
    RankReport,
    SeriesReport,
    SeriesView,
    spans_unit,
)
from subagents.quantities import counted, figure

DAY = 86_400
LARGE = 2.0**20
"""Bytes from which nobody reads them as bytes."""
_LARGER = (("TiB", 2.0**40), ("GiB", 2.0**30), ("MiB", LARGE))
FAR = 100
"""Size from which how much larger it is says nothing more."""


def amount(value: float | None, unit: str = "") -> str:
    """Return a number with its unit, four significant digits at most."""
    if value is None:
        return "?"
    size, _, per = unit.partition("/")
    if size == "bytes" and abs(value) >= LARGE:
        value, larger = next((value / scale, name) for name, scale in _LARGER if abs(value) >= scale)
        unit = f"{larger}/{per}" if per else larger
    number = figure(value, 4)
    return f"{number} {unit}".strip() if unit not in ("ratio", "") else number


def clock(moment: datetime | None) -> str:
    """Return a moment as UTC time of day."""
    return f"{moment:%H:%M:%S}Z" if moment is not None else "?"


def onset_of(view: SeriesView) -> str:
    """Return when a series left its baseline, in UTC, with the date where its points span more than a day."""
    if view.onset is None or view.points * view.step < DAY:
        return clock(view.onset)
    return f"{view.onset:%Y-%m-%d} {clock(view.onset)}"


def moved(view: SeriesView) -> str:
    """Return what a series did, in one clause."""
    if view.onset is None:
        return f"{view.title} kept its baseline of {amount(view.baseline, view.unit)}"
    what = "spreads" if view.spread else ("rises" if view.rising else "falls")
    factor = f" ({figure(view.factor)}x)" if view.factor is not None and view.factor >= 1.05 else ""
    numbers = f"{amount(view.baseline, view.unit)} -> {amount(view.peak, view.unit)}{factor}"
    return f"{onset_of(view)} {view.title} {what} {numbers}, {view.state}"


def coverage(report: CoverageReport) -> str:
    """Render what there is."""
    lines = [
        f"{report.series} series on {counted(len(report.services), 'service')}, "
        f"{counted(report.edges, 'call edge')}, {counted(report.spans, 'span')}"
    ]
    if report.span is not None:
        lines.append(f"from {report.span.start:%Y-%m-%d %H:%M:%SZ} to {report.span.end:%Y-%m-%d %H:%M:%SZ}")
    lines.append("roles: " + ", ".join(f"{role} {count}" for role, count in report.roles))
    lines.append("services: " + ", ".join(report.services[:60]))
    if report.ceased:
        ended = ", ".join(f"{one.service} at {clock(one.last)}" for one in report.ceased[:12])
        lines.append(f"series that end before the others: {ended}")
    for source in report.sources:
        layout = source.layout or "nothing usable"
        lines.append(f"{source.source} ({source.kind}, {layout}): {source.understood} of {source.items}")
        lines += [f"  {problem.line()}" for problem in source.problems]
    return "\n".join(lines)


def series_head(view: SeriesView) -> list[str]:
    """Return what a series did and is, and its citation."""
    return [f"{moved(view)}; role {view.role}, latest {amount(view.latest, view.unit)}", view.citation]


def series(report: SeriesReport) -> str:
    """Render one series."""
    rows = [f"{when:%Y-%m-%dT%H:%M:%SZ} {value:.6g}" for when, value in report.points]
    if report.cut:
        rows.append(f"{report.cut} more points between these")
    return "\n".join([*series_head(report.view), *rows])


def _size(view: SeriesView) -> str:
    return f"{view.size:.1f}" if view.size < FAR else f"over {FAR}"


def onsets(report: OnsetsReport) -> str:
    """Render what moved, in order."""
    lines = [f"{len(report.moved) + report.more} series moved, {report.still} kept their baseline"]
    lines += [
        f"{moved(view)}  [{view.role}, size {_size(view)}{'' if view.hurts else ', harmless direction'}]"
        for view in report.moved
    ]
    if report.more:
        lines.append(f"{report.more} more: narrow the window or the service")
    lines += [
        f"{clock(one.first)} {one.view.title} begins, at {amount(one.view.baseline, one.view.unit)}; "
        f"{one.elder.title} stood at {amount(one.elder.baseline, one.elder.unit)}"
        for one in report.born
    ]
    if report.few:
        lines.append(f"{report.few} have too few points to say")
    if report.still_services:
        lines.append("nothing that hurts on: " + ", ".join(report.still_services[:40]))
    return "\n".join(lines)


def ranking_head(report: RankReport) -> list[str]:
    """Return what a ranking explains, and what it compares."""
    lines = []
    if report.symptom is not None:
        lines.append(f"symptom: {moved(report.symptom)} ({report.why_symptom})")
    lines.append(
        f"compared: before and after {clock(report.split)}"
        + (f"; traffic x{report.surge:.2f}" if report.surge is not None else "")
    )
    lines += [f"used up since {clock(one.at)} ({one.kind}): {one.view.title}" for one in report.exhausted]
    return lines


def ranking(report: RankReport) -> str:
    """Render a ranking with its reasons."""
    lines = ranking_head(report)
    for place, item in enumerate(report.services, 1):
        if item.reasons:
            lines.append(f"{place}. {item.service} {item.score:.2f}: " + "; ".join(r.text for r in item.reasons[:3]))
    silent = [item.service for item in report.services if not item.reasons]
    if silent:
        lines.append(f"no evidence against: {', '.join(silent[:30])}")
    return "\n".join(lines)


def compare(report: CompareReport) -> str:
    """Render two windows side by side."""
    spans = [f"{window.start:%Y-%m-%d %H:%M:%S} to {clock(window.end)}" for window in (report.second, report.first)]
    lines = [" against ".join(spans)]
    for row in report.rows:
        mark = "!" if row.hurts else " "
        numbers = f"{amount(row.before, row.unit)} -> {amount(row.after, row.unit)}"
        lines.append(f"{mark} {row.service} {row.name}: {numbers} ({row.size:+.1f} times what is usual)")
    if report.more:
        lines.append(f"{report.more} more with smaller differences")
    return "\n".join(lines)


def edges(report: EdgesReport) -> str:
    """Render the call graph around a service."""
    lines = ["entry points: " + (", ".join(report.entries[:10]) or "not known")]
    for edge in report.edges:
        before = f"{amount(edge.p95_before)} -> " if edge.p95_before is not None else ""
        slow = f", p95 {before}{amount(edge.p95_after)} ms" if edge.p95_after is not None else ""
        wait = f", waits {edge.waits_ms:.0f} ms beyond the work" if edge.waits_ms is not None else ""
        calls = f"{amount(edge.calls)} calls" if edge.calls else "calls not measured"
        lines.append(f"{edge.caller} -> {edge.callee}: {calls}{slow}{wait}")
    if report.more:
        lines.append(f"{report.more} more edges")
    for span in report.failed:
        lines.append(f"failed {clock(span.at)} {span.service} {span.name}: {span.error}  [{span.citation}]")
    for one in report.traced:
        whose = spans_unit(one.service, one.caller or "")
        lines.append(f"since then {one.spans} {whose}, {one.failed} failed  [{one.citation}]")
    return "\n".join(lines)
