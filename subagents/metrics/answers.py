"""What the metrics tools answer: typed, bounded, every series cited. Imports the analysis; tools.py does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import numpy as np

from subagents.citations import RecordRef, parse
from subagents.contract import Evidence, SourceSpec, ToolContext, ToolError, ToolResult
from subagents.metrics import render
from subagents.metrics.cite import cite, cite_trace, spans_of
from subagents.metrics.edges import edges_report
from subagents.metrics.model import (
    BornView,
    Compared,
    CompareReport,
    CoverageReport,
    EdgesReport,
    OnsetsReport,
    RankReport,
    SeriesReport,
    SeriesView,
)
from subagents.metrics.newborn import newborn
from subagents.metrics.onset import MIN_POINTS
from subagents.metrics.params import (
    CompareParams,
    CoverageParams,
    EdgesParams,
    OnsetsParams,
    RankParams,
    SeriesParams,
)
from subagents.metrics.roles import traits_of
from subagents.metrics.scene import Measured, Told, bounds, measure_all, see, window_of
from subagents.metrics.series import SeriesKey, Store
from subagents.metrics.signals import Signal, signals
from subagents.metrics.so_far import EVERY, SoFar
from subagents.metrics.sources.load import gaps, load
from subagents.metrics.sources.stamps import moment
from subagents.metrics.symptom import Asked
from subagents.metrics.unsettled import ceased
from subagents.metrics.view import rank_view, view_of


def _seconds(value: datetime | None) -> float | None:
    return value.timestamp() if value is not None else None


class MetricsAnswers:
    """The tools over a set of sources; files are read when the first tool runs."""

    def __init__(self, specs: tuple[SourceSpec, ...]) -> None:
        self._specs = specs

    def _store(self, context: ToolContext) -> Store:
        """Return what the files hold; where they must be read first, tell how far that is."""
        return load(self._specs, context.progress)

    def coverage(self, params: CoverageParams, context: ToolContext) -> ToolResult[CoverageReport]:
        """Say what there is and what could be used."""
        store = self._store(context)
        roles: Counter[str] = Counter()
        on_series = SoFar(store, context.progress).measuring("what they are")
        for done, (frame, row, key) in enumerate(store.series()):
            roles[traits_of(key.name, frame.values[row]).role] += 1
            if done % EVERY == 0:
                on_series(done)
        holes = {frame.keys[0].source: tuple(gaps(frame)) for frame in store.frames}
        sources = tuple(c.model_copy(update={"problems": c.problems + holes.get(c.source, ())}) for c in store.coverage)
        report = CoverageReport(
            sources=sources,
            series=sum(len(f.keys) for f in store.frames),
            services=store.services(),
            roles=tuple(roles.most_common()),
            span=store.span(),
            steps=tuple(sorted({f.step for f in store.frames})),
            edges=len(store.edges),
            spans=sum(map(len, store.spans.values())),
            unmeasured=tuple(sorted(set(store.services()) - {key.service for _, _, key in store.series()})),
            ceased=ceased(store),
        )
        return ToolResult(data=report, text=render.coverage(report))

    def series(self, params: SeriesParams, context: ToolContext) -> ToolResult[SeriesReport]:
        """Return one series with its measures."""
        store = self._store(context)
        start, end = bounds(store, _seconds(params.start), _seconds(params.end))
        key = self._key(store, params)
        held = replace(store, frames=[*store.frames, *store.older])
        measured = measure_all(held, start, end, [key])
        if not measured:
            raise ToolError(f"{key.service} {key.name} has no point in that window")
        view, proof = view_of(measured[0], start, end)
        frame, row = measured[0].frame, measured[0].row
        window = frame.slice(start, end)
        times, values = frame.times[window], frame.values[row, window]
        present = np.flatnonzero(np.isfinite(values))
        stride = max(1, -(-len(present) // params.points))
        points = tuple((moment(float(times[i])), float(values[i])) for i in present[::stride])
        report = SeriesReport(view=view, points=points, cut=len(present) - len(points))
        return ToolResult(data=report, text=render.series(report), citations=(proof,))

    @staticmethod
    def _key(store: Store, params: SeriesParams) -> SeriesKey:
        frames = [*store.frames, *(store.older if params.source else [])]
        found = [
            key
            for frame in frames
            for key in frame.keys
            if key.name == params.name and params.service in ("", key.service) and params.source in ("", key.source)
        ]
        if len({(k.source, k.service) for k in found}) == 1 or (found and params.service and params.source):
            return found[0]
        if found:
            raise ToolError(
                f"{params.name!r} is measured on {len(found)} services: name one of "
                + ", ".join(sorted({k.service or "(no service)" for k in found})[:12])
            )
        near = sorted({k.name for _, _, k in store.series() if params.service in ("", k.service)})
        services = ", ".join(sorted({k.service or "(no service)" for _, _, k in store.series()})[:12])
        raise ToolError(
            f"no series {params.name!r}"
            + (f" on {params.service!r}" if params.service else "")
            + "; there are: "
            + (", ".join(near[:12]) or f"none; services: {services or 'none'}")
        )

    def onsets(self, params: OnsetsParams, context: ToolContext) -> ToolResult[OnsetsReport]:
        """Return what moved in a window, in order."""
        store = self._store(context)
        start, end = bounds(store, _seconds(params.start), _seconds(params.end))
        on_series = SoFar(store, context.progress).measuring("what left its baseline")
        everything = measure_all(store, start, end, on_series=on_series)
        measured = [m for m in everything if params.service in ("", m.key.service)]
        moved = [m for m in measured if m.found.onset is not None and m.found.score >= params.least]
        shown = sorted(moved, key=lambda m: (not m.found.bad, -m.found.score))[: params.limit]
        shown.sort(key=lambda m: (m.found.onset or 0.0, -m.found.score))
        pairs = [view_of(m, start, end) for m in shown]
        hurt = {m.key.service for m in moved if m.found.bad}
        flat = sum(float(np.nanstd(m.frame.values[m.row])) == 0 or m.found.points < MIN_POINTS for m in measured)
        few = sum(m.found.points < MIN_POINTS and m.found.score < params.least for m in measured)
        born = _born(store, measured, start, end)
        pairs_of_born = [pair for one in born for pair in one[:2]]
        report = OnsetsReport(
            window=window_of(start, end),
            moved=tuple(view for view, _ in pairs),
            more=len(moved) - len(shown),
            still=len(measured) - len(moved) - few,
            still_services=tuple(sorted({m.key.service for m in measured if m.found.points >= MIN_POINTS} - hurt)),
            unusable=flat,
            few=few,
            born=tuple(BornView(view=view, elder=elder, first=first) for (view, _), (elder, _), first in born),
        )
        proofs = [proof for _, proof in pairs + pairs_of_born]
        return ToolResult(data=report, text=render.onsets(report), citations=_unique(proofs))

    def rank(self, params: RankParams, context: ToolContext) -> ToolResult[RankReport]:
        """Rank services by how well they explain the symptom."""
        store = self._store(context)
        start, end = bounds(store, _seconds(params.start), _seconds(params.end))
        told = Told(
            Asked(params.service, params.metric, params.about),
            _seconds(params.since),
            _seconds(params.fired),
            params.candidates,
        )
        scene = see(store, start, end, told, context.progress)
        report, proofs = rank_view(store, scene, told.asked, params.limit)
        return ToolResult(data=report, text=render.ranking(report), citations=_unique(proofs))

    def compare(self, params: CompareParams, context: ToolContext) -> ToolResult[CompareReport]:
        """Compare two windows, series by series."""
        store = self._store(context)
        windows = [
            (params.first_start.timestamp(), params.first_end.timestamp()),
            (params.second_start.timestamp(), params.second_end.timestamp()),
        ]
        for window in windows:
            bounds(store, *window)
        first, second = sorted(windows, key=lambda window: window[0])
        found: list[tuple[Signal, float, float]] = []
        on_series = SoFar(store, context.progress).measuring("both windows")
        for signal in signals(store, first[0], second[0], second[1], on_series):
            if params.service not in ("", signal.key.service):
                continue
            if params.roles and signal.traits.role not in params.roles:
                continue
            earlier = signal.values[(signal.times >= first[0]) & (signal.times <= first[1])]
            later = signal.values[signal.times >= second[0]]
            if np.isfinite(earlier).any():
                found.append((signal, float(np.nanmedian(earlier)), float(np.nanmedian(later))))
        found.sort(key=lambda one: -abs(one[2] - one[1]) / one[0].noise)
        rows, proofs = [], []
        for signal, before, after in found[: params.limit]:
            place = store.find(signal.key)
            proof = cite(*place, first[0], second[1]) if place else None
            if proof is not None:
                rows.append(_compared(signal, before, after, proof.ref))
                proofs.append(proof)
        report = CompareReport(
            first=window_of(*first), second=window_of(*second), rows=tuple(rows), more=len(found) - len(rows)
        )
        return ToolResult(data=report, text=render.compare(report), citations=_unique(proofs))

    def edges(self, params: EdgesParams, context: ToolContext) -> ToolResult[EdgesReport]:
        """Return the call graph around a service, with hop latencies and failed spans."""
        store = self._store(context)
        report = edges_report(store, params.service, _seconds(params.since), params.limit)
        proofs = [
            cite_trace(source, spans_of(store, source, span.trace))
            for span in report.failed
            for source in store.spans
            if spans_of(store, source, span.trace)
        ]
        refs = [ref for view in report.traced if isinstance(ref := parse(view.citation), RecordRef)]
        proofs += [cite_trace(ref.source, spans_of(store, ref.source, ref.id)) for ref in refs]
        return ToolResult(data=report, text=render.edges(report), citations=_unique(proofs))


_Cited = tuple[SeriesView, Evidence]


def _born(store: Store, measured: list[Measured], start: float, end: float) -> list[tuple[_Cited, _Cited, datetime]]:
    """Return the worst series that are new, each with an elder, and since when it is there."""
    known = {m.key: m for m in measured}
    return [
        (view_of(known[one.key], start, end), view_of(known[one.elder], start, end), moment(one.first))
        for one in newborn(store, start, end)
        if one.key in known and one.elder in known and known[one.key].found.onset is None
    ]


def _compared(signal: Signal, before: float, after: float, citation: str) -> Compared:
    size, bad = (after - before) / signal.noise, signal.traits.bad
    return Compared(
        service=signal.key.service,
        name=signal.key.name,
        role=signal.traits.role,
        unit=signal.traits.unit + ("/s" if signal.traits.counter else ""),
        before=before,
        after=after,
        size=round(size, 2),
        bad=bad,
        hurts=abs(size) > 3 and (bad == "both" or (bad == "up") == (size > 0)),
        citation=citation,
    )


def _unique(proofs: list[Evidence]) -> tuple[Evidence, ...]:
    return tuple({proof.ref: proof for proof in proofs}.values())
