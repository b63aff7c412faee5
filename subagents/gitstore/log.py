"""A streamed `git log`: metadata, message and changed paths of each commit, in memory that does not grow."""

from __future__ import annotations

import codecs
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from subagents.contract import Window
from subagents.gitstore.environment import require_path, require_sha
from subagents.gitstore.process import Bounds, GitFailed, first_line
from subagents.gitstore.store import IsolatedStore

_FORMAT = "--format=%x01{mark}%H%x00%P%x00%an%x00%ae%x00%ct%x00%B%x00"
_FIELDS = 6
_LOG = (
    *("log", "--stdin", "-z", "--no-show-signature", "--no-color", "--no-mailmap", "--no-notes", "--no-decorate"),
    "--encoding=UTF-8",
)
_FILES = ("--raw", "--no-abbrev", "--no-renames", "--diff-merges=combined")
MESSAGE_LIMIT = 16 << 10
LOG_BOUNDS = Bounds(cap=1 << 30)
FILES_LIMIT = 2_000
"""Paths kept of one commit; the count is exact."""
RECORD_KEPT = 2 << 20
"""Characters of one commit that wait for its end; of a longer one, what is not kept goes as it comes."""


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
    raw: tuple[str, ...]
    """Entries as git writes them, each followed by its path; `files` reads them."""
    file_count: int

    @property
    def files(self) -> tuple[TouchedFile, ...]:
        """The files that it changed, read anew at each call."""
        return tuple(map(_file, self.raw[::2], self.raw[1::2]))

    @property
    def touched(self) -> list[tuple[str, str]]:
        """(path, status) of the files that it changed: all that most ask of very many commits."""
        if len(self.parents) > 1:
            return [(each.path, each.status) for each in self.files]
        return [(path, entry[-1:]) for entry, path in zip(self.raw[::2], self.raw[1::2], strict=True)]

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
    mark = secrets.token_hex(8)  # what nobody could have written into a message or a path before
    arguments = [*_LOG, _FORMAT.format(mark=mark), *(_FILES if query.files else ("--no-patch",))]
    arguments.append(f"-n{int(query.limit)}")
    if query.window is not None:
        arguments.append(f"--since=@{int(query.window.start.timestamp())}")
        arguments.append(f"--until=@{int(query.window.end.timestamp())}")
    if query.first_parent:
        arguments.append("--first-parent")
    if not query.walk:
        arguments.append("--no-walk=unsorted")
    with store.process(arguments, _stdin(query), bounds) as process:
        yield from _parse(process.chunks(), f"\x01{mark}")
        status, errors = process.finish()
        if status != 0 and not process.truncated:
            raise GitFailed(f"git log failed: {first_line(errors) or status}")


def _parse(chunks: Iterator[bytes], mark: str) -> Iterator[LoggedCommit]:
    """Yield a commit for each piece of text behind a mark, as soon as the next one begins."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    rest, dropped = "", 0
    for chunk in chunks:
        *whole, rest = (rest + decode(chunk)).split(mark)
        for record in whole:
            if record and (commit := _commit(record, dropped)):
                yield commit
                dropped = 0
        if len(rest) > RECORD_KEPT:
            rest, more = _shortened(rest)
            dropped += more
    if last := _commit(rest, dropped):
        yield last


def _shortened(record: str) -> tuple[str, int]:
    """Return the beginning of a commit that has not ended yet, without files beyond what is kept, and how many went."""
    fields = record.split("\0")
    if len(fields) <= _FIELDS:
        fields[-1] = fields[-1][:MESSAGE_LIMIT]  # a message that goes on
        return "\0".join(fields), 0
    fields[_FIELDS - 1] = fields[_FIELDS - 1][:MESSAGE_LIMIT]
    kept = _FIELDS + 2 + 2 * FILES_LIMIT
    gone = max(0, (len(fields) - 1 - kept) // 2)  # the last one may go on
    return "\0".join([*fields[:kept], *fields[kept + 2 * gone :]]), gone


def _commit(record: str, dropped: int) -> LoggedCommit | None:
    """Return the commit of a record; None where it was cut within what comes before its files."""
    fields = record.split("\0")
    if len(fields) <= _FIELDS:
        return None
    sha, parents, author, email, committed, message = fields[:_FIELDS]
    raw, parents_of = fields[_FIELDS + 1 : -1], tuple(parents.split())
    if raw and (len(parents_of) > 1 or raw[0][:2] != "\n:" or len(raw) % 2):
        raw = _entries(fields[_FIELDS:])
    kept, count = tuple(raw[: 2 * FILES_LIMIT]), len(raw) // 2 + dropped
    return LoggedCommit(sha, parents_of, author, email, moment(committed), message[:MESSAGE_LIMIT], kept, count)


def _entries(fields: Sequence[str]) -> list[str]:
    """Return the entries among what stands behind a message, each followed by its path; empty where that was cut."""
    found: list[str] = []
    rest = iter(fields)
    for field in rest:
        if field[:1] == ":" or field[:2] == "\n:":
            found += [field, next(rest, "")]
    return found


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
