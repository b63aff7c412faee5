"""Room on the disk: the ballast that is let go when it is full, and whether a failed write was for want of room."""

from __future__ import annotations

import errno
import os
from pathlib import Path

BALLAST_BYTES = 8 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Ballast:
    """A file that holds space back for the last events of a session on a full disk."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size

    @classmethod
    def beside(cls, session: Path) -> Ballast | None:
        """Return the ballast of the state directory that holds `session`; None for a session kept elsewhere."""
        return cls(session.parent.parent / "ballast") if session.parent.name == "sessions" else None

    @property
    def held(self) -> bool:
        """Whether the space is held back now."""
        return self._path.exists()

    def hold(self) -> bool:
        """Hold the space back unless it is, or the disk has less than twice as much free; False when it is not held."""
        if self.held:
            return True
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            room = os.statvfs(self._path.parent)
            if room.f_bavail * room.f_frsize < 2 * self._size:
                return False
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _allocate(handle, self._size)
            finally:
                os.close(handle)
            os.rename(temporary, self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            return False
        return True

    def let_go(self) -> bool:
        """Free the space; False when there was none to free."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _allocate(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        return
    for _ in range(size >> 16):
        os.write(handle, os.urandom(1 << 16))


def is_no_room(error: OSError) -> bool:
    """Say whether the error means a full disk, a used-up quota or a file-size limit."""
    return error.errno in _NO_ROOM


def lacks_room(directory: Path, offset: int) -> bool:
    """Say whether writing at `offset` of a file in `directory` fails for want of room.

    SQLite reports a quota or a file-size limit as a plain write error; only a full disk has a code of its own.
    """
    probe = directory / f".probe.{os.getpid()}"
    try:
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(handle, b"\0" * 65536, offset)
        finally:
            os.close(handle)
            probe.unlink(missing_ok=True)
    except OSError as error:
        return is_no_room(error)
    return False
