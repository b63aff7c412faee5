"""What an approval of a fix binds, and whether the world still is as it says.

The digest of an approval is that of the canonical JSON of its terms: the commit, its tree, its parent, the ref that
would appear and its expected old value, the diff that was shown, and whose repository. Every check here only reads.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from subagents.codefix.branch import require_branch
from subagents.codefix.fixes import Draft
from subagents.contract import Frozen
from subagents.gitstore.environment import SHA
from subagents.gitstore.locate import Location, RepoUnusable, locate, user_git
from subagents.gitstore.process import Bounds, GitFailed, Output, first_line, run

HEADS = "refs/heads/"
_STORE_MARKER = "warroom-store"
_MOST_NAMES = 50
_READ = Bounds(timeout_s=60.0, cap=64 << 20)

RenderDiff = Callable[[Path, str, str], str]
"""(store, base, commit) -> the diff as it is shown; bytes that are not UTF-8 are surrogate escapes."""


class FixRefused(Exception):
    """Something is not as it was approved, or cannot be done; the message names what, and what to do."""


class FixChanged(FixRefused):
    """Something is not as it was approved: the approval is void."""


class FixTerms(Frozen):
    """What a person says yes to."""

    act: Literal["deliver"] = "deliver"
    draft: str
    commit: str
    tree: str
    parent: str
    ref: str
    """`refs/heads/triage/…`."""
    expected: str
    """What the ref is before: zeros, for it does not exist."""
    diff_digest: str
    repo: str
    """The repository as the person named it, absolute."""
    git_dir: str
    """Its common git directory, resolved."""
    store: str
    """warroom's own git directory, which holds the commit."""


def branch_of(ref: str) -> str:
    """Return the fix branch that a full ref names; raises FixRefused for any other ref."""
    try:
        if not ref.startswith(HEADS):
            raise ValueError(f"not the ref of a branch: {ref[:90]!r}")
        return require_branch(ref.removeprefix(HEADS))
    except ValueError as error:
        raise FixRefused(str(error)) from error


def zeros(like: str) -> str:
    """Return the id that stands for `absent` in the object format of `like`."""
    return "0" * len(like)


def digest_of_diff(diff: str) -> str:
    """Return `sha256:` + hex of a diff's bytes."""
    return "sha256:" + hashlib.sha256(diff.encode("utf-8", "surrogateescape")).hexdigest()


def located(repo: str) -> Location:
    """Find a user's repository; raises FixRefused with the reason."""
    try:
        return locate(Path(repo))
    except RepoUnusable as error:
        raise FixChanged(f"the repository moved or cannot be used: {error}") from error


def terms_of(draft: Draft, repo: str) -> FixTerms:
    """Return the terms on which a draft could be delivered to a repository now; raises FixRefused."""
    location = located(os.path.abspath(repo))
    return FixTerms(
        draft=draft.id,
        commit=draft.commit,
        tree=draft.tree,
        parent=draft.base,
        ref=HEADS + free_branch(location, branch_of(HEADS + draft.branch)),
        expected=zeros(draft.commit),
        diff_digest=draft.diff_digest,
        repo=str(location.given),
        git_dir=str(location.common_dir),
        store=draft.store,
    )


def free_branch(location: Location, wanted: str) -> str:
    """Return the branch's name, or the name with the first number that is free."""
    for number in range(1, _MOST_NAMES):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if ref_value(location, HEADS + name) is None and not os.path.lexists(location.common_dir / HEADS / name):
            return branch_of(HEADS + name)
    raise FixRefused(f"{wanted} and {_MOST_NAMES - 2} names like it exist: delete some of these branches first")


def read_repo(location: Location, arguments: list[str], stdin: bytes = b"") -> Output:
    """Run one of the commands that only read on a user's repository; raises FixChanged where it cannot be read."""
    try:
        return user_git(location.git_dir, arguments, stdin)
    except RepoUnusable as error:
        raise FixChanged(f"the repository cannot be read: {error}") from error


def ref_value(location: Location, ref: str) -> str | None:
    """Return what a ref of the user's names; None where it does not exist."""
    listed = read_repo(location, ["for-each-ref", "--format=%(refname) %(objectname)", ref])
    for line in listed.stdout.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(" ")
        if name == ref:
            return value
    return None


def is_merged(terms: FixTerms) -> bool:
    """Say whether what HEAD names holds the commit; raises FixChanged for an unusable repository."""
    location = located(terms.repo)
    missing = read_repo(location, ["rev-list", "--max-count=1", terms.commit, "^HEAD"])
    return missing.status == 0 and not missing.stdout.strip()


def verify(terms: FixTerms, render: RenderDiff) -> Location:
    """Say nothing where everything still is as the terms say; raise FixRefused that names what changed."""
    location = located(terms.repo)
    if str(location.common_dir) != terms.git_dir:
        raise FixChanged(
            f"the repository moved: {terms.repo} is now {location.common_dir}, it was {terms.git_dir}; draft again"
        )
    for name in (terms.commit, terms.tree, terms.parent):
        if not SHA.match(name):
            raise FixChanged(f"{name[:80]!r} is not a full object id")
    if terms.expected != zeros(terms.commit):
        raise FixChanged("only a new ref is ever delivered: the expected old value must be zeros")
    branch_of(terms.ref)
    _verify_store(terms)
    shown = digest_of_diff(_rendered(terms, render))
    if shown != terms.diff_digest:
        raise FixChanged(
            f"the diff is not the one that was shown: it is {shown[:23]}… and was {terms.diff_digest[:23]}…"
        )
    _verify_base(terms, location)
    _verify_target(terms, location)
    return location


def _rendered(terms: FixTerms, render: RenderDiff) -> str:
    try:
        return render(Path(terms.store), terms.parent, terms.commit)
    except (GitFailed, ValueError, OSError) as error:
        raise FixChanged(f"the diff cannot be made again: {error}") from error


def store_git(store: str, arguments: list[str], stdin: bytes = b"") -> bytes:
    """Run git on our own store; raises FixRefused where it fails."""
    try:
        output = run([f"--git-dir={store}", *arguments], stdin, _READ)
    except GitFailed as error:
        raise FixChanged(f"warroom's store cannot be read: {error}") from error
    if output.status != 0 or output.truncated:
        _require_store(store)
        said = first_line(output.stderr) or f"status {output.status}"
        raise FixChanged(f"warroom's store cannot be read: {said}; draft again")
    return output.stdout


def _require_store(store: str) -> None:
    if not (Path(store) / _STORE_MARKER).is_file():
        raise FixChanged(f"warroom's store is gone or is none of ours: {store}; draft again")


def _verify_store(terms: FixTerms) -> None:
    _require_store(terms.store)
    asked = f"{terms.commit}\n{terms.commit}^{{tree}}\n{terms.tree}\n".encode()
    kinds = store_git(terms.store, ["cat-file", "--batch-check"], asked).decode("ascii", "replace").splitlines()
    if not kinds or not kinds[0].startswith(f"{terms.commit} commit"):
        raise FixChanged(f"commit {terms.commit[:12]} is missing from warroom's store; draft again")
    if not kinds[1].startswith(f"{terms.tree} tree") or not kinds[2].startswith(f"{terms.tree} tree"):
        raise FixChanged(f"the tree of {terms.commit[:12]} is not {terms.tree[:12]}, which was approved; draft again")
    raw = store_git(terms.store, ["cat-file", "commit", terms.commit]).split(b"\n\n", 1)[0]
    parents = [line[7:].decode("ascii", "replace") for line in raw.split(b"\n") if line.startswith(b"parent ")]
    if parents != [terms.parent]:
        raise FixChanged(f"the parent of {terms.commit[:12]} is not {terms.parent[:12]}, which was approved")


def _verify_base(terms: FixTerms, location: Location) -> None:
    found = read_repo(location, ["cat-file", "--batch-check"], f"{terms.parent}^{{tree}}\n".encode())
    # Its own bytes may be there by chance (a fetch that failed leaves them): its history must be, too.
    whole = read_repo(location, ["rev-list", "--quiet", terms.parent, "--not", "--all"])
    if b" tree " not in found.stdout or whole.status != 0:
        raise FixChanged(
            f"the base {terms.parent[:12]} is no longer in {terms.repo} with its history (rewritten and collected, or "
            "another repository): draft again on what is there now"
        )


def _verify_target(terms: FixTerms, location: Location) -> None:
    there = ref_value(location, terms.ref)
    if there is not None:
        raise FixChanged(f"{terms.ref} appeared meanwhile (it is {there[:12]}): it was not touched; approve again")
    refuse_links(location, terms.ref)
    if os.path.lexists(location.common_dir / terms.ref):
        raise FixChanged(f"something is at {terms.ref} that is no ref: it was not touched; look at it")
    for head in [location.common_dir / "HEAD", *sorted((location.common_dir / "worktrees").glob("*/HEAD"))]:
        if _names(head) == terms.ref:
            raise FixChanged(f"{terms.ref} is checked out (unborn) in {head.parent}: switch that work tree first")


def _names(head: Path) -> str:
    try:
        with head.open("rb") as file:
            return file.read(4096).decode("utf-8", "replace").removeprefix("ref:").strip()
    except OSError:
        return ""


def refuse_links(location: Location, ref: str) -> None:
    """Refuse where git would write the ref, its log or objects through a symbolic link."""
    for top in (Path(ref), Path("logs") / ref, Path("objects/pack")):
        place = location.common_dir
        for part in top.parts:
            place = place / part
            if place.is_symlink():
                raise FixRefused(
                    f"{place} is a symbolic link: nothing is written through it; `warroom fix commands` has the "
                    "commands to do it yourself"
                )
