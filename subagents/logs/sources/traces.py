"""Lines that continue an event, and the stack traces among them."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

from subagents.logs.causes import ELISION, LINKS
from subagents.logs.sources.expressions import with_part
from subagents.logs.sources.tracebacks import FRAME, GO_CALL

if TYPE_CHECKING:
    import polars as pl

_FRAME = f"{FRAME}|{GO_CALL}"
_TELLING = rf"{_FRAME}|^created by \S|^\s*(?:{LINKS}|{ELISION})"
"""Lines that tell which frames a trace has."""


class Printed(NamedTuple):
    """A stack trace: the lines that tell its frames, and all of it."""

    frames: str
    full: str


def framed(bodies: pl.Series) -> list[bool]:
    """Say which lines without a stamp tell the frames of a trace, if they are of one."""
    return bodies.str.contains(_TELLING).to_list()


def extra_lines(columns: pl.DataFrame, joined: Any) -> pl.DataFrame:
    """Return the raw lines that continue an event, those `joined` (numpy bool): `event` (row), `raw`."""
    import numpy as np
    import polars as pl

    rows = np.flatnonzero(joined)
    events = np.cumsum(~joined)[rows] - 1
    return pl.DataFrame({"event": pl.Series(events, dtype=pl.UInt32), "raw": columns["raw"][rows]})


def stack_traces(columns: pl.DataFrame, joined: Any) -> pl.DataFrame:
    """Return the stack traces: their event (row), what tells their frames, their text. `joined` lines continue others.

    What tells the frames are those lines of the text that do, or the field that holds them.
    """
    import polars as pl

    empty = pl.DataFrame(schema={"event": pl.UInt32, "frames": pl.String, "full": pl.String})
    parts = [_printed(columns, joined) if joined.any() else empty]
    if (
        columns["stack"].null_count() < columns.height
        or columns.select_seq(with_part(pl.col("body"), "\n").any()).item()
    ):
        parts.append(_told(columns.filter(pl.Series(~joined))))
    return pl.concat(parts)


def _printed(columns: pl.DataFrame, joined: Any) -> pl.DataFrame:
    """Return the traces of which each line stands for itself."""
    import numpy as np
    import polars as pl

    rows = np.flatnonzero(joined | np.append(joined[1:], False)[: len(joined)])
    rows = rows[_of_one_host(columns["host"], joined, rows)]
    bodies, spaced = columns["body"][rows].fill_null(""), columns["spaced"][rows]
    bodies = bodies.str.strip_prefix(" ").zip_with(spaced, bodies)
    is_frame, events = bodies.str.contains(_FRAME).to_numpy(), (np.cumsum(~joined) - 1)[rows]
    wanted = np.isin(events, events[is_frame])
    bodies = bodies.filter(pl.Series(wanted))
    lines, frames = bodies.to_list(), framed(bodies)
    numbers, first = np.unique(events[wanted], return_index=True)
    ends = np.append(first[1:], len(lines))[: len(first)].tolist()
    spans = [slice(begin, end) for begin, end in zip(first.tolist(), ends, strict=True)]
    return pl.DataFrame(
        {
            "event": pl.Series(numbers, dtype=pl.UInt32),
            "frames": pl.Series(["\n".join(compress(lines[span], frames[span])) for span in spans], dtype=pl.String),
            "full": pl.Series(["\n".join(lines[span]) for span in spans], dtype=pl.String),
        }
    )


def _of_one_host(hosts: pl.Series, joined: Any, rows: Any) -> Any:
    """Say which rows are of the host that their event is of (numpy bool).

    Where a collector puts the lines of several together, two traces may be printed into each other: no program has
    such a one as all those lines would make.
    """
    import numpy as np

    if hosts.null_count() == hosts.len():
        return np.ones(len(rows), bool)
    heads = np.flatnonzero(~joined)
    own = hosts[heads[(np.cumsum(~joined) - 1)[rows]]]
    return (hosts[rows] == own).fill_null(True).to_numpy()


def _told(events: pl.DataFrame) -> pl.DataFrame:
    """Return the traces that stand in a field of their own, or in a text of several lines."""
    import polars as pl

    told = events.select(
        event=pl.int_range(pl.len(), dtype=pl.UInt32),
        body="body",
        stack=pl.coalesce(
            "stack",
            pl.when(with_part(pl.col("body"), "\n")).then("body"),
        ),
    ).filter(pl.col("stack").is_not_null())
    joined_text = (
        pl.when(pl.col("body").str.contains(pl.col("stack"), literal=True))
        .then(pl.col("body"))
        .otherwise(pl.col("body") + "\n" + pl.col("stack"))
    )
    return told.select("event", frames="stack", full=joined_text)
