"""A block of bytes as a column of lines, with the exact place of each, whatever bytes are in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from subagents.contract import Problem
from subagents.logs.native import ODD_ESCAPES
from subagents.logs.native.texts import texts_of
from subagents.logs.sources.reader import CUT_BYTES, Block, line_feeds

if TYPE_CHECKING:
    import polars as pl

    from subagents.logs.sources.stamp_reader import Seen

BOM = b"\xef\xbb\xbf"
_COLOUR = r"\x1b\[[0-9;:?]*[A-Za-z]"
"""What terminals obey: it would stand in the way of times, levels and templates."""
LARGE_BYTES = 1 << 22
_TAKEN_FOR_PACKED = (b"x\x01", b"x^")
"""Text that begins so is unpacked by the quick way to split it, as zlib begins so."""
UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Troubles(Protocol):
    """Where input problems go."""

    def trouble(self, key: str, problem: Problem) -> None:
        """Add a problem."""


@dataclass(frozen=True)
class Lines:
    """Lines of a block, all or some: line i is the bytes `starts[i]` to `ends[i]` of the file."""

    text: pl.Series
    starts: Any
    """numpy int64"""
    ends: Any
    """numpy int64; the byte after the line feed"""
    numbers: Any
    """numpy int64; of the lines in the file, counted from 1"""
    seen: Seen | None = None
    """Their stamps, if those were looked for before"""
    whole: bool = True
    """They are all lines of a block: what it holds is looked for in all of them."""

    @property
    def count(self) -> int:
        """How many lines."""
        return len(self.starts)

    def __getitem__(self, part: slice) -> Lines:
        """Return some of the lines."""
        seen = self.seen[part] if self.seen is not None else None
        return Lines(self.text[part], self.starts[part], self.ends[part], self.numbers[part], seen, self.whole)


def split_lines(block: Block, lines_before: int, name: str, troubles: Troubles) -> Lines:
    """Split a block at `\\n` only; bad UTF-8 is replaced, a long line is cut, both visibly."""
    import numpy as np

    data = block.own()
    starts = np.concatenate(([0], line_feeds(data) + 1)).astype(np.int64)
    if data.endswith(b"\n"):
        starts = starts[:-1]
    if block.offset == 0 and data[:2] in UTF16:
        troubles.trouble(
            "utf16",
            Problem(
                what="UTF-16 text, read as bytes",
                where=name,
                lost="times and levels",
                todo="convert it: iconv -f UTF-16 -t UTF-8",
            ),
        )
    ends = np.append(starts[1:], len(data))
    numbers, begins = np.arange(lines_before + 1, lines_before + 1 + len(starts)), starts
    if block.offset == 0 and data.startswith(BOM):
        begins = np.append(len(BOM), starts[1:])
    text = _text_of(data, begins, ends, numbers, name, troubles)
    lines = Lines(text, starts + block.offset, ends + block.offset, numbers)
    if block.is_cut:
        lines.ends[:] = block.offset + block.size
    return _cut(lines, name, troubles)


def some_lines(block: Block, starts: Any, rows: Any, lines_before: int, name: str, troubles: Troubles) -> Lines:
    """Return some rows (numpy, in order) of a block whose lines start at `starts`, as `split_lines` would."""
    import numpy as np

    ends = np.append(starts[1:], block.length)[rows]
    begins, numbers = starts[rows], rows + lines_before + 1
    text = _text_of(block.data, begins, ends, numbers, name, troubles)
    return _cut(Lines(text, begins + block.offset, ends + block.offset, numbers, whole=False), name, troubles)


def raw_lines(block: Block, starts: Any, rows: Any) -> list[bytes]:
    """Return some rows (numpy) of a block whose lines start at `starts` as they are, without their ends."""
    import numpy as np

    places = zip(starts[rows].tolist(), np.append(starts[1:], block.length)[rows].tolist(), strict=True)
    return [block.data[begin:end].rstrip(b"\r\n") for begin, end in places]


def _text_of(data: bytes, begins: Any, ends: Any, numbers: Any, name: str, troubles: Troubles) -> pl.Series:
    """Return lines as text, without what is no text; `numbers` are those of the lines."""
    from polars.exceptions import PolarsError

    taken = texts_of(data, begins, ends)
    if taken is not None:
        text, odd = taken
        return text.str.replace_all(_COLOUR, "") if odd & ODD_ESCAPES else text
    data = _joined(data, begins, ends)
    try:
        text = _split(data)
    except PolarsError:
        data = _mended(data, numbers, name, troubles)
        text = _split(data)
    if b"\x1b" in data:
        text = text.str.replace_all(_COLOUR, "")
    return text


def _joined(data: bytes, begins: Any, ends: Any) -> bytes:
    """Return lines as they follow each other."""
    import numpy as np

    cuts = np.flatnonzero(begins[1:] != ends[:-1]) + 1
    parts = zip(begins[np.append(0, cuts)].tolist(), ends[np.append(cuts, len(begins)) - 1].tolist(), strict=True)
    return b"".join(data[begin:end] for begin, end in parts)


def _mended(data: bytes, numbers: Any, name: str, troubles: Troubles) -> bytes:
    """Return lines without what is not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        bad = numbers[data.count(b"\n", 0, error.start)]
        what, count = "bytes that are not UTF-8, shown as \ufffd", sum(map(_is_broken, data.split(b"\n")))
        troubles.trouble("utf8", Problem(what=what, where=f"{name}:{bad}", count=count))
    return data.decode("utf-8", "replace").encode()


def _is_broken(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return False


def _split(shown: bytes) -> pl.Series:
    """Split UTF-8 at line feeds, without a carriage return before them; an error where it is none."""
    import polars as pl

    whole = pl.Series([shown], dtype=pl.Binary).cast(pl.String)
    if len(shown) >= LARGE_BYTES and not shown.startswith(_TAKEN_FOR_PACKED):
        text = pl.read_lines(shown).to_series()  # a fourth of the cost, but other threads have to be waited for
        return text.scatter(text.len() - 1, text[-1].removesuffix("\r")) if shown.endswith(b"\r") else text
    text = whole.str.split("\n").explode()
    text = text.head(text.len() - 1) if shown.endswith(b"\n") else text
    return text.str.strip_suffix("\r") if b"\r" in shown else text


def _cut(lines: Lines, name: str, troubles: Troubles) -> Lines:
    import numpy as np

    sizes = lines.ends - lines.starts
    long = np.flatnonzero(sizes > CUT_BYTES)
    if not len(long):
        return lines
    shown = [lines.text[int(row)][: CUT_BYTES // 4] + f" …[cut: {sizes[row]} bytes]" for row in long]
    troubles.trouble(
        "long",
        Problem(
            what=f"a line of {sizes[long[0]]} bytes; analysed up to its first {CUT_BYTES // 4} characters",
            where=f"{name}:{lines.numbers[long[0]]}",
            count=len(long),
        ),
    )
    return replace(lines, text=lines.text.scatter(long, shown))
