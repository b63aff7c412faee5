"""Seconds since 1970 in a later column of lines without another time: many lines together tell that they are such."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from subagents.logs.sources.timestamps import HEAD, Stamp, epoch_word, find_stamp

FEWEST_LINES = 3
FURTHEST = 10
"""Words before such a column: those of a flow log's addresses, ports and counts."""
FORWARD_SHARE = 0.9
MANY_LINES = 20
"""So many numbers all of which are of the past are times, whatever their order: of other numbers a fifth is not."""
_SECONDS = re.compile(r"(?<= )1\d{9}(?= )")
_DIGITS = re.compile(r"\d+")
_INDENTED = (" ", "\t")


def epoch_columns(sample: Sequence[str], hint: datetime) -> list[tuple[str, Stamp]]:
    """Return lines and stamps, where most of a sample (in file order) without another have seconds in one column.

    `hint` is about when the file was written. Numbers of orders or users have no such column, for what is written about
    them differs; or always the same words stand before it; or they neither go forward nor are all of the past.
    """
    if sum(_SECONDS.search(line) is not None for line in sample) < FEWEST_LINES:
        return []
    lines = [line for line in sample if line and not line.startswith(_INDENTED) and find_stamp(line) is None]
    found = [(line, stamp) for line in lines for stamp in _seconds_of(line)]
    if not found:
        return []
    column = Counter(stamp.words for _, stamp in found).most_common(1)[0][0]
    chosen = [(line, stamp) for line, stamp in found if stamp.words == column]
    if len(chosen) < FEWEST_LINES or 2 * len(chosen) <= len(lines):
        return []
    begins = {_DIGITS.sub("0", line[: stamp.start]) for line, stamp in chosen}
    is_header = len(begins) > 1 or not any(map(_is_said, next(iter(begins)).split()))
    return chosen if is_header and _are_times([int(stamp.body) for _, stamp in chosen], hint) else []


def _is_said(word: str) -> bool:
    """Say whether a word is one of a message, and no number or id."""
    return any(map(str.isalpha, word)) and not any(map(str.isdigit, word))


def _seconds_of(line: str) -> list[Stamp]:
    """Return what may be a stamp among the first words of a line."""
    stamps = (epoch_word(line, found.start()) for found in _SECONDS.finditer(line[:HEAD]))
    return [stamp for stamp in stamps if stamp is not None and stamp.words <= FURTHEST]


def _are_times(numbers: list[int], hint: datetime) -> bool:
    steps = len(numbers) - 1
    if numbers[-1] > numbers[0] and sum(one <= other for one, other in pairwise(numbers)) >= FORWARD_SHARE * steps:
        return True
    return len(numbers) >= MANY_LINES and max(numbers) < hint.timestamp() + 2 * 86400
