"""Expressions that are quickly made ready say the same of ASCII text as those they were made from."""

from __future__ import annotations

import re

import polars as pl
import pytest

from subagents.logs.sources.expressions import quick

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
    assert quick(quick(pattern)) == quick(pattern)


def test_names_beyond_ascii_are_names_and_their_digits_are_none() -> None:
    names = pl.Series(["größe", "naïve.go", "٣"])
    assert names.str.contains(quick(r"^[\w.]+$")).to_list() == [True, True, True]
    assert names.str.contains(quick(r"\d")).to_list() == [False, False, False]
