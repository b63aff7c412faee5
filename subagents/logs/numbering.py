"""Messages as rows of numbered words: by the compiled library where there is one, else one by one."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Mapping, Sequence
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
from subagents.logs.vocabulary import Ints, Numbers, Vocabulary

AT_ONCE = 65_536
"""Keys."""


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


def numbered_keys(keys: Sequence[str], levels: Ints) -> Numbered:
    """Return masked keys as their messages; the severity of those where it is unknown may still be in them."""
    return _numbered(keys, levels, np.flatnonzero(levels == UNKNOWN))


def numbered(texts: Sequence[str], levels: Sequence[int]) -> Numbered:
    """Return masked messages whose severities are known, or are not in them."""
    return _numbered(texts, np.array(levels, np.int64), np.empty(0, np.int64))


def _numbered(keys: Sequence[str], levels: Ints, asked: Ints) -> Numbered:
    levels, words, sizes = levels.copy(), np.empty(0, np.int32), np.full(len(keys), -1, np.int64)
    vocabulary, compiled = Vocabulary(), library()
    if compiled is not None and keys:
        try:
            known, words, sizes = _compiled(compiled, keys, levels, asked)
        except MemoryError:  # one by one there may be enough
            pass
        else:
            vocabulary.update(zip(known, range(len(known)), strict=True))
    starts = np.cumsum(np.maximum(sizes, 0)) - sizes
    places, rest, number = np.flatnonzero(sizes < 0), array("i"), vocabulary.__getitem__
    for place, message in zip(places.tolist(), _messages(keys, levels, places, asked), strict=True):
        starts[place] = len(words) + len(rest)
        rest.extend(map(number, phrased(message)))
        sizes[place] = len(words) + len(rest) - starts[place]
    return Numbered(vocabulary, np.concatenate([words, np.array(rest, np.int32)]), starts, sizes, levels)


def _messages(keys: Sequence[str], levels: Ints, places: Ints, asked: Ints) -> list[str]:
    """Return the messages of some keys, and set their levels."""
    is_asked = np.zeros(len(keys), np.bool_)
    is_asked[asked] = True
    messages = [keys[place] for place in places.tolist()]
    some = np.flatnonzero(is_asked[places])
    found, texts = heads_of([messages[each] for each in some.tolist()], [UNKNOWN] * len(some))
    levels[places[some]] = found
    for each, text in zip(some.tolist(), texts, strict=True):
        messages[each] = text
    return messages


def _compiled(compiled: ctypes.CDLL, keys: Sequence[str], levels: Ints, asked: Ints) -> tuple[list[str], Numbers, Ints]:
    """Return (different words, `*` first; the words of all keys by number; how many each has), and set the levels.

    A key that is left to Python has -1.
    """
    parts, ends = list[tuple[Any, Any]](), np.searchsorted(asked, range(0, len(keys) + AT_ONCE, AT_ONCE))
    with native.Words(compiled, kinds()) as words:
        for part, start in enumerate(range(0, len(keys), AT_ONCE)):
            some, here = words.keys(keys[start : start + AT_ONCE]), asked[ends[part] : ends[part + 1]]
            found = marks(here - start, some.count, some.leads)
            levels[here] = found[here - start, 0]
            parts.append(some.numbers(found[:, 1:]))
        numbers, sizes = zip(*parts, strict=True)
        return words.listed(), np.concatenate(numbers), np.concatenate(sizes).astype(np.int64)


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
