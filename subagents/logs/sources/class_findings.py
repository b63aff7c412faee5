"""What was found of a class of lines: which of its words with digits matter, and what that tells of the next line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

WORDS = 32
"""Words with digits of a line that may split its class"""


class Finding(NamedTuple):
    """What is known of a class, as its flags say it."""

    flags: int
    literal: int = 0
    """Words, by bit, that split the class."""
    host_word: int = 0
    """The word that is the host, where a flag says that one is."""


class Habit(NamedTuple):
    """What was found of a line, and its words with digits by bit."""

    finding: Finding
    words: int

    def literal_in(self, words: int) -> Sequence[int]:
        """Return, by bit, which words of another line matter if those do that stand where they stood in this one."""
        return _literal_in(self.finding.literal, self.words, words)


@lru_cache(maxsize=4_096)
def _literal_in(literal: int, own: int, words: int) -> Sequence[int]:
    """Return which words matter in a line of such `words`, where `literal` did of a line's `own`, all by bit.

    That is from the beginning, or what stood in its second half from the end, as messages between them differ in how
    many words they have. The more words, the earlier.
    """
    more, found = words.bit_length() - own.bit_length(), 0
    for word in range(WORDS):
        if literal >> word & 1:
            place = word if 2 * word < own.bit_length() else word + more
            found |= 1 << place if 0 <= place < WORDS else 0
    both = {found & words, literal & words}
    return sorted(both, key=lambda each: (-each.bit_count(), each))
