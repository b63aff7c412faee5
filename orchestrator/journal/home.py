"""The state directory: where sessions, the index and the log file are kept. Private to its owner (0700, files 0600)."""

from __future__ import annotations

import errno
import os
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.journal.faults import DiskFull, StateError
from orchestrator.journal.room import is_no_room
from subagents.contract import Clock

_SESSION_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}\Z")
_ADVICE = "set WARROOM_HOME to a folder of your own on a local disk"


def new_session_id(clock: Clock) -> str:
    """Return an id that sorts by time and is unique: `YYYYMMDD-HHMMSS-<6 hex>`, UTC."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"


def is_session_id(text: str) -> bool:
    """Say whether the text has the form of a session id, and so may become part of a path."""
    return _SESSION_ID.match(text) is not None


@dataclass(frozen=True)
class StateHome:
    """`$WARROOM_HOME`, else `$XDG_STATE_HOME/warroom`, else `~/.local/state/warroom`; made by `ensure`, not before."""

    path: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str] = os.environ) -> StateHome:
        """Find the directory from the environment; raises StateError where there is no home."""
        if own := environ.get("WARROOM_HOME"):
            return cls(Path(os.path.abspath(os.path.expanduser(own))))
        state = environ.get("XDG_STATE_HOME", "")
        if os.path.isabs(state):  # the specification says to ignore a relative one
            return cls(Path(state) / "warroom")
        home = environ.get("HOME") or _home_of_user()
        if not home or not os.path.isdir(home):
            raise StateError(f"there is no home directory to keep sessions in ({home or 'HOME is not set'}); {_ADVICE}")
        return cls(Path(home) / ".local" / "state" / "warroom")

    @property
    def sessions(self) -> Path:
        """The folder that holds one folder per session."""
        return self.path / "sessions"

    @property
    def index(self) -> Path:
        """The index of sessions."""
        return self.path / "index.db"

    @property
    def log(self) -> Path:
        """The log file."""
        return self.path / "warroom.log"

    def ensure(self) -> StateHome:
        """Create what is missing, mode 0700; raises StateError, DiskFull."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.stat()
            if found.st_uid != os.geteuid():
                raise StateError(f"{self.path}: belongs to another user; {_ADVICE}")
            self.sessions.mkdir(mode=0o700, exist_ok=True)
            self.sessions.chmod(0o700)
            if not os.access(self.sessions, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "Permission denied")
        except OSError as error:
            raise _unusable(self.path, error) from error
        return self

    def session_ids(self) -> list[str]:
        """Return the ids of all sessions, oldest first; none where nothing was ever kept. Raises StateError."""
        try:
            with os.scandir(self.sessions) as entries:
                return sorted(e.name for e in entries if is_session_id(e.name) and e.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(self.path, error) from error

    def session_dir(self, session: str) -> Path:
        """Return a session's folder, there or not; raises StateError for what is not a session id."""
        if not is_session_id(session):
            raise StateError(f"{session[:80]!r} is not a session id (like 20260301-120000-0a1b2c)")
        return self.sessions / session

    def find(self, prefix: str) -> str:
        """Return the one session whose id begins or ends with `prefix`; raises StateError for none or several."""
        found = [one for one in self.session_ids() if one.startswith(prefix) or one.endswith(prefix)] if prefix else []
        if len(found) == 1:
            return found[0]
        if not found:
            raise StateError(f"no session matches {prefix[:80]!r}; `warroom sessions list` shows those that are there")
        raise StateError(
            f"{prefix[:80]!r} fits {len(found)} sessions, such as {found[0]} and {found[-1]}; give more of it"
        )

    def new_session(self, clock: Clock) -> Path:
        """Create the folder of a new session, with `blobs/` and `runs/`; raises StateError, DiskFull."""
        self.ensure()
        while True:
            directory = self.session_dir(new_session_id(clock))
            try:
                directory.mkdir(mode=0o700)
                (directory / "blobs").mkdir(mode=0o700)
                (directory / "runs").mkdir(mode=0o700)
            except FileExistsError:
                continue
            except OSError as error:
                raise _unusable(directory, error) from error
            return directory


def _home_of_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _unusable(path: Path, error: OSError) -> StateError | DiskFull:
    if is_no_room(error):
        return DiskFull(f"{path}: no room (space or inodes) to keep sessions in; free some, or {_ADVICE}")
    reason = {
        errno.EROFS: "it is on a read-only file system",
        errno.EACCES: "this user may not write there",
        errno.EPERM: "this user may not write there",
        errno.ENOTDIR: "it, or a folder above it, is a file",
        errno.EEXIST: "it is a file, not a folder",
        errno.ELOOP: "its links go round in a circle",
        errno.ENAMETOOLONG: "its name is too long",
    }.get(error.errno or 0, error.strerror or "it cannot be used")
    return StateError(f"{path}: cannot keep sessions there, {reason}; {_ADVICE}")
