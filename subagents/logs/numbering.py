"""Messages as rows of numbered words: by the compiled library where there is one, else one by one."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from subagents.logs import phrases
from subagents.logs.heads import heads_of
from subagents.logs.levels import UNKNOWN, marks
from subagents.logs.native import library
from subagents.logs.native import words as native
from subagents.logs.phrases import phrased
from subagents.logs.vocabulary import Flags, Ints, Numbers, Vocabulary

AT_ONCE = 65_536
"""Keys."""
LEFT = -1
"""Instead of how many words a key has: it is left to Python."""


@dataclass(frozen=True)
class Numbered:
    """Masked messages as numbered words."""

    vocabulary: Vocabulary
    words: Numbers
    starts: Ints
    """Where in `words` each message's begin."""
    sizes: Ints
    """How many it has."""
    levels: Ints


def numbered(texts: Sequence[str], levels: Sequence[int]) -> Numbered:
    """Return masked messages whose severities are known, or are not in them."""
    words, none_asked = KeyWords(), np.zeros(len(texts), np.bool_)
    words.take(texts, none_asked)
    return words.numbered(texts, np.arange(len(texts)), np.array(levels, np.int64), none_asked)


class KeyWords:
    """Masked keys as numbered words: they can be taken as they come, while what is left of the files is read."""

    def __init__(self) -> None:
        compiled = library()
        self._words: native.Words | None = None
        with suppress(MemoryError):  # one by one there may be enough
            self._words = native.Words(compiled, kinds()) if compiled is not None else None
        self._numbers, self._sizes = list[Numbers](), list[Ints]()
        self._asked, self._levels = list[Flags](), list[Ints]()
        self.count = 0
        """Keys taken."""

    def take(self, keys: Sequence[str], asked: Flags) -> None:
        """Take the next keys; `asked` are those whose severity may be in them."""
        for start in range(0, len(keys), AT_ONCE):
            self._take(keys[start : start + AT_ONCE], asked[start : start + AT_ONCE])

    def _take(self, keys: Sequence[str], asked: Flags) -> None:
        levels, sizes = np.full(len(keys), UNKNOWN, np.int64), np.full(len(keys), LEFT, np.int64)
        if self._words is not None:
            try:
                some, places = self._words.keys(keys), np.flatnonzero(asked)
                found = marks(places, some.count, some.leads)
                numbers, sizes = some.numbers(found[:, 1:])
            except MemoryError:
                self._words = None
            else:
                levels[places] = found[places, 0]
                self._numbers.append(numbers)
        self._sizes.append(sizes)
        self._asked.append(asked)
        self._levels.append(levels)
        self.count += len(keys)

    def numbered(self, keys: Sequence[str], order: Ints, levels: Ints, asked: Flags) -> Numbered:
        """Return keys in an order, of which the severities are these, or are `asked` of their texts.

        `keys` are those that were taken, and those that come next.
        """
        places, known = order.copy(), order < self.count
        known[known] = _joined(self._asked, np.bool_)[order[known]] == asked[known]
        places[~known] = self.count + np.arange(np.count_nonzero(~known))
        self.take([keys[place] for place in order[~known].tolist()], asked[~known])
        sizes, levels = _joined(self._sizes, np.int64), np.where(asked, _joined(self._levels, np.int64)[places], levels)
        vocabulary, words = Vocabulary(), np.empty(0, np.int32)
        if self._words is None:
            sizes[:] = LEFT
        else:
            listed, words = self._words.listed(), _joined(self._numbers, np.int32)
            vocabulary.update(zip(listed, range(len(listed)), strict=True))
        starts = (np.cumsum(np.maximum(sizes, 0)) - sizes)[places]
        sizes, rest, number = sizes[places], array("i"), vocabulary.__getitem__
        left = np.flatnonzero(sizes == LEFT)
        messages = _messages([keys[place] for place in order[left].tolist()], levels, left, asked[left])
        for place, message in zip(left.tolist(), messages, strict=True):
            starts[place] = len(words) + len(rest)
            rest.extend(map(number, phrased(message)))
            sizes[place] = len(words) + len(rest) - starts[place]
        return Numbered(vocabulary, np.concatenate([words, np.array(rest, np.int32)]), starts, sizes, levels)


def _messages(keys: list[str], levels: Ints, places: Ints, asked: Flags) -> list[str]:
    """Return the messages of some keys, and set the levels at their places where they are asked for."""
    some = np.flatnonzero(asked)
    found, texts = heads_of([keys[each] for each in some.tolist()], [UNKNOWN] * len(some))
    levels[places[some]] = found
    for each, text in zip(some.tolist(), texts, strict=True):
        keys[each] = text
    return keys


def _joined(parts: Sequence[Any], kind: type[np.generic]) -> Any:
    return np.concatenate([np.empty(0, kind), *parts])


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, int]:
    """Return the words that `phrased` looks for, by kind as the library has them."""
    found = {unit: native.UNIT | len(closing) << native.CLOSING_SHIFT for unit, closing in phrases.UNITS.items()}
    for names, kind in (
        (phrases.CALENDAR, native.CALENDAR),
        (phrases.DAYS, native.DAY),
        (phrases.MONTHS, native.MONTH),
        (phrases.NOUNS, native.NOUN),
        (phrases.BEFORE_NOUN, native.BEFORE_NOUN),
    ):
        for name in names:
            found[name] = found.get(name, 0) | kind
    return found
