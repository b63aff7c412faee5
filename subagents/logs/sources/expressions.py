"""Regular expressions that are quickly made ready: Polars makes them anew for nearly every block."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

KEPT_READY = 32
"""So many expressions Polars keeps ready in each thread: with one more that is asked of each block all are made anew.

A literal text that is looked for takes as much room; one of some (`with_part`) takes none.
"""
_DIGITS = "0-9"
_LETTERS = "0-9A-Za-z_\u0080-\U0010ffff"


def quick(pattern: str) -> str:
    """Return an expression, of Rust or Python, whose `\\d` is an ASCII digit and `\\w` that, a letter or beyond ASCII.

    Unicode's own tables of digits and letters cost a thousand times what a search in a short text does.
    """
    parts, in_class, place = list[str](), False, 0
    while place < len(pattern):
        char = pattern[place : place + 2] if pattern[place] == "\\" else pattern[place]
        place += len(char)
        if char in ("\\d", "\\w"):
            ranges = _DIGITS if char == "\\d" else _LETTERS
            char = ranges if in_class else f"[{ranges}]"
        elif char == "\\D" and not in_class:
            char = f"[^{_DIGITS}]"
        elif char in ("[", "]") and in_class != (char == "["):
            in_class = char == "["
            if in_class and pattern[place : place + 1] == "^":
                char, place = char + "^", place + 1
            if in_class and pattern[place : place + 1] == "]":
                char, place = char + "\\]", place + 1
        parts.append(char)
    return "".join(parts)


@lru_cache(maxsize=256)
def _ready(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(_LETTERS, r"\w"))  # here the table is the quick one, and all but the same


def matching(pattern: str, lines: Sequence[str]) -> list[str]:
    """Return those of a few lines that have an expression of Rust's and Python's.

    What is asked of a sample leaves its room to what is asked of all lines.
    """
    search = _ready(pattern).search
    return [line for line in lines if search(line)]


def with_part(text: pl.Expr, *parts: str) -> pl.Expr:
    """Say which texts have one of some parts; it takes no room among the expressions that are kept ready."""
    return text.str.contains_any(list(parts))


def shown_in(forms: Sequence[tuple[str, str]], lines: Sequence[str] | pl.Series) -> list[int]:
    """Return which of some forms a line has: a part, and an expression of Rust's and Python's that needs that part."""
    if isinstance(lines, Sequence):
        return [
            number
            for number, (part, pattern) in enumerate(forms)
            if any(map(_ready(pattern).search, (line for line in lines if part in line)))
        ]
    return [
        number
        for number, (likely, (_, pattern)) in enumerate(zip(_likely(forms, lines), forms, strict=True))
        if likely.any() and lines.filter(likely).str.contains(pattern).any()
    ]


def all_with(forms: Sequence[tuple[str, str]], lines: pl.Series) -> Any:
    """Say which lines have one of some expressions of Rust's, each with a part that all lines have which have that.

    numpy bool.
    """
    import numpy as np

    found = np.zeros(lines.len(), bool)
    for likely, (_, pattern) in zip(_likely(forms, lines), forms, strict=True):
        rows = np.flatnonzero(likely.to_numpy())
        if len(rows):
            found[rows] |= lines.filter(likely).str.contains(pattern).to_numpy()
    return found


def _likely(forms: Sequence[tuple[str, str]], lines: pl.Series) -> list[pl.Series]:
    """Say, for each form, which lines have its part."""
    import polars as pl

    asked = {part: with_part(pl.col("line"), part).alias(part) for part, _ in forms}
    found = lines.to_frame("line").select_seq(*asked.values()) if asked else pl.DataFrame()
    return [found[part] for part, _ in forms]


def first_starting(start: str, lines: Sequence[str] | pl.Series) -> str | None:
    """Return the first line that starts so; None where none does."""
    likely = lines if isinstance(lines, Sequence) else lines.filter(lines.str.starts_with(start)).head(1).to_list()
    return next((line for line in likely if line.startswith(start)), None)
