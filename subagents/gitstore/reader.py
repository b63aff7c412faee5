"""What one may ask of a repository: patches, files, trees, blame, ancestry, search, what a deploy brought.

Every question is answered by one git process on our own store, with a deadline and a bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from subagents.gitstore.environment import PREFIX, require_path, require_sha
from subagents.gitstore.log import LOG_BOUNDS, LoggedCommit, LogQuery, moment, stream_log
from subagents.gitstore.process import Bounds, GitFailed, first_line
from subagents.gitstore.store import IsolatedStore

PATCH_LIMIT = 1 << 20
"""Most bytes kept of one commit's patch."""
FILE_LIMIT = 4 << 20
ROOTS_LIMIT = 20
UNREACHABLE_LIMIT = 5_000
_GREP = ("grep", "-F", "-f", "-", "-n", "-z", "-I", "-m", "50", "--full-name", "--no-color", "--no-textconv")
_DIFF_TREE = (
    *("diff-tree", "--stdin", "-r", "-p", "--cc", "-M", "--root", "--no-color", "--no-ext-diff"),
    *("--no-textconv", "--full-index", "--submodule=short"),
)
_BLAME_HEAD = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (\d+) (\d+)(?: \d+)?\n")


@dataclass(frozen=True)
class Patch:
    """A commit's diff against its parent. `text` None: it could not be read, which is not an empty diff."""

    sha: str
    text: bytes | None
    truncated: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Blob:
    """A file's bytes as stored."""

    path: str
    oid: str
    data: bytes
    size: int
    """Whole size in bytes; `data` may be less."""


@dataclass(frozen=True)
class TreeEntry:
    """One entry of a tree listing."""

    mode: str
    kind: str
    oid: str
    path: str


@dataclass(frozen=True)
class BlamedLine:
    """Who last changed a line."""

    line: int
    sha: str
    text: str


@dataclass(frozen=True)
class SearchHit:
    """A line that holds the text looked for."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Brought:
    """What a deploy of `current` changed against `previous`."""

    added: tuple[LoggedCommit, ...]
    """Commits now running that were not, newest first."""
    removed: tuple[LoggedCommit, ...]
    """Commits no longer running (a rollback, or another branch)."""


class Reader:
    """Questions to one store. Holds no process and no state: use it from any thread or process."""

    def __init__(self, store: IsolatedStore) -> None:
        self.store = store

    def resolve(self, texts: Sequence[str]) -> dict[str, str | None]:
        """Map ids, full or abbreviated, to full commit ids; None where unknown, ambiguous or no id at all."""
        asked = {text: text.lower() for text in texts if PREFIX.match(text.lower()) and text.isascii()}
        found: dict[str, str | None] = dict.fromkeys(texts)
        if not asked:
            return found
        stdin = "".join(f"{prefix}^{{commit}}\n" for prefix in asked.values()).encode()
        answer = self.store.run(["cat-file", "--batch-check"], stdin, Bounds(30.0))
        lines = [line for line in answer.stdout.decode("ascii", "replace").splitlines() if not line.startswith("dup")]
        for text, line in zip(asked, lines, strict=False):
            sha, _, rest = line.partition(" ")
            if rest.startswith("commit "):
                found[text] = sha
        return found

    def log(self, query: LogQuery, bounds: Bounds = LOG_BOUNDS) -> Iterator[LoggedCommit]:
        """Stream commits, newest first."""
        return stream_log(self.store, query, bounds)

    def commits(self, shas: Sequence[str]) -> dict[str, LoggedCommit]:
        """Return exactly these commits, by id."""
        query = LogQuery(tuple(shas), walk=False, limit=max(1, len(shas)))
        return {commit.sha: commit for commit in stream_log(self.store, query)}

    def patches(self, shas: Sequence[str], context: int = 3) -> dict[str, Patch]:
        """Return the diffs of these commits from one `diff-tree`; merges show only what differs from all parents."""
        result: dict[str, Patch] = {}
        left = [require_sha(sha) for sha in shas]
        for _ in range(4):
            if not left:
                break
            stopped = self._patches_until_trouble(left, context, result)
            left = [sha for sha in left if sha not in result]
            if left and stopped:
                result[left[0]] = Patch(left[0], None, reason=stopped)
                left = left[1:]
            else:  # a commit that diff-tree passes over in silence changes no file
                result.update({sha: Patch(sha, b"") for sha in left})
                left = []
        for sha in left:  # many cannot be read: one process each, so that each answers for itself
            stopped = self._patches_until_trouble([sha], context, result)
            result.setdefault(sha, Patch(sha, None, reason=stopped) if stopped else Patch(sha, b""))
        return result

    def _patches_until_trouble(self, shas: list[str], context: int, result: dict[str, Patch]) -> str:
        arguments = [*_DIFF_TREE, f"-U{int(context)}"]
        bounds = Bounds(timeout_s=30.0, cap=96 << 20)
        with self.store.process(arguments, ("\n".join(shas) + "\n").encode(), bounds) as process:
            wanted = set(shas)
            current, kept, cut, buffer = "", bytearray(), False, b""
            for chunk in process.chunks():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    sha = line.decode("ascii") if len(line) in (40, 64) and line.isalnum() else ""
                    if sha in wanted:
                        if current:
                            result[current] = Patch(current, bytes(kept), cut)
                        current, kept, cut = sha, bytearray(), False
                    elif len(kept) < PATCH_LIMIT:
                        kept += line[:PATCH_LIMIT] + b"\n"
                    else:
                        cut = True
            if process.truncated:
                return "the diffs are too large"
            status, errors = process.finish()
        if status != 0:
            return first_line(errors) or "git diff-tree failed"
        if current:
            result[current] = Patch(current, bytes(kept), cut)
        return ""

    def patch_of(self, sha: str, path: str) -> Patch:
        """Return what a commit does to one file, whatever else it does; a file that moved is shown as moved."""
        arguments = [*(part for part in _DIFF_TREE if part != "--stdin"), "-C", "--no-commit-id", require_sha(sha)]
        paths = dict.fromkeys([require_path(path), *self._moved(sha, path)])
        output = self.store.run([*arguments, "--", *paths], bounds=Bounds(30.0, PATCH_LIMIT))
        if output.status != 0 and not output.truncated:
            return Patch(sha, None, reason=first_line(output.stderr) or "git diff-tree failed")
        return Patch(sha, output.stdout, output.truncated)

    def _moved(self, sha: str, path: str) -> list[str]:
        """Return the other names of a file that a commit renames or copies; none where git cannot say."""
        asked = ["diff-tree", "-r", "-M", "-C", "-z", "--name-status", "--no-commit-id", require_sha(sha)]
        fields = (
            self.store.run(asked, bounds=Bounds(30.0, 16 << 20)).stdout.decode("utf-8", "surrogateescape").split("\0")
        )
        rest = iter(fields)
        for status in rest:
            names = [next(rest, "") for _ in range(2 if status[:1] in ("R", "C") else 1)]
            if len(names) == 2 and all(names) and path in names:
                return [name for name in names if name != path]
        return []

    def file_at(self, sha: str, path: str, limit: int = FILE_LIMIT) -> Blob | None:
        """Return a file as it is in a commit; None where the commit has no such file."""
        name = f"{require_sha(sha)}:{require_path(path)}".encode("utf-8", "surrogateescape")
        checked = self.store.need(["cat-file", "--batch-check", "-z"], name + b"\0", Bounds(30.0))
        fields = checked.decode("utf-8", "replace").strip().rsplit(" ", 2)
        if len(fields) != 3 or fields[1] != "blob":
            return None
        output = self.store.run(["cat-file", "blob", require_sha(fields[0])], bounds=Bounds(30.0, limit))
        if output.status != 0 and not output.truncated:
            raise GitFailed(f"{path}: its content cannot be read ({first_line(output.stderr)})")
        return Blob(path, fields[0], output.stdout, int(fields[2]))

    def tree(self, sha: str, limit: int = 200_000) -> Iterator[TreeEntry]:
        """Yield every file of a commit, in path order."""
        with self.store.process(["ls-tree", "-r", "-z", require_sha(sha)], b"", Bounds(60.0, 256 << 20)) as process:
            rest, given = b"", 0
            for chunk in process.chunks():
                *records, rest = (rest + chunk).split(b"\0")
                for record in records:
                    head, _, path = record.partition(b"\t")
                    mode, kind, oid = head.decode("ascii").split(" ")
                    yield TreeEntry(mode, kind, oid, path.decode("utf-8", "surrogateescape"))
                    given += 1
                    if given >= limit:
                        return
            status, errors = process.finish()
            if status != 0:
                raise GitFailed(f"git ls-tree failed: {first_line(errors)}")

    def blame(self, sha: str, path: str, first: int, last: int) -> tuple[BlamedLine, ...]:
        """Say which commit last changed each line of a range (1-based, inclusive, at most 500 lines)."""
        blob = self.file_at(sha, path)
        if blob is None:
            return ()
        total = blob.data.count(b"\n") + (not blob.data.endswith(b"\n"))
        first = max(1, first)
        last = min(last, first + 499, total)
        if first > last:
            return ()
        arguments = ["blame", "--porcelain", "--no-textconv", f"-L{first},{last}", require_sha(sha), "--", path]
        data = self.store.need(arguments, bounds=Bounds(60.0, 16 << 20))
        lines = []
        current: tuple[str, int] | None = None
        for raw in data.splitlines(keepends=True):
            head = _BLAME_HEAD.match(raw)
            if head and not raw.startswith(b"\t"):
                current = head[1].decode(), int(head[3])
            elif raw.startswith(b"\t") and current:
                lines.append(BlamedLine(current[1], current[0], raw[1:].decode("utf-8", "replace").rstrip("\r\n")))
        return tuple(lines)

    def search(self, sha: str, needle: str, limit: int = 200) -> tuple[SearchHit, ...]:
        """Return lines of a commit's files that hold a fixed string."""
        return self.search_any(sha, [needle], limit)

    def search_any(self, sha: str, needles: Sequence[str], limit: int = 200) -> tuple[SearchHit, ...]:
        """Return lines of a commit's files that hold any of some fixed strings."""
        if not needles or not all(needles) or any(bad in needle for needle in needles for bad in "\n\0"):
            raise ValueError("the text to look for must be one line")
        arguments = [*_GREP, require_sha(sha)]
        given = "".join(f"{needle}\n" for needle in needles).encode("utf-8", "surrogateescape")
        output = self.store.run(arguments, given, Bounds(60.0, 4 << 20))
        if output.status not in (0, 1) and not output.truncated:
            raise GitFailed(f"git grep failed: {first_line(output.stderr)}")
        hits = []
        for raw in output.stdout.split(b"\n"):
            fields = raw.split(b"\0", 2)
            if len(fields) == 3 and fields[1].isdigit():
                path = fields[0].partition(b":")[2].decode("utf-8", "surrogateescape")
                hits.append(SearchHit(path, int(fields[1]), fields[2][:500].decode("utf-8", "replace")))
            if len(hits) >= limit:
                break
        return tuple(hits)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Say whether `descendant` holds `ancestor` in its history."""
        output = self.store.run(["merge-base", "--is-ancestor", require_sha(ancestor), require_sha(descendant)])
        if output.status not in (0, 1):
            raise GitFailed(f"git merge-base failed: {first_line(output.stderr)}")
        return output.status == 0

    def brought(self, previous: str, current: str, limit: int = 2_000) -> Brought:
        """Return the commits that a deploy of `current` added to and took from what ran before."""
        added = tuple(self.log(LogQuery((current,), (previous,), limit=limit)))
        removed = tuple(self.log(LogQuery((previous,), (current,), limit=limit)))
        return Brought(added, removed)

    def dated(self, tips: Sequence[str], limit: int) -> dict[str, datetime]:
        """Return the newest commits of these histories with their dates, at most `limit`."""
        stdin = "".join(f"{require_sha(tip)}\n" for tip in tips).encode()
        output = self.store.need(["rev-list", "--stdin", "--timestamp", f"-n{int(limit)}"], stdin, Bounds(10.0))
        rows = (line.split(" ") for line in output.decode("ascii", "replace").splitlines())
        return {row[1]: moment(row[0]) for row in rows if len(row) == 2}

    def unreachable(self, shas: Sequence[str], tips: Sequence[str]) -> tuple[str, ...]:
        """Return those of the commits that none of the tips holds in its history."""
        lines = [require_sha(sha) for sha in shas] + ["^" + require_sha(tip) for tip in tips]
        asked = ["rev-list", "--stdin", f"-n{UNREACHABLE_LIMIT}"]
        output = self.store.need(asked, ("\n".join(lines) + "\n").encode(), Bounds(10.0))
        alone = set(output.decode("ascii", "replace").split())
        return tuple(sha for sha in dict.fromkeys(shas) if sha.lower() in alone)

    def landed(self, deadline_s: float = 10.0) -> tuple[datetime, ...]:
        """Return when the tip and the first commits of its history landed, as far as git says so in time."""
        head, found = self.store.state.head, []
        try:
            found += [commit.committed_at for commit in self.commits([head]).values()]
            roots = self.store.run(["rev-list", "--max-parents=0", "--stdin"], f"{head}\n".encode(), Bounds(deadline_s))
            shas = roots.stdout.decode("ascii", "replace").split()[:ROOTS_LIMIT]
            found += [commit.committed_at for commit in self.commits(shas).values()] if shas else []
        except (GitFailed, ValueError):
            pass
        return tuple(found)
