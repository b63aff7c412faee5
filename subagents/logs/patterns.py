"""Templates: the mask that turns a column of messages into a few thousand keys, and the keys into templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.logs.heads import heads_of
from subagents.logs.levels import ERROR, UNKNOWN, sound_bad
from subagents.logs.phrases import shown

if TYPE_CHECKING:
    import polars as pl

    from subagents.logs.numbering import KeyWords

MASK = r"[^\s\d=|]*\d[^\s|]*"
"""EQ: a word with a digit becomes `*`, and what stands before an `=` in it is kept; `|` ends a word too."""
KEY_CHARS = 600
"""A message is grouped by its first characters; longer ones differ in payload, not in kind."""
MERGED_WORDS = 4_000_000
"""The most frequent keys with so many words are compared with each other; the tail stays as it is."""


def mask(texts: pl.Expr) -> pl.Expr:
    """Return the expression that masks a column of messages."""
    return texts.str.slice(0, KEY_CHARS).str.replace_all(MASK, "*")


@dataclass(frozen=True)
class Template:
    """What a masked key turned out to be."""

    text: str
    level: int
    severe_by_words: bool

    @property
    def is_severe(self) -> bool:
        """Say whether it is an error or worse, or speaks of a failure."""
        return self.level >= ERROR or self.severe_by_words


def templates(keys: Sequence[str], levels: Sequence[int], counts: Sequence[int]) -> list[Template]:
    """Return the template of each key, in order; keys that differ in one word of many values share one."""
    found, numbers = numbered(keys, levels, counts)
    return [found[number] for number in numbers.tolist()]


def numbered(
    keys: Sequence[str], levels: Any, counts: Any, words: KeyWords | None = None
) -> tuple[list[Template], Any]:
    """Return the different templates, in order of their first key, and the number of each key's (numpy).

    `levels` and `counts`: of each key, as numpy or what it makes arrays of; `words`: those of keys taken before.
    """
    import numpy as np

    from subagents.logs.merge import merged
    from subagents.logs.numbering import KeyWords

    order, found = np.argsort(-np.asarray(counts, np.int64), kind="stable"), np.array(levels, np.int64)
    most = comparable(keys, order)
    order, rest = order[:most], order[most:]
    common = (words or KeyWords()).numbered(keys, order, found[order], found[order] == UNKNOWN)
    texts, group = merged(common)
    found[order] = common.levels
    found[rest], others = heads_of([keys[place] for place in rest.tolist()], found[rest].tolist())
    of_key = np.empty(len(keys), np.int64)
    of_key[order], of_key[rest] = group, len(texts) + np.arange(len(rest))
    texts += map(shown, others)
    first, same = np.empty((2, len(texts)), np.int64)
    first[of_key[::-1]] = np.arange(len(keys))[::-1]  # of several the last one stays
    ids: dict[tuple[str, int], int] = {}
    by_first = np.argsort(first)
    for number, level in zip(by_first.tolist(), found[first[by_first]].tolist(), strict=True):
        same[number] = ids.setdefault((texts[number], level), len(ids))
    bad = sound_bad([text if level == UNKNOWN else "" for text, level in ids])
    return [Template(*each, severe) for each, severe in zip(ids, bad, strict=True)], same[of_key]


def comparable(keys: Sequence[str], order: Any = None) -> int:
    """Return how many of the keys, from the first on or in an order (numpy), are compared with each other."""
    import numpy as np

    if sum(map(len, keys)) <= 2 * MERGED_WORDS:  # a word is a letter and a blank, or more
        return len(keys)
    sizes = np.array([key.count(" ") + 1 for key in keys])
    return int(np.searchsorted(np.cumsum(sizes if order is None else sizes[order]), MERGED_WORDS, "right"))
