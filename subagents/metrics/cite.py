"""Citations of series and traces: making them, opening them again, and recomputing the facts that cite them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import numpy as np

from subagents import quantities as q
from subagents.citations import MetricRef, RecordRef, parse
from subagents.contract import Evidence, Fact, Finding, SourceSpec, ToolError, Window, evidence
from subagents.metrics.levels import levels_of
from subagents.metrics.limits import reached
from subagents.metrics.measure import Measure, measure
from subagents.metrics.roles import analysed
from subagents.metrics.series import Floats, Frame, SeriesKey, Span, Store
from subagents.metrics.sources.load import load
from subagents.metrics.sources.stamps import moment
from subagents.metrics.traced import counted_again
from subagents.verifying import NameKind, Recomputed

EXCERPT_POINTS = 72
"""Points that surely fit the 4 KiB of an excerpt."""
ROUND_TO = 1e-3
"""Seconds that a cited bound may differ from a point's own stamp."""
LEAST_SLACK = 3600.0
"""Seconds by which a cited span may go beyond the points, or one step where that is more."""
MEASURED = (q.ONSET, q.BASELINE, q.PEAK, q.FACTOR, q.LATEST, q.ENDED)
"""What a series holds, in the order in which it is told."""
ELSEWHERE = {
    q.COUNT: "log lines",
    **dict.fromkeys(q.COURSES, "a log line of a request"),
    q.BASELINE_COUNT: "log lines",
    q.FIRST_SEEN: "log lines",
    q.LAST_SEEN: "log lines",
    q.DEPLOYED_AT: "a deploy or a flag",
    q.COMMITTED_AT: "a commit",
    q.LEAD_TIME: "the change that it is the lead time of",
}
"""What facts of other quantities have to cite."""


def iso(seconds: float) -> str:
    """Return epoch seconds as ISO 8601 UTC, seconds or finer."""
    return moment(seconds).isoformat().replace("+00:00", "Z")


def canonical(times: Floats, values: Floats) -> bytes:
    """Return the canonical JSON of points: [[time, value], …], gaps left out, no blanks."""
    rows = [[iso(float(t)), float(v)] for t, v in zip(times, values, strict=True) if np.isfinite(v)]
    return json.dumps(rows, separators=(",", ":")).encode()


def thinned(times: Floats, values: Floats) -> str:
    """Return points that fit an excerpt: all, or the lowest and the highest of equal stretches, in order of time."""
    kept = np.flatnonzero(np.isfinite(values))
    if kept.size > EXCERPT_POINTS:
        stretches = np.array_split(kept, EXCERPT_POINTS // 2 - 1)
        extremes = {int(s[np.argmin(values[s])]) for s in stretches} | {int(s[np.argmax(values[s])]) for s in stretches}
        kept = np.array(sorted(extremes | {int(kept[0]), int(kept[-1])}))
    return canonical(times[kept], values[kept]).decode()


def series_ref(key: SeriesKey, start: float, end: float) -> str:
    """Return the citation of a series between two points of its grid."""
    return str(MetricRef(source=key.source, service=key.service, name=key.name, start=moment(start), end=moment(end)))


def cite(frame: Frame, row: int, start: float, end: float, label: str = "") -> Evidence | None:
    """Cite a series over its grid from start to end, gaps at the ends included; None where it has no point there."""
    window = frame.slice(start, end)
    times, values = frame.times[window], frame.values[row, window]
    if not np.isfinite(values).any():
        return None
    key = frame.keys[row]
    ref = series_ref(key, float(times[0]), float(times[-1]))
    frozen = evidence(ref, canonical(times, values), label or f"{key.service} {key.name}".strip())
    return frozen.model_copy(update={"excerpt": thinned(times, values)})


def cite_trace(source: str, spans: list[Span], label: str = "") -> Evidence:
    """Cite all spans of one trace in one source."""
    trace = spans[0].trace_id or spans[0].span_id
    body = json.dumps([asdict(span) for span in spans], separators=(",", ":"), sort_keys=True).encode()
    return evidence(str(RecordRef(kind="trace", source=source, id=trace)), body, label or f"trace {trace}")


def spans_of(store: Store, source: str, trace: str) -> list[Span]:
    """Return the spans of one trace, in order of start."""
    found = [s for s in store.spans.get(source, []) if (s.trace_id or s.span_id) == trace]
    return sorted(found, key=lambda s: (s.start or 0.0, s.span_id))


class MetricsResolver:
    """Opens `metric:` and `trace:` citations from the same sources that made them."""

    def __init__(self, specs: tuple[SourceSpec, ...]) -> None:
        self._specs = specs

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Return the evidence as it is now; `context_lines` more points on both sides where it is a series."""
        parsed, store = parse(ref), load(self._specs)
        if isinstance(parsed, RecordRef) and parsed.kind == "trace":
            spans = spans_of(store, parsed.source, parsed.id)
            if not spans:
                raise ToolError(f"{ref}: no such trace in source {parsed.source!r}")
            return cite_trace(parsed.source, spans)
        if not isinstance(parsed, MetricRef):
            raise ToolError(f"{ref}: not a metric or a trace")
        frame, row, window = self._open(parsed, store, ref)
        if context_lines <= 0:
            found = cite(frame, row, float(frame.times[window][0]), float(frame.times[window][-1]))
            if found is None:
                raise ToolError(f"{ref}: the series has no point in this span any more")
            return found.model_copy(update={"ref": ref})
        wide = slice(max(0, window.start - context_lines), window.stop + context_lines)
        raw = canonical(frame.times[wide], frame.values[row, wide])
        return evidence(ref, raw, f"{parsed.service} {parsed.name} with {context_lines} points around")

    @staticmethod
    def _open(parsed: MetricRef, store: Store, ref: str) -> tuple[Frame, int, slice]:
        place = store.find(SeriesKey(parsed.source, parsed.service, parsed.name))
        if place is None:
            raise ToolError(f"{ref}: source {parsed.source!r} has no such series now")
        frame, row = place
        window = frame.slice(parsed.start.timestamp() - ROUND_TO, parsed.end.timestamp() + ROUND_TO)
        if window.stop <= window.start:
            raise ToolError(f"{ref}: the source has no points in this span")
        first, last, slack = float(frame.times[0]), float(frame.times[-1]), max(frame.step, LEAST_SLACK)
        if parsed.start.timestamp() < first - slack or parsed.end.timestamp() > last + slack:
            raise ToolError(f"{ref}: the source covers {iso(first)}..{iso(last)} only; cite no more than that")
        return frame, row, window

    def measure(self, ref: str) -> Measure:
        """Measure the cited series over the cited span again."""
        parsed = parse(ref)
        if not isinstance(parsed, MetricRef):
            raise ToolError(f"{ref}: not a metric")
        frame, row, window = self._open(parsed, load(self._specs), ref)
        found = measure(parsed.name, frame.times[window], frame.values[row, window], frame.step)
        if found is None:
            raise ToolError(f"{ref}: the series has no point in this span")
        return found

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        """Return a fact's value computed anew from the cited span; None where its quantity is not measured.

        Raises ToolError where the series cannot be opened, or holds no such quantity in that span.
        """
        if fact.quantity in ELSEWHERE:
            raise ToolError(f"{fact.quantity} cites {ELSEWHERE[fact.quantity]}, not {fact.citation[:120]}")
        if fact.quantity in q.LEVELS:
            return self._level(fact)
        if fact.quantity == q.REACHED:
            return self._reached(fact)
        if fact.quantity in q.TRACED:
            return Recomputed(value=counted_again(load(self._specs), fact), unit=fact.unit)
        if fact.quantity not in MEASURED:
            return None
        found = self.measure(fact.citation)
        value = value_of(found, fact.quantity)
        if value is None:
            raise ToolError(f"{fact.citation}: {_WHY_NOT[fact.quantity]}")
        return Recomputed(value=value, unit=_unit(fact.quantity, found))

    def _level(self, fact: Fact) -> Recomputed:
        parsed = parse(fact.citation)
        if not isinstance(parsed, MetricRef) or fact.window is None:
            raise ToolError(f"{fact.quantity} cites a metric series, and its window says since when")
        frame, row, window = self._open(parsed, load(self._specs), fact.citation)
        found = levels_of(parsed.name, frame.times[window], frame.values[row, window], fact.window)
        if found is None:
            raise ToolError(f"{fact.citation}: the series has no point before the fact's window, or none within")
        value = found.of(fact.quantity)
        if value is None:
            raise ToolError(f"{fact.citation}: its level before is zero, so there is no ratio")
        return Recomputed(value=value, unit="" if fact.quantity == q.LEVEL_RATIO else found.unit)

    def _reached(self, fact: Fact) -> Recomputed:
        parsed = parse(fact.citation)
        if not isinstance(parsed, MetricRef):
            raise ToolError(f"{fact.quantity} cites a metric series")
        frame, row, window = self._open(parsed, load(self._specs), fact.citation)
        times, raw = frame.times[window], frame.values[row, window]
        found = reached(parsed.name, times, analysed(parsed.name, times, raw)[1])
        if found is None:
            raise ToolError(f"{fact.citation}: the series reaches no end of anything in this span")
        return Recomputed(value=iso(found), unit="")

    def has(self, kind: NameKind, name: str) -> bool | None:
        """Say whether series, traces or the call graph name a service or a host, or a series is called so."""
        store = load(self._specs)
        if kind == "host":  # a host is a service of its own series, and a suspect by one of them
            return True if name in _services(store) | _metrics(store) else None
        if kind not in ("service", "metric"):
            return None
        known = _services(store) if kind == "service" else _metrics(store)
        return name in known if known else None

    def span(self) -> Window | None:
        """Return the time from the first to the last point or span; None where there is none."""
        spans = [each.span for each in load(self._specs).coverage if each.span is not None]
        if not spans:
            return None
        return Window(start=min(each.start for each in spans), end=max(each.end for each in spans))


_WHY_NOT = {
    q.ONSET: "the series does not leave its baseline in this span, so it has no onset",
    q.ENDED: "the series is not back at its baseline at the end of this span",
    q.PEAK: "the series does not leave its baseline in this span, so it has no peak",
    q.FACTOR: "peak and baseline of this span have no ratio: one is missing or zero, or their signs differ",
}


def _services(store: Store) -> set[str]:
    """Return every service that the sources name."""
    traced = (name for spans in store.spans.values() for span in spans for name in (span.service, span.peer))
    return {*store.services(), *traced} - {""}


def _metrics(store: Store) -> set[str]:
    """Return the names of series, alone and as service/name."""
    keys = [key for _, _, key in store.series()]
    return {key.name for key in keys} | {f"{key.service}/{key.name}" for key in keys if key.service}


def value_of(found: Measure, quantity: str) -> float | str | None:
    """Return one quantity of a measured series; None where the series does not have it."""
    if quantity == q.ONSET:
        return iso(found.onset) if found.onset is not None else None
    if quantity == q.ENDED:
        return iso(found.ended) if found.ended is not None else None
    return {q.BASELINE: found.baseline, q.PEAK: found.peak, q.FACTOR: found.factor, q.LATEST: found.latest}.get(
        quantity
    )


def facts_of(found: Measure, ref: str) -> tuple[Fact, ...]:
    """Return the facts that a measured series carries, all citing the same span."""
    values = ((name, value_of(found, name)) for name in MEASURED)
    return tuple(
        Fact(quantity=name, value=value, unit=_unit(name, found), citation=ref)
        for name, value in values
        if value is not None
    )


def _unit(quantity: str, found: Measure) -> str:
    if quantity in (q.ONSET, q.ENDED, q.FACTOR):
        return ""
    return found.traits.unit + ("/s" if found.traits.counter else "")


def at(seconds: float | None) -> datetime | None:
    """Return epoch seconds as a moment, None as None."""
    return None if seconds is None else moment(seconds)
