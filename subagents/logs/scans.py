"""Answers that read the files: search, histogram, distinct values, context."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from subagents.contract import ToolContext, ToolError, ToolResult, Window
from subagents.logs.answers import when, window_of
from subagents.logs.compare import bucket_seconds
from subagents.logs.counts import BUCKET_SECONDS
from subagents.logs.levels import ERROR, LEVELS, UNKNOWN, split_head
from subagents.logs.log_set import LogSet, Place
from subagents.logs.model import (
    HistogramSeries,
    LogLine,
    LogsContext,
    LogsDistinct,
    LogsHistogram,
    LogsSearch,
    ServiceCount,
    Timeline,
    ValueCount,
)
from subagents.logs.params import ContextParams, DistinctParams, FilterParams, HistogramParams, SearchParams
from subagents.logs.raised import raised_by
from subagents.logs.search import MICROSECONDS, SHOWN_CHARS, Filters, Matches, distinct, matching, search
from subagents.logs.so_far import index_for
from subagents.logs.sources.timestamps import microseconds, moment
from subagents.quantities import counted

if TYPE_CHECKING:
    import polars as pl

MAX_BUCKETS = 500
SERVICES = 40
"""Services that are named where the one asked for is not there."""
SERIES = 20


def filters_of(params: FilterParams) -> Filters:
    """Read filter arguments; an open end of the window reaches as far as time does."""
    start, end = when(params.start, "start"), when(params.end, "end")
    window = None
    if start is not None or end is not None:
        window = Window(start=start or moment(0), end=end or moment(4_102_444_800_000_000))
        if window.seconds <= 0:
            raise ToolError(f"the window is empty: start {params.start} is not before end {params.end}")
    return Filters(
        text=params.text or None,
        regex=params.regex or None,
        service=params.service,
        level=params.level,
        window=window,
        source=params.source,
    )


def search_answer(logs: LogSet, params: SearchParams, context: ToolContext) -> ToolResult[LogsSearch]:
    """Answer logs_search."""
    skip = _skip(params.cursor)
    found = search(logs, filters_of(params), skip, params.limit, context)
    more = max(0, found.total - skip - len(found.rows))
    cursor = f"skip={skip + len(found.rows)}" if more else None
    lines = tuple(
        LogLine(
            citation=logs.ref(row["place"]),
            source=logs.sources[row["place"].source].id,
            at=moment(row["t"]) if row["t"] is not None else None,
            level=LEVELS[row["severity"]],
            service=row["service"],
            text=_shown(row["raw"]),
            message=_message(row["text"], row["level"]),
            by_status=raised_by(row["raw"], row["level"] or UNKNOWN),
        )
        for row in found.rows
    )
    data = LogsSearch(
        matches=found.total,
        scanned=found.scanned,
        services=tuple(
            ServiceCount(service=name, count=n, errors=found.errors[name]) for name, n in found.services.most_common(20)
        ),
        first=moment(found.first) if found.first is not None else None,
        last=moment(found.last) if found.last is not None else None,
        lines=lines,
        more=more,
        cursor=cursor,
        timeline=_timeline(found),
        span=Window(start=moment(found.span[0]), end=moment(found.span[1] + 1)) if found.span else None,
        there=() if found.total or params.service in found.there else tuple(sorted(found.there))[:SERVICES],
    )
    span = f", {data.first:%H:%M:%S} to {data.last:%H:%M:%S} UTC" if data.first and data.last else ""
    text = [f"{data.matches} of {data.scanned} events match{span}"]
    if not data.matches:
        text.extend(_nothing(data, params))
    if data.services:
        text.append("by service: " + ", ".join(f"{each.service} {each.count}" for each in data.services[:10]))
    text.extend(f"{line.citation}  {line.text}" for line in lines)
    if more:
        text.append(f"{more} more (cursor {cursor})")
    if raised := sum(bool(line.by_status) for line in lines):
        are = "is an error" if raised == 1 else "are errors"
        text.append(f"{raised} of these {are} by the status (5xx) of the request, whatever level the line names")
    places = [(row["place"], "") for row in found.rows]
    return ToolResult(data=data, text="\n".join(text), citations=logs.cite(places), more=cursor)


def _nothing(data: LogsSearch, params: SearchParams) -> Iterator[str]:
    """Say what was searched for, and why there may be none of it."""
    yield f"searched for {in_words(params)}"
    if data.span is not None and (params.start or params.end):
        yield f"the events are of {data.span.start:%Y-%m-%d %H:%M:%S} to {data.span.end:%Y-%m-%d %H:%M:%S} UTC"
    if data.there:
        yield f"no event is of service {params.service}; services: {', '.join(data.there)}"


def in_words(params: FilterParams) -> str:
    """Return what was asked for as a person says it: `“refused”, service shop, from 2026-03-29 09:00:00 UTC`."""
    parts = [f"“{params.text}”"] if params.text else []
    parts += [f"/{params.regex}/"] if params.regex else []
    parts = parts or ["all events"]
    parts += [f"service {params.service}"] if params.service else []
    parts += [f"level {params.level} or worse"] if params.level else []
    parts += [f"in {params.source}"] if params.source else []
    for word, asked in (("from", when(params.start, "start")), ("to", when(params.end, "end"))):
        parts += [f"{word} {asked:%Y-%m-%d %H:%M:%S} UTC"] if asked is not None else []
    return ", ".join(parts)


def _message(text: str, level: int | None) -> str:
    said = text if level else split_head(text)[1]
    return " ".join(said.split())


def _timeline(found: Matches) -> Timeline | None:
    if found.first is None or found.last is None:
        return None
    grain = found.grain
    first = found.first // (grain * MICROSECONDS)
    size = found.last // (grain * MICROSECONDS) - first + 1
    together = math.ceil(size / MAX_BUCKETS)
    counts = [0] * math.ceil(size / together)
    for place, count in found.counts.items():
        counts[(place - first) // together] += count
    start = moment(first * grain * MICROSECONDS)
    return Timeline(start=start, bucket_seconds=grain * together, counts=tuple(counts))


def _skip(cursor: str | None) -> int:
    if not cursor:
        return 0
    number = cursor.removeprefix("skip=")
    if not number.isdigit():
        raise ToolError(f"not a cursor of logs_search: {cursor!r}")
    return int(number)


def _shown(raw: str) -> str:
    return raw if len(raw) <= SHOWN_CHARS else raw[:SHOWN_CHARS] + f" …[{len(raw) - SHOWN_CHARS} more characters]"


def histogram_answer(logs: LogSet, params: HistogramParams, context: ToolContext) -> ToolResult[LogsHistogram]:
    """Answer logs_histogram: from the index where that can tell, else by a scan."""
    index = index_for(logs, context)
    window = window_of(index, when(params.start, "start"), when(params.end, "end"))
    bucket = params.bucket_seconds or bucket_seconds(window)
    bucket = max(bucket // BUCKET_SECONDS * BUCKET_SECONDS, math.ceil(window.seconds / MAX_BUCKETS / 10) * 10)
    first = microseconds(window.start) // 1_000_000 // bucket * bucket
    size = max(1, math.ceil((microseconds(window.end) / 1e6 - first) / bucket))
    counts: dict[str, list[int]] = {}
    undated = 0
    for name, second, n in _counted(logs, params, window, context):
        if second is None:
            undated += n
            continue
        place = (second - first) // bucket
        if 0 <= place < size:
            counts.setdefault(name, [0] * size)[place] += n
    ranked = sorted(counts.items(), key=lambda item: (-sum(item[1]), item[0]))
    data = LogsHistogram(
        start=moment(first * 1_000_000),
        bucket_seconds=bucket,
        by=params.by,
        series=tuple(HistogramSeries(name=name, total=sum(line), counts=tuple(line)) for name, line in ranked[:SERIES]),
        more=max(0, len(ranked) - SERIES),
        undated=undated,
    )
    text = [f"events per {bucket} s from {data.start:%Y-%m-%d %H:%M:%S} UTC by {params.by} (0*9: nine of none)"]
    text.extend(f"{each.name}: {each.total} | {_runs(each.counts)}" for each in data.series)
    if data.more:
        text.append(f"{data.more} more series (filter by service or level)")
    return ToolResult(data=data, text="\n".join(text))


def _runs(counts: tuple[int, ...]) -> str:
    """Return counts as text, several of the same as `0*12`."""
    runs = ((value, sum(1 for _ in same)) for value, same in groupby(counts))
    return " ".join(f"{value}*{many}" if many > 3 else " ".join([str(value)] * many) for value, many in runs)


def _counted(
    logs: LogSet, params: HistogramParams, window: Window, context: ToolContext
) -> list[tuple[str, int | None, int]]:
    """Return (series, second, events), the second None where those have no time."""
    import polars as pl

    filters = replace(filters_of(params), window=window)
    if params.text or params.regex:
        rows = _scanned_rows(logs, filters, context)
    else:
        rows = _rows_within(logs, filters, window, context)
    name = {"total": pl.lit("all"), "service": pl.col("service").fill_null("(no service named)")}.get(
        params.by, pl.col("severity" if params.by == "level" else "source").cast(pl.Int64).cast(pl.String)
    )
    grouped = rows.group_by(name.alias("name"), "second").agg(pl.col("n").sum())
    return [(_series_name(logs, params.by, str(key)), at, n) for key, at, n in grouped.iter_rows()]


def _scanned_rows(logs: LogSet, filters: Filters, context: ToolContext) -> pl.DataFrame:
    import polars as pl

    second = pl.col("t") // 1_000_000
    counted = [
        events.select("service", "severity", second=second, n=pl.lit(1, pl.Int64), source=pl.lit(place, pl.UInt16))
        for place, events in matching(logs, filters, context)
    ]
    types = {
        "service": pl.String(),
        "severity": pl.Int8(),
        "second": pl.Int64(),
        "n": pl.Int64(),
        "source": pl.UInt16(),
    }
    return pl.concat([pl.DataFrame(schema=types), *counted])


def _rows_within(logs: LogSet, filters: Filters, window: Window, context: ToolContext) -> pl.DataFrame:
    """Return the counts of a window from the index, and of events without a time.

    The files are read where an end of the window falls among events that the index has counted together.
    """
    import polars as pl

    rows = _index_rows(logs, filters, context).with_columns(
        pl.col("service").cast(pl.String), second=pl.col("bucket").cast(pl.Int64) * BUCKET_SECONDS
    )
    low, high = microseconds(window.start), microseconds(window.end)
    first, last = pl.col("t0"), pl.col("t1")
    is_cut = ((first < low) & (last >= low)) | ((first < high) & (last >= high))
    if not rows.filter(is_cut).height:
        return rows.filter(first.is_null() | ((first >= low) & (last < high)))
    dated = _scanned_rows(logs, filters, context)
    return pl.concat([dated, rows.filter(first.is_null()).select(dated.columns)])


def _index_rows(logs: LogSet, filters: Filters, context: ToolContext) -> pl.DataFrame:
    import polars as pl

    rows = index_for(logs, context).table
    if filters.service is not None:
        rows = rows.filter(pl.col("service") == filters.service)
    if filters.source is not None:
        rows = rows.filter(pl.col("source") == logs.sources.index(logs.by_id(filters.source)))
    if filters.least:
        rows = rows.filter((pl.col("severity") >= filters.least) | (pl.col("severe") & (filters.least <= ERROR)))
    return rows


def _series_name(logs: LogSet, by: str, key: str) -> str:
    if by == "level":
        return LEVELS[int(key)]
    return logs.sources[int(key)].id if by == "source" else key


def distinct_answer(logs: LogSet, params: DistinctParams, context: ToolContext) -> ToolResult[LogsDistinct]:
    """Answer logs_distinct."""
    found = distinct(logs, filters_of(params), params.field, context)
    shown = found.counts.most_common(params.limit)
    data = LogsDistinct(
        field=params.field,
        events=found.events,
        with_field=found.with_field,
        distinct=len(found.counts),
        values=tuple(
            ValueCount(value=value[:300], count=n, citation=logs.ref(found.places[value])) for value, n in shown
        ),
        more=len(found.counts) - len(shown),
        fields=tuple(name for name, _ in found.fields.most_common(60)),
    )
    looked_at = counted(data.events, "event")
    text = [f"{counted(data.distinct, 'value')} of {data.field} in {data.with_field} of {looked_at}"]
    if not data.with_field:
        text = [f"no value of {data.field}: none of {looked_at} has it"]
    text.extend(f"{each.count:>8} {each.value}  {each.citation}" for each in data.values)
    if data.more:
        text.append(f"{data.more} more (ask with a larger limit)")
    if not data.with_field and data.fields:
        text.append("fields there are: " + ", ".join(data.fields[:40]))
    places = [(found.places[value], value[:80]) for value, _ in shown]
    more = f"limit={params.limit + data.more}" if data.more else None
    return ToolResult(data=data, text="\n".join(text), citations=logs.cite(places), more=more)


def context_answer(logs: LogSet, params: ContextParams) -> ToolResult[LogsContext]:
    """Answer logs_context."""
    parsed, cited_from, data = logs.around(params.citation, params.before, params.after)
    lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
    source, _ = logs.open(params.citation)
    place = Place(logs.sources.index(source), parsed.byte, parsed.lines)
    answer = LogsContext(
        citation=params.citation,
        source=parsed.source,
        lines=tuple(_shown(line.rstrip("\r")) for line in lines),
        cited_from=cited_from,
        cited_lines=parsed.lines,
    )
    marked = [
        f"{'>' if cited_from <= row < cited_from + parsed.lines else ' '} {line}"
        for row, line in enumerate(answer.lines)
    ]
    return ToolResult(data=answer, text="\n".join(marked), citations=logs.cite([(place, "")]))
