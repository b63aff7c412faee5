"""A streamed `git log`: metadata, message and changed paths of each commit, in memory that does not grow."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from subagents.contract import Window
from subagents.gitstore.environment import require_path, require_sha
from subagents.gitstore.process import Bounds, GitFailed, first_line
from subagents.gitstore.store import IsolatedStore

_FORMAT = "--format=%x01%H%x00%P%x00%an%x00%ae%x00%ct%x00%B%x00"
_FIELDS = 6
_LOG = (
    *("log", "--stdin", "-z", "--no-show-signature", "--no-color", "--no-mailmap", "--no-notes", "--no-decorate"),
    *("--encoding=UTF-8", _FORMAT),
)
_FILES = ("--raw", "--no-abbrev", "--no-renames", "--diff-merges=combined")
MESSAGE_LIMIT = 16 << 10
LOG_BOUNDS = Bounds(cap=1 << 30)
FILES_LIMIT = 2_000
"""Paths kept of one commit; the count is exact."""


class TouchedFile(NamedTuple):
    """One path that a commit changed; `status` is git's letter: A, M, D, T. `old` of a merge is its first parent's."""

    path: str
    status: str
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str


class LoggedCommit(NamedTuple):
    """One commit as the log gives it. A merge lists the files that are as none of its parents had them."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    committed_at: datetime
    message: str
    files: tuple[TouchedFile, ...]
    file_count: int

    @property
    def subject(self) -> str:
        """First line of the message."""
        return self.message.split("\n", 1)[0]

    @property
    def body(self) -> str:
        """The message after its first line."""
        return self.message.partition("\n")[2].strip("\n")


@dataclass(frozen=True)
class LogQuery:
    """Which commits: reachable from `tips`, not from `without`, in the window, touching `paths`."""

    tips: tuple[str, ...]
    without: tuple[str, ...] = ()
    window: Window | None = None
    limit: int = 20_000
    paths: tuple[str, ...] = ()
    walk: bool = True
    """False: exactly the tips themselves."""
    first_parent: bool = False
    files: bool = True
    """False: which files changed is not asked, and no tree is read."""


def _stdin(query: LogQuery) -> bytes:
    lines = [require_sha(tip) for tip in query.tips] + ["^" + require_sha(tip) for tip in query.without]
    if query.paths:
        lines += ["--", *(require_path(path) for path in query.paths)]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def stream_log(store: IsolatedStore, query: LogQuery, bounds: Bounds = LOG_BOUNDS) -> Iterator[LoggedCommit]:
    """Yield commits newest first; raises GitFailed when git fails, after what could be read was yielded."""
    if not query.tips:
        return
    arguments = [*_LOG, *(_FILES if query.files else ("--no-patch",)), f"-n{int(query.limit)}"]
    if query.window is not None:
        arguments.append(f"--since=@{int(query.window.start.timestamp())}")
        arguments.append(f"--until=@{int(query.window.end.timestamp())}")
    if query.first_parent:
        arguments.append("--first-parent")
    if not query.walk:
        arguments.append("--no-walk=unsorted")
    with store.process(arguments, _stdin(query), bounds) as process:
        yield from _parse(_tokens(process.chunks()))
        status, errors = process.finish()
        if status != 0 and not process.truncated:
            raise GitFailed(f"git log failed: {first_line(errors) or status}")


def _tokens(chunks: Iterator[bytes]) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + decode(chunk)).split("\0")
        yield from whole
    if rest:
        yield rest


def _parse(tokens: Iterator[str]) -> Iterator[LoggedCommit]:
    header: list[str] = []
    files: list[TouchedFile] = []
    count = 0
    for token in tokens:
        if token[:1] == "\x01":
            if header:
                yield _commit(header, files, count)
            header, files, count = [token[1:], *islice(tokens, _FIELDS - 1)], [], 0
        elif token[:1] == ":" or token[:2] == "\n:":
            path = next(tokens, "")
            count += 1
            if count <= FILES_LIMIT:
                files.append(_file(token, path))
    if len(header) == _FIELDS:
        yield _commit(header, files, count)


def _file(entry: str, path: str) -> TouchedFile:
    fields = entry.lstrip("\n").split(" ")
    if len(fields) == 5:
        return TouchedFile(path, fields[4][:1], fields[0][1:], *fields[1:4])
    parents = len(fields[0]) - len(fields[0].lstrip(":"))
    if parents > 1 and len(fields) == 2 * parents + 3:  # of a merge: one mode and one blob for each parent
        blobs = parents + 1
        old, new = (fields[0], fields[blobs]), (fields[parents], fields[blobs + parents])
        return TouchedFile(path, fields[-1][:1], old[0].lstrip(":"), new[0], old[1], new[1])
    return TouchedFile(path, "", "", "", "", "")  # cut by a bound


def moment(text: str) -> datetime:
    """Read git's seconds since 1970; 1970 itself where they are beyond what a calendar holds."""
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _commit(header: Sequence[str], files: list[TouchedFile], count: int) -> LoggedCommit:
    sha, parents, author, email, committed, message = header
    parents_of, at = tuple(parents.split()), moment(committed)
    return LoggedCommit(sha, parents_of, author, email, at, message[:MESSAGE_LIMIT], tuple(files), count)
