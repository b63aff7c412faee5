"""Templates: the mask that turns a column of messages into a few thousand keys, and the keys into templates."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from subagents.logs.levels import UNKNOWN, sounds_bad, split_head
from subagents.logs.merge import merge
from subagents.logs.phrases import JOINT, NAMED, shown

if TYPE_CHECKING:
    import polars as pl

MASK = r"[^\s\d=]*\d\S*"
"""EQ: a word with a digit becomes `*`, and what stands before an `=` in it is kept."""
KEY_CHARS = 600
"""A message is grouped by its first characters; longer ones differ in payload, not in kind."""
MERGED_KEYS = 20_000
"""Merging costs about 5 µs a word; the most frequent keys carry the groups."""
MERGED_WORDS = 500_000
FITTED_KEYS = 40_000
"""So many further keys are looked up among the templates found; the tail stays as it is."""

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


def templates(keys: Sequence[str], levels: Sequence[int], counts: Sequence[int]) -> list[Template]:
    """Return the template of each key, in order; keys that differ in one word of many values share one."""
    heads = [head_of(key, level) for key, level in zip(keys, levels, strict=True)]
    order = sorted(range(len(keys)), key=lambda place: -counts[place])[: MERGED_KEYS + FITTED_KEYS]
    first = bisect_right(list(accumulate(keys[place].count(" ") + 1 for place in order[:MERGED_KEYS])), MERGED_WORDS)
    texts = [shown(text) for _, text in heads]
    for place, text in zip(order, merge([heads[place] for place in order], first), strict=True):
        texts[place] = text
    found: dict[tuple[str, int], Template] = {}
    for text, (level, _) in zip(texts, heads, strict=True):
        if (text, level) not in found:
            found[text, level] = _template(text, level)
    return [found[text, level] for text, (level, _) in zip(texts, heads, strict=True)]


def _template(text: str, level: int) -> Template:
    return Template(text, level, level == UNKNOWN and sounds_bad(text))


def head_of(key: str, level: int) -> tuple[int, str]:
    """Return (level, message) of a key whose severity may still be in it."""
    text = key
    if level == UNKNOWN:
        level, text = split_head(text)
        if level != UNKNOWN:
            text = _THREAD.sub(_as_one_word, text, count=1)
    return level, text.strip()


def _as_one_word(match: re.Match[str]) -> str:
    return match[1] + NAMED + match[2].replace(" ", JOINT)
