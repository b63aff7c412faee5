"""Cleanup removes what is ours and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.journal.anchor import AnchorFile, Head
from orchestrator.journal.faults import JournalBusy, StateError
from orchestrator.journal.lock import SessionLock
from orchestrator.journal.removal import TRASH, remove_session, sweep, sweep_unbegun


def session(sessions: Path, name: str = "s1") -> Path:
    made = sessions / name
    (made / "blobs").mkdir(parents=True)
    (made / "journal.db").write_bytes(b"x")
    (made / "blobs" / "b").write_bytes(b"y")
    return made


def test_a_session_goes_with_all_that_is_in_it_and_others_stay(tmp_path: Path) -> None:
    session(tmp_path)
    kept = session(tmp_path, "s2")
    remove_session(tmp_path, "s1")
    assert os.listdir(tmp_path) == ["s2"]
    assert (kept / "blobs" / "b").read_bytes() == b"y"


def test_links_inside_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    inside = session(tmp_path / "sessions")
    (inside / "runs").symlink_to(outside)
    (inside / "blobs" / "file").symlink_to(outside / "precious")
    remove_session(tmp_path / "sessions", "s1")
    assert (outside / "precious").read_text() == "keep"
    assert os.listdir(tmp_path / "sessions") == []


def test_a_session_that_is_a_link_is_refused(tmp_path: Path) -> None:
    outside = session(tmp_path / "elsewhere")
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    (sessions / "s1").symlink_to(outside)
    with pytest.raises(StateError, match="symbolic link"):
        remove_session(sessions, "s1")
    assert sorted(os.listdir(outside)) == ["blobs", "journal.db"]


def test_a_sessions_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    outside = session(tmp_path / "elsewhere")
    (tmp_path / "sessions").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="cannot be opened"):
        remove_session(tmp_path / "sessions", "s1")
    assert outside.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../elsewhere", "a/b", ".hidden", "x\0y", "/etc"])
def test_names_that_are_no_session_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    sessions = tmp_path / "sessions"
    session(sessions)
    with pytest.raises(StateError, match="not the name"):
        remove_session(sessions, name)
    assert (tmp_path / "elsewhere").exists()
    assert (sessions / "s1").exists()


def test_a_session_in_use_is_refused(tmp_path: Path) -> None:
    made = session(tmp_path)
    lock = SessionLock(made)
    try:
        with pytest.raises(JournalBusy):
            remove_session(tmp_path, "s1")
    finally:
        lock.release()
    assert (made / "journal.db").exists()
    remove_session(tmp_path, "s1")
    assert not made.exists()


def test_a_missing_session_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no session is kept here"):
        remove_session(tmp_path, "s9")


def test_what_a_crash_left_half_deleted_is_swept_and_nothing_else(tmp_path: Path) -> None:
    session(tmp_path, f"{TRASH}aa")
    session(tmp_path, "s2")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (tmp_path / f"{TRASH}bb").symlink_to(outside)
    assert sweep(tmp_path) == 1
    assert outside.exists()
    assert (tmp_path / "s2").exists()
    assert sweep(tmp_path / "nowhere") == 0


def test_sweeping_spares_what_may_be_in_use(tmp_path: Path) -> None:
    old, new = session(tmp_path, "spool-old"), session(tmp_path, "spool-new")
    os.utime(old, (1000.0, 1000.0))
    assert sweep(tmp_path, "spool-", before=2000.0) == 1
    assert not old.exists()
    assert new.exists()


def test_what_ended_before_its_journal_began_is_swept_and_no_journal_is(tmp_path: Path) -> None:
    def folder(number: int, age: float = 1000.0) -> Path:
        made = tmp_path / f"20260301-120000-{number:06x}"
        (made / "inputs").mkdir(parents=True)
        (made / "inputs" / "stdin").write_text("pasted")
        os.utime(made, (age, age))
        return made

    bare, anchored, fresh = folder(1), folder(2), folder(3, 3000.0)
    lost, torn, begun = folder(4), folder(5), folder(6)
    AnchorFile(anchored).write(Head())
    AnchorFile(lost).write(Head(3, "ab"))
    (torn / "head.json").write_text("{")
    (begun / "journal.db").touch()
    (tmp_path / "not-a-session").mkdir()
    for path in tmp_path.iterdir():
        if path != fresh:
            os.utime(path, (1000.0, 1000.0))
    assert sweep_unbegun(tmp_path, before=2000.0) == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        "not-a-session", *(path.name for path in (fresh, lost, torn, begun))
    }  # fmt: skip
    assert not bare.exists()


def test_another_mount_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import orchestrator.journal.removal as removal

    made = session(tmp_path)
    mounted = (made / "blobs").stat().st_ino

    def mount(handle: int) -> tuple[int, str]:
        return (0, "other") if os.fstat(handle).st_ino == mounted else (0, "ours")

    monkeypatch.setattr(removal, "_mount", mount)
    with pytest.raises(StateError, match="mounted"):
        remove_session(tmp_path, "s1")
    (trash,) = (name for name in os.listdir(tmp_path) if name.startswith(TRASH))
    assert (tmp_path / trash / "blobs" / "b").read_bytes() == b"y"
