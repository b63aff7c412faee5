"""Some hunks of a commit, taken back on a later file: exactly where they are, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{3,}")
_PLACE = re.compile(r"(?P<path>.+?)(?::(?P<line>\d{1,9}))?\Z", re.DOTALL)


@dataclass
class Hunk:
    """One hunk of a diff. Sides are bytes with their line ends."""

    path: str
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(tag, line): tag is a space, `-` or `+`; the line holds its line end, if it has one."""

    def side(self, tags: bytes) -> bytes:
        """Return the lines with these tags."""
        return b"".join(line for tag, line in self.lines if tag in tags)

    def words(self, tags: bytes) -> frozenset[bytes]:
        """Return the identifiers in the lines with these tags."""
        return frozenset(_WORD.findall(self.side(tags)))

    def holds(self, line: int) -> bool:
        """Say whether a line number, of the new file or of the old one, is in it."""
        return self._in(line, self.new_start, self.new_count) or self._in(line, self.old_start, self.old_count)

    @staticmethod
    def _in(line: int, start: int, count: int) -> bool:
        return start <= line < start + max(count, 1)

    @property
    def name(self) -> str:
        """How a person finds it."""
        return f"{self.path}:{self.new_start}-{self.new_start + max(self.new_count, 1) - 1}"


def parse_hunks(path: str, patch: bytes) -> list[Hunk]:
    """Return the hunks of one file's diff, as git wrote it."""
    hunks: list[Hunk] = []
    left = [0, 0]
    for line in _lines(patch):
        if (head := _HEADER.match(line)) and left == [0, 0]:
            old, new = (int(head[2] or 1), int(head[4] or 1))
            hunks.append(Hunk(path, int(head[1]), old, int(head[3]), new))
            left = [old, new]
        elif line.startswith(b"\\") and hunks and hunks[-1].lines:
            tag, text = hunks[-1].lines[-1]
            hunks[-1].lines[-1] = tag, text.removesuffix(b"\n")
        elif left != [0, 0]:
            tag = line[:1] if line[:1] in b"+- " else b" "
            hunks[-1].lines.append((tag, line[1:]))
            left[0] -= tag in b" -"
            left[1] -= tag in b" +"
    return hunks


def _lines(data: bytes) -> Iterator[bytes]:
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        yield data[start : end + 1]
        start = end + 1
    if start < len(data):
        yield data[start:]


def chosen_hunks(hunks: Sequence[Hunk], places: Sequence[str]) -> list[Hunk]:
    """Return the hunks at the places (`path:line`, or `path` for all of a file); raise ValueError for none."""
    chosen: list[Hunk] = []
    for place in places:
        match = _PLACE.match(place)
        path, line = (match["path"], match["line"]) if match else (place, None)
        known = [hunk for hunk in hunks if hunk.path == path]
        found = [hunk for hunk in known if line is None or hunk.holds(int(line))]
        if not found:
            there = ", ".join(hunk.name for hunk in (known or hunks)[:8])
            raise ValueError(f"no hunk of the commit is at {place[:80]!r}; there are: {there or 'none'}")
        chosen += [hunk for hunk in found if hunk not in chosen]
    return chosen


def leans_on(chosen: Sequence[Hunk], rest: Sequence[Hunk]) -> str:
    """Return why the chosen hunks do not stand alone, by the names in them; empty where nothing shows that."""

    def words(hunks: Sequence[Hunk], tags: bytes) -> frozenset[bytes]:
        return frozenset().union(*(hunk.words(tags) for hunk in hunks))

    introduced = words(chosen, b"+") - words(chosen, b"- ") - words(rest, b"- ")
    if still_used := introduced & words(rest, b"+"):
        return f"the rest of the commit uses {_named(still_used)}, which only came with these hunks"
    gone = words(rest, b"-") - words(rest, b"+ ") - words(chosen, b"+ ")
    if brought_back := (words(chosen, b"-") - words(chosen, b"+ ")) & gone:
        return f"they would bring back {_named(brought_back)}, which the rest of the commit took away"
    return ""


def _named(words: frozenset[bytes]) -> str:
    names = sorted(word.decode("ascii") for word in words)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def taken_back(data: bytes, hunks: Sequence[Hunk], *, unchanged: bool) -> bytes:
    """Return a file's bytes without the hunks; `unchanged` says that it is the commit's own file. Raises ValueError."""
    spans = sorted(
        ((*_span(data, hunk, unchanged=unchanged), hunk.side(b" -")) for hunk in hunks), key=lambda span: span[0]
    )
    out, position = [], 0
    for start, end, old in spans:
        if start < position:
            raise ValueError(f"{hunks[0].path}: two of the hunks now meet")
        out += [data[position:start], old]
        position = end
    return b"".join([*out, data[position:]])


def _span(data: bytes, hunk: Hunk, *, unchanged: bool) -> tuple[int, int]:
    wanted = hunk.side(b" +")
    if unchanged:
        start = _offset(data, hunk.new_start if hunk.new_count else hunk.new_start + 1)
        if data[start : start + len(wanted)] == wanted:
            return start, start + len(wanted)
    found = _line_occurrences(data, wanted) if wanted else []
    if len(found) != 1:
        why = "has changed since" if not found else "occurs more than once now"
        raise ValueError(f"the hunk at {hunk.name} {why}, so it cannot be taken back exactly")
    return found[0], found[0] + len(wanted)


def _offset(data: bytes, line: int) -> int:
    position = 0
    for _ in range(line - 1):
        position = data.find(b"\n", position) + 1
        if position == 0:
            return len(data)
    return position


def _line_occurrences(data: bytes, wanted: bytes) -> list[int]:
    """Return where whole lines begin that are the wanted ones; at most two."""
    found: list[int] = []
    start = data.find(wanted)
    while start >= 0 and len(found) < 2:
        end = start + len(wanted)
        if (start == 0 or data[start - 1 : start] == b"\n") and (wanted.endswith(b"\n") or end == len(data)):
            found.append(start)
        start = data.find(wanted, start + 1)
    return found
