"""A tree of our own store written out as plain files, for a test run: no `.git`, no filters, bytes as stored.

Regular files are written before any link is made and with O_EXCL, so that nothing is ever written through a link
that the repository holds. Host git never runs in an export, and nothing in it is executed outside the sandbox.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from subagents.contract import ToolError
from subagents.gitstore.environment import require_sha
from subagents.gitstore.process import Bounds, GitFailed, GitProcess, first_line, run
from subagents.gitstore.reader import TreeEntry
from subagents.quantities import counted

BYTES_LIMIT = 4 << 30
FILES_LIMIT = 200_000
_LFS = b"version https://git-lfs.github.com/spec/v1"
_EXPORT_BOUNDS = Bounds(timeout_s=300.0, cap=BYTES_LIMIT + (1 << 30))


@dataclass(frozen=True)
class Exported:
    """What was written."""

    files: int = 0
    size: int = 0
    notes: tuple[str, ...] = ()
    """What differs from a checkout, for people."""


@dataclass
class _Notes:
    submodules: int = 0
    pointers: int = 0
    refused: list[str] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)

    def lines(self) -> tuple[str, ...]:
        found = []
        if self.submodules:
            found.append(f"{counted(self.submodules, 'submodule')} left empty")
        if self.pointers:
            found.append(f"the contents of {counted(self.pointers, 'file')} are not here: LFS pointers stand for them")
        if self.refused:
            paths = counted(len(self.refused), "path")
            found.append(f"{paths} not written, since no checkout may hold that: {self.refused[0]!r}")
        if self.clashes:
            paths = counted(len(self.clashes), "path")
            found.append(f"{paths} that this file system cannot tell apart: {self.clashes[0]!r}")
        return tuple(found)


class Trees:
    """The commits of one of our own git directories, as files. Raises ToolError for people."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir

    def has(self, commit: str) -> bool:
        """Say whether a commit is here."""
        return self._run(["cat-file", "commit", require_sha(commit)]) is not None

    def parents(self, commit: str) -> tuple[str, ...]:
        """Return the parents of a commit; raise ToolError where it is not here."""
        output = self._run(["cat-file", "commit", require_sha(commit)])
        if output is None:
            raise ToolError(f"{commit[:12]} is no commit of the store {self.git_dir}")
        lines = output.split(b"\n\n", 1)[0].split(b"\n")
        return tuple(line[7:].decode("ascii", "replace") for line in lines if line.startswith(b"parent "))

    def entries(self, commit: str) -> dict[str, TreeEntry]:
        """Return the files of a commit by path; raises ToolError for more than can be exported."""
        output = self._run(["ls-tree", "-r", "-z", require_sha(commit)])
        if output is None:
            raise ToolError(f"the tree of {commit[:12]} cannot be read")
        found = {}
        for record in output.split(b"\0"):
            head, _, raw = record.partition(b"\t")
            if record:
                mode, kind, oid = head.decode("ascii").split(" ")
                path = raw.decode("utf-8", "surrogateescape")
                found[path] = TreeEntry(mode, kind, oid, path)
        if len(found) > FILES_LIMIT:
            raise ToolError(f"{commit[:12]} has more than {FILES_LIMIT} files: too many to export for a test run")
        return found

    def read(self, entry: TreeEntry, limit: int = 1 << 20) -> bytes:
        """Return the first bytes of a file; nothing where it cannot be read."""
        try:
            output = run([f"--git-dir={self.git_dir}", "cat-file", "blob", entry.oid], bounds=Bounds(30.0, limit))
        except GitFailed:
            return b""
        return output.stdout

    def blobs(self, oids: Sequence[str]) -> Iterator[Iterable[bytes]]:
        """Yield the contents of blobs in order, each as pieces; raises GitFailed where one is missing."""
        if not oids:
            return
        stdin = ("\n".join(oids) + "\n").encode()
        arguments = [f"--git-dir={self.git_dir}", "cat-file", "--batch", "--buffer"]
        with GitProcess(arguments, stdin, _EXPORT_BOUNDS) as process:
            stream = _Stream(process.chunks())
            for oid in oids:
                head = stream.line().split(b" ")
                if len(head) != 3 or head[1] != b"blob":
                    raise GitFailed(f"the contents of {oid[:12]} are not here ({b' '.join(head).decode()[:80]})")
                pieces = stream.take(int(head[2]))
                yield pieces
                for _ in pieces:  # whatever was not read
                    pass
                stream.take_exactly(1)

    def _run(self, arguments: list[str]) -> bytes | None:
        try:
            output = run([f"--git-dir={self.git_dir}", *arguments], bounds=Bounds(60.0, 256 << 20))
        except GitFailed as error:
            raise ToolError(str(error)) from error
        if output.truncated:
            raise ToolError(f"git {arguments[0]} gave too much ({first_line(output.stderr)})")
        return output.stdout if output.status == 0 else None


def export(trees: Trees, files: Iterable[TreeEntry], into: Path) -> Exported:
    """Write files into a new directory; raises ToolError where the store or the disk fails."""
    notes = _Notes()
    regular: list[TreeEntry] = []
    links: list[TreeEntry] = []
    try:
        into.mkdir(mode=0o700)
        made = {""}
        for entry in files:
            if not _writable(entry.path):
                notes.refused.append(entry.path)
            elif entry.mode == "160000":
                notes.submodules += 1
                _folder(into, entry.path, made)
            elif entry.mode == "120000":
                links.append(entry)
            elif entry.kind == "blob":
                regular.append(entry)
        size = _write(trees, regular, into, made, notes)
        _link(trees, links, into, made, notes)
    except OSError as error:
        raise ToolError(f"the export {into} cannot be written ({error.strerror})") from error
    except GitFailed as error:
        raise ToolError(f"the tree cannot be exported: {error}") from error
    return Exported(len(regular) + len(links), size, notes.lines())


def _writable(path: str) -> bool:
    parts = path.split("/")
    return "\0" not in path and all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts)


def _folder(into: Path, path: str, made: set[str]) -> bool:
    """Make a directory and those above it; False where a file is in the way."""
    if path in made:
        return True
    if not _folder(into, path.rpartition("/")[0], made):
        return False
    try:
        os.mkdir(os.path.join(into, path), 0o755)
    except FileExistsError:  # another spelling of it, where the file system knows no difference, or a file
        if not stat.S_ISDIR(os.lstat(os.path.join(into, path)).st_mode):
            return False
    made.add(path)
    return True


def _write(trees: Trees, files: Sequence[TreeEntry], into: Path, made: set[str], notes: _Notes) -> int:
    size = 0
    for entry, pieces in zip(files, trees.blobs([entry.oid for entry in files]), strict=True):
        fd = _create(into, entry, made)
        if fd is None:
            notes.clashes.append(entry.path)
        start = b""
        for piece in pieces:
            start = start or piece[:64]
            size += len(piece)
            if size > BYTES_LIMIT:
                raise ToolError(f"the tree has more than {BYTES_LIMIT >> 30} GiB: too much to export for a test run")
            while fd is not None and piece:
                piece = piece[os.write(fd, piece) :]
        notes.pointers += start.startswith(_LFS)
        if fd is not None:
            os.close(fd)
    return size


def _create(into: Path, entry: TreeEntry, made: set[str]) -> int | None:
    """Open a new file for writing; None where something is there already."""
    if not _folder(into, entry.path.rpartition("/")[0], made):
        return None
    mode = 0o755 if entry.mode == "100755" else 0o644
    try:
        return os.open(os.path.join(into, entry.path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except (FileExistsError, IsADirectoryError):
        return None


def _link(trees: Trees, links: Sequence[TreeEntry], into: Path, made: set[str], notes: _Notes) -> None:
    # All directories first: none is made through a link.
    fit = [entry for entry in links if _folder(into, entry.path.rpartition("/")[0], made)]
    for entry, pieces in zip(fit, trees.blobs([entry.oid for entry in fit]), strict=True):
        target = b"".join(pieces)
        try:
            if not target or b"\0" in target:
                raise FileExistsError
            os.symlink(target, os.fsencode(os.path.join(into, entry.path)))
        except FileExistsError:
            notes.clashes.append(entry.path)


class _Stream:
    """Bytes that come in chunks, read by the line or by the count."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""

    def _more(self) -> None:
        chunk = next(self._chunks, b"")
        if not chunk:
            raise GitFailed("git cat-file ended early")
        self._held += chunk

    def line(self) -> bytes:
        while b"\n" not in self._held:
            self._more()
        line, _, self._held = self._held.partition(b"\n")
        return line

    def take(self, count: int) -> Iterator[bytes]:
        while count:
            if not self._held:
                self._more()
            piece, self._held = self._held[:count], self._held[count:]
            count -= len(piece)
            yield piece

    def take_exactly(self, count: int) -> None:
        for _ in self.take(count):
            pass


def overlay(base: Mapping[str, TreeEntry], fix: Mapping[str, TreeEntry], paths: Iterable[str]) -> dict[str, TreeEntry]:
    """Return the base's files with some paths as they are in the fix, deleted where the fix deletes them."""
    merged = dict(base)
    for path in paths:
        if path in fix:
            merged[path] = fix[path]
        else:
            merged.pop(path, None)
    return merged
