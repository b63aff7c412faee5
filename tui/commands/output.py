"""Where results go: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import asyncio
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
    """Write a file through a temporary one beside it; raise Fault where that cannot be done.

    What is there and is no regular file (a pipe, `/dev/null`) is written to, never replaced.
    """
    try:
        if await asyncio.to_thread(_is_special, path):
            await _write(path, text, os.O_WRONLY)
            return
        spare = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            await _write(spare, text, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, durable=True)
            await asyncio.to_thread(os.replace, spare, path)
        except BaseException:
            spare.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Fault(f"{path}: cannot be written ({error.strerror}); give another --out") from error


async def _write(path: Path, text: str, flags: int, durable: bool = False) -> None:
    import aiofiles

    descriptor = await asyncio.to_thread(os.open, path, flags | os.O_CLOEXEC, 0o666)
    async with aiofiles.open(descriptor, "wb") as file:
        await file.write(text.encode("utf-8", "backslashreplace"))
        await file.flush()
        if durable:
            await asyncio.to_thread(os.fsync, descriptor)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def refuse_unwritable(path: Path) -> None:
    """Find out before the work whether a result could be written there."""
    if path.is_dir():
        raise Fault(f"{path}: is a directory; --out takes a file")
    if not path.parent.is_dir():
        raise Fault(f"{path.parent}: no such directory for --out")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise Fault(f"{path.parent}: not writable; give another --out")
