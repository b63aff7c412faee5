"""Turning index and scans into the tools' typed results, with citations and a short text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime

from subagents.contract import ToolError, ToolResult, Window
from subagents.logs.compare import Compared, Spans, bucket_range, compare, rows_in, surprise, timeline
from subagents.logs.first_look import first_look
from subagents.logs.index import LogIndex
from subagents.logs.levels import ERROR, LEVELS, WARN
from subagents.logs.log_set import LogSet, Place
from subagents.logs.model import (
    Change,
    LevelCount,
    LogsCoverage,
    LogsFirstLook,
    LogsPatterns,
    LogsStacks,
    Pattern,
    ServiceCount,
    StackGroup,
)
from subagents.logs.params import WindowParams
from subagents.logs.ranks import MoreRoutes, routes_last, status_class
from subagents.logs.signatures import recognise, told_quietly
from subagents.logs.sources.timestamps import moment
from subagents.logs.stack_tally import GroupTally, count_between
from subagents.logs.terms import readable, terms_of
from subagents.logs.windows import UNTIMED, IncidentTimes, choose_windows, log_span
from subagents.logs.wording import unbracketed
from subagents.quantities import counted

LISTED_SERVICES = 60
MESSAGE_CHARS = 300


def when(text: str | None, name: str) -> datetime | None:
    """Read a time argument: ISO 8601; without a zone it is UTC."""
    if text is None or not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ToolError(f"{name}={text!r} is not an ISO 8601 time, such as 2026-03-01T12:00:00Z") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def window_of(index: LogIndex, start: datetime | None, end: datetime | None) -> Window:
    """Return a window with what is not given taken from the logs; raise ToolError where it is empty."""
    span = log_span(index)
    if span is None:
        raise ToolError("no event of these logs has a time stamp: they can only be searched without times")
    first, last = start or span.start, end or span.end
    if first >= last:
        if start is not None and start >= span.end:
            when_asked = f"it starts {first:%Y-%m-%d %H:%M:%S} UTC, after the last event"
        elif end is not None and end <= span.start:
            when_asked = f"it ends {last:%Y-%m-%d %H:%M:%S} UTC, before the first event"
        else:
            when_asked = f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
        raise ToolError(f"the window is empty: {when_asked}; give moments within those of the logs, {_span(span)}")
    return Window(start=first, end=last)


def untimed(index: LogIndex, params: WindowParams) -> bool:
    """Say whether there are events, none has a time, and no time is asked for: all of them are looked at then."""
    asked = params.start or params.end or params.baseline_start or params.baseline_end
    return bool(index.events) and not asked and log_span(index) is None


def at_no_time(index: LogIndex) -> LogIndex:
    """Return the index with its events, none of which has a time, at the moment that stands for that."""
    import polars as pl

    view = copy(index)
    view.__dict__["table"] = index.table.with_columns(bucket=pl.lit(0, pl.Int64))
    return view


def _span(window: Window) -> str:
    if window == UNTIMED:
        return "logs that have no times"
    return f"{window.start:%Y-%m-%d %H:%M:%S} to {window.end:%Y-%m-%d %H:%M:%S} UTC"


def coverage(logs: LogSet, index: LogIndex) -> ToolResult[LogsCoverage]:
    """Answer logs_coverage."""
    import polars as pl

    table = index.table
    by_service = (
        table.drop_nulls("service")
        .group_by("service")
        .agg(pl.col("n").sum(), pl.col("n").filter(pl.col("severe")).sum().alias("errors"))
        .sort("n", "service", descending=[True, False])
    )
    by_level = dict(table.group_by("severity").agg(pl.col("n").sum()).iter_rows())
    data = LogsCoverage(
        sources=tuple(index.coverage),
        lines=index.lines,
        events=sum(each.items for each in index.coverage),
        dated=sum(each.understood for each in index.coverage),
        span=log_span(index),
        levels=tuple(LevelCount(level=LEVELS[code], count=by_level[code]) for code in sorted(by_level)),
        services=tuple(
            ServiceCount(service=service, count=n, errors=errors or 0)
            for service, n, errors in by_service.head(LISTED_SERVICES).iter_rows()
        ),
        services_more=max(0, by_service.height - LISTED_SERVICES),
        patterns=table["template"].n_unique(),
        ungrouped=index.ungrouped,
        skew=logs.skew(),
    )
    return ToolResult(data=data, text=_coverage_text(data))


def _coverage_text(data: LogsCoverage) -> str:
    files = f"{len(data.sources)} log file{'s' if len(data.sources) != 1 else ''}"
    head = f"{files}, {counted(data.lines, 'line')}, {counted(data.events, 'event')}, {data.dated} with a time stamp"
    lines = [head + (f"; {_span(data.span)}" if data.span else "")]
    for each in data.sources:
        lines.append(f"  {each.source}: {counted(each.items, 'event')}, {each.layout}")
        lines.extend(f"    ! {problem.line()}" for problem in each.problems)
    lines.extend(f"  ! {problem.line()}" for problem in data.skew)
    lines.append("levels: " + ", ".join(f"{each.level} {each.count}" for each in data.levels))
    if data.services:
        named = data.services[:15]
        shown = ", ".join(f"{each.service} {each.count} ({counted(each.errors, 'error')})" for each in named)
        lines.append(f"services: {shown}" + _more(len(data.services) - 15 + data.services_more))
    return "\n".join(lines)


def _more(count: int) -> str:
    return f", {count} more" if count > 0 else ""


@dataclass(frozen=True)
class Asked:
    """Which patterns are wanted."""

    service: str | None
    least: int
    changes: Sequence[Change]
    limit: int


def patterns(logs: LogSet, index: LogIndex, spans: Spans, asked: Asked) -> ToolResult[LogsPatterns]:
    """Answer logs_patterns."""
    compared = compare(index, spans, asked.service)
    found = [each for each in compared if each.level >= asked.least or (each.severe and asked.least <= ERROR)]
    tally = Counter(each.change for each in found)
    timed = spans.window != UNTIMED
    wanted = [each for each in found if not timed or not asked.changes or each.change in asked.changes]
    if not timed:
        wanted.sort(key=lambda each: (-each.score, -each.count, each.text))
    wanted, routes = routes_last(wanted)
    shown = wanted[: asked.limit]
    places = [(Place(each.source, each.byte, each.lines), each.text[:120]) for each in shown]
    inside = rows_in(index, spans.window)
    before = rows_in(index, spans.baseline) if spans.baseline is not None else inside.clear()
    note = (
        ""
        if spans.baseline_seconds
        else "no baseline: the logs hold nothing before the window, nothing can be called new"
        if timed
        else "no event has a time stamp: these are the patterns of all of them, severe ones first"
    )
    data = LogsPatterns(
        window=spans.window,
        baseline=spans.baseline,
        window_seconds=spans.window_seconds,
        baseline_seconds=spans.baseline_seconds,
        events=int(inside["n"].sum()),
        baseline_events=int(before["n"].sum()),
        new=tally["new"],
        burst=tally["burst"],
        vanished=tally["vanished"],
        rare=tally["rare"],
        steady=tally["steady"],
        patterns=tuple(_pattern(logs, index, spans, each, routes.get(each.id)) for each in shown),
        more=len(wanted) - len(shown),
        note=note,
    )
    return ToolResult(
        data=data, text=_patterns_text(data), citations=logs.cite(places), more=_cursor(asked.limit, data.more)
    )


def _cursor(limit: int, more: int) -> str | None:
    return f"limit={limit + more}" if more > 0 else None


def _pattern(logs: LogSet, index: LogIndex, spans: Spans, each: Compared, more: MoreRoutes | None = None) -> Pattern:
    example = index.examples[each.key]
    told = readable(example.raw, example.text)
    is_bad = each.severe or each.level >= WARN or any(told_quietly([each.text]))
    known = recognise(f"{example.text}\n{told}") if is_bad else None
    window = spans.window if each.count or spans.baseline is None else spans.baseline
    hosts = list(dict.fromkeys(host for key in each.keys for host in index.hosts(key)))
    return Pattern(
        id=each.id,
        template=each.text[:600],
        change=each.change,
        level=LEVELS[each.level],
        severe=each.severe,
        services=each.services,
        hosts=tuple(hosts[:8]),
        sources=tuple(logs.sources[number].id for number in each.sources),
        count=each.count,
        baseline_events=each.baseline_events,
        baseline_count=spans.expected(each.baseline_events),
        factor=round(each.factor, 2) if each.factor is not None else None,
        surprise=round(each.surprise, 2),
        score=round(each.score, 3),
        first_seen=moment(each.first) if each.first is not None else None,
        last_seen=moment(each.last) if each.last is not None else None,
        timeline=timeline(index, window, each.keys) if window != UNTIMED else None,
        example=example.text[:MESSAGE_CHARS],
        citation=logs.ref(Place(each.source, each.byte, each.lines)),
        signature=known.name if known else None,
        terms=terms_of(told),
        more_routes=more.templates if more else 0,
        more_routes_events=more.events if more else 0,
    )


def _patterns_text(data: LogsPatterns) -> str:
    lines = [
        f"{counted(data.events, 'event')} in {_span(data.window)}, {data.baseline_events} in the baseline; patterns: "
        f"{data.new} new, {data.burst} bursting, {data.vanished} vanished, {data.rare} rare and severe, "
        f"{data.steady} steady"
    ]
    if data.note:
        lines.append(data.note)
    for each in data.patterns:
        times = _times(each)
        seen = f" since {each.first_seen:%H:%M:%S}" if each.first_seen else ""
        who = f" [{', '.join(each.services[:3])}{_more(len(each.services) - 3)}]" if each.services else ""
        template = unbracketed(each.template)[:240]
        lines.append(f"{each.change:8} {each.level:7} {each.count:>7} ({times}){seen}{who} {template}")
        lines.append(f"         {each.citation}")
        if each.more_routes:
            told = f"{counted(each.more_routes, 'more route')} with {status_class(each.template)}"
            lines.append(f"         and {told}, {counted(each.more_routes_events, 'event')}: at the end of the list")
    if data.more:
        lines.append(f"{data.more} more (ask with a larger limit)")
    return "\n".join(lines)


def _times(each: Pattern) -> str:
    if each.factor is None:
        return "no baseline" if each.baseline_count is None else "none before"
    expected = each.baseline_count or 0.0
    return f"{expected:.0f} expected" if each.change == "vanished" or not each.factor else f"x{each.factor:g}"


def stacks(logs: LogSet, index: LogIndex, spans: Spans, *, service: str | None, limit: int) -> ToolResult[LogsStacks]:
    """Answer logs_stacks."""
    groups = []
    for tally in index.stacks.groups.values():
        group = _stack_group(logs, tally, spans, service)
        if group is not None:
            groups.append(group)
    groups.sort(
        key=lambda pair: (-_stack_weight(pair[0], spans), pair[0].first_seen or datetime.max.replace(tzinfo=UTC))
    )
    shown = groups[:limit]
    data = LogsStacks(
        window=spans.window,
        traces=sum(group.count for group, _ in groups),
        groups=tuple(group for group, _ in shown),
        more=len(groups) - len(shown),
    )
    places = [(place, group.exception or "stack trace") for group, place in shown]
    return ToolResult(data=data, text=_stacks_text(data), citations=logs.cite(places), more=_cursor(limit, data.more))


def _stack_weight(group: StackGroup, spans: Spans) -> float:
    return surprise(group.count, group.baseline_events, spans) + 0.01 * group.count


def _stack_group(logs: LogSet, tally: GroupTally, spans: Spans, service: str | None) -> tuple[StackGroup, Place] | None:
    count, services = count_between(tally, spans.window, service)
    if not count:
        return None
    baseline = count_between(tally, spans.baseline, service)[0] if spans.baseline is not None else 0
    first, end = bucket_range(spans.window)
    inside = sorted(at for bucket, at in tally.firsts.items() if first <= bucket < end)
    at, byte, lines, source = inside[0] if inside else (0, tally.byte, tally.lines, tally.source)
    last = max((value for bucket, value in tally.lasts.items() if first <= bucket < end), default=None)
    trace = tally.trace
    own = [frame for frame in trace.frames if frame.own]
    functions = [frame.function for frame in own[:6] if frame.function]
    paths = [frame.path for frame in own[:6]]
    place = Place(source, byte, lines)
    group = StackGroup(
        id=trace.id,
        exception=trace.exception,
        message=trace.message,
        language=trace.language,
        frames=trace.frames[:12],
        frames_more=max(0, len(trace.frames) - 12),
        count=count,
        baseline_events=baseline,
        baseline_count=spans.expected(baseline),
        services=services,
        first_seen=moment(at) if inside else None,
        last_seen=moment(last) if last is not None else None,
        citation=logs.ref(place),
        terms=tuple(
            dict.fromkeys(
                [*paths, *functions, *([trace.exception] if trace.exception else []), *terms_of(trace.message)]
            )
        )[:24],
    )
    return group, place


def _stacks_text(data: LogsStacks) -> str:
    groups = counted(len(data.groups) + data.more, "group")
    lines = [f"{counted(data.traces, 'stack trace')} in {_span(data.window)}, {groups}"]
    for group in data.groups:
        who = f" [{', '.join(group.services[:3])}]" if group.services else ""
        said = ": ".join(part for part in (group.exception, group.message[:160]) if part)
        lines.append(f"{group.count:>6} (baseline {group.baseline_events}){who} {said}")
        own = [frame for frame in group.frames if frame.own] or list(group.frames[:3])
        lines.extend(f"         {frame.place} {frame.function}" for frame in own[:4])
        if len(own) > 4:
            lines.append(f"         and {counted(len(own) - 4, 'more frame')}")
        lines.append(f"         {group.citation}")
    if data.more:
        lines.append(f"{data.more} more groups (ask with a larger limit)")
    return "\n".join(lines)


def look(logs: LogSet, index: LogIndex, times: IncidentTimes) -> ToolResult[LogsFirstLook]:
    """Answer logs_first_look."""
    chosen = choose_windows(index, times)
    if chosen is None:
        raise ToolError("no event of these logs has a time stamp: nothing can be compared; use logs_search")
    data, places = first_look(logs, index, chosen)
    lines = [f"window {_span(data.window)} ({data.derived})"]
    lines.append(f"{data.errors} severe events, {data.baseline_errors_scaled:g} expected from the baseline")
    if data.onset is not None:
        lines.append(
            f"onset {data.onset.at:%H:%M:%S} UTC: {data.onset.before_per_minute:g} to "
            f"{data.onset.after_per_minute:g} per minute"
        )
    lines.extend(
        f"signature {each.label} x{each.count} ({each.explains}): {each.example[:160]}" for each in data.signatures
    )
    lines.extend(
        f"course changed at {each.service} since {each.since:%H:%M:%S}: after “{each.before}” ({each.before_service}) "
        f"no “{each.lost}” any more ({each.followed} of {each.of} before, {each.still} of {each.since_of} since; "
        f"passed and followed cite {each.usual})"
        for each in data.flows[:5]
    )
    lines.extend(
        f"passages slow at {each.service} since {each.since:%H:%M:%S}: {each.now_ms:g} ms, usually {each.usual_ms:g}; "
        f"an end of {each.kinds} of {each.of} kinds of passage that became slow (with {', '.join(each.peers[:4])}; "
        f"passage cites {each.ends})"
        for each in data.slow[:3]
    )
    lines.extend(f"service {each.service} {each.score:g}, {each.errors} severe" for each in data.services[:10])
    return ToolResult(data=data, text="\n".join(lines), citations=logs.cite(places))
