"""Spans counted: of one service, or of one service's calls to another, and how many of them failed.

Only where the source says how spans ended: a status, or an error on some. What a status means that is not known here
is not guessed: then nothing is counted of where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from subagents import quantities as q
from subagents.citations import RecordRef, parse
from subagents.contract import Fact, ToolError, Window
from subagents.metrics.model import TracedView, spans_unit
from subagents.metrics.series import Span, Store

MOST_TRACED = 20
"""Services and pairs of an answer, most spans first."""
_FINE = re.compile(r"|(status_code_)?(ok|unset)|[01]|[123]\d\d|success", re.IGNORECASE)
"""How sources say that a span did not fail; nothing at all, where others say."""


@dataclass
class Ended:
    """Spans of one place within a window."""

    fine: list[Span] = field(default_factory=list)
    failed: list[Span] = field(default_factory=list)
    unclear: bool = False
    """Some ended in a way that is not known here."""


def ended(spans: Iterable[Span], window: Window) -> dict[tuple[str, str], Ended]:
    """Return how spans that start within a window ended, by service and caller (empty: whoever called)."""
    held = list(spans)
    found: dict[tuple[str, str], Ended] = {}
    if not any(span.status or span.error for span in held):
        return found
    owner = {(span.trace_id, span.span_id): span for span in held if span.span_id}
    start, end = window.start.timestamp(), window.end.timestamp()
    for span in held:
        if span.start is None or not start <= span.start < end:
            continue
        parent = owner.get((span.trace_id, span.parent_id))
        for place in _places(span, parent):
            _add(found.setdefault(place, Ended()), span)
    return found


def _places(span: Span, parent: Span | None) -> Iterable[tuple[str, str]]:
    """Yield what a span counts for: its service, the call that it serves, the call that it makes."""
    if span.service:
        yield span.service, ""
        told_by_caller = parent is not None and parent.peer == span.service
        if parent is not None and parent.service not in ("", span.service) and not told_by_caller:
            yield span.service, parent.service
    if span.peer and span.service and span.peer != span.service:
        yield span.peer, span.service


def _add(place: Ended, span: Span) -> None:
    if span.failed:
        place.failed.append(span)
    elif _FINE.fullmatch(span.status):
        place.fine.append(span)
    else:
        place.unclear = True


def traced(store: Store, window: Window) -> list[TracedView]:
    """Return what was traced within a window, by source, service and caller; most spans first."""
    views = []
    for source, spans in store.spans.items():
        for (service, caller), place in ended(spans, window).items():
            if not place.unclear:
                views.append(_view(source, (service, caller), place, window))
    views.sort(key=lambda view: (-view.spans, view.service, view.caller or ""))
    return views[:MOST_TRACED]


def _view(source: str, place: tuple[str, str], held: Ended, window: Window) -> TracedView:
    shown = (held.failed or held.fine)[0]
    citation = str(RecordRef(kind="trace", source=source, id=shown.trace_id or shown.span_id))
    numbers = ((q.SPANS, len(held.fine) + len(held.failed)), (q.FAILED_SPANS, len(held.failed)))
    facts = tuple(
        Fact(quantity=name, value=value, unit=spans_unit(*place), citation=citation, window=window)
        for name, value in numbers
    )
    return TracedView(
        service=place[0], caller=place[1] or None, spans=numbers[0][1], failed=numbers[1][1], citation=citation,
        facts=facts,
    )  # fmt: skip


def counted_again(store: Store, fact: Fact) -> int:
    """Return what a fact of spans counts, anew; raises ToolError where it cites no trace of them, or says no window."""
    parsed = parse(fact.citation)
    if not isinstance(parsed, RecordRef) or parsed.kind != "trace" or fact.window is None:
        raise ToolError(f"{fact.quantity} cites a trace, its window says since when, and its unit whose spans")
    for (service, caller), place in ended(store.spans.get(parsed.source, []), fact.window).items():
        if spans_unit(service, caller) != fact.unit:
            continue
        held = [*place.fine, *place.failed]
        if place.unclear or not any((span.trace_id or span.span_id) == parsed.id for span in held):
            break
        return len(place.failed) if fact.quantity == q.FAILED_SPANS else len(held)
    raise ToolError(f"{fact.citation}: in that window this trace has no {fact.unit} whose end is known")
