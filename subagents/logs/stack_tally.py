"""Stack traces counted by group while the files are read: the same exception with the same frames is one group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from subagents.contract import Window
from subagents.logs.causes import LINKS
from subagents.logs.counts import STEP
from subagents.logs.sources.expressions import quick
from subagents.logs.sources.timestamps import microseconds
from subagents.logs.stacks import ANY_PLACE, ENDS, Frames, Trace, frames_of, trace_of

if TYPE_CHECKING:
    from subagents.logs.sources.frames import Frame
    from subagents.logs.sources.parts import Part

MAX_GROUPS = 2_000
_VARYING = rf"0x[0-9a-f]+|\(0x.*\)|goroutine \d+|(?m:^([ \t]*(?:{LINKS})).*$)"
"""Regex, also for Rust: what varies in lines that tell the same frames, and in its group what does not."""
_THROWN = quick(
    rf"[\w.:$]*(?:{ENDS})\b"
    r"|(?m:^[ \t|+]*(?:Caused by: |\[cause\]: |---> )?[A-Za-z_][\w.$]*(?::|$))"
    r"|Uncaught [\w\\]+|(?m: in \S+\.php:\d+$)|(?m:\([A-Z][\w:]*\):?$)|(?m:[A-Z][\w:]* \(.*\):$)"  # PHP and Ruby
    r"|(?:panic|fatal error):|panicked at"
)
"""Rust regex: what tells traces with the same frames apart; a line that is thrown may begin with any name."""


@dataclass
class GroupTally:
    """Counts of one group of traces."""

    trace: Trace
    source: int
    byte: int
    lines: int
    counts: dict[tuple[int | None, str | None], int] = field(default_factory=dict)
    """By 10 s bucket and service."""
    firsts: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    """By bucket: (µs of its first, byte, lines, source)."""
    lasts: dict[int, int] = field(default_factory=dict)


def count_between(group: GroupTally, window: Window, service: str | None = None) -> tuple[int, tuple[str, ...]]:
    """Return how many traces of a group a window holds on the index's grid, and which services threw them.

    Those without a time stand at 0, where no window reaches but that of logs without times.
    """
    first, end = microseconds(window.start) // STEP, -(-microseconds(window.end) // STEP)
    services: dict[str, None] = {}
    total = 0
    for (bucket, name), n in group.counts.items():
        if not first <= (bucket or 0) < end or (service is not None and name != service):
            continue
        total += n
        if name:
            services.setdefault(name)
    return total, tuple(services)[:12]


@dataclass
class StackTally:
    """Counts stack traces by group while the files are read."""

    groups: dict[str, GroupTally] = field(default_factory=dict)
    traces: int = 0
    ungrouped: int = 0
    _read: dict[str, _Known] = field(default_factory=dict)
    """By the lines that tell their frames, without what varies in them."""
    _fresh: dict[str, Frames] = field(default_factory=dict)
    """What was read in one block, by those lines as they stand"""

    def add(self, place: int, frame: Frame, again: Iterable[Row] = ()) -> None:
        """Count the traces of one block: those of a frame, and those that were looked up."""
        self._fresh.clear()
        rows = [*self._rows(frame), *again]
        for row in sorted(rows, key=lambda each: (each.bucket is not None, each.t0 or 0, each.start)):
            self._count(place, row)

    def _rows(self, frame: Frame) -> Iterator[Row]:
        if not frame.traces.height:
            return
        import polars as pl

        joined = frame.traces.hstack(frame.events[["t", "service", "start", "lines"]][frame.traces["event"]])
        marked = joined.sort("t", "start").with_columns_seq(
            bucket=pl.col("t") // STEP,
            frames=pl.col("frames").str.replace_all(_VARYING, "${1}*"),
            lines_of_frames="frames",
            thrown=pl.col("full").str.extract_all(_THROWN).list.join(" "),
        )
        first = marked.unique("frames", keep="first").select("frames", "lines_of_frames").rows()
        loose = [key for key, lines in first if not self._frames(key, lines)[0]]
        if loose:  # the file and line of such a trace may stand anywhere in it
            places = pl.col("full").str.extract_all(ANY_PLACE).list.join(" ")
            both = pl.concat_str("thrown", places, separator=" ")
            marked = marked.with_columns_seq(
                thrown=pl.when(pl.col("frames").is_in(loose)).then(both).otherwise("thrown")
            )
        grouped = (
            marked.lazy()
            .group_by("frames", "thrown", "service", "bucket", maintain_order=True)
            .agg(
                pl.col("full", "lines_of_frames").first(),
                n=pl.len(),
                t0=pl.col("t").min(),
                t1=pl.col("t").max(),
                start=pl.col("start").first(),
                lines=pl.col("lines").first(),
            )
        )
        for row in grouped.drop("thrown").collect().iter_rows():
            yield Row(*row)

    def _frames(self, key: str, lines_of_frames: str) -> Frames:
        """Return frames as they were read before, or these."""
        known = self._read.get(key)
        if known is not None:
            return known.frames
        if lines_of_frames not in self._fresh:
            self._fresh[lines_of_frames] = frames_of(lines_of_frames.split("\n"))
        return self._fresh[lines_of_frames]

    def _count(self, place: int, row: Row) -> None:
        known = self._read.get(row.frames)
        if known is None:
            if len(self._read) >= 2 * MAX_GROUPS:
                self._read.clear()
            known = self._read[row.frames] = _Known(self._frames(row.frames, row.lines_of_frames))
        trace = trace_of(row.lines_of_frames, row.full, known.frames)
        if trace is None:
            return
        self.traces += row.n
        name, bucket = known.name(trace), row.bucket
        group = self.groups.get(name)
        if group is None:
            if len(self.groups) >= MAX_GROUPS:
                self.ungrouped += row.n
                return
            group = self.groups[name] = GroupTally(trace, place, row.start, row.lines)
        group.counts[bucket, row.service] = group.counts.get((bucket, row.service), 0) + row.n
        if bucket is not None:
            first = (row.t0, row.start, row.lines, place)
            group.firsts[bucket] = min(group.firsts.get(bucket, first), first)
            group.lasts[bucket] = max(group.lasts.get(bucket, 0), row.t1)


@dataclass(frozen=True)
class _Known:
    """Frames that were read before, and the ids of traces with them by exception."""

    frames: Frames
    names: dict[str, str] = field(default_factory=dict)

    def name(self, trace: Trace) -> str:
        """Return the id of a trace."""
        if trace.frames is not self.frames[1] or len(self.names) >= MAX_GROUPS:
            return trace.id
        if trace.exception not in self.names:
            self.names[trace.exception] = trace.id
        return self.names[trace.exception]


class Row(NamedTuple):
    """Traces of a block with the same frames that one service threw in one bucket."""

    frames: str
    service: str | None
    bucket: int | None
    full: str
    lines_of_frames: str
    n: int
    t0: int
    t1: int
    start: int
    """Byte of the first, and its lines"""
    lines: int


def looked_up(part: Part, services: Sequence[str]) -> Iterator[Row]:
    """Yield the traces of a block that were looked up, not read; services are by number."""
    import numpy as np

    rows, which, different = part.printings
    if not different:
        return
    told, times = np.stack([which, part.services[rows], part.times[rows] // STEP]), part.times[rows]
    order = np.lexsort((part.starts[rows], times, *told[::-1]))
    told, times, rows = told[:, order], times[order], rows[order]
    begins = np.flatnonzero(np.append(True, (told[:, 1:] != told[:, :-1]).any(0)))
    counts, lasts = np.diff(begins, append=len(rows)), np.maximum.reduceat(times, begins)
    alike = zip(*told[:, begins].tolist(), counts.tolist(), times[begins].tolist(), lasts.tolist(), strict=True)
    for first, (each, service, bucket, n, t0, t1) in zip(rows[begins].tolist(), alike, strict=True):
        frames, full = different[each]
        key, name = re.sub(_VARYING, r"\1*", frames), services[service] if service >= 0 else None
        yield Row(key, name, bucket, full, frames, n, t0, t1, int(part.starts[first]), int(part.lines[first]))
