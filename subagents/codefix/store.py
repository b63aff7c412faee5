"""Where drafts live: a private bare git directory that borrows nothing, so that nothing a user does can break a draft.

The base's commit and its whole tree are copied in from the reader's store; no alternates line is ever there. Only
plumbing runs, in the closed environment; its arguments are full ids and constants, paths and refs go by stdin.
A draft is there once its ref is: until then, whatever a killed run left is litter that the next run sweeps.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from subagents.codefix.refusal import DraftRefused
from subagents.contract import Clock
from subagents.gitstore.environment import IDENTITY, require_path, require_sha
from subagents.gitstore.process import Bounds, GitFailed, Output, first_line, run
from subagents.gitstore.reader import Reader
from subagents.gitstore.store import CONFIG, MARKER

BASES = "refs/warroom/base/"
"""Keeps each base that was copied in reachable; written last, so that where it is the base is whole."""
RECORDS = "warroom-drafts"
_BORN = "warroom-born"
_FRESH = "drafts.fresh."
_BASE_BOUNDS = Bounds(timeout_s=240.0)
REGULAR = frozenset({"100644", "100755"})


def drafts_dir(store: str | Path) -> Path:
    """Return the draft store that belongs to a reader's store (`SourceSpec.options["store"]`)."""
    return Path(os.path.abspath(store)) / "drafts.git"


@dataclass(frozen=True)
class Change:
    """What becomes of one path: a mode and a blob, or None to remove it."""

    path: str
    mode: str
    blob: str | None

    def line(self, zeros: str) -> bytes:
        """Return the change as `update-index --index-info -z` reads it."""
        mode, oid = (self.mode, require_sha(self.blob)) if self.blob else ("0", zeros)
        if mode not in ("0", "100644", "100755", "120000", "160000"):
            raise ValueError(f"no such mode: {mode!r}")
        return f"{mode} {oid}\t".encode() + require_path(self.path).encode("utf-8", "surrogateescape") + b"\0"


class DraftStore:
    """The drafts of one session on one repository. Use `open`, and `hold` around everything that writes."""

    def __init__(self, reader: Reader, git_dir: Path) -> None:
        self.reader = reader
        self.git_dir = git_dir
        self.zeros = "0" * (64 if reader.store.location.object_format == "sha256" else 40)

    @classmethod
    def open(cls, reader: Reader, clock: Clock) -> DraftStore:
        """Make or reuse the draft store of a reader's store; raises DraftRefused where it cannot be made."""
        git_dir = drafts_dir(reader.store.git_dir)
        try:
            _make(reader, git_dir, int(clock.now().timestamp()))
        except OSError as error:
            raise DraftRefused(f"cannot write the private store {git_dir} ({error.strerror})") from error
        return cls(reader, git_dir)

    # -- running git ---------------------------------------------------------------------------

    def run(
        self,
        arguments: Sequence[str],
        stdin: bytes = b"",
        bounds: Bounds = Bounds(),  # noqa: B008  frozen
        extra: Mapping[str, str] | None = None,
    ) -> Output:
        """Run git on this store; the exit status is the caller's to judge."""
        return run([f"--git-dir={self.git_dir}", *arguments], stdin, bounds, extra)

    def need(
        self,
        arguments: Sequence[str],
        stdin: bytes = b"",
        bounds: Bounds = Bounds(),  # noqa: B008  frozen
        extra: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git on this store and return its output; raise GitFailed unless it succeeded within the bounds."""
        output = self.run(arguments, stdin, bounds, extra)
        if output.status != 0 or output.truncated:
            said = f"more than {bounds.cap >> 20} MiB" if output.truncated else first_line(output.stderr)
            raise GitFailed(f"git {arguments[0]} failed: {said or output.status}")
        return output.stdout

    def need_id(self, arguments: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> str:
        """Run git on this store and return the one object id that it gives."""
        return require_sha(self.need(arguments, stdin, extra=extra).decode("ascii", "replace").strip())

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep sweepers out while this run writes; sweep first what a killed run left, if nobody else writes."""
        with (self.git_dir / "warroom-lock").open("ab") as lock:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _sweep(self.git_dir)
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give an object directory that reads from this store and that nobody sees; it ends with the block."""
        with tempfile.TemporaryDirectory(dir=self.git_dir, prefix="scratch.", ignore_cleanup_errors=True) as place:
            (Path(place) / "pack").mkdir()
            yield Path(place)

    # -- what goes in --------------------------------------------------------------------------

    def has_base(self, base: str) -> bool:
        """Say whether a base was copied in whole."""
        return (self.git_dir / (BASES + require_sha(base))).is_file()

    def bring_base(self, base: str) -> None:
        """Copy a commit and its whole tree in; raises DraftRefused where the repository lacks a part of it."""
        if self.has_base(base):
            return
        with (self.git_dir / "warroom-base-lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.has_base(base):
                return
            there = sorted(path.name for path in (self.git_dir / BASES).glob("*") if path.is_file())[:4]
            failed = self._copy(base, there)
            if failed and there:
                failed = self._copy(base, [])  # a base that was amended away is no help
            if "No space left" in failed:
                raise DraftRefused(f"the disk is full: {base[:12]} and its files do not fit into {self.git_dir}")
            if failed:
                raise DraftRefused(
                    f"the commit {base[:12]} and its files cannot be copied ({failed}): where this is a partial "
                    "clone, run `git fetch --refetch` there; else `git fsck` says what is missing"
                )
            if not self._holds_parents(base):
                self._mark_shallow(base)
            self.need(["update-ref", "--stdin"], f"create {BASES}{base} {base}\n".encode())

    def _copy(self, base: str, without: Sequence[str]) -> str:
        """Write one pack with the base, seen as a commit without parents; return what went wrong."""
        lines = [f"--shallow {sha}" for sha in (base, *without)] + [base] + [f"^{sha}" for sha in without]
        place = str(self.git_dir / "objects" / "pack" / "pack")
        arguments = ["pack-objects", "-q", "--revs", "--window=0", "--threads=1", "--delta-base-offset", place]
        output = self.reader.store.run(arguments, ("\n".join(lines) + "\n").encode(), _BASE_BOUNDS)
        return "" if output.status == 0 else first_line(output.stderr) or f"status {output.status}"

    def _holds_parents(self, base: str) -> bool:
        """Say whether a base stands on others that are here: a fix that was delivered, when its undoing is drafted.

        Cut off from them, what it is could be pushed and fetched no more.
        """
        head = self.need(["cat-file", "commit", require_sha(base)]).split(b"\n\n", 1)[0].split(b"\n")
        parents = [line[7:].decode("ascii", "replace") for line in head if line.startswith(b"parent ")]
        return bool(parents) and all(self.has_base(parent) for parent in parents)

    def _mark_shallow(self, base: str) -> None:
        file = self.git_dir / "shallow"
        cut = set(file.read_text("ascii").split()) if file.exists() else set()
        write_whole(file, ("\n".join(sorted(cut | {base})) + "\n").encode())

    def write_blob(self, data: bytes) -> str:
        """Store a file's bytes exactly as they are."""
        return self.need_id(["hash-object", "-w", "-t", "blob", "--no-filters", "--stdin"], data)

    def write_tree(self, base: str, changes: Sequence[Change]) -> str:
        """Return the base's tree with the changes."""
        with tempfile.TemporaryDirectory(dir=self.git_dir, prefix="index.", ignore_cleanup_errors=True) as place:
            extra = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            self.need(["read-tree", require_sha(base)], extra=extra)
            lines = b"".join(change.line(self.zeros) for change in changes)
            self.need(["update-index", "-z", "--index-info"], lines, extra=extra)
            return self.need_id(["write-tree"], extra=extra)

    def write_commit(self, tree: str, parent: str, message: str) -> str:
        """Write the commit. Identity and date are fixed per store, so that the same draft is the same commit."""
        born = (self.git_dir / _BORN).read_text("ascii").strip()
        dates = {"GIT_AUTHOR_DATE": f"@{int(born)} +0000", "GIT_COMMITTER_DATE": f"@{int(born)} +0000"}
        arguments = ["commit-tree", "--no-gpg-sign", require_sha(tree), "-p", require_sha(parent)]
        return self.need_id(arguments, message.encode(), {**IDENTITY, **dates})

    # -- refs ----------------------------------------------------------------------------------

    def create_ref(self, branch: str, commit: str) -> bool:
        """Create one branch, atomically; False where it is there already. The caller has validated the name."""
        stdin = f"create refs/heads/{branch} {require_sha(commit)}\n".encode()
        output = self.run(["update-ref", "--stdin"], stdin)
        if output.status == 0:
            return True
        if (held := self.branches().get(branch)) is None and "exists" not in output.stderr:
            raise GitFailed(f"git update-ref failed: {first_line(output.stderr)}")
        return held == commit

    def branches(self) -> dict[str, str]:
        """Return this store's branches and their commits."""
        listed = self.need(["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/triage/"])
        pairs = (line.split(" ", 1) for line in listed.decode("ascii", "replace").splitlines())
        return {name.removeprefix("refs/heads/"): sha for sha, name in pairs}

    @property
    def records(self) -> Path:
        """Where what is known of each draft is kept."""
        return self.git_dir / RECORDS


def write_whole(file: Path, data: bytes) -> None:
    """Replace a file of ours durably: a reader sees the old bytes or the new ones."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix="write.", delete=False) as fresh:
        try:
            fresh.write(data)
            fresh.flush()
            os.fsync(fresh.fileno())
            Path(fresh.name).replace(file)
        except BaseException:
            Path(fresh.name).unlink(missing_ok=True)
            raise
    handle = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make(reader: Reader, git_dir: Path, born: int) -> None:
    """Make the store beside its place and move it there whole; whoever comes second uses the first's."""
    if (git_dir / MARKER).is_file():
        return
    with (git_dir.parent / "drafts.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in git_dir.parent.glob(f"{_FRESH}*"):  # of makers that were killed: the living wait for the lock
            shutil.rmtree(left, ignore_errors=True)
        if not (git_dir / MARKER).is_file():
            _make_whole(reader, git_dir, born)


def _make_whole(reader: Reader, git_dir: Path, born: int) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=_FRESH, dir=git_dir.parent))
    try:
        object_format = reader.store.location.object_format
        made = run(
            ["init", "-q", "--bare", "--template=", f"--object-format={object_format}", "-b", "none", str(fresh)]
        )
        if made.status != 0:
            raise DraftRefused(f"cannot make the private store {git_dir} ({first_line(made.stderr)})")
        with (fresh / "config").open("a") as config:
            config.write(CONFIG)
        (fresh / "info").mkdir(exist_ok=True)
        # Whoever tests a draft by hand takes it out with `git archive`, which else leaves out what the tree says.
        (fresh / "info" / "attributes").write_text("* -export-ignore -export-subst\n")
        (fresh / _BORN).write_text(f"{born}\n")
        (fresh / RECORDS).mkdir()
        (fresh / "objects" / "pack").mkdir(exist_ok=True)
        (fresh / MARKER).write_text("drafts\n")
        with contextlib.suppress(OSError):  # what is there and is no store of ours is said below
            fresh.rename(git_dir)
        if not (git_dir / MARKER).is_file():
            raise DraftRefused(f"{git_dir} exists and is not a store of drafts: remove it")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _sweep(git_dir: Path) -> None:
    """Remove what killed runs left: temporary directories, locks, half-written objects. Nobody else is writing."""
    for place in git_dir.iterdir():
        if place.is_dir() and not place.is_symlink() and place.name.startswith(("scratch.", "index.")):
            shutil.rmtree(place, ignore_errors=True)
    patterns = ("*.lock", "refs/**/*.lock", "objects/??/tmp_obj_*", "objects/tmp_*", "objects/pack/tmp_*")
    left = [path for pattern in (*patterns, "write.*", f"{RECORDS}/write.*") for path in git_dir.glob(pattern)]
    packs = git_dir / "objects" / "pack"
    left += [path for path in packs.glob("pack-*") if not path.with_suffix(".idx").exists()]
    for path in left:
        with contextlib.suppress(OSError):
            path.unlink()
