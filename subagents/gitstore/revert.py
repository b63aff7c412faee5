"""Whether undoing a commit applies cleanly on a base, found by a merge of synthetic commits: no work tree, no index.

Two commits are made on the commit C that is to be undone, one with the base's tree and one with the
tree of C's (mainline) parent; their merge has C as its base, so it is the base without C.
"""

from __future__ import annotations

from dataclasses import dataclass

from subagents.gitstore.environment import IDENTITY, require_sha
from subagents.gitstore.log import LoggedCommit, LogQuery
from subagents.gitstore.process import Bounds, GitFailed, first_line
from subagents.gitstore.reader import Reader


@dataclass(frozen=True)
class RevertCheck:
    """The answer. `tree` is the base's tree without the commit; None unless `clean`."""

    commit: str
    base: str
    clean: bool
    tree: str | None
    conflicts: tuple[str, ...]
    changes_anything: bool
    """False: the base already is without the commit's changes, or the commit changes nothing."""
    in_base: bool
    """The commit is part of the base's history."""
    mainline: int | None
    """For a merge: which parent (1-based) is kept as the main line."""
    mainline_parent: str | None
    files: tuple[str, ...]
    """Paths that undoing changes against the base."""
    touched_since: tuple[LoggedCommit, ...]
    """Later commits, up to the base, that changed files of the commit; newest first."""


def _tree_of(reader: Reader, commit: str) -> str:
    answer = reader.store.need(["cat-file", "--batch-check"], f"{require_sha(commit)}^{{tree}}\n".encode())
    sha, _, rest = answer.decode("ascii", "replace").strip().partition(" ")
    if not rest.startswith("tree"):
        raise GitFailed(f"the tree of {commit[:12]} cannot be read")
    return sha


def _synthetic(reader: Reader, tree: str, parent: str) -> str:
    made = reader.store.need(
        ["commit-tree", "--no-gpg-sign", require_sha(tree), "-p", require_sha(parent)], b"synthetic\n", extra=IDENTITY
    )
    return require_sha(made.decode("ascii").strip())


def changed_paths(reader: Reader, old: str, new: str) -> tuple[str, ...]:
    """Return the paths that differ between two trees or commits."""
    arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", require_sha(old), require_sha(new)]
    data = reader.store.need(arguments, bounds=Bounds(60.0, 64 << 20))
    return tuple(part.decode("utf-8", "surrogateescape") for part in data.split(b"\0") if part)


def check_revert(reader: Reader, commit: str, base: str, mainline: int = 1) -> RevertCheck:
    """Say whether undoing `commit` on `base` is clean; raises GitFailed or ValueError with the reason."""
    commit, base = require_sha(commit), require_sha(base)
    logged = reader.commits([commit]).get(commit)
    if logged is None:
        raise GitFailed(f"commit {commit[:12]} is not in this repository")
    parents, is_merge = logged.parents, len(logged.parents) > 1
    if is_merge and not 1 <= mainline <= len(parents):
        raise ValueError(f"{commit[:12]} is a merge of {len(parents)} parents; mainline {mainline} is none of them")
    if not parents and commit in _cut_points(reader):
        raise GitFailed(f"the parent of {commit[:12]} is beyond the cut of this shallow clone")
    kept = parents[mainline - 1 if is_merge else 0] if parents else None
    before = _tree_of(reader, kept) if kept else require_sha(reader.store.need(["mktree"]).decode().strip())
    base_tree = _tree_of(reader, base)
    ours, theirs = _synthetic(reader, base_tree, commit), _synthetic(reader, before, commit)
    output = reader.store.run(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs])
    if output.status not in (0, 1):
        raise GitFailed(f"git merge-tree failed: {first_line(output.stderr) or output.status}")
    tree, *names = output.stdout.decode("utf-8", "surrogateescape").split("\0")
    clean = output.status == 0
    in_base = reader.is_ancestor(commit, base)
    own_files = changed_paths(reader, before, _tree_of(reader, commit))
    return RevertCheck(
        commit=commit,
        base=base,
        clean=clean,
        tree=require_sha(tree) if clean else None,
        conflicts=() if clean else tuple(name for name in names if name),
        changes_anything=not clean or tree != base_tree,
        in_base=in_base,
        mainline=mainline if is_merge else None,
        mainline_parent=kept if is_merge else None,
        files=changed_paths(reader, base_tree, tree) if clean else own_files,
        touched_since=_later(reader, commit, base, own_files) if in_base else (),
    )


def _cut_points(reader: Reader) -> frozenset[str]:
    try:
        return frozenset((reader.store.git_dir / "shallow").read_text("ascii").split())
    except OSError:
        return frozenset()


def _later(reader: Reader, commit: str, base: str, files: tuple[str, ...]) -> tuple[LoggedCommit, ...]:
    carried = tuple(path for path in files if "\n" not in path)[:200]
    if not carried or commit == base:
        return ()
    return tuple(reader.log(LogQuery((base,), (commit,), limit=50, paths=carried)))
