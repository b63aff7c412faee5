"""Puts a draft's objects into a user's repository: whole, verified, and without a trace where it breaks off.

Each missing object is written as a loose one: into a file without a name where the system has that (then it is linked
in), so that whoever is killed leaves no temporary file. No git process and no setting of the repository takes part.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.hands.fix_terms import FixChanged, FixRefused, FixTerms, read_repo, store_git
from subagents.gitstore.environment import SHA
from subagents.gitstore.locate import Location
from subagents.gitstore.process import first_line

LITTER = "tmp_obj_warroom_"
"""Begins the names of temporary files where the system has no unnamed ones; git's own `prune` removes them too."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_UNNAMED = getattr(os, "O_TMPFILE", 0)
_ORDER = {b"blob": 0, b"tree": 1, b"commit": 2}
_NO_UNNAMED = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.EPERM}


@dataclass(frozen=True)
class Stored:
    """An object as it will lie in a repository."""

    oid: str
    kind: bytes
    raw: bytes
    """Header and content, which its id is the hash of."""


def transfer(terms: FixTerms, location: Location) -> tuple[str, ...]:
    """Copy what the repository lacks of the draft; return the ids. Raises FixRefused, OSError."""
    listed = _ids(store_git(terms.store, _closure(terms)))
    lacking = _lacking(location, listed)
    held = _open(location)
    try:
        for item in sorted(_read(terms, lacking), key=lambda item: _ORDER[item.kind]):
            _place(held, item)
    finally:
        os.close(held)
    # As git itself proves what it received: all that is reachable and not reachable from a ref is there.
    proof = read_repo(location, ["rev-list", "--objects", "--quiet", terms.commit, "--not", "--all"])
    if proof.status != 0:
        raise FixRefused(
            f"not every object of {terms.commit[:12]} is in {terms.repo} ({first_line(proof.stderr)}): no ref was "
            "made; `git fsck` there says what is missing"
        )
    return tuple(lacking)


def clear_litter(terms: FixTerms, location: Location) -> None:
    """Remove temporary files that a killed transfer of this draft left, where the system has no unnamed ones."""
    with contextlib.suppress(OSError, FixRefused):
        oids = _ids(store_git(terms.store, _closure(terms)))
        held = _open(location)
        try:
            for oid in oids:
                with contextlib.suppress(OSError):
                    os.unlink(f"{oid[:2]}/{LITTER}{oid[:16]}", dir_fd=held)
        finally:
            os.close(held)


def _closure(terms: FixTerms) -> list[str]:
    return ["rev-list", "--objects", "--no-object-names", terms.commit, f"^{terms.parent}"]


def _ids(listing: bytes) -> list[str]:
    return [line for line in listing.decode("ascii", "replace").split() if SHA.match(line)]


def _lacking(location: Location, oids: list[str]) -> list[str]:
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    answer = read_repo(location, ["cat-file", "--batch-check=%(objectname)"], asked)
    lines = answer.stdout.decode("ascii", "replace").splitlines()
    if len(lines) != len(oids):
        raise FixRefused(f"{location.given}: its objects cannot be read; nothing was delivered")
    return [oid for oid, line in zip(oids, lines, strict=True) if line.endswith(" missing")]


def _read(terms: FixTerms, oids: list[str]) -> Iterator[Stored]:
    """Read objects from our store and prove each one's bytes by its id."""
    data = (
        store_git(terms.store, ["cat-file", "--batch"], "".join(f"{oid}\n" for oid in oids).encode()) if oids else b""
    )
    new_hash = hashlib.sha256 if len(terms.commit) == 64 else hashlib.sha1
    at = 0
    for oid in oids:
        end = data.find(b"\n", at)
        name, _, rest = data[at:end].partition(b" ")
        kind, _, size = rest.partition(b" ")
        if name.decode("ascii", "replace") != oid or kind not in _ORDER or not size.isdigit():
            raise FixChanged(f"object {oid[:12]} is missing from warroom's store; draft again")
        body = data[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
        raw = kind + b" " + size + b"\0" + body
        if new_hash(raw).hexdigest() != oid:
            raise FixChanged(f"object {oid[:12]} in warroom's store is damaged; draft again")
        yield Stored(oid, kind, raw)


def _open(location: Location) -> int:
    return os.open(location.common_dir / "objects", _DIRECTORY)


def _place(objects: int, item: Stored) -> None:
    """Make one loose object appear whole, or not at all."""
    fan, name = item.oid[:2], item.oid[2:]
    mode = os.fstat(objects).st_mode & 0o7777
    with contextlib.suppress(FileExistsError):
        os.mkdir(fan, mode, dir_fd=objects)
        os.chmod(fan, mode, dir_fd=objects)  # as the repository shares its objects, whatever the umask
    folder = os.open(fan, _DIRECTORY, dir_fd=objects)
    try:
        handle, spare = _spare(folder, item)
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(zlib.compress(item.raw, 1))
            os.fchmod(handle, 0o444 & mode)  # as readable as the repository's objects are, whatever the umask
            os.fsync(handle)
            with contextlib.suppress(FileExistsError):
                os.link(spare or f"/proc/self/fd/{handle}", name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(handle)
            if spare:
                os.unlink(spare, dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)


def _spare(folder: int, item: Stored) -> tuple[int, str]:
    """Open a file without a name in a folder; where there are none, one whose name says whose it is."""
    if _UNNAMED and os.path.exists("/proc/self/fd"):
        try:
            return os.open(".", _UNNAMED | os.O_WRONLY | os.O_CLOEXEC, 0o444, dir_fd=folder), ""
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
    name = f"{LITTER}{item.oid[:16]}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    return os.open(
        name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444, dir_fd=folder
    ), name
