"""What stands in the places that vary in keys that are otherwise alike, and when that makes them one template."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from subagents.logs.shapes import LEAST_PLAIN
from subagents.logs.vocabulary import Flags, Numbers

LEAST_WORDS = 5
"""At four, "VM Started", "VM Stopped" and "VM Paused" fall together; an on-call needs them apart."""
LEAST_FREE = 100
"""So many in each place where more of them vary than stay: no program has so many wordings of one length."""
MANY = 20
"""Counting all words of a vocabulary costs as much as counting one in so many one by one."""


class Column(NamedTuple):
    """The words of a place that varies."""

    different: int
    most: int
    """Keys with the commonest."""


def columns_of(words: Numbers, vocabulary: int) -> dict[int, Column]:
    """Return what stands in the places that vary."""
    varying = np.flatnonzero((words != words[0]).any(0))
    if len(words) * MANY >= vocabulary:
        counted = [np.bincount(words[:, place], minlength=vocabulary) for place in varying.tolist()]
        different = [int(np.count_nonzero(each)) for each in counted]
        return dict(zip(varying.tolist(), map(Column, different, [int(each.max()) for each in counted]), strict=True))
    ranked = np.sort(words.T[varying])
    begins = np.ones(ranked.shape, np.bool_)
    np.not_equal(ranked[:, 1:], ranked[:, :-1], out=begins[:, 1:])
    numbers, sizes = begins.sum(1), np.diff(np.flatnonzero(begins), append=ranked.size)
    most = np.maximum.reduceat(sizes, np.cumsum(numbers) - numbers)
    return dict(zip(varying.tolist(), map(Column, numbers.tolist(), most.tolist()), strict=True))


def commonest(words: Numbers, vocabulary: int) -> int:
    """Return the word that is there most often."""
    if len(words) * MANY >= vocabulary:
        return int(np.bincount(words).argmax())
    few: Counter[int] = Counter(words.tolist())
    return max(few, key=few.__getitem__)


def may_hold_one(places: int, columns: dict[int, Column]) -> bool:
    """Say whether some of the keys can be one template: no more places vary in it than are the same in enough keys."""
    return 2 * sum(column.most < LEAST_WORDS for column in columns.values()) <= places


def plain_words(said: Flags, columns: dict[int, Column]) -> int:
    """Return how many of the words that say something are the same in all keys."""
    return sum(is_said for place, is_said in enumerate(said.tolist()) if place not in columns)


def is_one(plain: int, rows: int, columns: dict[int, Column]) -> bool:
    """Say whether so many keys that vary in these places are one template.

    Enough words are the same in all, and no place has few words: those are wordings. Where most words are the
    same, a word may be common in its place; where most vary, each place has very many words.
    """
    if not columns or plain < LEAST_PLAIN:
        return False
    if plain >= 2 * len(columns):
        return all(column.different >= LEAST_WORDS for column in columns.values())
    least = LEAST_WORDS if plain >= len(columns) else LEAST_FREE
    return all(column.most * LEAST_WORDS <= rows and column.different >= least for column in columns.values())
