"""Blobs: named by their content, written whole or not at all, checked when read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.journal.blobs import BlobStore, blob_ref
from orchestrator.journal.faults import BlobMissing, DiskFull, StateError


async def test_put_and_get(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    data = os.urandom(300_000)
    ref = await blobs.put(data)
    assert ref == blob_ref(data)
    assert ref.startswith("blob:sha256:")
    assert await blobs.get(ref) == blobs.read(ref) == data
    before = blobs.path(ref).stat()
    assert await blobs.put(data) == ref
    after = blobs.path(ref).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert before.st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "blobs").iterdir())) == 1
    assert await blobs.get(await blobs.put(b"")) == b""


async def test_a_changed_or_lost_blob_is_refused_and_written_anew(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    ref = await blobs.put(b"evidence")
    blobs.path(ref).write_bytes(b"evidencE")
    with pytest.raises(BlobMissing, match="are not what was stored"):
        await blobs.get(ref)
    with pytest.raises(BlobMissing, match="are not what was stored"):
        blobs.read(ref)
    assert await blobs.put(b"evidence") == ref
    assert blobs.read(ref) == b"evidence"
    blobs.path(ref).unlink()
    with pytest.raises(BlobMissing, match="not there any more"):
        await blobs.get(ref)


@pytest.mark.parametrize(
    "ref", ["", "blob:sha256:..", "blob:sha256:" + "g" * 64, "../../etc/passwd", blob_ref(b"") + "\n"]
)
def test_only_a_reference_becomes_a_path(ref: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a blob reference"):
        BlobStore(tmp_path).path(ref)


@pytest.mark.parametrize(("code", "expected"), [(28, DiskFull), (5, StateError)])
async def test_a_failed_write_leaves_nothing_behind(
    code: int, expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(expected, match=str(tmp_path)):
        await BlobStore(tmp_path).put(b"x" * 100)
    assert list((tmp_path / "blobs").iterdir()) == []
