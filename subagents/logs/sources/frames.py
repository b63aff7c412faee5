"""Lines of a block become events: what continues a line is part of its event, with all its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.continuations import continues
from subagents.logs.sources.lines import Lines
from subagents.logs.sources.reader import HOLD_BYTES, LONGEST_EVENT, Block
from subagents.logs.sources.traces import extra_lines, stack_traces

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Frame:
    """The events of one block, in file order.

    `events` has `start`, `size`, `lines` (where the raw bytes are), `t` (µs since 1970 UTC, null where unknown),
    `own` (it has its own stamp), `raw` (first line), `text` (without the stamp), `suffix` (what masking must
    not touch), `level`, `service`, `host`.
    """

    events: pl.DataFrame
    lines: pl.DataFrame
    """All that was read, a row for each line"""
    joined: Any
    """numpy bool: which lines continue an event"""
    places: Any = None
    """numpy: where the events of those lines stand among `events`; None: they are all there is"""

    @cached_property
    def traces(self) -> pl.DataFrame:
        """The stack traces: `event` (row), `frames`, `full`. Made by whoever asks first, not while lines are read."""
        return self._placed(stack_traces(self.lines, self.joined))

    @cached_property
    def extra(self) -> pl.DataFrame:
        """The lines that continue an event: `event` (row), `raw`."""
        return self._placed(extra_lines(self.lines, self.joined))

    def _placed(self, part: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        if self.places is None or not part.height:
            return part
        return part.with_columns_seq(event=pl.Series(self.places[part["event"].to_numpy()], dtype=pl.UInt32))


@dataclass(frozen=True)
class Read:
    """What became of the lines of a block."""

    frame: Frame
    heads: Any
    """numpy: which lines its events begin with"""
    lines: int
    """How many lines they have together."""
    held: bytes
    """The end of the block, which may go on in the next one and is to be read with it."""


def events_of(block: Block, lines: Lines, columns: pl.DataFrame, last_time: int | None) -> Read:
    """Return the events of lines, of which the first always begins one.

    What has no time has that of the event before it, the first one `last_time`.
    """
    import numpy as np
    import polars as pl

    joined = continues(columns, np.diff(lines.numbers, prepend=lines.numbers[:1] - 1) != 1)
    heads, count = np.flatnonzero(~joined), lines.count
    held = b""
    if not block.last and not block.is_cut and len(heads) > 1:
        for kept in _open_from(heads, columns["stamped"].to_numpy()):
            first = int(heads[kept])
            tail_at = int(lines.starts[first]) - block.offset
            if block.length - tail_at <= HOLD_BYTES and count - first < LONGEST_EVENT:
                held, count = block.data[tail_at : block.length], first
                heads, columns, joined = heads[:kept], columns.head(count), joined[:count]
                break
    after, time = np.append(heads[1:], count), pl.col("t").forward_fill()
    events = columns.filter(pl.Series(~joined)).with_columns_seq(
        start=pl.Series(lines.starts[heads], dtype=pl.Int64),
        size=pl.Series(lines.ends[after - 1] - lines.starts[heads], dtype=pl.Int64),
        lines=pl.Series(after - heads, dtype=pl.Int64),
        own=pl.col("t").is_not_null(),
        t=time if last_time is None else time.fill_null(last_time),
    )
    events = events.rename({"body": "text"})
    return Read(Frame(events, columns, joined), heads, count, held)


def _open_from(heads: Any, stamped: Any) -> list[int]:
    """Return with which of the events, of which lines are the heads, the end of a block begins that may go on.

    What stands below the last line with a stamp may still turn out to be part of its event; else the last one goes on.
    """
    import numpy as np

    dated = np.flatnonzero(stamped[heads])
    return [each for each in dict.fromkeys([*dated[-1:].tolist(), len(heads) - 1]) if each > 0]
