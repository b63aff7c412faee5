"""Lines that continue an event, and the stack traces among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from subagents.logs.sources.tracebacks import FRAME, GO_CALL

if TYPE_CHECKING:
    import polars as pl

_FRAME = f"{FRAME}|{GO_CALL}"


def extra_lines(columns: pl.DataFrame, joined: pl.Series) -> pl.DataFrame:
    """Return the raw lines that continue an event: `event` (row), `raw`."""
    import polars as pl

    if not joined.any():
        return pl.DataFrame(schema={"event": pl.UInt32, "raw": pl.String})
    numbered = columns.select((~joined).cum_sum().alias("event").cast(pl.UInt32) - 1, "raw")
    return numbered.filter(joined)


def stack_traces(columns: pl.DataFrame, joined: pl.Series) -> pl.DataFrame:
    """Return the stack traces: which event row has one, its frame lines, its text."""
    import polars as pl

    empty = pl.DataFrame(schema={"event": pl.UInt32, "frames": pl.String, "full": pl.String})
    parts = []
    if joined.any():
        body = pl.when("spaced").then(pl.col("body").str.strip_prefix(" ")).otherwise("body")
        of_several = joined | joined.shift(-1, fill_value=False)
        rows = columns.select(body=body, event=(~joined).cum_sum().cast(pl.UInt32) - 1).filter(of_several)
        rows = rows.with_columns(frame=pl.when(pl.col("body").str.contains(_FRAME)).then("body"))
        framed = rows.group_by("event", maintain_order=True).agg(
            frames=pl.col("frame").str.join("\n"), full=pl.col("body").str.join("\n")
        )
        parts.append(framed.filter(pl.col("frames") != ""))
    heads = columns.select("body", "stack", "level").filter(~joined)
    told = heads.select(
        event=pl.int_range(pl.len(), dtype=pl.UInt32),
        body="body",
        stack=pl.coalesce(
            "stack",
            pl.when(pl.col("level").is_not_null() & pl.col("body").str.contains("\n", literal=True)).then("body"),
        ),
    ).filter(pl.col("stack").is_not_null())
    if told.height:
        joined_text = (
            pl.when(pl.col("body").str.contains(pl.col("stack"), literal=True))
            .then(pl.col("body"))
            .otherwise(pl.col("body") + "\n" + pl.col("stack"))
        )
        parts.append(told.select("event", frames="stack", full=joined_text))
    return pl.concat(parts) if parts else empty
