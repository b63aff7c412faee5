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
MASK_PID = r"[^\s\d=\[]*\d\S*"
"""For syslog: also what stands before a `[`, so that `sshd[812]:` keeps its program."""
KEY_CHARS = 600
"""A message is grouped by its first characters; longer ones differ in payload, not in kind."""
MERGED_KEYS = 20_000
"""Merging costs about 5 µs a word; the most frequent keys carry the groups."""
MERGED_WORDS = 500_000
FITTED_KEYS = 40_000
"""So many further keys are looked up among the templates found; the tail stays as it is."""

_SYSLOG_HEAD = re.compile(r"^\s*(?:<\S+\s+)?\S+ (?P<app>[A-Za-z][\w./-]*?)(?:\[\S*|:)\s+(?P<message>.*)$", re.DOTALL)
_RFC5424_HEAD = re.compile(r"^\*?\s+\S+ (?P<app>[A-Za-z][\w./-]*) \S+ \S+ (?:-|\[.*?\]) ?(?P<message>.*)$", re.DOTALL)

_THREAD = re.compile(r"^(\s*(?:\S+ +---? +)?)(\[[^\]*]{0,60}(?:\]|\*))")
"""What stands in brackets beside the severity: a thread, or another context of the call."""


def mask(texts: pl.Expr, *, syslog: bool = False) -> pl.Expr:
    """Return the expression that masks a column of messages."""
    return texts.str.slice(0, KEY_CHARS).str.replace_all(MASK_PID if syslog else MASK, "*")


@dataclass(frozen=True)
class Template:
    """What a masked key turned out to be."""

    text: str
    level: int
    severe_by_words: bool
    service: str | None = None
    """Program named in a syslog header."""


def templates(
    keys: Sequence[str], levels: Sequence[int], counts: Sequence[int], syslog: Sequence[bool]
) -> list[Template]:
    """Return the template of each key, in order; keys that differ in one word of many values share one."""
    heads = [head_of(key, level, is_syslog) for key, level, is_syslog in zip(keys, levels, syslog, strict=True)]
    order = sorted(range(len(keys)), key=lambda place: -counts[place])[: MERGED_KEYS + FITTED_KEYS]
    first = bisect_right(list(accumulate(keys[place].count(" ") + 1 for place in order[:MERGED_KEYS])), MERGED_WORDS)
    texts = [shown(text) for _, text, _ in heads]
    for place, text in zip(order, merge([heads[place][:2] for place in order], first), strict=True):
        texts[place] = text
    return [_template(text, level, service) for text, (level, _, service) in zip(texts, heads, strict=True)]


def _template(text: str, level: int, service: str | None) -> Template:
    return Template(text, level, level == UNKNOWN and sounds_bad(text), service)


def head_of(key: str, level: int, is_syslog: bool) -> tuple[int, str, str | None]:
    """Return (level, message, service) of a key whose header may still be in it."""
    service = None
    text = key
    if is_syslog:
        match = _SYSLOG_HEAD.match(key) or _RFC5424_HEAD.match(key)
        if match is not None:
            service, text = match["app"], match["message"]
    if level == UNKNOWN:
        level, text = split_head(text)
        if level != UNKNOWN:
            text = _THREAD.sub(_as_one_word, text, count=1)
    return level, text.strip(), service


def _as_one_word(match: re.Match[str]) -> str:
    return match[1] + NAMED + match[2].replace(" ", JOINT)
