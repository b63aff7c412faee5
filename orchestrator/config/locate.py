"""Which line of a TOML text each key is on; the standard parser tells values, not places."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress

KeyPath = tuple[str | int, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\"]|\\[\s\S]|"(?!""))*"{3,5}'),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


def locate(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) of every key, table and array element of a valid TOML text."""
    scan = _Scan(text)
    with suppress(RecursionError, IndexError):
        scan.run()
    return scan.lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """Return the line of a key path, or of the nearest thing around it; 1 where nothing is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Scan:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._counted = 1, 0
        self._array_tables: dict[KeyPath, int] = {}
        self.lines: dict[KeyPath, int] = {}

    def run(self) -> None:
        table: KeyPath = ()
        while self._skip(_BLANK) and self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return True

    def _mark(self, path: KeyPath) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = max(self._counted, self._at)
        self.lines.setdefault(path, self._line)

    def _header(self) -> KeyPath:
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        keys = list(self._keys())
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._within((*path, key))
            self._mark(path)
        path += (keys[-1],)
        self._mark(path)
        if double:
            self._array_tables[path] = self._array_tables.get(path, -1) + 1
        path = self._within(path)
        self._mark(path)
        self._at += 2 if double else 1
        return path

    def _within(self, path: KeyPath) -> KeyPath:
        return (*path, self._array_tables[path]) if path in self._array_tables else path

    def _keys(self) -> Iterator[str]:
        """Read a dotted key; stop at what follows it."""
        while True:
            self._skip(_SPACE)
            yield self._key()
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return
            self._at += 1

    def _key(self) -> str:
        for pattern in (*_STRINGS[2:], _BARE):
            match = pattern.match(self._text, self._at)
            if match is not None:
                self._at = match.end()
                quoted = match.group()[0] in "\"'"
                return str(tomllib.loads(f"k = {match.group()}")["k"]) if quoted else match.group()
        raise IndexError(self._at)

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key in self._keys():
            path = (*path, key)
            self._mark(path)
        self._at += 1
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opener = self._text[self._at]
        if opener == "[":
            self._array(path)
        elif opener == "{":
            self._inline(path)
        elif opener in "\"'":
            self._string()
        else:
            self._skip(_SCALAR)

    def _string(self) -> None:
        match = next((m for pattern in _STRINGS if (m := pattern.match(self._text, self._at))), None)
        if match is None:
            raise IndexError(self._at)
        self._at = match.end()

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._skip(_BLANK) and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            element = (*path, index)
            self._mark(element)
            self._value(element)
            index += 1
        self._at += 1

    def _inline(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_BLANK) and self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
            else:
                self._pair(path)
        self._at += 1
