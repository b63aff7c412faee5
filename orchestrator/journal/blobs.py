"""What is too large for an event: files named by the SHA-256 of their content, per session."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import uuid
from pathlib import Path

import aiofiles

from orchestrator.journal.anchor import flush, sync_folder
from orchestrator.journal.faults import BlobMissing, DiskFull, StateError
from orchestrator.journal.room import is_no_room

_REF = re.compile(r"blob:sha256:([0-9a-f]{64})\Z")


def blob_ref(data: bytes) -> str:
    """Return the reference that `data` has as a blob: `blob:sha256:<hex>`."""
    return "blob:sha256:" + hashlib.sha256(data).hexdigest()


class BlobStore:
    """The blobs of one session's folder. A blob is durable when `put` returns, and checked whenever it is read."""

    def __init__(self, session: Path) -> None:
        self._directory = session / "blobs"

    def path(self, ref: str) -> Path:
        """Return where the blob lies; raises ValueError for what is not a blob reference."""
        match = _REF.match(ref)
        if match is None:
            raise ValueError(f"{ref[:100]!r} is not a blob reference (blob:sha256:<64 hex digits>)")
        return self._directory / match[1]

    async def put(self, data: bytes) -> str:
        """Store `data` durably, once, and return its reference; raises DiskFull, StateError."""
        ref = blob_ref(data)
        path = self.path(ref)
        if await self._holds(path, ref):
            return ref
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            try:
                async with aiofiles.open(temporary, "xb", opener=_private) as file:
                    await file.write(data)
                    await file.flush()
                    await asyncio.to_thread(flush, file.fileno())
                await asyncio.to_thread(os.rename, temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            await asyncio.to_thread(sync_folder, self._directory)
        except OSError as error:
            if is_no_room(error):
                raise DiskFull(f"no room left for {self._directory}: {len(data)} bytes were not kept") from error
            raise StateError(f"{self._directory}: a result cannot be stored ({error.strerror})") from error
        return ref

    async def get(self, ref: str) -> bytes:
        """Return the blob; raises BlobMissing where it is not there or is not what it was."""
        try:
            async with aiofiles.open(self.path(ref), "rb") as file:
                data = await file.read()
        except OSError as error:
            raise BlobMissing(f"{ref}: it is not there any more ({error.strerror})") from error
        return _proved(ref, data)

    def read(self, ref: str) -> bytes:
        """Return the blob, as `get` does, from synchronous code."""
        try:
            data = self.path(ref).read_bytes()
        except OSError as error:
            raise BlobMissing(f"{ref}: it is not there any more ({error.strerror})") from error
        return _proved(ref, data)

    async def _holds(self, path: Path, ref: str) -> bool:
        if not await asyncio.to_thread(path.exists):
            return False
        try:
            await self.get(ref)
        except BlobMissing:
            return False  # a damaged blob is written anew
        return True


def _proved(ref: str, data: bytes) -> bytes:
    if blob_ref(data) != ref:
        raise BlobMissing(f"{ref}: its {len(data)} bytes are not what was stored; do not rely on it")
    return data


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
