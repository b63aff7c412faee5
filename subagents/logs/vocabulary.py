"""Words as numbers: what a rule asks of a word is asked once for each different word, not for each message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from subagents.logs.phrases import ANY, LEFT_OUT, METHODS, MORE_THAN_LETTERS, NAMED, facts_of_all, general

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

VALUE = 0
"""The number of `*`."""
CELLS_AT_ONCE = 1 << 17


class Vocabulary(dict[str, int]):
    """Numbers of words; a new word gets the next one."""

    def __init__(self) -> None:
        super().__init__({ANY: VALUE})

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


@dataclass(frozen=True)
class Facts:
    """What the rules know of each word of a vocabulary, by its number."""

    words: Sequence[str]
    hashes: Hashes
    general: Numbers
    """What stands for it where its value is of no matter."""
    form: Hashes
    """Of the word without its value, where that is a mask, a name or a truth value."""
    has_value: Flags
    """Its form is without its value."""
    telling: Flags
    """It says how something went."""
    goes_on: Flags
    """It ends in a comma."""
    value: Flags
    """It can be part of a list."""
    aside: Flags
    """It is a thread, or another context of the call."""
    open: Flags
    """`*` or `key=*`."""
    method: Flags
    status: Flags
    """A method and a status of an access log."""

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Facts:
        """Ask everything of each word, or of those that are more than plain; words that stand for others are added."""
        import polars as pl

        before = len(vocabulary)
        keyed = [(number, general(word)) for word, number in vocabulary.items() if "=" in word]
        generals = dict[int, int]((number, vocabulary[stands]) for number, stands in keyed)
        words, count = list(vocabulary), len(vocabulary)
        column, general_of = pl.Series(words, dtype=pl.String), np.zeros(count, np.int32)
        texts = column.str
        general_of[list(generals)] = list(generals.values())
        general_of[before:] = np.arange(before, count)  # what stands for others stands for itself
        asked = np.flatnonzero(texts.contains_any(list(MORE_THAN_LETTERS)).to_numpy())
        facts, numbers, form = facts_of_all(column[asked]), Vocabulary(), np.arange(count)
        left_out = facts["form"].str.ends_with(LEFT_OUT)
        form[asked[left_out.to_numpy()]] = [count + numbers[each] for each in facts["form"].filter(left_out).to_list()]
        is_name, is_telling, has_value = np.zeros((3, count), np.bool_)
        is_name[asked], is_telling[asked], has_value[asked] = facts["name"], facts["telling"], left_out
        is_name[VALUE] = True
        goes_on = texts.ends_with(",").to_numpy()
        return cls(
            words=words,
            hashes=mixed(np.arange(count, dtype=np.uint64)),
            general=general_of,
            form=mixed(form.astype(np.uint64)),
            has_value=has_value,
            telling=is_telling,
            goes_on=goes_on,
            value=goes_on | is_name,
            aside=texts.starts_with(NAMED + "[").to_numpy(),
            open=(texts.ends_with("=*") | (column == ANY)).to_numpy(),
            method=column.is_in(list(METHODS)).to_numpy(),
            status=texts.starts_with("status=").to_numpy(),
        )


def mixed(numbers: Hashes) -> Hashes:
    """Return 64 bits for each number that look like chance (splitmix64)."""
    found = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(found ^ (found >> np.uint64(31)))


@lru_cache(maxsize=1)
def _factors(count: int) -> Hashes:
    return mixed(np.arange(1 << 32, (1 << 32) + count, dtype=np.uint64)) | np.uint64(1)


def of_places(count: int) -> Hashes:
    """Return an odd factor for each place of a message, so that its words in another order are another message."""
    return _factors(max(512, 1 << count.bit_length()))[:count]


def row_hashes(words: Numbers, of_word: Hashes, asked: Flags | None = None) -> Hashes:
    """Return a number for each row that is the same where its words are, or those asked for, in their order."""
    factors, found = of_places(words.shape[1]), np.empty(len(words), np.uint64)
    at_once = max(1, CELLS_AT_ONCE // max(1, words.shape[1]))
    for start in range(0, len(words), at_once):
        some = slice(start, start + at_once)
        hashes = of_word.take(words[some])
        if asked is not None:
            hashes *= np.where(asked[some], factors.take(asked[some].cumsum(1) - 1, mode="wrap"), np.uint64(0))
        np.matmul(hashes, factors if asked is None else np.ones_like(factors), out=found[some])
    return found


@dataclass(frozen=True)
class Alike:
    """Rows put together by a number."""

    order: Ints
    """The rows, those that are alike beside each other."""
    starts: Ints
    """Where in `order` each group begins."""

    @classmethod
    def by(cls, hashes: npt.NDArray[Any]) -> Alike:
        """Put rows of the same number together."""
        order = np.argsort(hashes)
        ranked, begins = hashes[order], np.ones(len(order), np.bool_)
        np.not_equal(ranked[1:], ranked[:-1], out=begins[1:])
        return cls(order, np.flatnonzero(begins))

    @cached_property
    def sizes(self) -> Ints:
        """Rows of each group."""
        ends = np.empty_like(self.starts)
        ends[:-1], ends[-1:] = self.starts[1:], len(self.order)
        return ends - self.starts

    @property
    def first(self) -> Ints:
        """The first row of each group."""
        return np.minimum.reduceat(self.order, self.starts) if len(self.starts) else self.order

    def spread(self, of_group: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return for each row what its group has."""
        found = np.empty((len(self.order), *of_group.shape[1:]), of_group.dtype)
        found[self.order] = np.repeat(of_group, self.sizes, axis=0)
        return found


@dataclass(frozen=True)
class Rows:
    """Keys of one severity and number of words: the different ones, in order of their first key."""

    level: int
    words: Numbers
    """A row each."""
    keys: Ints
    """The keys, ascending."""
    row: Ints
    """The row of each key."""

    @property
    def weights(self) -> Ints:
        """Keys of each row."""
        return np.bincount(self.row, minlength=len(self.words))

    def distinct(self, facts: Facts) -> Rows:
        """Return them with equal rows as one."""
        alike = Alike.by(row_hashes(self.words, facts.hashes))
        if len(alike.starts) == len(self.words):
            return self
        first = alike.first
        by_first = np.argsort(first)
        return Rows(self.level, self.words[first[by_first]], self.keys, alike.spread(np.argsort(by_first))[self.row])

    def without(self, values: Flags, facts: Facts) -> Rows:
        """Return them with the words at these places left out."""
        return Rows(
            self.level, np.where(values, facts.general.take(self.words), self.words), self.keys, self.row
        ).distinct(facts)

    def some(self, wanted: Flags) -> Rows:
        """Return some of the rows."""
        ranks = np.cumsum(wanted) - 1
        kept = wanted[self.row]
        return Rows(self.level, self.words[wanted], self.keys[kept], ranks[self.row[kept]])


def joined(parts: Sequence[Rows], facts: Facts) -> Rows:
    """Return rows of one severity and length as one."""
    if len(parts) == 1:
        return parts[0]
    sizes = np.cumsum([0, *(len(part.words) for part in parts)])
    keys = np.concatenate([part.keys for part in parts])
    row = np.concatenate([part.row + size for part, size in zip(parts, sizes[:-1], strict=True)])
    order = np.argsort(keys)
    keys, row = keys[order], row[order]
    by_first = np.argsort(np.unique(row, return_index=True)[1])
    words = np.concatenate([part.words for part in parts])[by_first]
    return Rows(parts[0].level, words, keys, np.argsort(by_first)[row]).distinct(facts)
