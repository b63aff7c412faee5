"""The head anchor: `head.json` beside the database says how far the journal reached, so that a shortened one is seen.

SQLite silently serves a shorter prefix when its write-ahead log is damaged; only something outside the
database can notice. The file is replaced whole (write, fsync, rename, fsync of the folder).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from orchestrator.journal.rows import GENESIS


@dataclass(frozen=True)
class Head:
    """The last event: its seq (0 for none) and its hash as hex."""

    seq: int = 0
    hash: str = GENESIS.hex()


@dataclass(frozen=True)
class Anchored:
    """What the anchor says. `fault` is empty when it can be trusted."""

    head: Head = Head()
    clean: bool = False
    """The last writer closed the journal in order."""
    fault: str = ""


class Anchor(Protocol):
    """Where the head is kept outside the database. Raises OSError where it cannot be."""

    def read(self) -> Anchored:
        """Return what was last written."""

    def write(self, head: Head, *, clean: bool = False) -> None:
        """Replace it, durably."""


class AnchorFile:
    """`head.json` in a session's folder."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "head.json"

    def read(self) -> Anchored:
        """Return what was last written; a missing or damaged file is said in `fault`."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return Anchored(fault="head.json is missing")
        except OSError as error:
            return Anchored(fault=f"head.json cannot be read ({error.strerror})")
        try:
            stored = orjson.loads(raw)
            head = Head(int(stored["seq"]), str(stored["hash"]))
            clean = stored["clean"] is True
        except (ValueError, KeyError, TypeError):
            return Anchored(fault="head.json is damaged")
        if raw != _render(head, clean):
            return Anchored(fault="head.json is damaged")
        return Anchored(head, clean)

    def write(self, head: Head, *, clean: bool = False) -> None:
        """Replace the file: write beside it, fsync, rename, fsync the folder."""
        replace_durably(self._path, _render(head, clean))


def _render(head: Head, clean: bool) -> bytes:
    stored = {"version": 1, "seq": head.seq, "hash": head.hash, "clean": clean}
    check = hashlib.sha256(orjson.dumps(stored)).hexdigest()[:16]
    return orjson.dumps({**stored, "check": check}) + b"\n"


def replace_durably(path: Path, data: bytes) -> None:
    """Replace `path` by `data` so that a power cut leaves the old or the new bytes, mode 0600."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            flush(handle)
        finally:
            os.close(handle)
        os.rename(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def flush(handle: int) -> None:
    """Make a file's content durable; on macOS through the drive's own cache too."""
    os.fsync(handle)
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)


def sync_folder(directory: Path) -> None:
    """Make names in `directory` durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
