"""Templates: the mask that turns a column of messages into a few thousand keys, and the keys into templates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.logs.levels import ERROR, UNKNOWN, sound_bad, split_head, split_heads
from subagents.logs.phrases import JOINT, NAMED, shown

if TYPE_CHECKING:
    import polars as pl

MASK = r"[^\s\d=]*\d\S*"
"""EQ: a word with a digit becomes `*`, and what stands before an `=` in it is kept."""
KEY_CHARS = 600
"""A message is grouped by its first characters; longer ones differ in payload, not in kind."""
MERGED_WORDS = 4_000_000
"""The most frequent keys with so many words are compared with each other; the tail stays as it is."""

_THREAD = re.compile(r"^(\s*(?:\S+ +---? +)?)(\[[^\]*]{0,60}(?:\]|\*))")
"""What stands in brackets beside the severity: a thread, or another context of the call."""


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


def numbered(keys: Sequence[str], levels: Sequence[int], counts: Sequence[int]) -> tuple[list[Template], Any]:
    """Return the different templates, in order of their first key, and the number of each key's (numpy)."""
    import numpy as np

    from subagents.logs.merge import merged

    found, messages = heads_of(keys, levels)
    order = np.argsort(-np.array(counts, np.int64), kind="stable")
    most = len(keys)
    if sum(map(len, keys)) > 2 * MERGED_WORDS:  # a word is a letter and a blank, or more
        sizes = np.cumsum([keys[place].count(" ") + 1 for place in order.tolist()])
        most = int(np.searchsorted(sizes, MERGED_WORDS, "right"))
    order, rest = order[:most], order[most:]
    texts, group = merged([found[place] for place in order.tolist()], [messages[place] for place in order.tolist()])
    of_key = np.empty(len(keys), np.int64)
    of_key[order], of_key[rest] = group, len(texts) + np.arange(len(rest))
    texts += [shown(messages[place]) for place in rest.tolist()]
    ids: dict[tuple[str, int], int] = {}
    _, first = np.unique(of_key, return_index=True)
    same = np.empty(len(texts), np.int64)
    for number, key in sorted(enumerate(first.tolist()), key=lambda each: each[1]):
        same[number] = ids.setdefault((texts[number], found[key]), len(ids))
    bad = sound_bad([text if level == UNKNOWN else "" for text, level in ids])
    return [Template(*each, severe) for each, severe in zip(ids, bad, strict=True)], same[of_key]


def head_of(key: str, level: int) -> tuple[int, str]:
    """Return (level, message) of a key whose severity may still be in it."""
    return (level, key.strip()) if level != UNKNOWN else _message(*split_head(key))


def heads_of(keys: Sequence[str], levels: Sequence[int]) -> tuple[list[int], list[str]]:
    """Return the levels and the messages of keys as `head_of` does, more cheaply."""
    found, messages = (
        list(levels),
        [key.strip() if level != UNKNOWN else key for key, level in zip(keys, levels, strict=True)],
    )
    unknown = [place for place, level in enumerate(levels) if level == UNKNOWN]
    for place, (level, text) in zip(unknown, split_heads([keys[place] for place in unknown]), strict=True):
        found[place], messages[place] = _message(level, text)
    return found, messages


def _message(level: int, text: str) -> tuple[int, str]:
    """Return the severity and what is left of a text that said it."""
    if level != UNKNOWN and (text[:1] == "[" or " --" in text) and (thread := _THREAD.match(text)) is not None:
        text = thread[1] + NAMED + thread[2].replace(" ", JOINT) + text[thread.end() :]
    return level, text.strip()
