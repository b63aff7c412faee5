"""Which lines continue the event before them: stack traces of eight runtimes, wrapped text, blank lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from subagents.logs.sources.expressions import quick
from subagents.logs.sources.tracebacks import BLANK, TROUBLE, kinds_of, trace_lines

if TYPE_CHECKING:
    import polars as pl

# Every pattern here is a Rust regex, anchored at the start of a line.
ALWAYS = quick(
    r"^\s*$|^\s|^Caused by: |^\.\.\. \d+ |^created by \S|^goroutine \d+ \[|^\[signal |^---\s|^--- End of"
    r"|^[)\]}>]+[;,]?$|^-->|^\x22\}|^\[(?:stacktrace|previous exception)\]$|^During handling of"
    r"|^The above exception|^stack backtrace:|^note: |^exit status \d"
    r"|^\*\* |^Last message(?: \(from .*\))?: |^State: |^# (?:User@Host|Query_time|Thread_id|Schema|Bytes_sent)\b"
    r"|^SET timestamp=\d+;|^Suppressed: |^[\w./\-]+(?:\.[\w.*()\[\]\-]+)+\(.*\)$"
)
OPENS = quick(
    r"^ ?(?:Traceback \(most recent call last\)|panic: |fatal error: |Exception in thread|thread '.*' panicked"
    r"|Unhandled exception|Uncaught |[A-Za-z_][\w.$]*(?:Exception|Error|Throwable|Warning|Interrupt|Timeout)\b"
    r"|[a-z_]\w*(?:\.\w+)+: )"
)
"""Lines that start or end a trace: they continue what is before them only if that speaks of trouble."""
LEVEL_FIRST = (
    r"^ ?\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b|^ ?(?:trce|dbug|info|warn|fail|crit): \S+\["
)
"""A line that says how urgent it is begins an event, even where it stands between two traces."""
INTRODUCES = ":"
"""A line with a time that ends in a colon goes on where none stands."""


def kinds_of_heads(bodies: pl.Series, spaced: pl.Series) -> Any:
    """Return all that `continues` asks of a line with a stamp that is no part of a trace, by bit (numpy int64)."""
    import numpy as np

    introduces = bodies.str.strip_chars_end().str.ends_with(INTRODUCES).to_numpy()
    return kinds_of(bodies, spaced).astype(np.int64) | introduces * (2 * BLANK)


def continues(columns: pl.DataFrame, apart: Any) -> Any:
    """Say for each line whether it belongs to the event before it (numpy bool); the first never does.

    `columns` has `body` (the texts without their stamps), `stamped` (which lines had one), `glued` (which are known to
    be the rest of the one before), `spaced` and `host`. Nearly all lines have a stamp, so the dear expressions are
    asked only of those that have none and of those around stack traces.
    """
    import numpy as np

    bodies = columns["body"]
    undated = ~columns["stamped"].to_numpy()
    inside, traced = trace_lines(columns, apart)
    joined = np.zeros(len(undated), dtype=bool)
    joined[_matching(bodies, np.flatnonzero(undated), ALWAYS)] = True
    before = np.flatnonzero(~undated[:-1] & undated[1:])
    joined[before[bodies[before].str.strip_chars_end().str.ends_with(INTRODUCES).to_numpy()] + 1] = True
    if joined.any() or undated.any():
        opening = _matching(bodies, np.flatnonzero((undated | _after(joined)) & ~joined), OPENS)
        opening = opening[opening > 0]
        own = ~undated[opening] & undated[opening - 1]  # what has a stamp never continues what has none
        follows = joined[opening - 1] & ~own
        alone = opening[~follows & undated[opening]]
        joined[opening[follows]] = True
        joined[_matching(bodies, alone - 1, TROUBLE) + 1] = True
        joined[opening[undated[opening] & joined[opening - 1]]] = True
        between = np.flatnonzero(undated & _after(joined) & np.append(joined[1:], False) & ~joined)
        heads = _matching(bodies, between, LEVEL_FIRST)
        joined[between] = True
        joined[heads] = False
    joined = np.where(inside, traced, joined) | columns["glued"].to_numpy()
    joined[:1] = False
    joined[apart] = False
    return joined


def _after(joined: Any) -> Any:
    """Say which lines stand after a line that is marked."""
    import numpy as np

    return np.append(False, joined[:-1]) if len(joined) else joined


def _matching(bodies: pl.Series, rows: Any, pattern: str) -> Any:
    """Return those of the rows (numpy) whose text has the pattern."""
    return rows[bodies[rows].str.contains(pattern).to_numpy()] if len(rows) else rows
