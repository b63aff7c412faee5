"""Whether undoing a commit applies cleanly on a base, found by a merge of synthetic commits: no work tree, no index.

The merge's base has the tree of the commit C that is to be undone; one side has the base's tree, the
other that of C's (mainline) parent; so the result is the base without C. It is computed in a scratch
object directory that borrows nothing: a git that writes an object which an alternate already holds
touches the time stamp of the user's file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from subagents.gitstore.environment import IDENTITY, require_sha
from subagents.gitstore.log import LoggedCommit, LogQuery
from subagents.gitstore.process import Bounds, GitFailed, first_line
from subagents.gitstore.reader import Reader


@dataclass(frozen=True)
class RevertCheck:
    """The answer. `tree` names the base's tree without the commit; None unless `clean`."""

    commit: str
    base: str
    clean: bool
    tree: str | None
    """Id of that tree. The check leaves no object behind: drafting writes it."""
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


def changed_paths(reader: Reader, old: str, new: str, extra: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the paths that differ between two trees or commits."""
    arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", require_sha(old), require_sha(new)]
    data = reader.store.need(arguments, bounds=Bounds(60.0, 64 << 20), extra=extra)
    return tuple(part.decode("utf-8", "surrogateescape") for part in data.split(b"\0") if part)


def _subtrees(reader: Reader, tree: str) -> set[str]:
    data = reader.store.need(["ls-tree", "-r", "-d", "-z", require_sha(tree)], bounds=Bounds(60.0, 256 << 20))
    heads = (record.partition(b"\t")[0].split() for record in data.split(b"\0") if record)
    return {head[2].decode() for head in heads if head[1] == b"tree"}  # not a submodule's commit


def _differing_blobs(reader: Reader, old: str, new: str) -> set[str]:
    arguments = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", require_sha(old), require_sha(new)]
    data = reader.store.need(arguments, bounds=Bounds(60.0, 256 << 20))
    found: set[str] = set()
    for record in data.split(b"\0"):
        fields = record.split(b" ")
        if record.startswith(b":") and len(fields) == 5:
            sides = ((fields[0][1:], fields[2]), (fields[1], fields[3]))
            found.update(oid.decode() for mode, oid in sides if mode not in (b"000000", b"160000"))
    return found


@contextmanager
def _scratch(reader: Reader, trees: tuple[str, str, str]) -> Iterator[dict[str, str]]:
    """Give an object directory of its own that holds the three trees and what differs between them."""
    before, at, base = trees
    wanted = set(trees).union(*(_subtrees(reader, tree) for tree in trees))
    wanted |= _differing_blobs(reader, at, before) | _differing_blobs(reader, at, base)
    with tempfile.TemporaryDirectory(dir=reader.store.git_dir, prefix="scratch.") as place:
        pack = Path(place) / "pack"
        pack.mkdir()
        names = ("\n".join(sorted(wanted)) + "\n").encode()
        asked = ["pack-objects", "-q", "--threads=1", "--window=0", str(pack / "pack")]
        packed = reader.store.run(asked, names, Bounds(60.0))
        if packed.status != 0:
            raise GitFailed(
                f"contents of its files are not in this clone ({first_line(packed.stderr)}): fetch them first"
            )
        yield {**IDENTITY, "GIT_OBJECT_DIRECTORY": place}


def _merge(reader: Reader, trees: tuple[str, str, str]) -> tuple[bool, str, tuple[str, ...], tuple[str, ...]]:
    """Return (clean, resulting tree, paths in conflict, paths that change against the base)."""
    before, at, base = trees
    with _scratch(reader, trees) as extra:

        def synthetic(tree: str, *parents: str) -> str:
            asked = ["commit-tree", "--no-gpg-sign", tree, *(part for parent in parents for part in ("-p", parent))]
            return require_sha(reader.store.need(asked, b"synthetic\n", extra=extra).decode("ascii").strip())

        root = synthetic(at)
        asked = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"]
        output = reader.store.run([*asked, synthetic(base, root), synthetic(before, root)], extra=extra)
        if output.status not in (0, 1):
            raise GitFailed(f"git merge-tree failed: {first_line(output.stderr) or output.status}")
        tree, *names = output.stdout.decode("utf-8", "surrogateescape").split("\0")
        changed = changed_paths(reader, base, tree, extra) if output.status == 0 else ()
        return output.status == 0, require_sha(tree), tuple(name for name in names if name), changed


def check_revert(reader: Reader, commit: str, base: str, mainline: int = 1) -> RevertCheck:
    """Say whether undoing `commit` on `base` is clean; raises GitFailed or ValueError with the reason."""
    commit, base = require_sha(commit), require_sha(base)
    for name, known in reader.resolve([commit, base]).items():
        if known is None:
            raise GitFailed(f"commit {name[:12]} is not in this repository")
    parents = reader.commits([commit])[commit].parents
    is_merge = len(parents) > 1
    if is_merge and not 1 <= mainline <= len(parents):
        raise ValueError(f"{commit[:12]} is a merge of {len(parents)} parents; mainline {mainline} is none of them")
    if not parents and commit in _cut_points(reader):
        raise GitFailed(f"the parent of {commit[:12]} is beyond the cut of this shallow clone")
    kept = parents[mainline - 1 if is_merge else 0] if parents else None
    at, base_tree = _tree_of(reader, commit), _tree_of(reader, base)
    before = _tree_of(reader, kept) if kept else _empty_tree(reader)
    clean, tree, conflicts, changed = _merge(reader, (before, at, base_tree))
    in_base = reader.is_ancestor(commit, base)
    own_files = changed_paths(reader, before, at)
    return RevertCheck(
        commit=commit,
        base=base,
        clean=clean,
        tree=tree if clean else None,
        conflicts=conflicts,
        changes_anything=not clean or tree != base_tree,
        in_base=in_base,
        mainline=mainline if is_merge else None,
        mainline_parent=kept if is_merge else None,
        files=changed if clean else own_files,
        touched_since=_later(reader, commit, base, own_files) if in_base else (),
    )


def _empty_tree(reader: Reader) -> str:
    """Return the id of the tree without entries, which git knows without its being stored."""
    return require_sha(reader.store.need(["hash-object", "-t", "tree", "--stdin"]).decode("ascii").strip())


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
