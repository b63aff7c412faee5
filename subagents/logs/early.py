"""The templates that the first messages of logs show: what is an instance of one later needs no key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from subagents.logs.levels import UNKNOWN, sound_bad
from subagents.logs.merge import MOST_SHAPES, by_size, merged_rows, said_in, without_runs
from subagents.logs.numbering import KeyWords, Numbered
from subagents.logs.patterns import comparable
from subagents.logs.phrases import LEFT_OUT, facts_of_all, general, is_telling, shown
from subagents.logs.shapes import Shapes
from subagents.logs.vocabulary import VALUE, Facts, Flags, Hashes, Ints, Numbers, Rows, mixed, row_hashes

_UNHEARD = 1 << 33
"""Beyond all numbers of words: the hashes of words from here on are no other word's."""


@dataclass(frozen=True)
class _Meanings:
    """What is asked of the words of later messages: all of `Facts` would cost as much as the rest of a look-up."""

    words: Sequence[str]
    hashes: Hashes
    general: Numbers
    telling: Flags


@dataclass(frozen=True)
class _Templates:
    """Those of one severity and number of words."""

    shapes: Shapes
    hashes: Hashes
    """Ascending"""
    numbers: Ints

    @classmethod
    def of(cls, words: Numbers, weights: Ints, numbers: Ints, facts: Facts, usual: Numbers) -> _Templates:
        hashes = row_hashes(words, facts.hashes)
        order = np.argsort(hashes)
        shapes = Shapes.of(words, said_in(words, usual), weights, facts, MOST_SHAPES)
        return cls(shapes, hashes[order], numbers[order])

    def alike(self, words: Numbers, meanings: _Meanings) -> Ints:
        """Return which template each message is an instance of, -1 where it is of none."""
        filled = np.where(self.shapes.values(words, meanings), meanings.general[words], words)
        hashes = row_hashes(filled, meanings.hashes)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.numbers[places], -1)


class EarlyTemplates:
    """The templates of some keys, as many as are compared with each other."""

    def __init__(self, keys: Sequence[str], levels: Sequence[int]) -> None:
        self.said: list[tuple[str, int]] = []
        """Text and severity of each"""
        self._of_size: dict[tuple[int, int], _Templates] = {}
        self._hashes: dict[str, int] = {}
        keys = keys[: comparable(keys)]
        if keys:
            self._learn(_numbered(keys, levels[: len(keys)]))
        self.numbers = np.zeros((len(self.said), 2), np.int64)
        """Of keys that stand for them, 0 where none does yet: of events whose text says their severity, and others"""
        self._bad = np.array(sound_bad([text for text, _ in self.said]), np.bool_)

    def _learn(self, texts: Numbered) -> None:
        facts, parts, usual = merged_rows(texts)
        of_size = dict[tuple[int, int], list[Rows]]()
        for rows in parts:
            if rows.words.size:
                of_size.setdefault((rows.level, rows.words.shape[1]), []).append(rows)
        for (level, length), alike in of_size.items():
            words = np.concatenate([rows.words for rows in alike])
            weights, numbers = np.concatenate([rows.weights for rows in alike]), len(self.said) + np.arange(len(words))
            self._of_size[level, length] = _Templates.of(words, weights, numbers, facts, usual)
            self.said += [(shown(" ".join([facts.words[word] for word in row])), level) for row in words.tolist()]
        used = np.unique(np.concatenate([np.array([VALUE]), *(rows.words.ravel() for rows in parts)]))
        words_used = [facts.words[word] for word in used.tolist()]
        self._hashes = dict(zip(words_used, facts.hashes[used].tolist(), strict=True))

    def alike(self, keys: Sequence[str], levels: Sequence[int]) -> Ints:
        """Return for each key the number of the template that it is an instance of, -1 where there is none.

        Nor is there one for a text that says nothing of its severity but sounds bad, where the template does not.
        """
        texts, found = _numbered(keys, levels), np.full(len(keys), -1, np.int64)
        meanings = self._meanings(texts)
        for level, places, words in by_size(texts):
            some = found[places] = self._alike(level, words, meanings)
            left = np.flatnonzero(some < 0)
            if words[left].size:
                found[places[left]] = self._alike_in_part(level, words[left], meanings)
        doubtful = np.flatnonzero((found >= 0) & (texts.levels == UNKNOWN))
        doubtful = doubtful[~self._bad[found[doubtful]]]
        bad = np.array(sound_bad([keys[place] for place in doubtful.tolist()]), np.bool_)
        found[doubtful[bad]] = -1
        return found

    def _alike(self, level: int, words: Numbers, meanings: _Meanings) -> Ints:
        templates = self._of_size.get((level, words.shape[1]))
        return templates.alike(words, meanings) if templates is not None else np.full(len(words), -1, np.int64)

    def _alike_in_part(self, level: int, words: Numbers, meanings: _Meanings) -> Ints:
        """Return it of messages without the values that are names, then with each run of values as one."""
        import polars as pl

        used, of_word = np.unique(words, return_inverse=True)
        listed = [meanings.words[word] for word in used.tolist()]
        facts = facts_of_all(pl.Series(listed, dtype=pl.String))
        nameless = facts["form"].str.ends_with(LEFT_OUT).to_numpy()[of_word].reshape(words.shape)
        found = self._alike(level, np.where(nameless, meanings.general[words], words), meanings)
        goes_on = np.array([word.endswith(",") for word in listed], np.bool_)
        value = (goes_on | facts["name"].to_numpy() | (used == VALUE))[of_word].reshape(words.shape)
        kept, shorter = without_runs(words, value, goes_on[of_word].reshape(words.shape))
        sizes = np.where((found < 0) & ~kept.all(1), kept.sum(1), 0)
        for size in np.unique(sizes[sizes > 0]).tolist():
            rows = np.flatnonzero(sizes == size)
            found[rows] = self._alike(level, shorter[rows][kept[rows]].reshape(-1, size), meanings)
        return found

    def _meanings(self, texts: Numbered) -> _Meanings:
        vocabulary = texts.vocabulary
        labelled = [(word, number) for word, number in vocabulary.items() if "=" in word or ":" in word]
        generals = [(number, vocabulary[general(word)]) for word, number in labelled if "=" in word]
        general_of, telling = np.zeros(len(vocabulary), np.int32), np.zeros(len(vocabulary), np.bool_)
        for number, stands in generals:
            general_of[number] = stands
            general_of[stands] = stands
        telling[[number for word, number in labelled if is_telling(word)]] = True
        known = self._hashes.get
        hashes = np.array([known(word, 0) for word in vocabulary], np.uint64)
        unheard = mixed(_UNHEARD + np.arange(len(hashes), dtype=np.uint64))
        return _Meanings(list(vocabulary), np.where(hashes, hashes, unheard), general_of, telling)


def _numbered(keys: Sequence[str], levels: Sequence[int]) -> Numbered:
    given = np.array(levels, np.int64)
    return KeyWords().numbered(keys, np.arange(len(keys)), given, given == UNKNOWN)
