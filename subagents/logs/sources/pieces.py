"""Messages that were cut in pieces, or that begin on one line and say what they mean on the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from subagents.logs.sources.expressions import quick

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 64
_CRI = r"^ (?:stdout|stderr) [FP](?: |$)"
DOTNET_HEAD = quick(r"^ ?(?:trce|dbug|info|warn|fail|crit): \S+\[\d+\](?:\s|$)")
"""A line that may go on in the next one, also once that was put to it."""
_DOTNET_ALONE = quick(r"^ ?(?:trce|dbug|info|warn|fail|crit): \S+\[\d+\]\s*$")
_DOTNET_REST = r"^ {6,7}\S"
_JAVA_REST = r"^(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): "


def none_glued(count: int) -> pl.Series:
    """Return that no line is the rest of the one before it."""
    import polars as pl

    return pl.Series([False], dtype=pl.Boolean).new_from_index(0, count)


def without_stream(bodies: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Drop the mark of containerd and CRI-O after the time; return also which lines are the rest of the one before.

    The first of such lines gets the whole text, the others none.
    """
    likely = bodies.str.starts_with(" std")
    if not likely.any() or not bodies.filter(likely).str.contains(_CRI).any():
        return bodies, none_glued(bodies.len())
    marked = bodies.str.contains(_CRI)
    stream = bodies.str.slice(1, 6).set(~marked, None)
    partial = marked & (bodies.str.slice(8, 1) == "P")
    glued = (partial.shift(1) & (stream == stream.shift(1))).fill_null(False)
    own = bodies.str.slice(9).zip_with(marked, bodies)
    return joined(own, glued), glued


def joined(bodies: pl.Series, glued: pl.Series) -> pl.Series:
    """Give each first piece the text of all its pieces."""
    import polars as pl

    if not glued.any():
        return bodies
    pieces = pl.DataFrame({"body": bodies, "glued": glued, "piece": (~glued).cum_sum()})
    whole = pieces.group_by("piece", maintain_order=True).agg(pl.col("body").str.join(""))["body"]
    first = pl.arg_where(~glued, eager=True)
    return bodies.str.slice(0, 0).scatter(first, whole)


def with_second_line(bodies: pl.Series, stamped: pl.Series, glued: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Bring the message of java.util.logging and .NET's console, which stands on the second line, to the first."""
    following = bodies.shift(-1)
    next_bare = ~stamped.shift(-1).fill_null(True)
    dotnet = bodies.str.contains(_DOTNET_ALONE) & following.str.contains(_DOTNET_REST)
    java = stamped & following.str.contains(_JAVA_REST)
    heads = (dotnet | (next_bare & java)).fill_null(False)  # .NET's second line may have the collector's stamp too
    if not heads.any():
        return bodies, glued
    rest = heads.shift(1).fill_null(False)
    whole = bodies.str.strip_chars_end() + " " + following.str.strip_chars()
    return whole.zip_with(heads, bodies.str.slice(0, 0).zip_with(rest, bodies)), glued | rest


def may_have_second_line(bodies: pl.Series) -> bool:
    """Say whether a block has such lines; all are looked at, as files that were put together change in the middle."""
    return bool(bodies.str.contains(f"{_JAVA_REST}|{_DOTNET_ALONE}").any())
