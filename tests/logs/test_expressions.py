"""Expressions that are quickly made ready say the same of ASCII text as those they were made from."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from subagents.logs.sources import access, headers, origins
from subagents.logs.sources.expressions import matching, quick

TEXTS = (
    "",
    "7",
    "a7",
    "_",
    "-",
    ".",
    "x.y",
    "]",
    "^",
    "[7]",
    "\\d",
    "99:99",
    "a-b",
    "host[12]:",
    "é",
    "naïve.go",
    "٣",
    "“",
)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d",
        r"^\d{2}:\d\d$",
        r"[\d.]",
        r"[^\d]",
        r"\D",
        r"^[\w./-]+$",
        r"[^\w]",
        r"\w\[\d+\]:$",
        r"[]\d]",
        r"[^]\d]",
        r"\[\d",
        r"\\d",
    ],
)
def test_the_same_is_found_in_ascii_by_both_engines(pattern: str) -> None:
    texts = [text for text in TEXTS if text.isascii()]
    expected = [re.search(pattern, text, re.ASCII) is not None for text in texts]
    assert [re.search(quick(pattern), text) is not None for text in texts] == expected
    if "[]" not in pattern and "[^]" not in pattern:  # Rust writes those otherwise
        assert pl.Series(texts).str.contains(pattern).to_list() == expected
    assert pl.Series(texts).str.contains(quick(pattern)).to_list() == expected
    assert matching(quick(pattern), texts) == [text for text, found in zip(texts, expected, strict=True) if found]
    assert quick(quick(pattern)) == quick(pattern)


def test_names_beyond_ascii_are_names_and_their_digits_are_none() -> None:
    names = pl.Series(["größe", "naïve.go", "٣"])
    assert names.str.contains(quick(r"^[\w.]+$")).to_list() == [True, True, True]
    assert names.str.contains(quick(r"\d")).to_list() == [False, False, False]


STERN = "api-6f7d9c5b8-x2x4q api listening"


def _asked_for() -> list[tuple[str, str]]:
    """Return expressions of which most are only asked for where a sample has a text, and that text."""
    forms = [(status, part) for _, status, part in access._FORMS]
    collected = [(pattern, origins._PARTS[form]) for form, pattern in origins._FORMS.items()]
    heads = [
        (headers._BSD_WITH_PID, "]:"),
        (headers._LOGFMT, "="),
        (headers._SPRING, "["),
        (headers._LABELS, '="'),
        (headers._MNEMONIC, "%"),
    ]
    return forms + collected + heads


@pytest.mark.parametrize(("pattern", "part"), _asked_for())
def test_what_is_looked_for_first_stands_in_all_that_an_expression_finds(pattern: str, part: str) -> None:
    layouts = sorted((Path(__file__).parent / "layouts").glob("*.txt"))
    lines = pl.Series([*"\n".join(path.read_text("utf-8", "replace") for path in layouts).split("\n"), STERN])
    behind_stamps = lines.str.replace(r"^\S+ ?\d\d:\d\d:\d\d\S*", "")
    found = pl.concat([lines, behind_stamps]).to_frame("line").filter(pl.col("line").str.contains(pattern))["line"]
    assert found.len()
    assert found.str.contains(part, literal=True).all()
