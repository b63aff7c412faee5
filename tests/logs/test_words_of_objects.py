"""Values of objects may be severities where letters stand before digits: nothing may come out otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.logs.builders import iso, write
from tests.logs.test_alike import built, looked_up, small_blocks, what_it_says, without_library

__all__ = ["small_blocks"]
pytestmark = pytest.mark.needs("compiled")


def shades_beside_statuses(rng: Random) -> Iterator[str]:
    """Of requests that went well nobody need say the severity; some do, with a number."""
    for n in range(4000):
        severity = "INFO2" if n < 1000 else rng.choice(("INFO", "INFO2", "WARN4", "ERROR3"))
        said = f'"msg":"request {n}","ms":{n % 7},"pid":3,"n":{n},"status":{rng.choice((200, 404, 503))}'
        yield f'{{"time":"{iso(n)}",{said},"severityText":"{severity}"}}'


def letters_with_numbers(rng: Random) -> Iterator[str]:
    """Letters that are no severity come first."""
    for n in range(4000):
        level = "L3" if n < 1500 else rng.choice(("L1", "V2", "E-4"))
        yield f'{{"time":"{iso(n)}","msg":"order {n}","level":"{level}"}}'


def levels_of_three_digits(rng: Random) -> Iterator[str]:
    """Numbers that are no severity come first."""
    for n in range(4000):
        yield f'{{"time":"{iso(n)}","msg":"order {n}","level":{300 if n < 1500 else rng.choice((30, 50))}}}'


LINES = (shades_beside_statuses, letters_with_numbers, levels_of_three_digits)


@pytest.mark.parametrize("lines", LINES, ids=lambda each: each.__name__)
def test_nothing_comes_out_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Callable[[Random], Iterator[str]]
) -> None:
    spec = write(tmp_path, "app.log", lines(Random(5)))
    few, every = looked_up(spec)
    assert few > every * 0.6
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))


@pytest.mark.parametrize("are_same", [True, False])
@pytest.mark.parametrize("layout", ["{}", '{{"log":{},"stream":"stdout","time":"2026-03-01T12:00:00Z"}}'])
def test_nor_where_messages_have_the_text_of_errors_but_for_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, are_same: bool, layout: str
) -> None:
    def lines(rng: Random) -> Iterator[str]:
        for n in range(3000):
            code = n % 9 if n < 1500 or rng.random() < 0.5 else rng.randrange(9)
            said = code if are_same else (code + 1) % 9
            line = f'{{"time":"{iso(n)}","level":"error","msg":"sent 7 times: code {n % 9}","err":"code {said}"}}'
            yield layout.format(line if layout == "{}" else json.dumps(line + "\n"))

    spec = write(tmp_path, "app.log", lines(Random(5)))
    index = built(spec)
    assert {key.count("code") for key in index.keys if "code" in key} == {1, 2}
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
