"""From a citation to the log event that starts there: its template, its service, its time, its stack trace."""

from __future__ import annotations

from dataclasses import dataclass

from subagents.citations import LogRef
from subagents.contract import ToolError
from subagents.logs.index import LogIndex
from subagents.logs.log_set import LogSet
from subagents.logs.patterns import mask
from subagents.logs.sources.log_source import LogSource
from subagents.logs.stack_tally import GroupTally
from subagents.logs.stacks import trace_of


@dataclass(frozen=True)
class CitedEvent:
    """The event that starts where a citation points to."""

    source: int
    byte: int
    lines: int
    template: int
    """As `LogIndex.table` numbers it."""
    keys: tuple[int, ...]
    """Numbers of the masked keys that are grouped in it."""
    service: str | None
    at: int | None
    """µs since 1970; None where it has no time of its own and the index does not know it."""


def find_event(logs: LogSet, index: LogIndex, source: LogSource, ref: LogRef) -> CitedEvent:
    """Return the event that a citation points to; raise ToolError where no event starts there.

    What the tools cite is in the index; anything else is read again from the file by the layout learnt.
    """
    import polars as pl

    place = logs.sources.index(source)
    rows = index.table.filter((pl.col("source") == place) & (pl.col("byte") == ref.byte))
    if rows.height:
        row = rows.row(0, named=True)
        keys = _keys(index, row["template"])
        return CitedEvent(place, ref.byte, ref.lines, row["template"], keys, row["service"], row["t0"])
    frame = source.reread(ref.byte, ref.lines)
    masked = frame.events.head(1).select(key=mask(pl.col("text")) + pl.col("suffix").fill_null(""))
    number = index.number(masked["key"][0], frame.events["level"][0])
    known = index.table.filter(pl.col("key") == number) if number is not None else None
    if number is None or known is None or not known.height:
        raise ToolError(f"no event that is grouped with others starts at byte {ref.byte} of {source.name}")
    row = frame.events.row(0, named=True)
    at = row["t"] if row["own"] else _traced_at(index, place, ref.byte)
    template = known["template"][0]
    return CitedEvent(place, ref.byte, ref.lines, template, _keys(index, template), row["service"], at)


def _keys(index: LogIndex, template: int) -> tuple[int, ...]:
    table = index.table
    return tuple(table.filter(table["template"] == template)["key"].unique(maintain_order=True).to_list())


def _traced_at(index: LogIndex, place: int, byte: int) -> int | None:
    """Return the time of a stack trace whose first line has none: that of the event before it."""
    for group in index.stacks.groups.values():
        for at, start, _, source in group.firsts.values():
            if (source, start) == (place, byte):
                return at
    return None


def stack_group(source: LogSource, index: LogIndex, event: CitedEvent) -> GroupTally:
    """Return the counts of the cited stack trace's group; raise ToolError where the event has none."""
    frame = source.reread(event.byte, event.lines)
    traces = frame.traces.filter(frame.traces["event"] == 0)
    trace = trace_of(traces["frames"][0], traces["full"][0]) if traces.height else None
    group = index.stacks.groups.get(trace.id) if trace is not None else None
    if group is None:
        raise ToolError(f"the event at byte {event.byte} of {source.name} carries no stack trace that is grouped")
    return group
