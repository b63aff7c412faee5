"""Deploys, flag changes and commits as this specialist holds them, whatever file or repository they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from subagents.citations import CommitRef, RecordRef


class TouchedPath(NamedTuple):
    """A path that a commit changed, with line counts where the source gives them."""

    path: str
    added: int | None = None
    removed: int | None = None
    status: str = ""


class Moved(NamedTuple):
    """A submodule that points elsewhere than before; `old` is empty where it is new."""

    path: str
    old: str
    new: str


@dataclass(slots=True)
class Commit:
    """A change of code. `patch` None means that no diff is available, which is not "no change"."""

    source: str
    sha: str
    author: str
    committed_at: datetime | None
    subject: str
    body: str
    files: tuple[TouchedPath, ...]
    file_count: int
    patch: str | None
    no_patch: str = ""
    """Why there is no diff."""
    parents: tuple[str, ...] = ()
    is_first: bool = False
    """History begins here (or was cut here): its diff is everything that was there, not a change."""

    patch_cut: bool = False
    """`patch` is longer than is kept; what is there is its beginning."""
    misdated: bool = False
    """Its date cannot be right: what was built on it, or what it builds on, is dated otherwise."""
    submodules: tuple[Moved, ...] = ()

    @property
    def landed_at(self) -> datetime | None:
        """When it landed, as far as its date can be relied on."""
        return None if self.misdated else self.committed_at

    @property
    def ref(self) -> str:
        """Citation of the commit."""
        return str(CommitRef(source=self.source, sha=self.sha))

    def place(self, path: str, line: int | None = None) -> str:
        """Citation of a place in its diff."""
        return str(CommitRef(source=self.source, sha=self.sha, path=path, line=line))

    @property
    def is_merge(self) -> bool:
        """Say whether it has more than one parent."""
        return len(self.parents) > 1


@dataclass(slots=True)
class Deploy:
    """A version that went to a service."""

    source: str
    id: str
    at: datetime | None
    service: str
    version: str = ""
    actor: str = ""
    commit_text: str = ""
    """What the record names as its commit, as given."""
    commit: str | None = None
    """Full id, where it is known."""
    status: str = ""
    raw: bytes = b""
    previous: Deploy | None = None
    """The deploy of the same service before it."""
    brought: tuple[str, ...] = ()
    """Commits that run with it and did not before it, newest first; its own head is the first."""
    certain: bool = False
    """The commits come from history (ancestry), not from times and paths."""
    removed: tuple[str, ...] = ()
    """Commits that ran before it and no longer do: it went back, or to another branch."""
    others: int = 0
    """Commits of its range that touch other services only, by the configuration; not in `brought`."""
    environment: str = ""
    """Where it went, as the record says: production, staging, a region."""

    @property
    def ref(self) -> str:
        """Citation of the record."""
        return str(RecordRef(kind="deploy", source=self.source, id=self.id))

    def clear(self) -> None:
        """Forget what it is said to have changed."""
        self.brought, self.removed, self.others, self.certain = (), (), 0, False

    @property
    def failed(self) -> bool:
        """Say whether the record itself says that it did not go out."""
        return self.status.lower() in {"failed", "failure", "error", "cancelled", "canceled", "aborted", "rejected"}


@dataclass(slots=True)
class FlagChange:
    """A feature flag or a setting that was changed while running."""

    source: str
    id: str
    at: datetime | None
    flag: str
    service: str = ""
    change: str = ""
    actor: str = ""
    raw: bytes = b""

    @property
    def ref(self) -> str:
        """Citation of the record."""
        return str(RecordRef(kind="flag", source=self.source, id=self.id))


@dataclass
class Records:
    """All that the file sources hold."""

    deploys: list[Deploy] = field(default_factory=list)
    flags: list[FlagChange] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
