"""What journalctl writes with a field to a line: `-o export` (also what systemd-journal-remote stores), `-o verbose`.

Each entry becomes the record that `-o json` gives, so that time, severity, unit and host are read as they are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

Entry = dict[str, str]

JOURNAL_FORMS = ("export", "verbose")

_EXPORT = re.compile(rb"\s*__CURSOR=\S+\n(?:[_A-Z]\w*=.*\n){0,3}?__REALTIME_TIMESTAMP=\d+\n")
_NOTE = b"-- "
"""What journalctl says itself: where the journal begins, that the machine booted, that there are no entries."""
_HEADING = re.compile(rb"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \S+) \[s=[0-9a-f]+;i=[0-9a-f]+;[^\]\n]*\]\s*$")
_FIELD = re.compile(rb" {4}([_A-Z][_A-Z0-9]*)=(.*)$")
_VALUE_BYTES = 1 << 20
"""Of a value more is passed over: a core dump may stand in a field."""
_LENGTH_BYTES = 8


def form_of(head: bytes) -> str:
    """Return how a text gives journal entries, `export` or `verbose`, by its beginning; else nothing."""
    if _EXPORT.match(head):
        return JOURNAL_FORMS[0]
    lines = (line for line in head.split(b"\n", 12)[:12] if line.strip() and not line.startswith(_NOTE))
    heading, field = next(lines, b""), next(lines, b"")
    return JOURNAL_FORMS[1] if _HEADING.match(heading) and _FIELD.match(field) else ""


def entries_of(form: str, stream: IO[bytes]) -> Iterator[Entry]:
    """Yield the entries of a text of this form; one that ends within a field is given as far as it goes."""
    return _exported(stream) if form == JOURNAL_FORMS[0] else _verbose(stream)


def _exported(stream: IO[bytes]) -> Iterator[Entry]:
    """A blank line stands between entries; a value of several lines, or of bytes, has its length before it."""
    entry = Entry()
    while line := stream.readline(_VALUE_BYTES):
        name, equals, value = line.rstrip(b"\n").partition(b"=")
        if not name:
            if entry:
                yield entry
            entry = Entry()
            continue
        if not equals:
            value = _sized(stream)
        entry.setdefault(name.decode("ascii", "replace"), value.decode("utf-8", "replace"))
    if entry:
        yield entry


def _sized(stream: IO[bytes]) -> bytes:
    left = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
    value = stream.read(min(left, _VALUE_BYTES))
    left -= len(value)
    while left > 0 and (passed := stream.read(min(left, _VALUE_BYTES))):
        left -= len(passed)
    stream.readline(_VALUE_BYTES)
    return value


def _verbose(stream: IO[bytes]) -> Iterator[Entry]:
    """A line with the time heads the fields, which stand further in; what stands further in still goes on."""
    entry, name = Entry(), ""
    while line := stream.readline(_VALUE_BYTES):
        line = line.rstrip(b"\r\n")
        heading = _HEADING.match(line)
        if heading is not None:
            if entry:
                yield entry
            entry, name = {"timestamp": heading[1].decode()}, ""
            continue
        field = _FIELD.match(line)
        if field is not None:
            name = field[1].decode()
            entry[name] = field[2].decode("utf-8", "replace")
        elif name and line[:1] == b" " and entry:
            entry[name] = f"{entry[name]}\n{line.decode('utf-8', 'replace').strip()}"[:_VALUE_BYTES]
    if entry:
        yield entry
