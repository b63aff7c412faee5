"""What a line must hold to match: a text or a regular expression, as the line stands or as its JSON reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from subagents.contract import ToolError

if TYPE_CHECKING:
    import polars as pl

MAX_PATTERN = 500
RECORD_WITHIN = 200
"""Characters in which a JSON record begins, behind what a collector wrote."""
_ESCAPED_RECORD = rf'(?s)^.{{0,{RECORD_WITHIN}}}\{{\s*".*\\'
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\/": "/", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\b": "\b", "\\f": "\f"}
_ESCAPED_AGAIN = r'(?s)"\{\s*".*\\'
"""A program's record in the record of a container runtime."""

Needle = Callable[["pl.Series"], "pl.Series"]
"""Says of each line whether it matches."""


def check_regex(pattern: str) -> None:
    """Refuse a regular expression that RE2 does not take: the search runs in linear time or not at all."""
    import re2

    if len(pattern) > MAX_PATTERN:
        raise ToolError(f"the regular expression is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        raise ToolError(
            f"not a regular expression that RE2 takes (no look-around, no back references): {_why(error)}"
        ) from error
    except UnicodeError as error:
        raise ToolError("the regular expression holds half a character, which no text has") from error


def _why(error: Exception) -> str:
    why = error.args[0] if error.args else error
    return why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)


def needles(text: str | None, regex: str | None) -> list[Needle]:
    """Return what a line must match, all of them."""
    return [_as_read(each) for each in (_literal(text), _pattern(regex)) if each is not None]


def _literal(text: str | None) -> Needle | None:
    if not text:
        return None
    needle = text
    if needle.isascii():
        escaped = "".join("\\" + char if not char.isalnum() and char != " " else char for char in needle)
        return lambda lines: lines.str.contains("(?i)" + escaped)
    return lambda lines: lines.str.to_lowercase().str.contains(needle.lower(), literal=True)


def _pattern(regex: str | None) -> Needle | None:
    if not regex:
        return None

    def search(lines: pl.Series) -> pl.Series:
        import polars as pl
        import re2

        try:
            return lines.str.contains(regex)
        except pl.exceptions.ComputeError:  # RE2 takes it, the Rust engine does not: slower, still linear
            compiled = re2.compile(regex)
            return pl.Series([compiled.search(line) is not None for line in lines.to_list()], dtype=pl.Boolean)

    return search


def _as_read(needle: Needle) -> Needle:
    """Look for a needle in the lines as they stand, then in those of the others that are records as they read."""

    def search(lines: pl.Series) -> pl.Series:
        import polars as pl

        hit = needle(lines)
        rows = pl.arg_where(~hit & lines.str.contains("\\", literal=True), eager=True)
        lines = lines.gather(rows)
        for form in (_ESCAPED_RECORD, _ESCAPED_AGAIN):
            escaped = lines.str.contains(form)
            rows, lines = rows.filter(escaped), _unescaped(lines.filter(escaped))
            if not rows.len():
                break
            found = needle(lines)
            hit = hit.scatter(rows.filter(found), True)
            rows, lines = rows.filter(~found), lines.filter(~found)
        return hit

    return search


def _unescaped(lines: pl.Series) -> pl.Series:
    """Return lines of JSON with what stands behind a backslash as it reads."""
    import polars as pl

    lines = lines.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    coded = pl.arg_where(lines.str.contains(r"\\u[0-9a-fA-F]{4}"), eager=True)
    return lines.scatter(coded, [_decoded(line) for line in lines.gather(coded).to_list()])


def _decoded(line: str) -> str:
    """Return a line with each character that is written as its number, of which the rare ones are written as two."""
    halves = line.encode("raw_unicode_escape").decode("raw_unicode_escape", "replace")
    return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
