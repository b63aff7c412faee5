"""Blocks of whole lines with exact byte offsets, and exact bytes again by offset, in bounded memory.

Offsets count decompressed bytes. A line is what ends in `\\n` (or at the end of the file); a lone `\\r`
ends none. A line longer than `CUT_BYTES` shows its first part and says so; its true size is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

from subagents.contract import EXCERPT_LIMIT, Evidence, Problem, ToolError
from subagents.files import BoundedReader, open_bounded, packing
from subagents.logs.native import looked_at

BLOCK_BYTES = 8 << 20
FIRST_BYTES = 512 << 10
"""The first block of a file: something is seen at once."""
GROWTH = 16
"""Each other block is at most so many times as large as all before it: layouts are learnt from little, little is read
twice where another one turns up. What is done once a block is done less where few blocks are small."""
LEAST_BYTES = 1 << 16
"""So much is read at a time, however small blocks are."""
BLOCK_LINES = 1 << 18
"""Most lines of a block: what a line costs in memory does not depend on its length."""
CUT_BYTES = 64 << 10
GIANT_BYTES = 1 << 20
"""A line longer than this is never held whole: what follows its first part is counted and let go."""
HOLD_BYTES = 1 << 20
"""Most bytes of an unfinished event that are carried into the next block."""
LONGEST_EVENT = 20_000


@dataclass(frozen=True)
class Block:
    """Whole lines: `data` starts at byte `offset` of the file, and `size` bytes from there on are the block's."""

    offset: int
    data: bytes
    """It may go on behind the block; of a giant line it is only the beginning."""
    size: int
    last: bool = False
    feeds: int = -1
    """Line feeds in `data`; -1: it was not looked at."""
    odd: int = 0
    """What was found then: ODD_ESCAPES, NOT_ASCII."""

    @property
    def is_cut(self) -> bool:
        """Say whether it is one giant line of which only the beginning is there."""
        return self.size > len(self.data)

    @property
    def length(self) -> int:
        """How many bytes of `data` are its own."""
        return min(self.size, len(self.data))

    def own(self) -> bytes:
        """Return its own bytes."""
        return self.data if self.length == len(self.data) else self.data[: self.length]


@dataclass
class BlockReader:
    """Reads a file as blocks; `hold` returns an unfinished tail to be read again with the next block."""

    path: Path
    name: str = ""
    block_bytes: int = BLOCK_BYTES
    block_lines: int = BLOCK_LINES
    problem: Problem | None = None
    read_bytes: int = 0
    """How much of the file on disk has been read: what progress is measured by."""
    _stream: BufferedReader | None = None
    _bounded: BoundedReader | None = None
    _carry: bytes = b""
    _offset: int = 0
    _ended: bool = False

    def next_block(self) -> Block | None:
        """Return the next block; None at the end. Raises OSError when the file cannot be opened or read."""
        if self._stream is None:
            self._stream, self._bounded = open_bounded(self.path, self.name)
        if self._stream.closed:
            return None
        block = self._next(self._stream)
        if block is None:
            self.close()
        return block

    def close(self) -> None:
        """Let the file go; what was wrong with it is kept."""
        if self._stream is not None:
            self._stream.close()
        if self._bounded is not None:
            self.problem = self._bounded.problem

    def hold(self, tail: bytes) -> None:
        """Give back the end of the block just yielded: it starts the next block."""
        self._carry = tail + self._carry
        self._offset -= len(tail)

    def _next(self, stream: BufferedReader) -> Block | None:
        data = self._data(stream, min(self.block_bytes, max(FIRST_BYTES, GROWTH * self._offset)))
        if not data:
            return None
        count, odd = looked_at(data)
        if not count and not self._is_at_end(stream):
            data += stream.readline(GIANT_BYTES)
            count, odd = looked_at(data)
            if not count and not self._is_at_end(stream):
                return self._giant(stream, data)
        if count > self.block_lines:
            size = int(line_feeds(data)[self.block_lines - 1]) + 1
        elif data.endswith(b"\n") or self._is_at_end(stream):
            return self._give(data, len(data), last=self._is_at_end(stream), looked=(count, odd))
        else:
            size = data.rfind(b"\n") + 1
        self._carry = data[size:]
        return self._give(data, size, looked=(count, odd))

    def _data(self, stream: BufferedReader, size: int) -> bytes:
        """Return what comes next; what was given back is read again where it can be, for that spares a copy of all."""
        carry, self._carry = self._carry, b""
        if not carry:
            return self._read(stream, max(size, LEAST_BYTES))
        if not stream.seekable():
            return carry + self._read(stream, max(size - len(carry), LEAST_BYTES))
        stream.seek(self._offset)
        self._ended = False
        read = self._read(stream, max(size, LEAST_BYTES))
        return carry if self._ended and len(read) < len(carry) else read  # somebody may have cut the file meanwhile

    def _is_at_end(self, stream: BufferedReader) -> bool:
        """Say whether all of the file has been given."""
        if not self._ended and not stream.peek(1):
            self._ended = True
        return self._ended

    def _read(self, stream: BufferedReader, size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            self._ended = True
        if self._bounded is not None:
            self.read_bytes = self._bounded.read_bytes
        return data

    def _giant(self, stream: BufferedReader, data: bytes) -> Block:
        head, size = data[:CUT_BYTES], len(data)
        while not self._ended:
            more = self._read(stream, GIANT_BYTES)
            end = more.find(b"\n") + 1
            size += end or len(more)
            if end:
                self._carry = more[end:]
                break
        done = self._ended and not self._carry
        return self._give(head, size, last=done)

    def _give(self, data: bytes, size: int, *, last: bool = False, looked: tuple[int, int] = (-1, 0)) -> Block:
        block = Block(self._offset, data, size, last, *looked)
        self._offset += size
        return block


def line_feeds(data: bytes) -> Any:
    """Return where the line feeds are (numpy int64)."""
    import numpy as np

    return np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))


def is_packed(path: Path) -> bool:
    """Say whether the file is compressed, by its content."""
    with path.open("rb") as raw:
        return packing(raw.read(4)) != ""


@dataclass(frozen=True)
class Span:
    """Bytes `start` to `start + size` of a file; `size` counts to the end of the last whole line."""

    start: int
    size: int
    lines: int
    digest: str
    head: bytes
    """The first bytes, enough for an excerpt."""

    def evidence(self, ref: str, label: str = "") -> Evidence:
        """Freeze the span as the evidence behind `ref`."""
        excerpt = self.head[: EXCERPT_LIMIT + 4].decode("utf-8", "replace")
        while len(excerpt.encode()) > EXCERPT_LIMIT:
            excerpt = excerpt[:-1]
        return Evidence(ref=ref, digest=self.digest, excerpt=excerpt, label=label)


def read_spans(path: Path, wanted: Sequence[tuple[int, int]], keep: int = EXCERPT_LIMIT + 4) -> list[Span]:
    """Return `(byte, lines)` spans in the order asked; one forward pass where the file is compressed.

    Raises ToolError where a position lies beyond the end of the file.
    """
    spans: dict[tuple[int, int], Span] = {}
    packed = is_packed(path)
    stream, place = _reopen(path, 0, packed)
    try:
        for byte, lines in sorted(set(wanted)):
            if byte < place or not packed:
                stream.close()
                stream, place = _reopen(path, byte, packed)
            place += _skip(stream, byte - place)
            span = _take(stream, byte, lines, keep) if place == byte else None
            if span is None:
                raise ToolError(f"{path.name} ends before byte {byte}: the file has changed since it was cited")
            spans[byte, lines] = span
            place += span.size
    finally:
        stream.close()
    return [spans[key] for key in wanted]


def _reopen(path: Path, byte: int, packed: bool) -> tuple[BufferedReader, int]:
    if packed:
        return open_bounded(path)[0], 0
    raw: BufferedReader = BufferedReader(FileIO(path), 1 << 16)
    raw.seek(byte)
    return raw, byte


def _skip(stream: BufferedReader, count: int) -> int:
    left = count
    while left > 0:
        piece = stream.read(min(left, 1 << 20))
        if not piece:
            break
        left -= len(piece)
    return count - left


def _take(stream: BufferedReader, byte: int, lines: int, keep: int) -> Span | None:
    digest, size, head, whole = hashlib.sha256(), 0, b"", 0
    while whole < lines:
        piece = stream.readline(1 << 20)
        if not piece:
            break
        digest.update(piece)
        size += len(piece)
        if len(head) < keep:
            head += piece[: keep - len(head)]
        if piece.endswith(b"\n"):
            whole += 1
    if size == 0:
        return None
    return Span(byte, size, max(whole, 1), "sha256:" + digest.hexdigest(), head)


def lines_around(path: Path, byte: int, lines: int, before: int, after: int) -> tuple[int, int, bytes]:
    """Return (start byte, number of lines, bytes) of a span with whole lines around it, at most 1 MiB."""
    reach = min(byte, 512 << 10)
    packed = is_packed(path)
    stream, place = _reopen(path, byte - reach, packed)
    with stream:
        _skip(stream, byte - reach - place)
        lead = stream.read(reach)
        if len(lead) < reach:
            raise ToolError(f"{path.name} ends before byte {byte}: the file has changed since it was cited")
        kept = _last_lines(lead, before, whole=reach == byte)
        body = [stream.readline(1 << 18) for _ in range(min(lines + after, 2000))]
    data = kept + b"".join(body)
    return byte - len(kept), data.count(b"\n") + (not data.endswith(b"\n")), data


def _last_lines(lead: bytes, count: int, *, whole: bool) -> bytes:
    if count <= 0 or not lead:
        return b""
    pieces = [piece + b"\n" for piece in lead.split(b"\n")[:-1]]
    if not whole:
        pieces = pieces[1:]
    return b"".join(pieces[-count:])
