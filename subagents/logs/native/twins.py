"""Lines in which other things stand in words with digits, made for many lines at once by the compiled `twins.h`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from subagents.logs.native import Classes, address


class Wanted(NamedTuple):
    """A line of which twins are wanted."""

    line: bytes
    keep: int = 0
    """Words, by bit, that stay as they are"""
    only: int = -1
    """The only word that becomes another; -1: all of them do"""


class Twins(NamedTuple):
    """Twins of a line."""

    words: int
    """Words with digits that it has, by bit"""
    twin: bytes
    """With as many digits everywhere"""
    wide: bytes
    """With statuses where it has numbers of more or fewer digits, and severities where it has others"""
    beside: bytes
    """Likewise, but those others are as they were; nothing where it has none, or no other numbers"""


def twins_of(classes: Classes, wanted: Sequence[Wanted]) -> list[Twins]:
    """Return twins of each line; a line that is none of a class stays as it is."""
    import numpy as np

    if not wanted:
        return []
    lines, keep, only = zip(*wanted, strict=True)
    ends, data = np.cumsum([len(line) for line in lines]), b"".join(lines)
    words, wide_ends = np.empty(len(lines), np.uint64), np.empty(2 * len(lines), np.int64)
    twins, wides = np.empty(len(data), np.uint8), np.empty(6 * len(data), np.uint8)
    kept, asked = np.array(keep, np.uint32), np.array(only, np.int32)
    arrays = map(address, (kept, asked, words, twins, wides, wide_ends))
    classes._library.twins_of(classes._handle, data, address(ends), len(lines), *arrays)
    told = twins.tobytes(), wides[: wide_ends[-1]].tobytes()
    wide = _parts(told[1], wide_ends)
    return list(map(Twins, words.tolist(), _parts(told[0], ends), wide[::2], wide[1::2]))


def _parts(text: bytes, ends: Any) -> list[bytes]:
    places = [0, *ends.tolist()]
    return [text[begin:end] for begin, end in pairwise(places)]
