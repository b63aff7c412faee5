"""The first event of each key, as it stands in its file: kept as bytes, for a pass meets far more than are shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

EXAMPLE_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Example:
    """The first event of a key, as it stands in the file."""

    source: int
    byte: int
    lines: int
    raw: str
    text: str
    """What it says, without stamp and record keeping."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The examples of one block."""

    source: int
    places: Any
    """numpy: byte and lines of each"""
    raw: bytes
    rest: bytes
    """What those say whose first line does not end with it."""
    ends: Any
    """numpy: where each ends in `raw`, and in `rest`; how many bytes of its first line it says"""
    traced: Mapping[int, str]
    """What those say that have a stack trace."""

    def example(self, place: int) -> Example:
        """Return one of them."""
        return next(self.some(slice(place, place + 1)))

    def some(self, which: slice) -> Iterator[Example]:
        """Yield those in a row."""
        first = which.start or 0
        line_begin, rest_begin = (int(each) for each in self.ends[first - 1, :2]) if first else (0, 0)
        rows = zip(self.places[which].tolist(), self.ends[which].tolist(), strict=True)
        for place, ((byte, lines), (line_end, rest_end, tail)) in enumerate(rows, first):
            line = self.raw[line_begin:line_end]
            said = self.traced.get(place)
            if said is None:
                said = (line[len(line) - tail :] if tail >= 0 else self.rest[rest_begin:rest_end]).decode()
            yield Example(self.source, byte, lines, line.decode(), said.strip()[:EXAMPLE_CHARS])
            line_begin, rest_begin = line_end, rest_end

    def naming(self, word: bytes) -> Iterator[Example]:
        """Yield those whose first line holds a word."""
        import numpy as np

        at = self.raw.find(word)
        while at >= 0:
            place = int(np.searchsorted(self.ends[:, 0], at, "right"))
            end = int(self.ends[place, 0])
            if at + len(word) <= end:
                yield self.example(place)
            at = self.raw.find(word, end if at + len(word) <= end else at + 1)


_NOTHING = Example(0, 0, 1, "", "")
"""Stands for events that are not grouped, which have key 0."""


class Examples:
    """Examples by the number of their key."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._begins: list[int] = []
        self._count = 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, key: int) -> Example:
        """Return the example of a key."""
        if not 0 <= key < self._count:
            raise IndexError(key)
        if not key:
            return _NOTHING
        block = bisect_right(self._begins, key) - 1
        return self._kept[block].example(key - self._begins[block])

    def __iter__(self) -> Iterator[Example]:
        yield _NOTHING
        for kept in self._kept:
            yield from kept.some(slice(None))

    def naming(self, word: str) -> Iterator[Example]:
        """Yield the examples whose first line holds a word."""
        for kept in self._kept:
            yield from kept.naming(word.encode())

    def add(self, source: int, events: pl.DataFrame, traced: Mapping[int, str]) -> None:
        """Keep the examples of the next keys: `events` of one block; what `traced` has of a row is what it says."""
        import polars as pl

        line, text = pl.col("raw").str.slice(0, EXAMPLE_CHARS), pl.col("text")
        is_tail = line.str.ends_with(text)
        rest = pl.when(is_tail).then(pl.lit("")).otherwise(text.str.slice(0, 2 * EXAMPLE_CHARS))
        tail = pl.when(is_tail).then(text.str.len_bytes().cast(pl.Int64)).otherwise(-1)
        cut = events.select("start", "lines", line=line, rest=rest, tail=tail)
        both = pl.col("line", "rest")
        raw, kept = (said.encode() for said in cut.select(both.str.join("")).row(0))
        ends = cut.select(both.str.len_bytes().cast(pl.Int64).cum_sum(), "tail").to_numpy()
        self._kept.append(_Kept(source, cut[["start", "lines"]].to_numpy(), raw, kept, ends, traced))
        self._begins.append(self._count)
        self._count += events.height
