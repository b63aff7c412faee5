"""The first event of each key: what is kept of it, and how it is found."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from subagents.logs.examples import EXAMPLE_CHARS, Example, Examples
from subagents.logs.index import LogIndex
from subagents.logs.sources.log_source import LogSource
from tests.logs.builders import iso, write


def events(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "start": [100 * place for place in range(len(rows))],
            "lines": [1 + place for place in range(len(rows))],
            "raw": [raw for raw, _ in rows],
            "text": [text for _, text in rows],
        }
    )


def shown() -> Examples:
    examples = Examples()
    examples.add(0, events(("12:00 ERROR café shut ", "café shut "), ("12:01 said otherwise", "  what it says")), {})
    examples.add(3, events(("12:02 boom", "boom"), ("12:03 empty", "")), {0: "boom\n  at f(x.py:1)"})
    return examples


def test_an_example_has_its_first_line_and_what_it_says() -> None:
    assert list(shown()) == [
        Example(0, 0, 1, "", ""),
        Example(0, 0, 1, "12:00 ERROR café shut ", "café shut"),
        Example(0, 100, 2, "12:01 said otherwise", "what it says"),
        Example(3, 0, 1, "12:02 boom", "boom\n  at f(x.py:1)"),
        Example(3, 100, 2, "12:03 empty", ""),
    ]


def test_examples_are_found_by_number_and_there_are_no_others() -> None:
    examples = shown()
    assert [examples[key] for key in range(len(examples))] == list(examples)
    for key in (-1, len(examples)):
        with pytest.raises(IndexError):
            examples[key]


def test_examples_are_cut_whether_or_not_their_line_ends_with_what_they_say() -> None:
    long, examples = "é" * (EXAMPLE_CHARS + 10), Examples()
    examples.add(0, events((long, long), ("short", "  " + long)), {})
    assert examples[1].raw == examples[1].text == examples[2].text == long[:EXAMPLE_CHARS]


def test_an_example_says_no_stack_trace_of_a_later_event(tmp_path: Path) -> None:
    trace = "java.lang.IllegalStateException: no cart\n\tat com.shop.Cart.pay(Cart.java:7)"
    lines = (f"{iso(0)} ERROR cannot pay 1", f"{iso(1)} ERROR cannot pay 2\n{trace}", f"{iso(2)} WARN late\n{trace}")
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    assert [each.text for each in index.examples][1:] == ["ERROR cannot pay 1", f"WARN late\n{trace}"]


def test_examples_are_found_by_a_word_of_their_line_once_and_not_across_two() -> None:
    examples = Examples()
    examples.add(0, events(("a redis", "x"), ("redis to redis", "x"), ("cache", "x")), {})
    examples.add(0, events(("miss", "x"), ("redis", "x")), {})
    assert [each.raw for each in examples.naming("redis")] == ["a redis", "redis to redis", "redis"]
    assert [each.raw for each in examples.naming("disredis")] == []
    assert list(examples.naming("cachemiss")) == []
