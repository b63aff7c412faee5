"""Requests in access logs: what is looked for first finds what a search of the whole line finds."""

from __future__ import annotations

from pathlib import Path
from random import Random

import polars as pl
import pytest

from subagents.logs.levels import WARN
from subagents.logs.sources import access
from subagents.logs.sources.access import AccessReader
from subagents.logs.sources.expressions import quick
from subagents.logs.sources.log_source import LogSource
from tests.logs.builders import iso, write

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


@pytest.mark.parametrize("behind", [' {} 17 "-" "curl"', " {} OK", " {} 17"], ids=["combined", "uvicorn", "common"])
def test_a_form_is_learnt_behind_lines_whose_status_another_one_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    monkeypatch.setattr("subagents.logs.sources.reader.LEAST_BYTES", 1)
    lines = [f"{iso(n)} INFO handled GET /b 200 7ms" for n in range(400)]
    lines += [f'{iso(n)} "GET /orders/{n % 3} HTTP/1.1"{behind.format(429)}' for n in range(400, 600)]
    source = LogSource(write(tmp_path, "x.log", lines), block_bytes=1 << 12)
    frames = list(source.frames())
    assert len(frames) > 5, "what comes later is read by what was learnt before"
    events = pl.concat([frame.events.select("text", "level", "suffix") for frame in frames])
    assert set(events[400:].rows()) == {("GET /orders/*", WARN, " status=429")}
