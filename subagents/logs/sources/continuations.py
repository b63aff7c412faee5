"""Which lines continue the event before them: stack traces of six runtimes, wrapped text, blank lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

# Every pattern here is a Rust regex, anchored at the start of a line.
FRAME = (
    r"^\s+at \S"  # Java, Node, .NET, Rust places
    r"|^\s+File \".+\", line \d+"  # Python
    r"|^\s*\S+\.go:\d+(?: \+0x|$)"  # Go places
    r"|^[\w./\-]+(?:\.[\w.*()\[\]\-]+)+\(.*\)$"  # Go functions
    r"|^\s+\d+: +(?:0x[0-9a-f]+ - )?[\w<]"  # Rust frames
)
ALWAYS = (
    r"^\s*$|^\s|^Caused by: |^\.\.\. \d+ |^created by \S|^goroutine \d+ \[|^\[signal |^---\s|^--- End of"
    r"|^[)\]}]+[;,]?$|^During handling of|^The above exception|^stack backtrace:|^note: |^exit status \d"
    r"|^Suppressed: |^[\w./\-]+(?:\.[\w.*()\[\]\-]+)+\(.*\)$"
)
STAMPED = (
    r"^ ?\s*(?:at [\w.$<>/ ]+\(|\.\.\. \d+ (?:more|common))|^ ?\s+File \".+\", line \d+|^ ?Caused by: "
    r"|^ ?\t\S+\.go:\d+|^ ?\s{4,}at \S"
)
"""Trace lines whose collector gave each its own stamp (kubectl --timestamps, Docker)."""
OPENS = (
    r"^ ?(?:Traceback \(most recent call last\)|panic: |fatal error: |Exception in thread|thread '.*' panicked"
    r"|Unhandled exception|Uncaught |[A-Za-z_][\w.$]*(?:Exception|Error|Throwable|Warning|Interrupt|Timeout)\b"
    r"|[a-z_]\w*(?:\.\w+)+: )"
)
"""Lines that start or end a trace: they continue what is before them only if that speaks of trouble."""
TROUBLE = r"(?i)error|exception|fatal|panic|traceback|fail|crit|unhandled|warn"


def continues(bodies: pl.Series, stamped: pl.Series, glued: pl.Series) -> pl.Series:
    """Say for each line whether it belongs to the event before it; the first never does.

    `bodies` are the texts without their stamps; `stamped` says which lines had one, `glued` which are known to be the
    rest of the one before. Nearly all lines have one, so
    the dear expressions are asked only of those that have none and of those after a line that continues.
    """
    import numpy as np
    import polars as pl

    undated = ~stamped.to_numpy()
    joined = np.where(undated, False, bodies.str.contains(STAMPED).to_numpy())
    joined[_matching(bodies, np.flatnonzero(undated), ALWAYS)] = True
    if joined.any() or undated.any():
        opening = _matching(bodies, np.flatnonzero((undated | _after(joined)) & ~joined), OPENS)
        opening = opening[opening > 0]
        follows = joined[opening - 1]
        alone = opening[~follows & undated[opening]]
        joined[opening[follows]] = True
        joined[_matching(bodies, alone - 1, TROUBLE) + 1] = True
        joined[opening[undated[opening] & joined[opening - 1]]] = True
        joined |= undated & _after(joined) & np.append(joined[1:], False)
    joined |= glued.to_numpy()
    joined[:1] = False
    return pl.Series(joined)


def _after(joined: Any) -> Any:
    """Say which lines stand after a line that is marked."""
    import numpy as np

    return np.append(False, joined[:-1]) if len(joined) else joined


def _matching(bodies: pl.Series, rows: Any, pattern: str) -> Any:
    """Return those of the rows (numpy) whose text has the pattern."""
    return rows[bodies.gather(rows).str.contains(pattern).to_numpy()] if len(rows) else rows
