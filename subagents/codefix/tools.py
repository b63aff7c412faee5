"""The code-fix tools that read: files, search, history, and whether a revert applies. None of them changes anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from subagents.citations import CommitRef
from subagents.codefix.bases import choose_base
from subagents.codefix.briefing import told
from subagents.codefix.model import (
    CommitLine,
    FileText,
    FindingsParams,
    History,
    HistoryParams,
    Hit,
    Hits,
    ReadParams,
    RevertAnswer,
    RevertParams,
    SearchParams,
    Told,
)
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.repos import Repositories
from subagents.contract import P, Tool, ToolContext, ToolError, ToolResult, evidence
from subagents.gitstore.environment import require_path
from subagents.gitstore.log import LoggedCommit, LogQuery
from subagents.gitstore.process import GitFailed
from subagents.gitstore.revert import check_revert
from subagents.quantities import counted, verb

LINES_LIMIT = 2_000
R = TypeVar("R")


def _guarded(run: Callable[[P, ToolContext], R]) -> Callable[[P, ToolContext], R]:
    """Turn what the store raises into a ToolError for people."""

    def guarded(params: P, context: ToolContext) -> R:
        try:
            return run(params, context)
        except (DraftRefused, GitFailed, ValueError) as error:
            raise ToolError(str(error)) from error

    return guarded


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")


def _lines(commits: Sequence[LoggedCommit]) -> tuple[CommitLine, ...]:
    return tuple(
        CommitLine(commit=c.sha, author=_text(c.author), at=c.committed_at, subject=_text(c.subject)[:200])
        for c in commits
    )


class CodeTools:
    """The tools over the session's repositories."""

    def __init__(self, repositories: Repositories) -> None:
        self._repos = repositories

    def findings(self, params: FindingsParams, context: ToolContext) -> ToolResult[Told]:
        """Return the findings that the arguments name, in a template."""
        lines = told(context.findings, tuple(self._repos.specs))
        return ToolResult[Told](data=Told(lines=lines), text="\n".join(lines))

    def read(self, params: ReadParams, context: ToolContext) -> ToolResult[FileText]:
        """Return lines of a file at a commit."""
        source, reader = self._repos.choose(params.source, params.commit)
        sha = self._repos.commit(reader, params.commit)
        blob = reader.file_at(sha, require_path(params.path))
        if blob is None:
            raise ToolError(f"{sha[:12]} has no file {params.path[:200]!r}")
        if b"\0" in blob.data[:8000]:
            shown = FileText(path=params.path, commit=sha, binary=True)
            return ToolResult[FileText](data=shown, text=f"{params.path}: binary, {blob.size} bytes")
        lines = blob.data.decode("utf-8", "replace").split("\n")
        last = min(params.last, params.first + LINES_LIMIT - 1, len(lines))
        if params.first > len(lines) or last < params.first:
            raise ToolError(f"{params.path}: lines {params.first}-{params.last} are not in it; it has {len(lines)}")
        text = "\n".join(lines[params.first - 1 : last])
        result = FileText(path=params.path, commit=sha, first=params.first, last=last, total=len(lines), text=text)
        ref = str(CommitRef(source=source, sha=sha, path=params.path, line=params.first))
        numbered = "\n".join(f"{number:5} {line}" for number, line in enumerate(text.split("\n"), params.first))
        return ToolResult[FileText](data=result, text=numbered, citations=(evidence(ref, text.encode(), params.path),))

    def search(self, params: SearchParams, context: ToolContext) -> ToolResult[Hits]:
        """Return where a fixed string occurs in the files of a commit."""
        _, reader = self._repos.choose(params.source, params.commit)
        sha = self._repos.commit(reader, params.commit)
        found = reader.search(sha, params.text, params.limit + 1)
        hits = tuple(Hit(path=_text(h.path), line=h.line, text=h.text) for h in found[: params.limit])
        result = Hits(commit=sha, hits=hits, more=len(found) > params.limit)
        text = "\n".join(f"{hit.path}:{hit.line}: {hit.text}" for hit in hits) or "not found"
        return ToolResult[Hits](data=result, text=text + ("\n… and more" if result.more else ""))

    def history(self, params: HistoryParams, context: ToolContext) -> ToolResult[History]:
        """Return the commits that touched a path."""
        _, reader = self._repos.choose(params.source, params.commit)
        sha = self._repos.commit(reader, params.commit)
        query = LogQuery((sha,), limit=params.limit, paths=(require_path(params.path),))
        result = History(path=params.path, commits=_lines(list(reader.log(query))))
        text = "\n".join(f"{c.commit[:12]} {c.at.isoformat()} {c.author}: {c.subject}" for c in result.commits)
        return ToolResult[History](data=result, text=text or f"no commit up to {sha[:12]} touches {params.path}")

    def revert_check(self, params: RevertParams, context: ToolContext) -> ToolResult[RevertAnswer]:
        """Say whether undoing a commit applies cleanly on a base."""
        source, reader = self._repos.choose(params.source, params.commit)
        commit = self._repos.commit(reader, params.commit)
        chosen = choose_base(reader, params.base, context.findings, commit)
        base = chosen.commit
        check = check_revert(reader, commit, base, params.mainline)
        subject = reader.commits([commit])[commit].subject
        answer = RevertAnswer(
            source=source,
            commit=commit,
            subject=_text(subject)[:200],
            base=base,
            base_is=chosen.words,
            clean=check.clean,
            conflicts=tuple(map(_text, check.conflicts[:200])),
            changes_anything=check.changes_anything,
            in_base=check.in_base,
            mainline=check.mainline,
            mainline_parent=check.mainline_parent,
            files=tuple(map(_text, check.files[:200])),
            touched_since=_lines(check.touched_since),
        )
        text = revert_text(answer)
        ref = str(CommitRef(source=source, sha=commit))
        return ToolResult[RevertAnswer](data=answer, text=text, citations=(evidence(ref, text.encode(), subject[:80]),))


def revert_text(answer: RevertAnswer) -> str:
    """Return the answer in words."""
    base = answer.base[:12]
    lines = []
    if not answer.in_base:
        lines.append(f"{answer.commit[:12]} is not part of {base}: there is nothing of it to undo there")
    elif not answer.changes_anything:
        lines.append(f"undoing {answer.commit[:12]} changes nothing on {base}: its changes are no longer there")
    elif answer.clean:
        lines.append(
            f"undoing {answer.commit[:12]} applies cleanly on {base}; it changes {', '.join(answer.files[:8])}"
        )
    else:
        lines.append(f"undoing {answer.commit[:12]} on {base} conflicts in {', '.join(answer.conflicts[:8])}")
    if answer.mainline is not None:
        kept = (answer.mainline_parent or "")[:12]
        lines.append(
            f"it is a merge: parent {answer.mainline} ({kept}) is kept as the main line; "
            "merging that branch again later needs this revert reverted first"
        )
    if answer.touched_since:
        count = len(answer.touched_since)
        later = ", ".join(f"{c.commit[:12]} {c.subject[:50]}" for c in answer.touched_since[:5])
        lines.append(f"{counted(count, 'later commit')} {verb(count, 'touch')} the same files: {later}")
    return ". ".join(lines)


def build_tools(repositories: Repositories) -> tuple[Tool[Any, Any], ...]:
    """Return the tools that read."""
    tools = CodeTools(repositories)
    return (
        Tool(
            "code_findings",
            "Read findings by their ids: what they say of a commit, its facts and its places in the code, in fixed "
            "words. This is how you learn of what others found.",
            FindingsParams,
            Told,
            _guarded(tools.findings),
        ),
        Tool(
            "code_read",
            "Read lines of a file as stored in a commit.",
            ReadParams,
            FileText,
            _guarded(tools.read),
        ),
        Tool(
            "code_search",
            "Find a fixed string in the files of a commit.",
            SearchParams,
            Hits,
            _guarded(tools.search),
        ),
        Tool(
            "code_history",
            "List the commits that touched a path, newest first.",
            HistoryParams,
            History,
            _guarded(tools.history),
        ),
        Tool(
            "code_revert_check",
            "Say whether undoing a commit applies cleanly on a base commit, which files conflict, and what later "
            "commits touched the same files. For a merge, say which parent is the main line.",
            RevertParams,
            RevertAnswer,
            _guarded(tools.revert_check),
        ),
    )
