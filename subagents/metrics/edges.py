"""The call graph as a report: who calls whom, how slowly before and after, what failed."""

from __future__ import annotations

import numpy as np

from subagents.citations import RecordRef
from subagents.contract import Window
from subagents.metrics.cite import at
from subagents.metrics.graph import CallGraph
from subagents.metrics.model import EdgesReport, EdgeView, SpanView, TracedView
from subagents.metrics.series import SeriesKey, Store, deepest_failures
from subagents.metrics.sources.stamps import moment
from subagents.metrics.traced import traced

MOST_FAILED = 20


def edges_report(store: Store, service: str, since: float | None, limit: int) -> EdgesReport:
    """Return the edges around a service (all where it is empty), most calls first."""
    graph = CallGraph.of(store.edges)
    chosen = [e for e in store.edges if service in ("", e.caller, e.callee)]
    chosen.sort(key=lambda e: (-e.calls, e.caller, e.callee))
    waits = {(h.caller, h.callee): float(np.max(h.gap_ms)) for h in store.hops if len(h.gap_ms)}
    slow = {key: _halves(store, key, since) for _, _, key in store.series() if key.name.startswith("p95_ms_from_")}
    views = []
    for edge in chosen[:limit]:
        before, after = next(
            (v for k, v in slow.items() if k.service == edge.callee and k.name == f"p95_ms_from_{edge.caller}"),
            (None, None),
        )
        views.append(
            EdgeView(
                caller=edge.caller,
                callee=edge.callee,
                calls=edge.calls,
                p95_before=before,
                p95_after=after,
                waits_ms=waits.get((edge.caller, edge.callee)),
            )
        )
    return EdgesReport(
        service=service or None,
        edges=tuple(views),
        entries=tuple(graph.entries()),
        failed=failed_spans(store, service),
        traced=tuple(one for one in _traced(store, since) if service in ("", one.service, one.caller)),
        more=len(chosen) - len(views),
    )


def _traced(store: Store, since: float | None) -> list[TracedView]:
    """Return how spans ended from a moment to the last of them."""
    starts = [span.start for spans in store.spans.values() for span in spans if span.start is not None]
    if since is None or not starts or max(starts) < since:
        return []
    return traced(store, Window(start=moment(since), end=moment(max(starts) + 1.0)))


def _halves(store: Store, key: SeriesKey, since: float | None) -> tuple[float | None, float | None]:
    place = store.find(key)
    if place is None:
        return None, None
    frame, row = place
    values = frame.values[row]
    if since is None:
        return None, _median(values)
    return _median(values[frame.times < since]), _median(values[frame.times >= since])


def _median(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None


def failed_spans(store: Store, service: str = "") -> tuple[SpanView, ...]:
    """Return where traces broke, earliest first."""
    out = []
    for source, spans in store.spans.items():
        for span in deepest_failures(spans):
            if service not in ("", span.service):
                continue
            trace = span.trace_id or span.span_id
            out.append(
                SpanView(
                    trace=trace,
                    service=span.service,
                    name=span.name,
                    at=at(span.start),
                    duration_ms=span.duration_ms,
                    error=span.error or span.status,
                    citation=str(RecordRef(kind="trace", source=source, id=trace)),
                )
            )
    out.sort(key=lambda s: (s.at is None, s.at.timestamp() if s.at else 0.0, s.service))
    return tuple(out[:MOST_FAILED])
