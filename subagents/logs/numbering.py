"""Messages as rows of numbered words: by the compiled library where there is one, else one by one."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from subagents.logs import phrases
from subagents.logs.native import library
from subagents.logs.native import words as native
from subagents.logs.phrases import phrased
from subagents.logs.vocabulary import Ints, Numbers, Vocabulary


def numbered(texts: Sequence[str]) -> tuple[Vocabulary, Numbers, Ints, Ints]:
    """Return the vocabulary of masked messages, numbered words, where each message's begin and how many it has."""
    vocabulary, compiled = Vocabulary(), library()
    found = native.numbered(compiled, texts, kinds()) if compiled is not None else None
    words, sizes = np.empty(0, np.int32), np.full(len(texts), -1)
    if found is not None:
        known, words, sizes = found
        vocabulary.update(zip(known, range(len(known)), strict=True))
    sizes = sizes.astype(np.int64)
    starts = np.cumsum(np.maximum(sizes, 0)) - sizes
    rest, number = array("i"), vocabulary.__getitem__
    for place in np.flatnonzero(sizes < 0).tolist():
        starts[place] = len(words) + len(rest)
        rest.extend(map(number, phrased(texts[place])))
        sizes[place] = len(words) + len(rest) - starts[place]
    return vocabulary, np.concatenate([words, np.array(rest, np.int32)]), starts, sizes


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, int]:
    """Return the words that `phrased` looks for, by kind as the library has them."""
    found = {unit: native.UNIT | len(closing) << native.CLOSING_SHIFT for unit, closing in phrases.UNITS.items()}
    for names, kind in (
        (phrases.CALENDAR, native.CALENDAR),
        (phrases.NOUNS, native.NOUN),
        (phrases.BEFORE_NOUN, native.BEFORE_NOUN),
    ):
        for name in names:
            found[name] = found.get(name, 0) | kind
    return found
