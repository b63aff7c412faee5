"""The events of each request in time order, read around the incident from logs whose events bear a request id.

Only what is needed is read once more: the incident and the time before it, and of many requests a fixed part, chosen
by their ids, so that a request is seen whole or not at all. A request that is cut looks like one that breaks.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from subagents.contract import Window
from subagents.logs.compare import Spans, rows_in
from subagents.logs.counted import PARTS
from subagents.logs.counts import STEP
from subagents.logs.courses import Followed
from subagents.logs.index import LogIndex
from subagents.logs.levels import WARN
from subagents.logs.log_set import LogSet, Place
from subagents.logs.patterns import mask
from subagents.logs.search import resolved
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.timestamps import microseconds, moment

if TYPE_CHECKING:
    import polars as pl

REQUEST_ID = (
    r"(?i)(?:trace|request|req|correlation)[-_. ]?id[\"']?\s*[:=]\s*[\"']?([0-9a-z][0-9a-z-]{5,63})(?:[^0-9a-z-]|$)"
)
LOGGER = r"(?i)\"(?:logger(?:_?name)?|log\.logger|caller)\"\s*:\s*\"([^\"]{1,200})\""
"""With its line of code, where that is logged: many statements of one method begin alike."""
FIRST_WORDS = r"^\s*((?:\S+\s+){0,4}\S+)"
BETWEEN = "\t"
"""Between a statement's logger and its words."""
MOST_READ = 800_000
"""Events that are read once more; of more, those nearest to the start of the incident."""
MOST_EVENTS = 200_000
"""Events that are kept; of more, those of a part of the requests."""

Node: TypeAlias = tuple[str, str]
"""Service and statement."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a request."""

    at: int
    """Microseconds since 1970 UTC."""
    place: Place
    node: Node
    bad: bool
    """It speaks of trouble: that such a line stops is no loss."""


@dataclass(frozen=True)
class Requests:
    """Requests with their events in time order, and what the reading says of the logs as a whole."""

    steps: tuple[list[Step], ...] = ()
    ends: Mapping[int, int] = field(default_factory=dict)
    """By source, the time (µs) of its last event of any kind."""
    read: Followed | None = None
    """None where events bear no request id."""


def requests_of(logs: LogSet, index: LogIndex, spans: Spans) -> Requests:
    """Return the events of each request around the incident; nothing where events bear no request id."""
    import polars as pl

    if not _has_ids(index):
        return Requests()
    begin = spans.baseline.start if spans.baseline is not None else spans.window.start
    whole = Window(start=begin, end=spans.window.end)
    window = _nearest(rows_in(index, whole), whole, spans.window.start)
    rows = rows_in(index, window)
    events = int(rows["n"].sum())
    parts = PARTS if events <= MOST_EVENTS else max(1, PARTS * MOST_EVENTS // events)
    steps = read_requests(logs, index, window, parts)
    ends = dict(rows.group_by("source").agg(pl.col("t1").max()).iter_rows())
    read = Followed(window=window, whole=window == whole, one_in=round(PARTS / parts), requests=len(steps), parts=parts)
    return Requests(steps, ends, read)


def read_requests(logs: LogSet, index: LogIndex, window: Window, parts: int) -> tuple[list[Step], ...]:
    """Return the events of each request in a window, in time order: of those whose ids fall into so many parts."""
    found = _read(logs, rows_in(index, window), window, parts)
    for steps in found.values():
        steps.sort(key=lambda step: (step.at, step.place.source, step.place.byte))
    return tuple(found.values())


def _has_ids(index: LogIndex) -> bool:
    import polars as pl

    raw = pl.Series([example.raw for example in islice(index.examples, 1, 2000)], dtype=pl.String)
    return bool(raw.str.contains(REQUEST_ID).any())


def _nearest(rows: pl.DataFrame, window: Window, start: datetime) -> Window:
    """Return the widest part of a window around `start` that holds at most MOST_READ events, whole buckets."""
    import polars as pl

    counts = rows.group_by("bucket").agg(pl.col("n").sum()).sort("bucket")
    if int(counts["n"].sum()) <= MOST_READ:
        return window
    at = microseconds(start) // STEP
    away = counts.with_columns(away=(pl.col("bucket") - at + (pl.col("bucket") >= at).cast(pl.Int64)).abs())
    by_distance = away.group_by("away").agg(pl.col("n").sum()).sort("away")
    fits = by_distance.filter(pl.col("n").cum_sum() <= MOST_READ)["away"]
    reach = max(int(fits.max()) if fits.len() else 1, 1)  # type: ignore[arg-type]
    low, high = moment((at - reach) * STEP), moment((at + reach) * STEP)
    return Window(start=max(low, window.start), end=min(high, window.end))


def _read(logs: LogSet, rows: pl.DataFrame, window: Window, parts: int) -> dict[str, list[Step]]:
    import polars as pl

    requests: dict[str, list[Step]] = defaultdict(list)
    bytes_of = rows.group_by("source").agg(first=pl.col("byte").min(), last=pl.col("byte").max())
    for place, first, last in bytes_of.sort("source").iter_rows():
        for events in _events(LogSource(logs.sources[place].spec), window, (first, last), parts):
            for at, byte, lines, service, statement, bad, request in events.iter_rows():
                requests[request].append(Step(at, Place(place, byte, lines), (service, statement), bad))
    return requests


def _events(source: LogSource, window: Window, bytes_: tuple[int, int], parts: int) -> Iterator[pl.DataFrame]:
    """Yield events that bear a request id: t, start, lines, service, statement, bad, request."""
    import polars as pl

    start, end = microseconds(window.start), microseconds(window.end)
    for frame in source.frames(bytes_[0]):
        within = frame.events.filter((pl.col("t") >= start) & (pl.col("t") < end))
        if not within.height and int(frame.events["start"][0]) > bytes_[1]:
            return
        within = within.with_columns(request=pl.col("raw").str.extract(REQUEST_ID, 1)).drop_nulls("request")
        if parts < PARTS:
            ids = within["request"].unique()
            kept = ids.filter(pl.Series([zlib.crc32(each.encode()) % PARTS < parts for each in ids], dtype=pl.Boolean))
            within = within.filter(pl.col("request").is_in(kept.implode()))
        events = resolved(within).drop_nulls("service")
        bad = (pl.col("severity") >= WARN) | pl.col("by_words")
        if events.height:
            yield events.select("t", "start", "lines", "service", _statement(), bad, "request")


def _statement() -> pl.Expr:
    """Return what tells statements apart: the logger, where it is named, and how the message begins.

    What follows the first words is mostly data, whose length and words change with it.
    """
    import polars as pl

    words = mask(pl.col("text")).str.extract(FIRST_WORDS, 1)
    return pl.concat_str(pl.col("raw").str.extract(LOGGER, 1), words, separator=BETWEEN, ignore_nulls=True)
