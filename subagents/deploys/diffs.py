"""The exact diff of a commit, whole or of one file, a piece at a time; and which deploys brought a commit."""

from __future__ import annotations

from subagents.contract import ToolError
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import DiffParams, DiffResult
from subagents.deploys.sources.patch import diffs_of
from subagents.deploys.sources.records import Commit, Deploy
from subagents.gitstore.process import GitFailed

DIFF_LIMIT = 256 << 10
"""Characters of a diff in one answer."""
ASKED_LIMIT = 40
"""Deploys that are asked whether they hold a commit."""
_MERGE = "a merge: only what differs from all its parents is shown; deploys_alongside lists what came with it"


def show_diff(catalogue: ChangeCatalogue, params: DiffParams) -> tuple[DiffResult, str | None]:
    """Return a commit's diff, and where the rest of it begins."""
    commit = catalogue.commit(params.commit.strip().lower(), params.source or None)
    catalogue.fill_patches([commit])
    whole, reason, cut = commit.patch, commit.no_patch, commit.patch_cut
    if params.path:
        whole, reason, cut = _of_file(catalogue, commit, params.path)
    text = (whole or "")[params.offset : params.offset + DIFF_LIMIT]
    left = len(whole or "") - params.offset - len(text)
    notes = [_MERGE] if commit.is_merge else []
    if cut:
        notes.append("the diff is longer than is kept: ask for one file with `path`")
    result = DiffResult(
        source=commit.source,
        commit=commit.sha,
        author=commit.author,
        committed_at=commit.committed_at,
        subject=commit.subject,
        body=commit.body,
        files=tuple(touched.path for touched in commit.files[:300]),
        available=whole is not None,
        reason="" if whole is not None else (reason or "no diff is available"),
        diff=text,
        truncated=left > 0 or cut,
        note="; ".join(notes),
    )
    return result, f"offset={params.offset + len(text)}" if left > 0 else None


def diff_text(result: DiffResult) -> str:
    """Return the diff with its head, as text."""
    shown = result.diff if result.available else f"NO DIFF AVAILABLE (not the same as no change): {result.reason}"
    head = [
        f"{result.commit} {result.subject}",
        f"by {result.author}",
        *([f"note: {result.note}"] if result.note else []),
    ]
    return "\n".join([*head, shown])


def _of_file(catalogue: ChangeCatalogue, commit: Commit, path: str) -> tuple[str | None, str, bool]:
    """Return (diff of one file, why there is none, whether it is cut)."""
    repo = catalogue.repos.get(commit.source)
    reader = repo.reader() if repo else None
    if reader is not None:
        try:
            patch = reader.patch_of(commit.sha, path)
        except (GitFailed, ValueError) as error:
            raise ToolError(f"{commit.sha[:12]}: {error}") from error
        if not patch.text and patch.reason == "" and not commit.is_merge:
            raise ToolError(f"{commit.sha[:12]} does not change {path[:200]!r}")
        return (None if patch.text is None else patch.text.decode("utf-8", "replace")), patch.reason, patch.truncated
    if commit.patch is None:
        return None, commit.no_patch, False
    found = [d for d in diffs_of(commit) if path in (d.path, d.old_path)]
    if not found:
        raise ToolError(f"{commit.sha[:12]} does not change {path[:200]!r}")
    lines = [f"--- {d.old_path or d.path}\n+++ {d.path}" for d in found[:1]]
    for hunk in (hunk for diff in found for hunk in diff.hunks):
        lines += [f"@@ {hunk.header}".rstrip(), *(line.tag + line.text for line in hunk.lines)]
    return "\n".join(lines) + "\n", "", commit.patch_cut


def deploys_with(catalogue: ChangeCatalogue, commit: Commit) -> tuple[Deploy, ...]:
    """Return the first deploy of each service that holds a commit, by ancestry, as far as git can tell."""
    repo = catalogue.repos.get(commit.source)
    reader = repo.reader() if repo else None
    if reader is None:
        return ()
    names, found, answers = catalogue.names(), dict[str, Deploy](), dict[str, bool]()
    for deploy in catalogue.deploys:
        late = deploy.at is None or commit.landed_at is None or deploy.at >= commit.landed_at
        sha = names.of(deploy) if late and not deploy.failed and deploy.service not in found else None
        if sha is None:
            continue
        if sha not in answers:
            if len(answers) >= ASKED_LIMIT:
                break
            try:
                answers[sha] = sha == commit.sha or reader.is_ancestor(commit.sha, sha)
            except GitFailed:
                answers[sha] = False
        if answers[sha]:
            found[deploy.service] = deploy
    return tuple(found.values())
