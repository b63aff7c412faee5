"""One writer per session: an operating-system lock that dies with its process.

The lock is on a file of its own, not on the database: closing any handle of a database file drops SQLite's
own locks on it. It stands in for `locking_mode=EXCLUSIVE`, which would shut out readers in other processes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from orchestrator.journal.faults import JournalBusy, StateError

_NAME = "journal.lock"
_TRIES, _PAUSE_S = 5, 0.01


class SessionLock:
    """Held from construction to `release()`. Raises JournalBusy, StateError."""

    def __init__(self, directory: Path) -> None:
        path = directory / _NAME
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{path}: cannot be opened ({error.strerror}); the session cannot be continued") from error
        try:
            self._take(directory)
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, b"%d\n" % os.getpid(), 0)
        except BaseException:
            os.close(self._handle)
            raise

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._handle)

    def _take(self, directory: Path) -> None:
        for attempt in range(_TRIES):
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if attempt + 1 == _TRIES:
                    holder = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
                    raise JournalBusy(
                        f"session {directory.name} is open in another warroom (process {holder}); close it there first"
                    ) from error
                time.sleep(_PAUSE_S)  # `is_live` holds a shared lock for a moment
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise
                raise StateError(
                    f"{directory}: its file system cannot lock files ({error.strerror}); "
                    "set WARROOM_HOME to a local disk"
                ) from error
            else:
                return


def is_live(directory: Path) -> bool:
    """Say whether some process is writing this session now."""
    try:
        handle = os.open(directory / _NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
