"""Which window is the incident's and which is the baseline, and why: given, measured, or derived from the logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from subagents.contract import Window
from subagents.logs.compare import covered, on_grid
from subagents.logs.index import LogIndex
from subagents.logs.onset import Rise, find_rise
from subagents.logs.sources.timestamps import microseconds, moment

LEAD = timedelta(minutes=15)
"""Before the alert: pages fire late."""
MARGIN = timedelta(seconds=60)
"""Before a start that somebody gave or that the logs show."""
THIN_SECONDS = 60.0
"""A baseline that covers less is not worth a margin."""


UNTIMED = Window(start=moment(0), end=moment(10_000_000))
"""Where events stand whose logs have no time at all: in a moment that no log is from, so that they can be counted."""


@dataclass(frozen=True)
class IncidentTimes:
    """What is known of the incident's times."""

    started_at: datetime | None = None
    fired_at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Chosen:
    """The windows that the comparison uses, and why."""

    window: Window
    baseline: Window | None
    derived: str
    rise: Rise | None


def log_span(index: LogIndex) -> Window | None:
    """Return the time from the first to the last dated event."""
    table = index.table
    if not table.height or table["t0"].null_count() == table.height:
        return None
    return Window(start=moment(int(table["t0"].min())), end=moment(int(table["t1"].max()) + 1))  # type: ignore[arg-type]


def choose_windows(index: LogIndex, known: IncidentTimes) -> Chosen | None:
    """Choose incident window and baseline; None where no event has a time."""
    span = log_span(index)
    if span is None:
        return None
    end = min(known.end, span.end) if known.end is not None and known.end > span.start else span.end
    if known.started_at is not None and known.started_at < end:
        return _given(index, span, known.started_at, end)
    return _derived(index, span, known, end)


def _given(index: LogIndex, span: Window, started_at: datetime, end: datetime) -> Chosen:
    """The start of impact is known: a margin before it, unless the margin would eat a thin baseline."""
    rise = find_rise(index, Window(start=span.start, end=end), microseconds(started_at - MARGIN))
    for start in (started_at - MARGIN, started_at):
        if start > span.start and covered(index, on_grid(Window(start=span.start, end=start))) >= THIN_SECONDS:
            why = "a minute before the given start of impact" if start < started_at else "the given start of impact"
            return _chosen(span, Window(start=start, end=end), f"from {why}", rise)
    if rise is not None and moment(rise.at) - span.start > timedelta(seconds=THIN_SECONDS):
        start = moment(rise.at) - timedelta(seconds=10)
        why = f"the logs hold nothing before the given start; {rise.what} at {moment(rise.at):%H:%M:%S} UTC"
        return _chosen(span, Window(start=start, end=end), why, rise)
    return _chosen(span, Window(start=started_at - MARGIN, end=end), "from the given start of impact", rise)


def _derived(index: LogIndex, span: Window, known: IncidentTimes, end: datetime) -> Chosen:
    searched = Window(start=span.start, end=end)
    rise = find_rise(index, searched)
    if rise is not None and (known.fired_at is None or moment(rise.at) <= known.fired_at + timedelta(minutes=5)):
        start = moment(rise.at) - MARGIN
        why = f"derived from the logs: {rise.what} at {moment(rise.at):%H:%M:%S} UTC"
        return _chosen(span, Window(start=start, end=end), why, rise)
    if known.fired_at is not None and known.fired_at - LEAD < end:
        why = "from 15 min before the alert: the logs show no rise of errors before it"
        return _chosen(span, Window(start=known.fired_at - LEAD, end=end), why, rise)
    if known.start is not None and known.start < end:
        why = "the incident's own window: the logs show no rise of errors in it"
        return _chosen(span, Window(start=known.start, end=end), why, rise)
    return _chosen(span, searched, "all of the logs: the incident gives no window and errors do not rise", rise)


def _chosen(span: Window, window: Window, derived: str, rise: Rise | None) -> Chosen:
    baseline = Window(start=span.start, end=window.start) if window.start > span.start else None
    return Chosen(window, baseline, derived + ("" if baseline else "; the logs hold nothing before it"), rise)
