"""Which lines continue the event before them: stack traces of six runtimes, wrapped text, blank lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def continues(bodies: pl.Series, stamped: pl.Series) -> pl.Series:
    """Say for each line whether it belongs to the event before it; the first never does.

    `bodies` are the texts without their stamps; `stamped` says which lines had one.
    """
    import polars as pl

    frame = pl.DataFrame({"body": bodies, "stamped": stamped})
    body, has_stamp = pl.col("body"), pl.col("stamped")
    always = pl.when(has_stamp).then(body.str.contains(STAMPED)).otherwise(body.str.contains(ALWAYS))
    found = frame.lazy().with_columns(always=always).collect()
    if found["always"].any() or not bool(stamped.all()):
        opens = (
            body.str.contains(OPENS) & (pl.col("always").shift(1) | (body.shift(1).str.contains(TROUBLE) & ~has_stamp))
        ).fill_null(False)
        found = found.with_columns(always=pl.col("always") | opens)
        chained = found["body"].str.contains(OPENS) & ~found["stamped"] & found["always"].shift(1).fill_null(False)
        found = found.with_columns(always=pl.col("always") | chained)
        between = ~pl.col("stamped") & pl.col("always").shift(1) & pl.col("always").shift(-1)
        found = found.with_columns(always=pl.col("always") | between.fill_null(False))
    joined: pl.Series = found["always"]
    if joined.len() and joined[0]:
        joined = joined.scatter(0, False)
    return joined
