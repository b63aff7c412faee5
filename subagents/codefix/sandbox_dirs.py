"""The directory of a run: made new for each run, and removed whole, whatever the run planted in it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from subagents.contract import ToolError


def fresh_run_dir(runs: Path, name: str) -> Path:
    """Make an empty directory for a run, in place of what an earlier run of the same name left."""
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_run_dir(runs, name)
        (runs / name).mkdir(mode=0o700)
    except OSError as error:
        raise ToolError(f"the run directory {runs / name} cannot be made ({error.strerror})") from error
    return runs / name


def remove_run_dir(runs: Path, name: str) -> None:
    """Remove one directory that a run made under `runs`, and nothing else, whatever the run planted in it.

    Works by descriptors, never through a link, never into another file system, and never deeper than two levels at a
    time, so that no depth stops it. Raises OSError for what cannot be removed.
    """
    if not name or "/" in name or name in (".", ".."):
        raise ValueError(f"not the name of a run: {name!r}")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    parent = os.open(runs, flags)
    try:
        try:
            top = _open_for_removal(name, parent)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            os.unlink(name, dir_fd=parent)
            return
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(name, dir_fd=parent)
    finally:
        os.close(parent)


def _open_for_removal(name: str, parent: int) -> int:
    """Open a directory that may have been made unreadable; raises NotADirectoryError for links and files."""
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        if os.fstat(place).st_dev != os.fstat(parent).st_dev:
            raise OSError(errno.EXDEV, f"{name} is another file system, which a run cannot have made")
        os.chmod(f"/proc/self/fd/{place}", 0o700)
    finally:
        os.close(place)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _empty(top: int) -> None:
    """Remove all that is in a directory: folders of folders are moved up first, so that the depth stays bounded."""
    moved = 0
    while True:
        names = os.listdir(top)
        if not names:
            return
        for name in names:
            try:
                inner = _open_for_removal(name, top)
            except NotADirectoryError:
                os.unlink(name, dir_fd=top)
                continue
            try:
                for below in os.listdir(inner):
                    if stat.S_ISDIR(os.stat(below, dir_fd=inner, follow_symlinks=False).st_mode):
                        os.close(_open_for_removal(below, inner))
                        moved += 1
                        os.rename(below, f".moved-{os.getpid()}-{moved}", src_dir_fd=inner, dst_dir_fd=top)
                    else:
                        os.unlink(below, dir_fd=inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)
