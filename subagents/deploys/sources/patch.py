"""Reads diffs as they come: git's own, plain unified, without line numbers, or `@@ path @@` fragments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from subagents.deploys.paths import path_class
from subagents.deploys.sources.records import Commit

LINE_LIMIT = 2_000
"""Characters kept of one line."""
LINES_LIMIT = 40_000
"""Lines read of one patch."""


@dataclass(slots=True)
class DiffLine:
    """One line of a hunk: tag ` `, `+` or `-`, and its number in the new version where that is known."""

    tag: str
    text: str
    number: int | None = None


@dataclass(slots=True)
class Hunk:
    """A run of changed lines with what surrounds them."""

    header: str
    """Text after the second `@@`: usually the function it is in."""
    lines: list[DiffLine] = field(default_factory=list)

    def removed(self) -> list[str]:
        """Return the removed lines."""
        return [line.text for line in self.lines if line.tag == "-"]

    def added(self) -> list[str]:
        """Return the added lines."""
        return [line.text for line in self.lines if line.tag == "+"]

    def place(self) -> int | None:
        """Return the number, in the new version, of the first changed line."""
        last = None
        for line in self.lines:
            if line.tag == "+":
                return line.number
            if line.tag == "-":
                return last if last is None else last + 1
            last = line.number
        return last


@dataclass(slots=True)
class FileDiff:
    """What a patch does to one file."""

    path: str
    old_path: str = ""
    binary: bool = False
    new: bool = False
    deleted: bool = False
    mode_only: bool = False
    hunks: list[Hunk] = field(default_factory=list)


_RANGE = re.compile(r"@@+ -\d+(?:,\d+)? (?:-\d+(?:,\d+)? )*\+(?P<start>\d+)(?:,\d+)? (?P<ats>@@+) ?(?P<rest>.*)")
_FRAGMENT = re.compile(r"@@\s*(?P<what>.*?)\s*(?:@@\s?(?P<rest>.*))?$")
_GIT = re.compile(r'diff --(?:git|cc|combined) (?:"?a/(?P<old>.*?)"? )?"?(?:b/)?(?P<new>.*?)"?$')
_PATH_LIKE = re.compile(r"[\w.@+-]+(?:/[\w.@+ -]+)+$|[\w@+-]+\.[A-Za-z][\w]{0,9}$|Dockerfile$|Makefile$")


_TELLING = frozenset({"d", "@", "-"})
"""What the lines begin with that may end a hunk."""


def diffs_of(commit: Commit) -> list[FileDiff]:
    """Return what a commit changes in each file; nothing where its diff is not known."""
    return parse_patch(commit.patch, [touched.path for touched in commit.files]) if commit.patch else []


def parse_patch(text: str, known_paths: Iterable[str] = ()) -> list[FileDiff]:
    """Return the files of a patch, in its order; what is not diff text is passed over."""
    parser = _Parser(set(known_paths))
    for number, line in enumerate(text.split("\n")):
        if number >= LINES_LIMIT:
            break
        parser.feed(line[:LINE_LIMIT].rstrip("\r"))
    return parser.files


class _Parser:
    def __init__(self, known: set[str]) -> None:
        self.files: list[FileDiff] = []
        self._known = known
        self._hunk: Hunk | None = None
        self._next: int | None = None
        self._columns = 1
        self._old = ""
        self._announced = False
        """A `diff --git` line has made the last file, and its `+++` line is still to come."""

    def feed(self, line: str) -> None:
        first = line[:1]
        if self._hunk is not None and first not in _TELLING:
            self._body(line)
        elif line.startswith("diff --"):
            self._start_git(line)
        elif line.startswith("@@"):
            self._start_hunk(line)
        elif line.startswith("--- ") and (self._hunk is None or self._between_files(line)):
            self._old = _path_of(line[4:])
            self._hunk = None
        elif line.startswith("+++ ") and self._hunk is None:
            self._name(_path_of(line[4:]))
        elif self._hunk is not None:
            self._body(line)
        elif self.files:
            self._extended(line)

    def _between_files(self, line: str) -> bool:
        """Tell a new file's `--- a/x` from a removed line `-- a/x`, where no line counts help."""
        return line.startswith(("--- a/", "--- /dev/null")) or _path_of(line[4:]) in self._known

    def _start_git(self, line: str) -> None:
        match = _GIT.match(line)
        new = match["new"] if match else ""
        self.files.append(FileDiff(new, (match["old"] or "") if match else ""))
        self._hunk, self._old, self._announced = None, "", True

    def _name(self, new: str) -> None:
        path = new or self._old
        if not self._announced:
            self.files.append(FileDiff(path))
        current, self._announced = self.files[-1], False
        current.path = path or current.path
        current.old_path = self._old
        current.deleted = current.deleted or not new
        current.new = current.new or not self._old

    def _start_hunk(self, line: str) -> None:
        ranged = _RANGE.match(line)
        if ranged:
            self._next = int(ranged["start"])
            self._columns = len(ranged["ats"]) - 1
            self._open(Hunk(ranged["rest"]))
            return
        self._next, self._columns = None, 1
        fragment = _FRAGMENT.match(line)
        what = (fragment["what"] if fragment else "") or ""
        if what in self._known or (_PATH_LIKE.match(what) and " " not in what):
            self.files.append(FileDiff(what))
            self._open(Hunk((fragment["rest"] or "") if fragment else ""))
        else:
            self._open(Hunk(" ".join(part for part in (what, fragment["rest"] if fragment else "") if part)))

    def _open(self, hunk: Hunk) -> None:
        if not self.files:
            self.files.append(FileDiff(self._only_candidate()))
        self.files[-1].hunks.append(hunk)
        self._hunk = hunk

    def _only_candidate(self) -> str:
        """Return the path that a diff without file names must be of: the commit's only one beside lock files."""
        candidates = [path for path in self._known if path_class(path) != "lock"]
        return candidates[0] if len(candidates) == 1 else ""

    def _body(self, line: str) -> None:
        assert self._hunk is not None  # noqa: S101  for the type checker
        if line[:1] == "\\":
            return
        columns = self._columns
        prefix = line[:columns]
        tag = "-" if "-" in prefix else "+" if "+" in prefix else " "
        if tag == " " and line and line[0] not in " \t":
            if line.startswith(("index ", "commit ", "From ")):
                self._hunk = None
                return
            columns = 0
        number = None
        if tag != "-" and self._next is not None:
            number = self._next
            self._next += 1
        self._hunk.lines.append(DiffLine(tag, line[columns:], number))

    def _extended(self, line: str) -> None:
        current = self.files[-1]
        if line.startswith("new file"):
            current.new = True
        elif line.startswith("deleted file"):
            current.deleted = True
        elif line.startswith(("Binary files", "GIT binary patch")):
            current.binary = True
        elif line.startswith("rename from "):
            current.old_path = line[12:]
        elif line.startswith("rename to "):
            current.path = line[10:]
        elif line.startswith("old mode "):
            current.mode_only = True


def _path_of(text: str) -> str:
    path = text.split("\t", 1)[0].strip().strip('"')
    if path == "/dev/null":
        return ""
    return path[2:] if path.startswith(("a/", "b/")) else path
