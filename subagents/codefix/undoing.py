"""The base without a commit: found by a merge of synthetic commits, in a scratch directory, with no work tree.

The merge's base has the tree of the commit C that is undone; one side has the base's tree, the other that of C's
(mainline) parent. What has to be in the draft store of the result is packed into it; the rest ends with the scratch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from subagents.codefix.refusal import DraftRefused
from subagents.codefix.store import DraftStore
from subagents.gitstore.environment import IDENTITY, require_sha
from subagents.gitstore.log import LoggedCommit
from subagents.gitstore.process import Bounds, GitFailed, first_line
from subagents.gitstore.reader import Reader

_BOUNDS = Bounds(timeout_s=120.0)
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
    with store.scratch() as place:
        extra = {
            **IDENTITY,
            "GIT_OBJECT_DIRECTORY": str(place),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(store.git_dir / "objects"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.fsync",
            "GIT_CONFIG_VALUE_0": "none",  # the scratch need not outlive the power
        }
        at, before, now = _trees(store, guilty, base)
        _pack(store, place, [tree for tree in (at, before) if tree], now)
        before = before or store.need_id(["hash-object", "-t", "tree", "-w", "--stdin"], extra=extra)
        ours, theirs = _synthetic(store, place, (at, before, now), extra)
        asked = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
        output = store.run(asked, bounds=_BOUNDS, extra=extra)
        if output.status not in (0, 1):
            raise GitFailed(f"git merge-tree failed: {first_line(output.stderr) or output.status}")
        tree, *names = output.stdout.decode("utf-8", "surrogateescape").split("\0")
        if output.status == 1:
            raise _conflict(guilty, base, tuple(name for name in names if name))
        if require_sha(tree) == now:
            raise DraftRefused(
                f"undoing {guilty.sha[:12]} changes nothing on {base[:12]}: "
                "it has no changes, or they are no longer there"
            )
        if tree == _object_id(store, b"tree 0\0"):
            raise DraftRefused(f"undoing {guilty.sha[:12]} would leave no file at all")
        _keep(store, tree, now, {**extra, "GIT_CONFIG_VALUE_0": "all"})
        return tree


def _conflict(guilty: Guilty, base: str, paths: tuple[str, ...]) -> DraftRefused:
    shown = tuple(path.encode("utf-8", "replace").decode() for path in paths)
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return DraftRefused(
        f"undoing {guilty.sha[:12]} on {base[:12]} conflicts in {', '.join(shown[:8])}{more}: later commits changed "
        "the same lines. No branch was made",
        shown,
    )


def _trees(store: DraftStore, guilty: Guilty, base: str) -> tuple[str, str, str]:
    names = [f"{guilty.sha}^{{tree}}", f"{base}^{{tree}}"] + ([f"{guilty.parent}^{{tree}}"] if guilty.parent else [])
    answer = store.reader.store.need(["cat-file", "--batch-check"], ("\n".join(names) + "\n").encode())
    found = [line.split(" ")[0] for line in answer.decode("ascii", "replace").splitlines() if " tree " in line]
    if len(found) != len(names):
        raise DraftRefused(f"the trees of {guilty.sha[:12]} and its parent cannot be read: run `git fsck` there")
    return found[0], found[2] if guilty.parent else "", found[1]


def _pack(store: DraftStore, place: Path, trees: list[str], without: str) -> None:
    """Put into the scratch what the trees hold and the base does not."""
    arguments = [
        "pack-objects",
        "-q",
        "--revs",
        "--non-empty",
        "--window=0",
        "--threads=1",
        str(place / "pack" / "pack"),
    ]
    stdin = "".join(f"{tree}\n" for tree in trees) + f"^{without}\n"
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
    place = str(store.git_dir / "objects" / "pack" / "pack")
    asked = ["pack-objects", "-q", "--revs", "--non-empty", "--window=0", "--threads=1", place]
    store.need(asked, f"{tree}\n^{base_tree}\n".encode(), _BOUNDS, extra)
