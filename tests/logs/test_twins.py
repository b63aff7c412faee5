"""Twins of many lines at once are those that are made of each by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from subagents.logs.native import LITERAL, VERIFIED, Classes
from subagents.logs.native.twins import Twins, Wanted, twins_of
from subagents.logs.sources.class_findings import Finding, Habit
from subagents.logs.sources.twins import Sample, TwinTest
from tests.logs.compiled import classes_by, finder_in

pytestmark = pytest.mark.needs("compiled")

TEXTS = (
    "took 12 ms of 1500 for user 7f3a9c at 10.0.0.12",
    "größe 4096 für gerät 17",
    "GET /api/orders/123456 503 0.25",
    "nothing to see",
    "x" * 5_000 + " 42",
    "in-8-words " * 9 + "a1 b2 c3 d4 e5 f6 g7 h8",
)
LINES = (b"", b"no stamp 5", *(f"2026-11-05T12:00:00.125Z {text}".encode() for text in TEXTS))


@pytest.fixture
def classes() -> Classes:
    """Classes of lines with such a stamp."""
    return classes_by([finder_in(LINES[-1].decode())])


def each_by_itself(classes: Classes, wanted: list[Wanted]) -> list[Twins]:
    return [twins_of(classes, [each])[0] for each in wanted]


def test_many_twins_are_those_of_each_line(classes: Classes) -> None:
    wanted = [Wanted(line, keep, only) for line in LINES for keep, only in ((0, -1), (1, -1), (6, -1), (0, 1), (0, 9))]
    made = twins_of(classes, wanted)
    assert made == each_by_itself(classes, wanted)
    differ = [wanted.line for wanted, each in zip(wanted, made, strict=True) if each.twin != wanted.line]
    assert set(differ) == {line for line in LINES[2:] if b"nothing" not in line}
    assert any(len(each.wide) != len(each.twin) for each in made)


def test_nothing_is_made_of_nothing(classes: Classes) -> None:
    assert twins_of(classes, []) == []


def test_words_that_matter_are_looked_for_from_both_ends() -> None:
    habit = Habit(Finding(LITERAL, 0b1000010), 0b1010111)
    assert habit.literal_in(0b1010111) == [0b1000010]
    assert habit.literal_in(0b100111_0010111) == [0b100000_0000010, 0b10]
    assert habit.literal_in(0b10) == [0b10]
    many = (1 << 63) | 0b1111
    assert habit.literal_in(many) == [0b10], "words beyond those that can matter"


def test_what_few_lines_depend_on_is_not_tried_but_left_open() -> None:
    nothing: Any = None
    desk: Any = SimpleNamespace(samples=[Sample(b"a 1", 0, 0, 40.0), Sample(b"b", 0, 0, 9000.0)])
    found = {0: Finding(LITERAL, 0b1), 1: Finding(VERIFIED)}
    TwinTest(nothing, nothing)._prove(found, desk, [Twins(0b1, b"", b"", b"")] * 2, worth=100)
    assert found == {1: Finding(VERIFIED)}
