"""The head anchor is replaced whole or not at all, and the settings that make a commit durable are on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.journal.anchor import Anchored, AnchorFile, Head, replace_durably
from orchestrator.journal.store import Journal
from tests.fakes import FakeClock
from tests.journal.logs import note


def test_it_reads_back(tmp_path: Path) -> None:
    anchor = AnchorFile(tmp_path)
    assert anchor.read().fault == "head.json is missing"
    anchor.write(Head(7, "ab" * 32))
    assert anchor.read() == Anchored(Head(7, "ab" * 32), clean=False)
    anchor.write(Head(8, "cd" * 32), clean=True)
    assert anchor.read() == Anchored(Head(8, "cd" * 32), clean=True)
    assert [path.name for path in tmp_path.iterdir()] == ["head.json"]


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    anchor = AnchorFile(tmp_path)
    anchor.write(Head(1234, "ab" * 32))
    data = (tmp_path / "head.json").read_bytes()
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        (tmp_path / "head.json").write_bytes(flipped)
        assert anchor.read().fault == "head.json is damaged"


@pytest.mark.parametrize("call", ["fsync", "rename", "write"])
def test_a_failure_leaves_the_old_bytes(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_durably(tmp_path / "file", b"old")

    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(OSError, match="Input/output error"):
            replace_durably(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


async def test_the_content_is_synced_before_the_name_and_the_name_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/dev/fd/{handle}/") else "content")
        real_fsync(handle)

    def rename(*names: str) -> None:
        done.append("rename")
        real_rename(*names)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    AnchorFile(tmp_path).write(Head(1, "00" * 32))
    assert done == ["content", "rename", "folder"]


async def test_a_commit_is_durable_by_its_settings(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "s", FakeClock())
    await journal.append(note(1))
    settings = {
        name: journal._database.run(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "wal_autocheckpoint")
    }
    await journal.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "wal_autocheckpoint": 0,
    }
