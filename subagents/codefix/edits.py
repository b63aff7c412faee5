r"""Exact replacements in a file's stored bytes, with its line endings, encoding and mode kept.

A replacement names text that must occur exactly once. A text's `\n` stands for the line ending that the file has at
that place; whatever is not replaced stays as it is, byte for byte.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

PLACEHOLDER = "<redacted:"
FILES_LIMIT, EDITS_LIMIT = 20, 60
TEXT_LIMIT = 64 << 10
"""Most bytes of one old or new text."""
TOTAL_LIMIT = 192 << 10
FILE_LIMIT = 2 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Replacement:
    """In the file at `path`, `old` becomes `new`. An empty `old` makes a new file."""

    path: str
    old: str
    new: str


def require_replacements(replacements: Sequence[Replacement]) -> None:
    """Raise ValueError for too many, too large, empty or unfit replacements."""
    if not replacements:
        raise ValueError("no replacement was given")
    if len(replacements) > EDITS_LIMIT:
        raise ValueError(f"{len(replacements)} replacements are more than {EDITS_LIMIT}")
    if len({item.path for item in replacements}) > FILES_LIMIT:
        raise ValueError(f"they are in more than {FILES_LIMIT} files")
    total = 0
    for item in replacements:
        for text in (item.old, item.new):
            total += _require_text(item.path, text)
        if item.old == item.new:
            raise ValueError(f"{item.path[:80]}: the old and the new text are the same")
    if total > TOTAL_LIMIT:
        raise ValueError(f"the texts have {total:,} bytes, more than {TOTAL_LIMIT:,}")


def _require_text(path: str, text: str) -> int:
    where = path[:80]
    if PLACEHOLDER in text.lower():
        raise ValueError(
            f"{where}: the text holds a placeholder of something redacted ({PLACEHOLDER}…); what stood there is not "
            "known here, so it cannot be written: choose a text without it"
        )
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError(f"{where}: the text holds half a character") from None
    if size > TEXT_LIMIT:
        raise ValueError(f"{where}: a text has {size:,} bytes, more than {TEXT_LIMIT:,}")
    for char in text:
        if char not in "\n\r\t\f" and unicodedata.category(char) == "Cc":
            raise ValueError(f"{where}: the text holds the control character U+{ord(char):04X}")
    return size


def new_file(path: str, text: str) -> bytes:
    """Return the bytes of a new file."""
    if not text:
        raise ValueError(f"{path[:80]}: a new file needs text")
    return _unix(text).encode("utf-8")


def edited(data: bytes, replacements: Sequence[Replacement]) -> bytes:
    """Return a file's bytes with the replacements; raise ValueError where one does not fit exactly once."""
    path = replacements[0].path[:80]
    if len(data) > FILE_LIMIT:
        raise ValueError(f"{path}: it has {len(data):,} bytes, more than {FILE_LIMIT:,}")
    if b"\0" in data:
        raise ValueError(f"{path}: it is no text file (it holds NUL bytes)")
    mark = _BOM if data.startswith(_BOM) else b""
    text, encoding = _decoded(data[len(mark) :])
    spans = sorted((_place(text, item) for item in replacements), key=lambda span: span.start)
    out, position = [], 0
    for span in spans:
        if span.start < position:
            raise ValueError(f"{path}: two replacements overlap")
        out += [text[position : span.start], span.new]
        position = span.end
    out.append(text[position:])
    try:
        return mark + "".join(out).encode(encoding)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{path}: it is not UTF-8, and {error.object[error.start]!r} cannot be written in it"
        ) from None


def _decoded(data: bytes) -> tuple[str, str]:
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"  # each byte is one character, so what is not replaced stays


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    new: str


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _place(text: str, item: Replacement) -> _Span:
    """Find where the old text is; it must be in one place, with either line ending."""
    where, old = item.path[:80], _unix(item.old)
    if not old:
        raise ValueError(f"{where}: it exists already; give the old text that is to be replaced")
    forms = dict.fromkeys((old, old.replace("\n", "\r\n")))
    found = [(start, form) for form in forms for start in _occurrences(text, form)]
    if len(found) != 1:
        many = "does not occur" if not found else "occurs more than once"
        raise ValueError(f"{where}: the old text {many} in it: {item.old[:60]!r}; it must occur exactly once")
    start, form = found[0]
    ending = _ending(text, start, form)
    return _Span(start, start + len(form), _unix(item.new).replace("\n", ending))


def _occurrences(text: str, needle: str) -> list[int]:
    found: list[int] = []
    start = text.find(needle)
    while start >= 0 and len(found) < 2:
        found.append(start)
        start = text.find(needle, start + 1)
    return found


def _ending(text: str, start: int, form: str) -> str:
    """Return the line ending in use at a place: in the text itself, else after it, else at the file's first line."""
    if "\n" in form:
        return "\r\n" if "\r\n" in form else "\n"
    place = text.find("\n", start)
    place = place if place >= 0 else text.find("\n")
    return "\r\n" if place > 0 and text[place - 1] == "\r" else "\n"
