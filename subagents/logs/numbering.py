"""Messages as numbered words."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from subagents.logs.phrases import phrased
from subagents.logs.vocabulary import Ints, Numbers, Vocabulary


def numbered(texts: Sequence[str]) -> tuple[Vocabulary, Numbers, Ints, Ints]:
    """Return the vocabulary of masked messages, numbered words, where each message's begin and how many it has."""
    vocabulary, words, ends = Vocabulary(), array("i"), array("q", [0])
    number = vocabulary.__getitem__
    for text in texts:
        words.extend(map(number, phrased(text)))
        ends.append(len(words))
    found = np.array(ends, np.int64)
    return vocabulary, np.array(words, np.int32), found[:-1], np.diff(found)
