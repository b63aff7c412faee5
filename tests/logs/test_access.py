"""Requests in access logs: what is looked for first finds what a search of the whole line finds."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from subagents.logs.sources import access
from subagents.logs.sources.access import AccessReader
from subagents.logs.sources.expressions import quick

FORM = access._FORMS[0]
AS_SEARCHED = (FORM[0], f"(?:){FORM[1]}", FORM[2])
"""The common form, as the other forms are read."""


def read(lines: list[str], form: tuple[str, str, str] = FORM) -> list[tuple[str | None, int | None, str | None]]:
    nothing = {"body": pl.String, "level": pl.Int8, "suffix": pl.String}
    columns = pl.DataFrame({name: [None] * len(lines) for name in nothing}, schema=nothing)
    return AccessReader((form,)).read(columns, pl.Series(lines)).select("body", "level", "suffix").rows()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('10.0.0.7 - - [x] "GET /carts/17?a=b HTTP/1.1" 503 17 "-" "curl"', ("GET /carts/*", 5, " status=503")),
        ('10.0.0.7 - "o\'hara" [x] "GET /carts HTTP/1.1" 200 -', ("GET /carts", 3, " status=200")),
        ('"GET /a" no status, then "POST /b HTTP/1.1" 404', ("GET /a", 3, " status=404")),
        ('"GET /a HTTP/1.1" 700 17', (None, None, None)),
        ('"GET /a HTTP/1.1"', (None, None, None)),
        ('he said "GOING ON" 200 times', (None, None, None)),
        ("no request", (None, None, None)),
    ],
)
def test_a_request_of_the_common_form_is_found(line: str, expected: tuple[str | None, int | None, str | None]) -> None:
    assert read([line]) == [expected]


def test_to_look_at_what_is_quoted_first_finds_what_a_search_finds() -> None:
    parts = [
        '"',
        '"',
        '"GET /',
        '"POST /b?',
        ' HTTP/1.1" ',
        '" 200 ',
        '" 503',
        "404 -",
        "7",
        " ",
        "é",
        "OK",
        "get",
        "\t",
    ]
    rng = Random(8)
    lines = ["".join(rng.choices(parts, k=rng.randrange(12))) for _ in range(4000)]
    found = read(lines)
    assert found == read(lines, AS_SEARCHED)
    assert sum(suffix is not None for _, _, suffix in found) > 100
    assert quick(AS_SEARCHED[1]) != access._COMMON, "or both would be read alike"
