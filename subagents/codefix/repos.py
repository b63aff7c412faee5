"""The repositories of a session, opened through the isolated store when first asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from subagents import citations
from subagents.contract import Coverage, Evidence, Problem, SourceSpec, ToolError, evidence
from subagents.gitstore.environment import require_path
from subagents.gitstore.process import GitFailed
from subagents.gitstore.reader import Reader
from subagents.gitstore.store import IsolatedStore, RepoUnusable


class Repositories:
    """Readers by source id. Faults are ToolErrors with one line for people."""

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        self.specs = {spec.id: spec for spec in specs if spec.kind == "repo"}
        self._readers: dict[str, Reader | str] = {}
        self._lock = threading.Lock()

    def reader(self, source: str) -> Reader:
        """Return the reader of a source; raise ToolError where it cannot be used."""
        spec = self.specs.get(source)
        if spec is None:
            raise ToolError(f"no repository {source!r} among the sources")
        with self._lock:
            held = self._readers.get(source)
            if held is None:
                held = self._readers[source] = _open(spec)
        if isinstance(held, str):
            raise ToolError(held)
        return held

    def choose(self, source: str, commit: str = "") -> tuple[str, Reader]:
        """Return the named repository, or the first usable one that has the commit."""
        if source:
            return source, self.reader(source)
        faults: list[str] = []
        for name in self.specs:
            try:
                reader = self.reader(name)
                if not commit or reader.resolve([commit])[commit]:
                    return name, reader
                faults.append(f"{name} has no commit {commit[:40]}")
            except (ToolError, GitFailed) as error:
                faults.append(str(error))
        if not self.specs:
            raise ToolError("no git repository is among the sources: attach it with --repo PATH")
        raise ToolError("; ".join(faults))

    def commit(self, reader: Reader, text: str) -> str:
        """Return a full commit id; the tip for an empty text. Raises ToolError where it is none."""
        if not text:
            return reader.store.state.head
        found = reader.resolve([text.strip().lower()])[text.strip().lower()]
        if found is None:
            raise ToolError(f"{text[:70]!r} names no single commit of this repository")
        return found

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Open `commit:<source>/<sha>#path[:line]` as the file's text there (the specialist's `Resolver`)."""
        parsed = citations.parse(ref)
        if not isinstance(parsed, citations.CommitRef) or parsed.path is None:
            raise ToolError(f"{ref[:120]!r} is not a place in a file of a commit")
        reader = self.reader(parsed.source)
        try:
            blob = reader.file_at(self.commit(reader, parsed.sha), require_path(parsed.path))
        except (GitFailed, ValueError) as error:
            raise ToolError(str(error)) from error
        if blob is None:
            raise ToolError(f"{parsed.sha[:12]} has no file {parsed.path}")
        lines = blob.data.split(b"\n")
        middle = parsed.line or 1
        if middle > len(lines):
            raise ToolError(f"{ref[:200]}: {parsed.path} has {len(lines)} lines there")
        around = max(context_lines, 20)
        return evidence(ref, b"\n".join(lines[max(0, middle - 1 - around) : middle + around]), parsed.path)

    def coverage(self) -> tuple[Coverage, ...]:
        """Return what is known of each repository."""
        found = []
        for name in self.specs:
            try:
                notes = self.reader(name).store.state.notes
            except ToolError as error:
                notes = (Problem(what=str(error), lost="reading code, and a fix"),)
            found.append(Coverage(source=name, kind="repo", layout="git", problems=notes))
        return tuple(found)


def _open(spec: SourceSpec) -> Reader | str:
    store_dir = spec.options.get("store")
    if not store_dir:
        return f"{spec.origin or spec.path}: no place for its private store was given"
    try:
        return Reader(IsolatedStore.open(Path(spec.path), Path(store_dir)))
    except RepoUnusable as error:
        return str(error)
