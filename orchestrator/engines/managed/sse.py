"""Server-sent events, byte by byte as they come: what is whole is handed on, what is broken is named and passed over.

The SDK's own reading ends at the first broken frame, drops frames without a name, and shows no keep-alives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

FRAME_LIMIT: Final = 32 << 20
"""Most bytes of one frame."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_HEAD = 200


@dataclass(frozen=True)
class Frame:
    """One frame, read: an event or an error with its data, a sign of life, or what could not be read and why."""

    kind: Literal["event", "error", "ping", "bad"]
    data: Mapping[str, Any]


class Decoder:
    """Feed it bytes as they come; it yields the frames that they complete."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._begun = False
        self._skip_feed = False
        self._parts: list[bytes] = []
        """Of the line that is not yet whole."""
        self._held = 0
        """Bytes of those."""
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._too_large = False

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Take bytes and yield what they complete."""
        if self._skip_feed and chunk:
            chunk, self._skip_feed = chunk.removeprefix(b"\n"), False
        start = 0
        for end in _LINE_END.finditer(chunk):
            line = b"".join((*self._parts, chunk[start : end.start()]))
            self._parts.clear()
            self._held, start = 0, end.end()
            self._skip_feed = start == len(chunk) and end.group() == b"\r"
            if (frame := self._line(line)) is not None:
                yield frame
        if start < len(chunk):
            self._hold(chunk[start:])

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._too_large or self._size + self._held > self._limit:
            self._too_large = True
            self._parts, self._data = [b"data:"], []
            return
        self._parts.append(part)

    def _line(self, line: bytes) -> Frame | None:
        if not self._begun:
            line, self._begun = line.removeprefix(b"\xef\xbb\xbf"), True
        if not line:
            return self._end()
        if line.startswith(b":"):
            return Frame("ping", {}) if not self._data and not self._name else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value
        elif field == b"data":
            self._size += len(value)
            if self._size > self._limit:
                self._too_large = True
                self._data = []
            elif not self._too_large:
                self._data.append(value)
        return None

    def _end(self) -> Frame | None:
        name, data, too_large = self._name, b"\n".join(self._data), self._too_large
        said = bool(self._data)
        self._name, self._data, self._size, self._too_large = b"", [], 0, False
        if too_large:
            return bad(f"a frame is larger than {self._limit >> 20} MiB", name)
        if name == b"ping" or not said or not data.strip():
            return Frame("ping", {}) if name or said else None
        return read(name, data)


def read(name: bytes, data: bytes) -> Frame:
    """Return what a frame's data say; the type in the data counts, not the frame's name."""
    import orjson

    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if name == b"error":
            return Frame("error", {"type": "error", "error": {"message": data[:_HEAD].decode("utf-8", "replace")}})
        return bad(f"its data are no JSON: {error}", data)
    if not isinstance(found, dict):
        return bad("its data are no object", data)
    kind = found.get("type")
    if name == b"error" or (kind == "error" and isinstance(found.get("error"), dict)):
        return Frame("error", found)
    if not isinstance(kind, str) or not kind:
        return bad("it names no type", data)
    return Frame("ping" if kind == "ping" else "event", found)


def bad(why: str, data: bytes) -> Frame:
    """Return a frame that could not be read: why, how large, and how it begins."""
    head = data[:_HEAD].decode("utf-8", "replace").replace("\x00", "\ufffd")
    return Frame("bad", {"why": why[:_HEAD], "bytes": len(data), "head": head})
