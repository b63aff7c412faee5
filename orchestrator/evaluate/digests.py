"""The digest of a case: one that has changed under its name is another case, and runs again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from orchestrator.evaluate.cases import Case


def digest_of(case: Case) -> str:
    """Return 12 hexadecimal digits that change with names and content of a case's files; links are not followed."""
    digest = hashlib.sha256()
    for name, path in _files(case.path):
        digest.update(f"{len(name)}:".encode() + name)
        try:
            if path.is_symlink() and path != case.path:
                digest.update(b"link " + os.fsencode(os.readlink(path)))
                continue
            with path.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError as error:
            digest.update(f"unreadable {error.errno}".encode())
    return digest.hexdigest()[:12]


def _files(path: Path) -> Iterator[tuple[bytes, Path]]:
    """Return the files by their names within the case; that of a case of one file does not matter."""
    if not os.path.isdir(path):
        yield b"", path
        return
    for folder, inner, names in os.walk(path):
        inner.sort()
        links = [name for name in inner if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            one = Path(folder, name)
            if one.is_symlink() or one.is_file():
                yield os.fsencode(one.relative_to(path)), one
