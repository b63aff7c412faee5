"""Bounded reading of files that others wrote: plain, `.gz` or `.zst`, never more than the limits say.

Good data before a fault is always kept: a bomb, a torn or a damaged archive ends the stream early and
leaves a `Problem`, it never raises. Only a file that cannot be opened at all raises (OSError).
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from subagents.contract import Problem

CHUNK = 1 << 16
_PIECE = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PARQUET_MAGIC = b"PAR1"
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
"""The last three bytes of a skippable frame's magic, with which seekable and parallel archives may begin."""


@dataclass(frozen=True)
class Limits:
    """How much may come out of one file, in bytes."""

    ratio: int = 200
    """Expansion allowed once `ratio_after` bytes have come out."""
    ratio_after: int = 64 << 20
    total: int = 1 << 30
    """Most decompressed bytes; plain files are not limited."""
    zstd_window: int = 128 << 20


DEFAULT_LIMITS = Limits()


class _Inflater(Protocol):
    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return (at most some megabytes of output, input not used yet); raise only where nothing came before."""

    def finished_cleanly(self) -> bool:
        """Say whether the stream so far ends where an archive may end."""


class _Gzip:
    """Multi-member gzip, a bounded piece at a time."""

    def __init__(self) -> None:
        self._member: Any = None
        self._fault: Exception | None = None

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        if self._fault is not None:
            raise self._fault
        if self._member is None:
            if not data.strip(b"\0"):  # padding, as tapes and block devices leave it
                return b"", b""
            self._member = zlib.decompressobj(wbits=31)
        before = self._member.copy()
        try:
            out = self._member.decompress(data, _PIECE)
        except zlib.error as fault:
            self._fault = fault
            return _before_fault(before, data), data
        if self._member.eof:
            rest: bytes = self._member.unused_data
            self._member = None
            return out, rest
        return out, self._member.unconsumed_tail

    def finished_cleanly(self) -> bool:
        return self._member is None


def _before_fault(member: Any, data: bytes) -> bytes:
    """What a damaged piece gives up to the damage: zlib drops the output of the call that finds it."""
    found = bytearray()
    for step in (4096, 1):
        try:
            while data:
                before = member.copy()
                found += member.decompress(data, step)
                data = member.unconsumed_tail
        except zlib.error:
            member = before
    return bytes(found)


class _Zstd:
    """Zstandard frames; the library bounds its output by the input it is fed, so it is fed little at a time."""

    _STEP = 256

    def __init__(self, window: int) -> None:
        import zstandard

        self._make = zstandard.ZstdDecompressor(max_window_size=window).decompressobj
        self._frame: Any = None
        self._fault: Exception | None = None

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        if self._fault is not None:
            raise self._fault
        pieces: list[bytes] = []
        view, at, size = memoryview(data), 0, 0
        while at < len(data) and size < _PIECE:
            if self._frame is None:
                if not data[at:].strip(b"\0"):  # padding
                    return b"".join(pieces), b""
                self._frame = self._make()
            step = view[at : at + self._STEP]
            try:
                out = self._frame.decompress(step)
            except Exception as fault:  # zstandard.ZstdError: what came before it is kept
                if not pieces:
                    raise
                self._fault = fault
                break
            at += len(step)
            size += len(out)
            pieces.append(out)
            if self._frame.eof:
                at -= len(self._frame.unused_data)
                self._frame = None
        return b"".join(pieces), data[at:]

    def finished_cleanly(self) -> bool:
        return self._frame is None


class BoundedReader(io.RawIOBase):
    """The decompressed bytes of a file, up to the limits; `problem` says why it ended early, if it did."""

    def __init__(self, raw: io.BufferedReader, inflater: _Inflater | None, name: str, limits: Limits) -> None:
        super().__init__()
        self._raw, self._inflater, self._name, self._limits = raw, inflater, name, limits
        self._input, self._output = b"", memoryview(b"")
        self._taken = self._given = 0
        self._ended = False
        self.problem: Problem | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Say whether any byte can be read again: those of a file that is not compressed."""
        return self._inflater is None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte; raises UnsupportedOperation where the file is compressed."""
        return self._raw.seek(offset, whence) if self._inflater is None else super().seek(offset, whence)

    @property
    def read_bytes(self) -> int:
        """How much of the file on disk has been read."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self._inflater is None:
            return self._raw.readinto(view)
        while not self._output and not self._ended:
            self._advance(self._inflater)
        given = self._output[: len(view)]
        view[: len(given)] = given
        self._output = self._output[len(given) :]
        return len(given)

    def _advance(self, inflater: _Inflater) -> None:
        if not self._input:
            self._input = self._raw.read(CHUNK)
            self._taken += len(self._input)
            if not self._input:
                self._ended = True
                if not inflater.finished_cleanly():
                    self._stop("the archive is cut short", "everything after the cut")
                return
        try:
            output, self._input = inflater.feed(self._input)
        except Exception as error:  # zlib.error, zstandard.ZstdError: the archive is damaged from here on
            self._stop(f"the archive is damaged ({str(error)[:80]})", "everything after the damage")
            return
        self._output = memoryview(output)
        self._given += len(output)
        limits = self._limits
        if self._given > limits.ratio_after and self._given > limits.ratio * self._taken:
            self._stop(f"expands more than {limits.ratio} times: it looks like a decompression bomb", "the rest")
        elif self._given > limits.total:
            self._stop(f"holds more than {limits.total >> 20} MiB decompressed", "the rest")

    def _stop(self, what: str, lost: str) -> None:
        self._ended, self._input = True, b""
        self.problem = Problem(
            what=what, where=self._name, lost=f"{lost} after {self._given} bytes", todo="decompress it and give a part"
        )


def packing(head: bytes) -> str:
    """Return how a file is compressed, by its first four bytes: `gzip`, `zstd`, or nothing."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    if head[:4] == ZSTD_MAGIC or (head[1:4] == ZSTD_SKIPPABLE and head[0] & 0xF0 == 0x50):
        return "zstd"
    return ""


def unpacked_size(path: Path) -> int:
    """Return how many bytes a file holds, unpacked, as far as it says so itself; -1 where it does not.

    An archive of several parts may say the size of one: what is found by it has to be looked at.
    """
    try:
        with path.open("rb") as raw:
            head = raw.read(32)
            size = raw.seek(0, io.SEEK_END)
            kind = packing(head)
            if kind == "gzip" and size >= 18:  # a header and a trailer
                raw.seek(-4, io.SEEK_END)
                return int.from_bytes(raw.read(4), "little")
    except OSError:
        return -1
    if kind != "zstd":
        return -1 if kind else size
    import zstandard

    try:
        return zstandard.frame_content_size(head)
    except zstandard.ZstdError:
        return -1


def open_bounded(
    path: Path, name: str = "", limits: Limits = DEFAULT_LIMITS
) -> tuple[io.BufferedReader, BoundedReader]:
    """Open a file for reading its decompressed bytes; compression is found by content, not by name.

    Returns a buffered stream and the bounded reader beneath it, whose `problem` is set by the end.
    """
    raw = path.open("rb")
    head = raw.read(4)
    raw.seek(0)
    inflater: _Inflater | None = None
    kind = packing(head)
    if kind == "gzip":
        inflater = _Gzip()
    elif kind == "zstd":
        inflater = _Zstd(limits.zstd_window)
    bounded = BoundedReader(raw, inflater, name or path.name, limits)
    return io.BufferedReader(bounded, 1 << 18), bounded


def read_all(path: Path, name: str = "", limit: int = 256 << 20) -> tuple[bytes, Problem | None]:
    """Return a file's decompressed bytes, at most `limit` of them, and what was wrong with it."""
    stream, bounded = open_bounded(path, name)
    with stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        cut = Problem(what=f"larger than {limit >> 20} MiB", where=name or path.name, lost="the rest of the file")
        return data[:limit], cut
    return data, bounded.problem
