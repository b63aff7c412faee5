"""Deleting sessions: only below the state directory, never through a symbolic link or into another mount.

A session is first renamed, so that it is either wholly there or gone from every list, whenever the process
dies. Then its tree is removed by directory handles, not by paths: what is swapped meanwhile is not followed.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from orchestrator.journal.anchor import Anchored, AnchorFile
from orchestrator.journal.faults import StateError
from orchestrator.journal.home import is_session_id
from orchestrator.journal.lock import SessionLock

TRASH = ".removed-"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_session(sessions: Path, name: str) -> None:
    """Delete one session's folder; raise JournalBusy where it is in use, StateError where it cannot or must not be."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise StateError(f"{name!r} is not the name of a session")
    try:
        held = os.open(sessions, _DIRECTORY)
    except OSError as error:
        raise StateError(f"{sessions}: cannot be opened ({error.strerror}); nothing was deleted") from error
    try:
        _refuse_odd(held, sessions, name)
        lock = SessionLock(sessions / name)
        try:
            gone = f"{TRASH}{secrets.token_hex(8)}"
            os.rename(name, gone, src_dir_fd=held, dst_dir_fd=held)
            _remove_tree(held, gone)
        finally:
            lock.release()
    except OSError as error:
        raise StateError(f"{sessions / name}: not wholly deleted ({error.strerror}); try again") from error
    finally:
        os.close(held)


def sweep(folder: Path, prefix: str = TRASH, before: float | None = None) -> int:
    """Remove what a crash left half done: folders named `prefix…`; return how many there were.

    `before` (seconds since the epoch) spares those that were changed later: they may be in use.
    """

    def chosen(name: str, changed: float) -> bool:
        return name.startswith(prefix) and (before is None or changed < before)

    return _sweep(folder, chosen)


def sweep_unbegun(sessions: Path, before: float) -> int:
    """Remove the folders of sessions that ended before their journal began, unless changed since `before`.

    No list shows them, so nobody could delete them, and they may hold copies of what was given.
    """

    def chosen(name: str, changed: float) -> bool:
        return is_session_id(name) and changed < before and not _began(sessions / name)

    return _sweep(sessions, chosen)


def _began(session: Path) -> bool:
    """Say whether a journal is or was there; where that is unknown it was."""
    if os.path.lexists(session / "journal.db"):
        return True
    return os.path.lexists(session / "head.json") and AnchorFile(session).read() != Anchored()


def _sweep(folder: Path, chosen: Callable[[str, float], bool]) -> int:
    try:
        held = os.open(folder, _DIRECTORY)
    except OSError:
        return 0
    swept = 0
    try:
        for name in os.listdir(held):
            try:
                changed = os.stat(name, dir_fd=held, follow_symlinks=False).st_mtime
                if chosen(name, changed):
                    _remove_tree(held, name)
                    swept += 1
            except (OSError, StateError):
                continue  # left for the next time
    finally:
        os.close(held)
    return swept


def _refuse_odd(held: int, sessions: Path, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=held, follow_symlinks=False)
    except FileNotFoundError as error:
        raise StateError(f"{sessions / name}: no session is kept here") from error
    if not stat.S_ISDIR(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a folder"
        raise StateError(f"{sessions / name}: is {kind}; nothing was deleted")


def _remove_tree(parent: int, name: str) -> None:
    top = _open_folder(parent, name)
    try:
        _empty(top)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=parent)


def _empty(top: int) -> None:
    """Remove all that is in a folder; folders of folders are moved up first, so that no depth stops it."""
    while names := os.listdir(top):
        for name in names:
            if not _is_folder(top, name):
                os.unlink(name, dir_fd=top)
                continue
            inner = _open_folder(top, name)
            try:
                for below in os.listdir(inner):
                    if _is_folder(inner, below):
                        os.close(_open_folder(inner, below))
                        os.rename(below, f"{TRASH}{secrets.token_hex(8)}", src_dir_fd=inner, dst_dir_fd=top)
                    else:
                        os.unlink(below, dir_fd=inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)


def _is_folder(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _open_folder(parent: int, name: str) -> int:
    """Open a folder, one that a test run made unreadable too; refuse links (OSError) and mounts (StateError)."""
    by_path = getattr(os, "O_PATH", 0)
    place = os.open(name, _DIRECTORY | by_path, dir_fd=parent)
    try:
        if _mount(place) != _mount(parent):
            raise StateError(f"{name}: something is mounted there; unmount it first")
        if not by_path:
            return os.dup(place)
        itself = f"/proc/self/fd/{place}"  # the very folder that was looked at, whatever has its name by now
        if os.fstat(place).st_mode & 0o700 != 0o700:
            os.chmod(itself, 0o700)
        return os.open(itself, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.close(place)


def _mount(handle: int) -> tuple[int, str]:
    """Identify the mount that a directory is on: bind mounts share the device, so the mount's own id counts too."""
    device = os.fstat(handle).st_dev
    try:
        with open(f"/proc/self/fdinfo/{handle}", encoding="ascii") as lines:
            identity = next((line for line in lines if line.startswith("mnt_id:")), "")
    except OSError:
        identity = ""
    return device, identity
