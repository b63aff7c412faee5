"""Where results go: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tui.commands.faults import UNEXPECTED, Fault, drop


def to_stdout(text: str, kept: str = "") -> None:
    """Write a result to standard output; a reader that went away is no fault, a full disk is one.

    `kept` says where the result can be had again.
    """
    if sys.stdout is None:
        raise Fault(f"standard output is closed: use --out FILE{'; ' + kept if kept else ''}")
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        drop(sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        raise Fault(
            f"standard output: {error.strerror}; use --out FILE{'; ' + kept if kept else ''}", UNEXPECTED
        ) from error


async def to_file(path: Path, text: str) -> None:
    """Write a file through a temporary one beside it; raise Fault where that cannot be done."""
    import aiofiles
    import aiofiles.os

    spare = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            async with aiofiles.open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                await file.write(text)
                await file.flush()
                os.fsync(descriptor)
            await aiofiles.os.replace(spare, path)
        except BaseException:
            spare.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Fault(f"{path}: cannot be written ({error.strerror}); give another --out") from error


def refuse_unwritable(path: Path) -> None:
    """Find out before the work whether a result could be written there."""
    if path.is_dir():
        raise Fault(f"{path}: is a directory; --out takes a file")
    if not path.parent.is_dir():
        raise Fault(f"{path.parent}: no such directory for --out")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise Fault(f"{path.parent}: not writable; give another --out")
