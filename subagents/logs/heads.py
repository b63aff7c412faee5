"""Heads of masked keys: the severity that may still stand there, and what is left of the key as its message."""

from __future__ import annotations

import re
from collections.abc import Sequence

from subagents.logs.levels import UNKNOWN, split_head, split_heads
from subagents.logs.phrases import JOINT, NAMED

_THREAD = re.compile(r"^(\s*(?:\S+ +---? +)?)(\[[^\]*]{0,60}(?:\]|\*))")
"""What stands in brackets beside the severity: a thread, or another context of the call."""
_SEPARATORS = re.compile(r"(?:[\s|]+|[:,;-]+(?=\s|\Z))+")
"""What separated the severity from the rest."""


def head_of(key: str, level: int) -> tuple[int, str]:
    """Return (level, message) of a key whose severity may still be in it."""
    return (level, key.strip()) if level != UNKNOWN else _message(*split_head(key))


def heads_of(keys: Sequence[str], levels: Sequence[int]) -> tuple[list[int], list[str]]:
    """Return the levels and the messages of keys as `head_of` does, more cheaply."""
    found = list(levels)
    messages = [key.strip() if level != UNKNOWN else key for key, level in zip(keys, levels, strict=True)]
    unknown = [place for place, level in enumerate(levels) if level == UNKNOWN]
    for place, (level, text) in zip(unknown, split_heads([keys[place] for place in unknown]), strict=True):
        found[place], messages[place] = _message(level, text)
    return found, messages


def _message(level: int, text: str) -> tuple[int, str]:
    """Return the severity and what is left of a text that said it."""
    if level != UNKNOWN and (separators := _SEPARATORS.match(text)) is not None:
        text = text[separators.end() :]
    if level != UNKNOWN and (text[:1] == "[" or " --" in text) and (thread := _THREAD.match(text)) is not None:
        text = thread[1] + NAMED + thread[2].replace(" ", JOINT) + text[thread.end() :]
    return level, text.strip()
