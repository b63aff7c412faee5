"""Masked messages by number, by the compiled `keys.c`."""

from __future__ import annotations

import ctypes
import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from subagents.logs.native import address, library

if TYPE_CHECKING:
    import polars as pl

Laid = tuple[bytes, Any]
"""Texts one after the other, and where each ends (numpy)."""


class KeysByText:
    """Masked messages by number, from 1, in memory of the library; MemoryError where there is none."""

    def __init__(self, compiled: ctypes.CDLL) -> None:
        self._library = compiled
        seed, secret = (int.from_bytes(os.urandom(8), "little") for _ in range(2))
        self._handle = compiled.keys_new(seed, secret)
        if not self._handle:
            raise MemoryError("no memory for the messages of logs")

    @classmethod
    def made(cls) -> Self | None:
        """Return one, or None where the library is not there."""
        compiled = library()
        return cls(compiled) if compiled is not None else None

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.keys_free(self._handle)

    def find(self, texts: Laid, more: Laid | None, chars: int, numbers: tuple[int, int]) -> tuple[Any, Any, list[str]]:
        """Return the number of each text's first characters, masked, with what is put behind them as it is.

        New ones get numbers from the first of `numbers` to the last; 0: there is no room. The rest tells of both
        which rows they are (numpy) and what they are, masked.
        """
        import numpy as np

        letters, ends = texts
        behind, behind_ends = more if more is not None else (b"", None)
        found, rows, where = np.empty(len(ends), np.int32), *np.empty((2, len(ends)), np.int64)
        written = np.empty(len(letters) + len(behind), np.uint8)
        given = (letters, address(ends), behind if more else None, address(behind_ends), len(ends))
        made = map(address, (found, rows, written, where))
        count = self._library.keys_find(self._handle, *given, chars, *numbers, *made)
        if count < 0:
            raise MemoryError("no memory for the messages of logs")
        places = [0, *where[:count].tolist()]
        said = written[: places[-1]].tobytes()
        if said.isascii():
            text = said.decode()
            return found, rows[:count], [text[start:end] for start, end in pairwise(places)]
        return found, rows[:count], [said[start:end].decode() for start, end in pairwise(places)]


def laid_out(texts: pl.Series) -> Laid:
    """Return texts as they are handed to the library."""
    import numpy as np

    return texts.str.join("").item().encode(), np.cumsum(texts.str.len_bytes().to_numpy(), dtype=np.int64)
