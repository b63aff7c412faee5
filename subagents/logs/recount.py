"""What follows what within requests, counted anew for a fact: from the event it cites and its window alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median

from subagents import quantities as q
from subagents.contract import Fact, ToolError, Window
from subagents.logs.compare import rows_in
from subagents.logs.counted import PARTS, parts_of, unit_of_times
from subagents.logs.index import LogIndex
from subagents.logs.log_set import LogSet
from subagents.logs.requests import MOST_EVENTS, MOST_READ, Node, Step, read_requests
from subagents.logs.sources.timestamps import microseconds, moment
from subagents.logs.windows import log_span
from subagents.verifying import Recomputed

AROUND = timedelta(minutes=10)
"""How far beyond a fact's window requests are read, where the logs are too large to be read whole."""

Reading = tuple[list[Step], ...]


@dataclass
class Recount:
    """Counts over one state of the files; the last reading is kept, as the facts of one finding share it."""

    logs: LogSet
    index: LogIndex
    _key: tuple[Window, int] | None = None
    _read: Reading = ()

    def of(self, fact: Fact, source: int, byte: int) -> Recomputed | None:
        """Return what a fact of the course of requests states; None where that would be too much to read.

        Raises ToolError where the cited event is not in a request, or is the first of it.
        """
        span = log_span(self.index)
        if span is None:
            raise ToolError("no event of these logs has a time stamp: nothing can be counted over a window")
        window = fact.window or span
        parts = parts_of(fact.unit)
        reading = self._reading(window, span, self._cited_at(source, byte), parts)
        if reading is None:
            return None
        before, cited = _pair(reading, source, byte, fact.citation)
        low, high = microseconds(window.start), microseconds(window.end)
        if fact.quantity == q.PASSAGE:
            lengths = [
                after.at - step.at
                for step, after in _next(reading)
                if after is not None and (step.node, after.node) == (before, cited) and low <= step.at < high
            ]
            if not lengths:
                raise ToolError(f"{fact.citation}: there is no such passage in the fact's window")
            return Recomputed(value=int(median(lengths)) / 1000, unit="ms")
        passed = [
            after is not None and after.node == cited
            for step, after in _next(reading)
            if step.node == before and not step.bad and low <= step.at < high
        ]
        value = len(passed) if fact.quantity == q.PASSED else sum(passed)
        return Recomputed(value=value, unit=unit_of_times(parts))

    def _cited_at(self, source: int, byte: int) -> int | None:
        """Return when the cited event was logged (µs), by its own line."""
        at = self.logs.sources[source].reread(byte, 1).events["t"][0]
        return int(at) if at is not None else None

    def _reading(self, window: Window, span: Window, cited_at: int | None, parts: int) -> Reading | None:
        """Return the requests of all of the logs, or of the window and around it; None where that is too much."""
        if not self._fits(span, parts):
            cited = moment(cited_at) if cited_at is not None else window.start
            low, high = min(window.start, cited) - AROUND, max(window.end, cited) + AROUND
            span = Window(start=max(low, span.start), end=max(min(high, span.end), span.start + timedelta(seconds=1)))
            if not self._fits(span, parts, times=2):
                return None
        if self._key != (span, parts):
            self._key, self._read = None, ()
            self._read = read_requests(self.logs, self.index, span, parts)
            self._key = span, parts
        return self._read

    def _fits(self, window: Window, parts: int, times: int = 1) -> bool:
        events = int(rows_in(self.index, window)["n"].sum())
        return events <= times * MOST_READ and events <= times * MOST_EVENTS * PARTS / parts


def _pair(reading: Reading, source: int, byte: int, ref: str) -> tuple[Node, Node]:
    """Return the statement before the cited event in its request, and the cited one's."""
    for steps in reading:
        for place, step in enumerate(steps):
            if (step.place.source, step.place.byte) == (source, byte):
                if not place:
                    raise ToolError(f"{ref}: the cited event is the first of its request, so nothing leads to it")
                return steps[place - 1].node, step.node
    raise ToolError(f"{ref}: the cited event bears no request id, or its request was not among those followed")


def _next(reading: Reading) -> Iterator[tuple[Step, Step | None]]:
    """Yield each event with the next of its request."""
    for steps in reading:
        yield from pairwise(steps)
        if steps:
            yield steps[-1], None
