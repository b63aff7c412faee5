"""Masked messages as numbered words, by the compiled `words.c`."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from ctypes import c_int32, c_int64, c_uint64, c_void_p
from typing import Any

import numpy as np

CALENDAR, NOUN, BEFORE_NOUN, UNIT = 1, 2, 4, 8
"""Kinds of words, by bit. A unit's has the length of the punctuation after it above these."""
CLOSING_SHIFT = 4
AT_ONCE = 16_384
"""Texts."""


def numbered(library: ctypes.CDLL, texts: Sequence[str], kinds: Mapping[str, int]) -> tuple[list[str], Any, Any] | None:
    """Return (different words, `*` first; the words of all texts by number; how many each text has), numbers as numpy.

    A text that is left to Python has -1. None where there is no memory, or the library is another.
    """
    try:
        _declare(library)
    except AttributeError:
        return None
    known = [word for word in kinds if word.isascii()]
    given = np.array([kinds[word] for word in known], np.uint8)
    letters, ends = _laid_out(known)
    seed = int.from_bytes(os.urandom(8), "little")
    handle = library.words_new(seed, _at(letters), _at(ends), _at(given), len(given))
    if not handle:
        return None
    try:
        parts = [_numbers(library, handle, texts[start : start + AT_ONCE]) for start in range(0, len(texts), AT_ONCE)]
        if not all(parts):
            return None
        words, sizes = zip(*parts, strict=True) if parts else ((np.empty(0, np.int32),),) * 2
        return _words(library, handle), np.concatenate(words), np.concatenate(sizes)
    finally:
        library.words_free(handle)


def _numbers(library: ctypes.CDLL, handle: int, texts: Sequence[str]) -> tuple[Any, ...]:
    """Return (the words of some texts by number, how many each has); nothing where there is no memory."""
    ours = texts if "".join(texts).isascii() else [text if text.isascii() else "" for text in texts]
    letters, ends = _laid_out(ours)
    found, sizes = np.empty(len(letters) // 2 + len(texts) + 1, np.int32), np.empty(len(texts), np.int32)
    count = library.words_of(handle, _at(letters), _at(ends), len(texts), _at(found), _at(sizes))
    if count < 0:
        return ()
    if ours is not texts:
        sizes[[place for place, text in enumerate(texts) if not text.isascii()]] = -1
    return found[:count].copy(), sizes


def _laid_out(texts: Sequence[str]) -> tuple[Any, Any]:
    """Return the letters of texts in ASCII, one after the other, and where each ends."""
    letters = np.frombuffer("".join(texts).encode("ascii"), np.uint8).copy()
    return letters, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))


def _words(library: ctypes.CDLL, handle: int) -> list[str]:
    size = c_int64()
    count = library.words_count(handle, ctypes.byref(size))
    letters, ends = np.empty(size.value, np.uint8), np.empty(count, np.int64)
    library.words_list(handle, _at(letters), _at(ends))
    text, start, found = letters.tobytes().decode("ascii"), 0, list[str]()
    for end in ends.tolist():
        found.append(text[start:end])
        start = end
    return found


def _at(array: Any) -> int:
    return int(array.ctypes.data)


def _declare(library: ctypes.CDLL) -> None:
    """State the types of the library's functions."""
    types: dict[str, tuple[Any, list[Any]]] = {
        "words_new": (c_void_p, [c_uint64, c_void_p, c_void_p, c_void_p, c_int64]),
        "words_free": (None, [c_void_p]),
        "words_of": (c_int64, [c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_void_p]),
        "words_count": (c_int32, [c_void_p, c_void_p]),
        "words_list": (None, [c_void_p, c_void_p, c_void_p]),
    }
    for name, (result, arguments) in types.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
