"""Opens `commit:`, `deploy:` and `flag:` citations: the exact record, commit or hunk."""

from __future__ import annotations

from collections.abc import Sequence

from subagents import citations
from subagents.contract import Evidence, Fact, Finding, ToolError, Window, evidence
from subagents.deploys import checking
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.sources.patch import FileDiff, Hunk, diffs_of
from subagents.deploys.sources.records import Commit
from subagents.gitstore.process import GitFailed
from subagents.quantities import counted
from subagents.verifying import NameKind, Recomputed


def header(commit: Commit) -> str:
    """Return a commit's own facts as text, without its diff."""
    when = commit.committed_at.isoformat() if commit.committed_at else "unknown"
    lines = [f"commit {commit.sha}", f"Author: {commit.author}", f"Date: {when}", "", commit.subject]
    if commit.body:
        lines += ["", commit.body]
    listed = [touched.path for touched in commit.files[:200]]
    more = [f"… and {commit.file_count - len(listed)} more"] if commit.file_count > len(listed) else []
    return "\n".join([*lines, "", f"{counted(commit.file_count, 'file')}:", *listed, *more])


def _hunk_text(diff: FileDiff, hunk: Hunk) -> str:
    start = next((line.number for line in hunk.lines if line.number is not None), None)
    place = f"line {start}" if start is not None else "line numbers not given"
    body = "\n".join(line.tag + line.text for line in hunk.lines)
    return f"--- {diff.old_path or diff.path}\n+++ {diff.path}\n@@ {place} @@ {hunk.header}\n{body}"


def _covers(hunk: Hunk, line: int) -> bool:
    numbers = [entry.number for entry in hunk.lines if entry.number is not None]
    return bool(numbers) and min(numbers) - 1 <= line <= max(numbers) + 1


class ChangeResolver:
    """The deploys specialist's `Resolver`."""

    def __init__(self, catalogue: ChangeCatalogue) -> None:
        self._held = catalogue
        self._state = catalogue.state()

    @property
    def _catalogue(self) -> ChangeCatalogue:
        """The sources as they are now: read again when a file has changed."""
        state = self._held.state()
        if state != self._state:
            self._held, self._state = ChangeCatalogue(self._held.specs, self._held.services), state
        return self._held

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Return the evidence as it is now; raises ToolError where it cannot be opened."""
        parsed = citations.parse(ref)
        if isinstance(parsed, citations.CommitRef):
            return self.commit(parsed)
        record = checking.cited_change(self._catalogue, ref)
        if isinstance(record, Commit):
            raise ToolError(f"{ref[:120]!r} is not a record")
        return evidence(ref, record.raw, f"{ref.partition(':')[0]} {record.id} of {record.service or record.source}")

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        """Return a fact's value from what it cites; lead times are up to the onset that the board states."""
        return checking.recompute(self._catalogue, fact, board)

    def has(self, kind: NameKind, name: str) -> bool | None:
        """Say whether the change sources know a commit, deploy, flag, service or path."""
        return checking.has(self._catalogue, kind, name)

    def span(self) -> Window | None:
        """Return the time from the first to the last change that the sources hold."""
        return checking.span(self._catalogue)

    def _content(self, ref: citations.CommitRef) -> list[bytes] | None:
        """Return the lines of a file as the commit holds it; None where no repository says."""
        repo = self._catalogue.repos.get(ref.source)
        reader = repo.reader() if repo else None
        try:
            blob = reader.file_at(ref.sha, ref.path or "") if reader else None
        except (GitFailed, ValueError):
            return None
        return None if blob is None else blob.data.split(b"\n")

    def _lines(self, ref: citations.CommitRef) -> int | None:
        lines = self._content(ref)
        return None if lines is None else len(lines)

    def _file(self, ref: citations.CommitRef) -> Evidence | None:
        """Return a file that the commit holds but does not change, around the line; None where it holds none."""
        lines, middle = self._content(ref), ref.line or 1
        if lines is None:
            return None
        if middle > len(lines):
            raise ToolError(f"{ref}: {ref.path} has {len(lines)} lines there")
        return evidence(str(ref), b"\n".join(lines[max(0, middle - 21) : middle + 20]), f"{ref.sha[:12]} {ref.path}")

    def commit(self, ref: citations.CommitRef) -> Evidence:
        """Return a commit, one file of its diff, or the hunk at a line."""
        commit = self._catalogue.commit(ref.sha, ref.source)
        self._catalogue.fill_patches([commit])
        short = commit.sha[:12]
        if ref.path is None:
            text = header(commit) + ("\n\n" + commit.patch if commit.patch else f"\n\n[{commit.no_patch or 'no diff'}]")
            return evidence(str(ref), text.encode("utf-8", "replace"), f"{short} {commit.subject}")
        if not any(ref.path == touched.path for touched in commit.files) and (found := self._file(ref)) is not None:
            return found
        if commit.patch is None:
            raise ToolError(f"{short}: {commit.no_patch or 'no diff is available'}, so {ref.path} cannot be shown")
        diffs = [d for d in diffs_of(commit) if ref.path in (d.path, d.old_path)]
        hunks = [(diff, hunk) for diff in diffs for hunk in diff.hunks]
        if ref.line is not None:
            covering = [pair for pair in hunks if _covers(pair[1], ref.line or 0)]
            if not covering and (lines := self._lines(ref)) is not None and ref.line > lines:
                raise ToolError(f"{ref}: {ref.path} has {lines} lines there")
            hunks = covering or hunks
        if not diffs:
            raise ToolError(f"{short} does not change {ref.path}")
        text = "\n".join(_hunk_text(diff, hunk) for diff, hunk in hunks) or f"{ref.path}: no text lines change"
        return evidence(str(ref), text.encode("utf-8", "replace"), f"{short} {ref.path}")
