"""Opens `log:` citations again, and checks what is claimed of them by counting anew."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from subagents import quantities as q
from subagents.contract import Clock, Evidence, Fact, Finding, ToolError, Window
from subagents.logs import recorded
from subagents.logs.cited import CitedEvent, find_event, stack_group
from subagents.logs.compare import Compared, Spans, compare, rows_in, spans_of
from subagents.logs.counted import (
    EVENTS,
    LINES,
    OF_RECORDED,
    SEVERE,
    TRACES,
    UNITS,
    is_circumstance,
    is_unit,
    kind_of_unit,
    unit_of_kind,
)
from subagents.logs.first_look import signatures
from subagents.logs.index import LogIndex
from subagents.logs.log_set import LogSet
from subagents.logs.machines import unit_of, workload_of
from subagents.logs.model import Signature
from subagents.logs.peers import target_of
from subagents.logs.recount import Recount
from subagents.logs.signatures import recognise
from subagents.logs.sources.names import HOSTS_KNOWN
from subagents.logs.sources.reader import read_spans
from subagents.logs.sources.timestamps import moment
from subagents.logs.stack_tally import count_between
from subagents.logs.terms import readable
from subagents.logs.windows import log_span
from subagents.verifying import NameKind, Recomputed

PASS_S = 45.0
"""Longest reading of all files for the sake of checks; where it takes longer, counts stay unchecked."""
KEPT = 64
"""Answers that are kept: findings share windows and lines, so that a check costs one comparison of each."""
MOST_WINDOWS = 8
"""Windows of the board that a vague fact is tried over."""
ROUNDED = 0.01
"""Numbers nearer than this are the same as stated."""
ELSEWHERE = {
    q.ONSET: "a metric series; for log lines say first_seen",
    q.ENDED: "a metric series; for log lines say last_seen",
    q.BASELINE: "a metric series; for log lines say baseline_count",
    q.PEAK: "a metric series",
    q.FACTOR: "a metric series",
    q.LATEST: "a metric series",
    **dict.fromkeys(q.LEVELS, "a metric series; for log lines say count and baseline_count"),
    **dict.fromkeys(q.TRACED, "a trace; for log lines say count"),
    q.DEPLOYED_AT: "a deploy or a flag",
    q.COMMITTED_AT: "a commit",
    q.LEAD_TIME: "the change that it is the lead time of",
}
"""What facts of other quantities have to cite."""

T = TypeVar("T")


class _TooLong(Exception):
    """The files cannot be read again in the time that a check may take."""


@dataclass
class LogResolver:
    """Opens log citations again and recomputes what facts say of them; reads the files at most once per state."""

    logs: LogSet
    clock: Clock
    """By which a check that takes too long is given up."""
    _state: tuple[tuple[int, int], ...] = ()
    _gave_up: bool = False
    _kept: OrderedDict[tuple[object, ...], object] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Return the evidence as it is now; with context, the excerpt also shows the lines around it."""
        source, parsed = self.logs.open(ref)
        try:
            before, span = read_spans(source.path, [(max(0, parsed.byte - 1), 1), (parsed.byte, parsed.lines)])
        except OSError as error:
            raise ToolError(f"{source.name} cannot be read ({error.strerror})") from error
        if parsed.byte and before.size != 1:
            raise ToolError(f"{ref}: no line of {source.name} starts at byte {parsed.byte}; cite what a tool returned")
        if span.lines != parsed.lines:
            raise ToolError(f"{source.name} ends inside {ref}: the file has changed since it was cited")
        found = span.evidence(ref, source.name)
        if context_lines <= 0:
            return found
        _, _, data = self.logs.around(ref, context_lines, context_lines)
        return found.model_copy(update={"excerpt": data.decode("utf-8", "replace")})

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        """Return a fact's value counted anew from the files, for the event that it cites.

        A fact with a window, and a unit of `counted`, says exactly what it counts. For others every meaning is
        tried, over the windows of log facts on the board and over all of the logs; None where none fits. Raises
        ToolError where no event is cited, or it is not of what is counted.
        """
        if fact.quantity in ELSEWHERE:
            raise ToolError(f"{fact.quantity} cites {ELSEWHERE[fact.quantity]}, not {fact.citation[:120]}")
        if fact.quantity not in (q.COUNT, q.BASELINE_COUNT, q.FIRST_SEEN, q.LAST_SEEN, *q.COURSES):
            return None
        source, parsed = self.logs.open(fact.citation)
        with self._lock:
            try:
                index = self._index()
            except _TooLong:
                return None
            if fact.quantity == q.COUNT and fact.unit in OF_RECORDED and source.recorded:
                return self._lines(fact)
            if fact.quantity in q.COURSES:
                recount = self._keep(("recount",), lambda: Recount(self.logs, index))
                return recount.of(fact, self.logs.sources.index(source), parsed.byte)
            event = self._keep(("event", fact.citation), lambda: find_event(self.logs, index, source, parsed))
            return self._of_event(index, fact, event, board)

    def _of_event(self, index: LogIndex, fact: Fact, event: CitedEvent, board: Sequence[Finding]) -> Recomputed | None:
        if fact.quantity == q.FIRST_SEEN and fact.window is None:
            return _at(moment(event.at)) if event.at is not None else None
        exact = fact.window is not None and (fact.quantity in q.MOMENTS or is_unit(fact.unit))
        return self._value(index, fact, event) if exact else self._fitting(index, fact, event, board)

    def has(self, kind: NameKind, name: str) -> bool | None:
        """Say whether a service or a host is named in the logs; None for other kinds, or where none is named.

        A host may also be a service, or the peer that the first event of a pattern calls in vain; both the unit or
        workload that programs of the machine tell of.
        """
        if kind not in ("service", "host") or not self.logs.sources:
            return None
        with self._lock:
            try:
                index = self._index()
            except _TooLong:
                return None
            services = self._keep(("services",), lambda: frozenset(index.services.to_list()))
        if kind == "service":
            return (name in services or _is_told_of(index, name)) if services else None
        if name in index.all_hosts or name in services:
            return True
        if not index.all_hosts or is_circumstance(name):
            return None
        if _is_peer(index, name, sorted(services)) or _is_told_of(index, name):
            return True
        return False if len(index.all_hosts) < HOSTS_KNOWN else None

    def span(self) -> Window | None:
        """Return the time from the first to the last dated event; None where there is none."""
        if not self.logs.sources:
            return None
        with self._lock:
            try:
                return log_span(self._index())
            except _TooLong:
                return None

    def _index(self) -> LogIndex:
        """Return the index that the tools use; built here at most once for one state of the files."""
        state = self.logs.state()
        if state != self._state:
            self._state, self._gave_up = state, False
            self._kept.clear()
        if self._gave_up:
            raise _TooLong
        end = self.clock.monotonic() + PASS_S
        try:
            return self.logs.index(lambda: self.clock.monotonic() > end)
        except ToolError as error:
            if self.clock.monotonic() > end:
                self._gave_up = True
                raise _TooLong from error
            raise

    def _keep(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what was made for a key since the files last changed, or make it."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]  # type: ignore[return-value]  # a key names one kind of thing
        made = make()
        self._kept[key] = made
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return made

    def _compared(self, index: LogIndex, spans: Spans, service: str | None = None) -> list[Compared]:
        return self._keep(("compared", spans, service), lambda: compare(index, spans, service))

    def _signatures(self, index: LogIndex, spans: Spans) -> list[Signature]:
        compared = self._compared(index, spans)
        return self._keep(("signatures", spans), lambda: signatures(self.logs, index, spans, compared, []))

    def _value(self, index: LogIndex, fact: Fact, event: CitedEvent) -> Recomputed:
        """Return what an exact fact states: the window is the fact's own, else all of the logs."""
        if fact.quantity in q.MOMENTS:
            return self._moment(index, fact, event)
        spans = _before_too(index, fact.window)
        count, before, unit = self._both(index, fact, event, spans)
        if fact.quantity == q.COUNT:
            return Recomputed(value=count, unit=unit)
        expected = spans.expected(before)
        if expected is None:
            raise ToolError(f"{fact.citation}: the logs hold nothing before the window, so there is no baseline_count")
        return Recomputed(value=expected, unit=unit)

    def _fitting(self, index: LogIndex, fact: Fact, event: CitedEvent, board: Sequence[Finding]) -> Recomputed | None:
        """Return the meaning of a vague fact whose value it states; None where it may mean something else.

        More events than there are it cannot mean: then the number of the first meaning is returned.
        """
        windows = [fact.window] if fact.window is not None else [*_windows_on(board), None]
        kinds = [unit_of_kind(name) for name in self._kinds(index, event)]
        units = [fact.unit] if is_unit(fact.unit) and fact.unit != EVENTS else [*UNITS[:-1], *kinds]
        found: list[Recomputed] = []
        for window in windows:
            for unit in units[:1] if fact.quantity in q.MOMENTS else units:
                with suppress(ToolError):
                    exact = fact.model_copy(update={"window": window, "unit": unit})
                    found.append(self._value(index, exact, event))
        fits = next((each for each in found if _same(each, fact)), None)
        if fits is not None and fits.unit not in (fact.unit, EVENTS, ""):
            return None  # it fits a sense that nobody named: neither right nor wrong
        if fits is not None or fact.quantity != q.COUNT or not found:
            return fits
        events = int(index.table["n"].sum())
        return found[0] if not isinstance(fact.value, str) and fact.value > events else None

    def _kinds(self, index: LogIndex, event: CitedEvent) -> set[str]:
        """Return the known kinds of failure that the cited event's template may be counted under."""
        shown = (index.examples[key] for key in event.keys[:KEPT])
        kinds = (recognise(f"{example.text}\n{readable(example.raw, example.text)}") for example in shown)
        return {kind.name for kind in kinds if kind is not None}

    def _moment(self, index: LogIndex, fact: Fact, event: CitedEvent) -> Recomputed:
        """Return the first or last time of the cited event's template."""
        rows = index.table if fact.window is None else rows_in(index, fact.window)
        rows = rows.filter(rows["template"] == event.template)
        found = rows["t0"].min() if fact.quantity == q.FIRST_SEEN else rows["t1"].max()
        if not isinstance(found, int):
            raise ToolError(f"{fact.citation}: no event like the cited one lies in the fact's window")
        return _at(moment(found))

    def _both(self, index: LogIndex, fact: Fact, event: CitedEvent, spans: Spans) -> tuple[int, int, str]:
        """Return how many there are in the window and before it, by what the fact's unit counts, and that unit."""
        kind = kind_of_unit(fact.unit)
        if kind is not None:
            return (*self._of_kind(index, fact, event, spans, kind), unit_of_kind(kind))
        if fact.unit == TRACES:
            group = stack_group(self.logs.sources[event.source], index, event)
            before = count_between(group, spans.baseline)[0] if spans.baseline is not None else 0
            return count_between(group, spans.window)[0], before, TRACES
        if fact.unit == SEVERE:
            if event.service is None:
                raise ToolError(
                    f"{fact.citation}: the cited event names no service, so its severe events have no count"
                )
            severe = [each for each in self._compared(index, spans, event.service) if each.severe and each.count]
            return sum(each.count for each in severe), sum(each.baseline_events for each in severe), SEVERE
        mine = [each for each in self._compared(index, spans) if each.template == event.template]
        return sum(each.count for each in mine), sum(each.baseline_events for each in mine), EVENTS

    def _of_kind(self, index: LogIndex, fact: Fact, event: CitedEvent, spans: Spans, kind: str) -> tuple[int, int]:
        mine = {each.id for each in self._compared(index, spans) if each.template == event.template}
        for each in self._signatures(index, spans):
            if each.name == kind and mine & set(each.patterns):
                patterns = set(each.patterns)
                shown = [one for one in self._compared(index, spans) if one.id in patterns]
                return sum(one.count for one in shown), sum(one.baseline_events for one in shown)
        raise ToolError(f"{fact.citation}: the cited event does not show {kind}, or not more than before the window")

    def _lines(self, fact: Fact) -> Recomputed:
        kinds = self._keep(("recorded",), lambda: recorded.kinds(self.logs, lambda: False))
        source, parsed = self.logs.open(fact.citation)
        count = kinds.count(fact.unit, (source.id, parsed.byte))
        if count is None:
            shows = (
                "shows no kind of failure known by its wording" if fact.unit == LINES else f"tells of no {fact.unit}"
            )
            raise ToolError(f"{fact.citation}: the cited line {shows}")
        return Recomputed(value=count, unit=fact.unit)


def _at(at: datetime) -> Recomputed:
    return Recomputed(value=at.isoformat())


def _is_peer(index: LogIndex, name: str, services: list[str]) -> bool:
    shown = index.examples.naming(name) if name else ()
    return any(target_of(example.raw, example.text, services, ()) == name for example in shown)


def _is_told_of(index: LogIndex, name: str) -> bool | None:
    """Say whether programs of the machine tell of a unit or workload of this name; None where the pods told of vary."""
    shown = index.examples.naming(name) if name else ()
    if any(name in (unit_of([example.text]), workload_of([example.text])) for example in shown):
        return True
    return None if any(workload_of([example.text]) for example in index.examples.naming("pod")) else False


def _same(found: Recomputed, fact: Fact) -> bool:
    """Say whether a fact states this value, counts to two digits after the point, moments as they are."""
    if isinstance(found.value, str) or isinstance(fact.value, str):
        try:
            return datetime.fromisoformat(str(found.value)) == datetime.fromisoformat(str(fact.value))
        except (ValueError, TypeError):
            return False
    return abs(found.value - fact.value) < ROUNDED


def _windows_on(board: Sequence[Finding]) -> list[Window]:
    """Return the windows that counts of log events on the board are over."""
    facts = (fact for finding in board for fact in finding.facts if fact.citation.startswith("log:"))
    return list(dict.fromkeys(fact.window for fact in facts if fact.window is not None))[:MOST_WINDOWS]


def _before_too(index: LogIndex, window: Window | None) -> Spans:
    """Return a window, or all of the logs, with all the time before it as its baseline."""
    span = log_span(index)
    if span is None:
        raise ToolError("no event of these logs has a time stamp: nothing can be counted over a window")
    window = window or span
    before = Window(start=span.start, end=window.start) if span.start < window.start else None
    return spans_of(index, window, before)
