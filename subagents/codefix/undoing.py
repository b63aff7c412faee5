"""The base without a commit: found by a merge of synthetic commits, in a scratch directory, with no work tree.

The merge's base has the tree of the commit C that is undone; one side has the base's tree, the other that of C's
(mainline) parent. What has to be in the draft store of the result is packed into it; the rest ends with the scratch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from subagents.codefix.refusal import DraftRefused
from subagents.codefix.store import DraftStore
from subagents.gitstore.environment import IDENTITY, require_sha
from subagents.gitstore.log import LoggedCommit
from subagents.gitstore.process import Bounds, GitFailed, Output, first_line
from subagents.gitstore.reader import Reader

_BOUNDS = Bounds(timeout_s=120.0)
_RAW = ("diff-tree", "-r", "-t", "-z", "--raw", "--no-abbrev", "--no-renames")
_PACK = ("pack-objects", "-q", "--non-empty", "--window=0", "--threads=1")
_MERGE = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages")
_MADE_UP = "author warroom <warroom@localhost> 0 +0000\ncommitter warroom <warroom@localhost> 0 +0000\n\nsynthetic\n"


@dataclass(frozen=True)
class Guilty:
    """The commit that is undone, and against what: `parent` None is the empty tree before a first commit."""

    logged: LoggedCommit
    parent: str | None
    mainline: int | None
    """For a merge: which parent (1-based) is kept as the main line."""

    @property
    def sha(self) -> str:
        """Full id."""
        return self.logged.sha


def find_guilty(reader: Reader, commit: str, base: str, mainline: int) -> Guilty:
    """Look at the commit that is to be undone on a base; raises DraftRefused where it cannot be."""
    commit, base = require_sha(commit), require_sha(base)
    try:
        found = reader.commits([commit])[commit]
    except (GitFailed, KeyError) as error:
        raise DraftRefused(f"commit {commit[:12]} is not in this repository, or cannot be read ({error})") from error
    parents = found.parents
    if len(parents) > 1 and not 1 <= mainline <= len(parents):
        raise DraftRefused(
            f"{commit[:12]} is a merge of {len(parents)} parents: state which is the main line, 1 to {len(parents)}"
        )
    if not parents and commit in _cut_points(reader):
        raise DraftRefused(
            f"the parent of {commit[:12]} is beyond the cut of this shallow clone: run `git fetch --unshallow` there"
        )
    if commit != base and not reader.is_ancestor(commit, base):
        raise DraftRefused(f"{commit[:12]} is not part of {base[:12]}: there is nothing of it to undo there")
    if len(parents) > 1:
        return Guilty(found, parents[mainline - 1], mainline)
    return Guilty(found, parents[0] if parents else None, None)


def _cut_points(reader: Reader) -> frozenset[str]:
    try:
        return frozenset((reader.store.git_dir / "shallow").read_text("ascii").split())
    except OSError:
        return frozenset()


def tree_without(store: DraftStore, guilty: Guilty, base: str) -> str:
    """Return the base's tree without the commit, stored; raises DraftRefused for conflicts and for no change."""
    trees = _trees(store, guilty, base)
    with store.scratch() as place:
        extra = {
            **IDENTITY,
            "GIT_OBJECT_DIRECTORY": str(place),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(store.git_dir / "objects"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.fsync",
            "GIT_CONFIG_VALUE_0": "none",  # the scratch need not outlive the power
        }
        tree, conflicts = _merged(store, place, trees, extra)
        if conflicts is not None:
            raise _conflict(guilty, base, conflicts)
        if tree == trees.now:
            raise DraftRefused(
                f"undoing {guilty.sha[:12]} changes nothing on {base[:12]}: "
                "it has no changes, or they are no longer there"
            )
        if tree == _object_id(store, b"tree 0\0"):
            raise DraftRefused(f"undoing {guilty.sha[:12]} would leave no file at all")
        _keep(store, tree, trees.now, {**extra, "GIT_CONFIG_VALUE_0": "all"})
        return tree


def _merged(store: DraftStore, place: Path, trees: _Trees, extra: dict[str, str]) -> tuple[str, tuple[str, ...] | None]:
    """Return the merge's tree, and the paths in conflict, if any."""
    before = trees.before or store.need_id(["hash-object", "-t", "tree", "-w", "--stdin"], extra=extra)
    # Where the commit's tree equals its parent's the merge does not look, so what differs is mostly enough.
    if trees.before:
        _pack(store, place, _differing(store, trees))
        ours, theirs = _synthetic(store, place, (trees.at, before, trees.now), extra)
        output = store.run([*_MERGE, ours, theirs], bounds=_BOUNDS, extra=extra)
        if output.status in (0, 1):
            return _result(output)
    _pack(store, place, [tree for tree in (trees.at, trees.before) if tree], trees.now)
    ours, theirs = _synthetic(store, place, (trees.at, before, trees.now), extra)
    output = store.run([*_MERGE, ours, theirs], bounds=_BOUNDS, extra=extra)
    if output.status not in (0, 1):
        raise GitFailed(f"git merge-tree failed: {first_line(output.stderr) or output.status}")
    return _result(output)


def _result(output: Output) -> tuple[str, tuple[str, ...] | None]:
    tree, *names = output.stdout.decode("utf-8", "surrogateescape").split("\0")
    return require_sha(tree), tuple(name for name in names if name) if output.status == 1 else None


def _conflict(guilty: Guilty, base: str, paths: tuple[str, ...]) -> DraftRefused:
    shown = tuple(path.encode("utf-8", "replace").decode() for path in paths)
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return DraftRefused(
        f"undoing {guilty.sha[:12]} on {base[:12]} conflicts in {', '.join(shown[:8])}{more}: later commits changed "
        "the same lines. No branch was made",
        shown,
    )


@dataclass(frozen=True)
class _Trees:
    """The trees of the commit, of its parent (empty: there is none) and of the base."""

    at: str
    before: str
    now: str


def _trees(store: DraftStore, guilty: Guilty, base: str) -> _Trees:
    names = [f"{guilty.sha}^{{tree}}", f"{base}^{{tree}}"] + ([f"{guilty.parent}^{{tree}}"] if guilty.parent else [])
    answer = store.reader.store.need(["cat-file", "--batch-check"], ("\n".join(names) + "\n").encode())
    found = [line.split(" ")[0] for line in answer.decode("ascii", "replace").splitlines() if " tree " in line]
    if len(found) != len(names):
        raise DraftRefused(f"the trees of {guilty.sha[:12]} and its parent cannot be read: run `git fsck` there")
    return _Trees(require_sha(found[0]), require_sha(found[2]) if guilty.parent else "", require_sha(found[1]))


def _differing(store: DraftStore, trees: _Trees) -> list[str]:
    """Return the trees and blobs in which the commit and its parent differ, on both sides."""
    data = store.reader.store.need([*_RAW, trees.before, trees.at], bounds=_BOUNDS)
    return [trees.before, trees.at, *_sides(data, (2, 3))]


def _sides(data: bytes, sides: tuple[int, ...]) -> Iterator[str]:
    """Yield the object ids of a raw diff's sides (2: old, 3: new); submodules and absent sides are left out."""
    for record in data.split(b"\0"):
        fields = record.split(b" ")
        if record.startswith(b":") and len(fields) == 5:
            modes = {2: fields[0][1:], 3: fields[1]}
            yield from (fields[side].decode() for side in sides if modes[side] not in (b"000000", b"160000"))


def _pack(store: DraftStore, place: Path, objects: list[str], without: str = "") -> None:
    """Put objects into the scratch: these ones, or with `without` all that these trees hold and that one does not."""
    arguments = [*_PACK, *(["--revs"] if without else []), str(place / "pack" / "pack")]
    stdin = "".join(f"{name}\n" for name in dict.fromkeys(objects)) + (f"^{without}\n" if without else "")
    output = store.reader.store.run(arguments, stdin.encode(), _BOUNDS)
    if output.status != 0:
        raise DraftRefused(
            f"the files of the commit cannot all be read ({first_line(output.stderr)}): where this is a partial clone, "
            "run `git fetch --refetch` there"
        )


def _synthetic(store: DraftStore, place: Path, trees: tuple[str, str, str], extra: dict[str, str]) -> tuple[str, str]:
    """Write the merge's base and its two sides; return the sides."""
    at, before, now = trees
    root = f"tree {at}\n{_MADE_UP}".encode()
    root_id = _object_id(store, b"commit %d\0" % len(root) + root)
    files = []
    for number, data in enumerate((root, *(f"tree {t}\nparent {root_id}\n{_MADE_UP}".encode() for t in (now, before)))):
        file = place / f"commit{number}"
        file.write_bytes(data)
        files.append(str(file))
    asked = ["hash-object", "-t", "commit", "-w", "--no-filters", "--stdin-paths"]
    given = store.need(asked, ("\n".join(files) + "\n").encode(), extra=extra).decode("ascii").split()
    if len(given) != 3 or given[0] != root_id:
        raise GitFailed("git hash-object gave other ids than the objects have")
    return require_sha(given[1]), require_sha(given[2])


def _object_id(store: DraftStore, raw: bytes) -> str:
    """Return the id of an object in the store's format."""
    digest = hashlib.sha256 if len(store.zeros) == 64 else hashlib.sha1
    return digest(raw).hexdigest()


def _keep(store: DraftStore, tree: str, base_tree: str, extra: dict[str, str]) -> None:
    """Pack what is new in a tree of the scratch into the store, durably."""
    data = store.need([*_RAW, base_tree, require_sha(tree)], bounds=_BOUNDS, extra=extra)
    names = dict.fromkeys([tree, *_sides(data, (3,))])
    place = str(store.git_dir / "objects" / "pack" / "pack")
    store.need([*_PACK, place], "".join(f"{name}\n" for name in names).encode(), _BOUNDS, extra)
