"""The templates that the first messages of logs show: what is an instance of one later needs no key of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from subagents.logs.levels import UNKNOWN
from subagents.logs.merge import merged_rows
from subagents.logs.numbering import KeyWords, Numbered
from subagents.logs.phrases import LEFT_OUT, facts_of, general, is_telling
from subagents.logs.shapes import Shapes
from subagents.logs.vocabulary import (
    VALUE,
    Alike,
    Facts,
    Flags,
    Hashes,
    Ints,
    Numbers,
    Rows,
    Vocabulary,
    mixed,
    row_hashes,
)

MOST_SHAPES = 64
"""Sets of places that hold values that are tried, of one severity and length; so a look-up stays cheap."""
_UNHEARD = 1 << 33
"""Beyond all numbers of words: the hashes of words from here on are no other word's."""


@dataclass(frozen=True)
class _Meanings:
    """What is asked of the words of later messages: see `Facts`."""

    hashes: Hashes
    general: Numbers
    telling: Flags


@dataclass(frozen=True)
class _Templates:
    """Those of one severity and number of words."""

    shapes: Shapes
    hashes: Hashes
    """Ascending"""
    keys: Ints
    """A key of each"""

    @classmethod
    def of(cls, parts: Sequence[Rows], facts: Facts) -> _Templates:
        words = np.concatenate([rows.words for rows in parts])
        first, weights = np.concatenate(list(map(_first, parts))), np.concatenate([rows.weights for rows in parts])
        hashes = row_hashes(words, facts.hashes)
        order = np.argsort(hashes)
        return cls(Shapes.of(words, words != VALUE, weights, facts, MOST_SHAPES), hashes[order], first[order])

    def alike(self, words: Numbers, meanings: _Meanings) -> Ints:
        """Return a key of the template that each message is an instance of, -1 where it is of none."""
        filled = np.where(self.shapes.values(words, meanings), meanings.general[words], words)
        hashes = row_hashes(filled, meanings.hashes)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.keys[places], -1)


class EarlyTemplates:
    """The templates of some keys."""

    def __init__(self, keys: Sequence[str], levels: Sequence[int]) -> None:
        facts, parts = merged_rows(_numbered(keys, levels)) if keys else (Facts.of(Vocabulary()), [])
        by_size = dict[tuple[int, int], list[Rows]]()
        for rows in parts:
            if rows.words.size:
                by_size.setdefault((rows.level, rows.words.shape[1]), []).append(rows)
        self._templates = {size: _Templates.of(each, facts) for size, each in by_size.items()}
        used = np.unique(np.concatenate([np.array([VALUE]), *(rows.words.ravel() for rows in parts)]))
        self._hashes = dict(
            zip([facts.words[word] for word in used.tolist()], facts.hashes[used].tolist(), strict=True)
        )

    def alike(self, keys: Sequence[str], levels: Sequence[int]) -> Ints:
        """Return for each key the place of an early one that it shares a template with, -1 where there is none."""
        texts, found = _numbered(keys, levels), np.full(len(keys), -1, np.int64)
        meanings, listed = self._meanings(texts.vocabulary), list(texts.vocabulary)
        for level, length, places in _by_size(texts):
            templates = self._templates.get((level, length))
            if templates is None:
                continue
            words = texts.words[texts.starts[places][:, None] + np.arange(length)]
            found[places] = templates.alike(words, meanings)
            left = np.flatnonzero(found[places] < 0)
            named = _with_names(words[left], listed)
            some = named.any(1)
            nameless = np.where(named, meanings.general[words[left]], words[left])[some]
            found[places[left[some]]] = templates.alike(nameless, meanings)
        return found

    def _meanings(self, vocabulary: Vocabulary) -> _Meanings:
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
        return _Meanings(np.where(hashes, hashes, unheard), general_of, telling)


def _with_names(words: Numbers, listed: Sequence[str]) -> Flags:
    """Say which words have values that are names, or of no matter by themselves."""
    used, of_word = np.unique(words, return_inverse=True)
    forms = [facts_of(listed[word])[0] for word in used.tolist()]
    named = np.array([form.endswith(LEFT_OUT) for form in forms], np.bool_) & (used != VALUE)
    return np.asarray(named[of_word].reshape(words.shape))


def _numbered(keys: Sequence[str], levels: Sequence[int]) -> Numbered:
    given = np.array(levels, np.int64)
    return KeyWords().numbered(keys, np.arange(len(keys)), given, given == UNKNOWN)


def _first(rows: Rows) -> Ints:
    """Return the first key of each row."""
    first = np.empty(len(rows.words), np.int64)
    first[rows.row[::-1]] = rows.keys[::-1]  # of several the last one stays
    return first


def _by_size(texts: Numbered) -> Iterator[tuple[int, int, Ints]]:
    """Yield a severity, a number of words, and the places of the messages that have them."""
    alike = Alike.by(texts.sizes * 16 + texts.levels)
    for places in np.split(alike.order, alike.starts[1:]):
        if len(places):
            yield int(texts.levels[places[0]]), int(texts.sizes[places[0]]), places
