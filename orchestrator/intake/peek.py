"""The first look at a file: opened safely, decompressed, and told apart as text or binary."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from orchestrator.intake.json_door import unicode_encoding
from subagents.contract import Problem
from subagents.files import PARQUET_MAGIC, open_bounded, packing

PEEK_BYTES = 64 * 1024
_HOLE_BYTES = 256 << 20
_CONTROLS = bytes(set(range(32)) - {0, 7, 8, 9, 10, 11, 12, 13, 27}) + b"\x7f"
_PACKED = (
    (b"PK\x03\x04", "a zip archive", "unpack it"),
    (b"\xfd7zXZ\x00", "xz-compressed", "decompress it, or compress it with gzip or zstd"),
    (b"BZh", "bzip2-compressed", "decompress it, or compress it with gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (PARQUET_MAGIC, "a Parquet file without a column of times and one of numbers", "export it as CSV"),
    (b"SQLite format 3\x00", "a SQLite database", "export the rows as CSV or JSON lines"),
    (b"%PDF-", "a PDF", ""),
)
_STAMPED = re.compile(
    rb"\W{0,2}(?:\d{4}[-/.]\d\d[-/.]\d\d[T ]|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d|\d{10,13}\b"
    rb"|\d\d/[A-Z][a-z]{2}/\d{4}:|[IWEF]\d{4} \d\d:)"
)


@dataclass(frozen=True)
class Peek:
    """The head of a file, decompressed."""

    head: bytes
    whole: bool
    """The head is the whole file."""
    encoding: str | None = None
    """Codec of text that is not UTF-8 and must be converted before it is read."""
    refused: str = ""
    """Why the file cannot be used, if it cannot."""
    todo: str = ""
    problem: Problem | None = None

    @property
    def text(self) -> str:
        """The head as text; a character cut at the end is dropped."""
        if self.encoding is not None:
            return self.head.decode(self.encoding, "replace")
        return self.head.decode("utf-8", "replace")


def refusal(path: Path) -> str:
    """Say why a path is not a file that may be read (it is not opened to find out); empty where it may."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    for test, word in (
        (stat.S_ISREG, ""),
        (stat.S_ISDIR, "a folder where a file is expected"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return word
    return "not a regular file"


def peek(path: Path, name: str) -> Peek:
    """Read the head of a file; raises nothing for what is in it or for what it is."""
    why = refusal(path)
    if why:
        return Peek(b"", True, refused=why)
    try:
        stream, bounded = open_bounded(path, name)
        with stream:
            head = stream.read(PEEK_BYTES + 1)
            hole = 0
            while head and hole < _HOLE_BYTES and not head.strip(b"\0"):  # a log truncated under its writer
                hole += len(head)
                head = stream.read(PEEK_BYTES + 1)
    except OSError as error:
        return Peek(b"", True, refused=f"cannot be read ({os.strerror(error.errno) if error.errno else error})")
    whole = len(head) <= PEEK_BYTES
    head = head[:PEEK_BYTES]
    if not head:
        why = bounded.problem.what if bounded.problem else "empty"
        return Peek(b"", True, refused=why)
    encoding = unicode_encoding(head)
    packed = next(((word, todo) for magic, word, todo in _PACKED if head.startswith(magic)), None)
    if packed is None and packing(head):
        packed = ("an archive inside an archive", "unpack it once")
    if packed is None and head[257:262] == b"ustar":
        packed = ("a tar archive", "unpack it")
    if packed is not None:
        return Peek(head, whole, refused=packed[0], todo=packed[1])
    if encoding is None and is_binary(head):
        return Peek(head, whole, refused="binary, not text", todo="convert it to text")
    return Peek(head, whole, encoding, problem=bounded.problem)


def is_binary(head: bytes) -> bool:
    """Say whether bytes are no text: a tenth of them NUL (leading ones apart), or 3 % other control characters."""
    head = head.lstrip(b"\0") or head
    zeros = head.count(0)
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return zeros > len(head) * 0.1 or controls > (len(head) - zeros) * 0.03


def begins_with_time(line: bytes) -> bool:
    """Say whether a line begins as one does that begins with a time stamp."""
    return _STAMPED.match(line) is not None


def looks_like_log(head: bytes) -> bool:
    """Say whether most of the first lines begin with a time stamp or are JSON objects."""
    lines = [line for line in head.split(b"\n")[:50] if line.strip()]
    return bool(lines) and sum(bool(_STAMPED.match(n)) or n.startswith(b'{"') for n in lines) * 2 >= len(lines)
