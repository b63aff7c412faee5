"""Masked keys as numbered words, by the compiled `words.c`."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from ctypes import c_int64
from itertools import pairwise
from typing import Any

import numpy as np

from subagents.logs.native import address

CALENDAR, NOUN, BEFORE_NOUN, UNIT, DAY, MONTH = 1, 2, 4, 8, 64, 128
"""Kinds of words, by bit. A unit's has the length of the punctuation after it between these."""
CLOSING_SHIFT = 4


class Words:
    """Words by number, `*` first, in memory of the library; MemoryError where there is none."""

    def __init__(self, library: ctypes.CDLL, kinds: Mapping[str, int]) -> None:
        known = [word for word in kinds if word.isascii()]
        given = np.array([kinds[word] for word in known], np.uint8)
        letters, ends = _laid_out(known)
        self.library = library
        seed = int.from_bytes(os.urandom(8), "little")
        self.handle = library.words_new(seed, letters, address(ends), address(given), len(given))
        if not self.handle:
            raise MemoryError("no memory for the words of log messages")

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            self.library.words_free(self.handle)

    def keys(self, keys: Sequence[str]) -> Keys:
        """Return some keys, laid out for the library."""
        return Keys(self, keys)

    def listed(self) -> list[str]:
        """Return the different words."""
        size = c_int64()
        count = self.library.words_count(self.handle, ctypes.byref(size))
        letters, ends = np.empty(size.value, np.uint8), np.empty(count, np.int64)
        self.library.words_list(self.handle, address(letters), address(ends))
        text, places = letters.tobytes().decode("ascii"), [0, *ends.tolist()]
        return [text[start:end] for start, end in pairwise(places)]


class Keys:
    """Some keys; those that are not of ASCII are left to Python."""

    def __init__(self, words: Words, keys: Sequence[str]) -> None:
        self._words, self._keys, self.count = words, keys, len(keys)
        self._others = list[int]()
        try:
            self._letters, self._ends = _laid_out(keys)
        except UnicodeEncodeError:
            self._others = [number for number, key in enumerate(keys) if not key.isascii()]
            self._letters, self._ends = _laid_out([key if key.isascii() else "" for key in keys])

    def leads(self, asked: Any, most: int, whole: bool) -> tuple[Any, list[str]]:
        """Return which keys begin alike in whole words (or in all) of their first characters.

        That is the number of what each of those asked for begins with (numpy), and the different beginnings.
        """
        asked = np.ascontiguousarray(asked, np.int64)
        first, lead_of, lengths = np.empty(len(asked), np.int64), *np.empty((2, len(asked)), np.int32)
        count = self._words.library.words_leads(
            *(self._words.handle, self._letters, address(self._ends), address(asked), len(asked), most, whole),
            *map(address, (lead_of, first, lengths)),
        )
        if count < 0:
            raise MemoryError("no memory for the beginnings of log messages")
        places = zip(first[:count].tolist(), lengths[:count].tolist(), strict=True)
        return lead_of, [self._keys[place][:length] for place, length in places]

    def numbers(self, marks: Any) -> tuple[Any, Any]:
        """Return (the words of all keys by number, how many each has), as numpy; -1 of what is left to Python.

        `marks`: from where to where the word of each key stands that says its severity, or -1.
        """
        marks = np.ascontiguousarray(marks, np.int32)
        found = np.empty(len(self._letters) // 2 + self.count + 1, np.int32)
        sizes = np.empty(self.count, np.int32)
        arrays = map(address, (marks, found, sizes))
        count = self._words.library.words_of_keys(
            self._words.handle, self._letters, address(self._ends), self.count, *arrays
        )
        if count < 0:
            raise MemoryError("no memory for the words of log messages")
        sizes[self._others] = -1
        return found[:count].copy(), sizes


def _laid_out(texts: Sequence[str]) -> tuple[bytes, Any]:
    """Return the letters of texts in ASCII, one after the other, and where each ends."""
    return "".join(texts).encode("ascii"), np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
