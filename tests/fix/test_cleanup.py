"""Cleanup removes what a session made and nothing else, whatever a test run planted or swaps while it goes on."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.journal import removal
from orchestrator.journal.faults import StateError
from orchestrator.journal.removal import TRASH, remove_session, sweep
from tests.fix.bench import snapshot
from tests.fix.test_kill import fork

NAME = "20260301-120000-0a1b2c"


def make_session(sessions: Path) -> Path:
    made = sessions / NAME
    for folder in ("blobs", "runs/r1/export/src", "fix.git/objects/ab", "fix.git/drafts.git/refs"):
        (made / folder).mkdir(parents=True)
    for number in range(40):
        (made / "runs" / "r1" / "export" / "src" / f"m{number}.py").write_text("x = 1\n")
    (made / "journal.db").write_bytes(b"x")
    return made


def make_outside(place: Path) -> Path:
    outside = place / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "precious").write_text("keep")
    (outside / "deep" / "more").write_text("keep")
    return outside


def plant(made: Path, outside: Path, chance: random.Random) -> None:
    """Put things into a session that would lead a careless removal astray."""
    folders = [path for path in made.rglob("*") if path.is_dir() and not path.is_symlink()]
    for number in range(6):
        place = chance.choice(folders) / f"planted{number}"
        match chance.randrange(8):
            case 0:
                place.symlink_to(outside)
            case 1:
                place.symlink_to(outside / "precious")
            case 2:
                place.symlink_to(os.path.relpath(outside, place.parent))
            case 3:
                place.symlink_to(place)
            case 4:
                os.link(outside / "precious", place)
            case 5:
                os.mkfifo(place)
            case 6:
                place.mkdir()
                (place / "inner").symlink_to(outside / "deep")
                place.chmod(0)
            case _:
                place.with_name(f"line\nbreak{number}\x1b[2J").mkdir()


@pytest.mark.parametrize("seed", range(12))
def test_planted_links_are_not_followed(tmp_path: Path, seed: int) -> None:
    outside, made = make_outside(tmp_path), make_session(tmp_path / "sessions")
    plant(made, outside, random.Random(seed))
    before = snapshot(outside)
    remove_session(tmp_path / "sessions", NAME)
    assert os.listdir(tmp_path / "sessions") == []
    assert snapshot(outside) == before


@pytest.mark.parametrize("seed", range(20))
def test_a_folder_that_is_swapped_for_a_link_while_it_goes_on_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """At a random look at a folder, some other folder of the session becomes a link to the outside."""
    outside = make_outside(tmp_path)
    make_session(tmp_path / "sessions")
    before, chance = snapshot(outside), random.Random(seed)
    due, looks = chance.randrange(1, 12), 0
    real_open, real_list = removal._open_folder, os.listdir

    def swap() -> None:
        nonlocal looks
        looks += 1
        if looks != due:
            return
        trash = [path for path in (tmp_path / "sessions").iterdir() if path.name.startswith(TRASH)]
        folders = [path for top in trash for path in top.rglob("*") if path.is_dir() and not path.is_symlink()]
        if folders:
            victim = chance.choice(folders)
            victim.rename(tmp_path / "swapped-out")
            victim.symlink_to(outside)

    def opened(parent: int, name: str) -> int:
        swap()
        return real_open(parent, name)

    def listed(place: int) -> list[str]:
        found = real_list(place)
        swap()
        return found

    monkeypatch.setattr(removal, "_open_folder", opened)
    monkeypatch.setattr(removal.os, "listdir", listed)  # type: ignore[attr-defined] # the module's own import
    with contextlib.suppress(StateError):
        remove_session(tmp_path / "sessions", NAME)
    monkeypatch.undo()
    assert snapshot(outside) == before
    sweep(tmp_path / "sessions")
    assert snapshot(outside) == before
    assert not (tmp_path / "sessions" / NAME).exists()


def test_no_depth_stops_it(tmp_path: Path) -> None:
    made = make_session(tmp_path / "sessions")
    place = os.open(made / "runs", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    remove_session(tmp_path / "sessions", NAME)
    assert os.listdir(tmp_path / "sessions") == []


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only root can mount")
def test_a_mount_in_a_session_is_not_entered(tmp_path: Path) -> None:
    outside, made = make_outside(tmp_path), make_session(tmp_path / "sessions")
    target = made / "runs" / "r1" / "mounted"
    target.mkdir()
    if subprocess.run(["mount", "--bind", str(outside), str(target)], check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    before = snapshot(outside)
    try:
        with pytest.raises(StateError, match="mounted"):
            remove_session(tmp_path / "sessions", NAME)
        assert snapshot(outside) == before
    finally:
        (mounted,) = (tmp_path / "sessions").glob(f"{TRASH}*/**/mounted")
        subprocess.run(["umount", "-l", str(mounted)], check=True)
    assert sweep(tmp_path / "sessions") == 1
    assert snapshot(outside) == before


def _killed_cleanups(tmp_path: Path, count: int) -> int:
    chance, gone = random.Random(7), 0
    outside = make_outside(tmp_path)
    before = snapshot(outside)
    for number in range(count):
        sessions = tmp_path / f"s{number}"
        plant(make_session(sessions), outside, chance)
        os.utime(outside / "precious")
        before = snapshot(outside)
        whole = len(list((sessions / NAME).rglob("*")))
        fork(lambda place=sessions: remove_session(place, NAME), chance.uniform(0, 0.008), False)  # type: ignore[misc] # bound
        if (sessions / NAME).exists():
            assert len(list((sessions / NAME).rglob("*"))) in (whole, whole + 1)  # its lock, taken
        else:
            gone += 1
        sweep(sessions)
        if (sessions / NAME).exists():
            remove_session(sessions, NAME)
        assert os.listdir(sessions) == []
        assert snapshot(outside) == before
    return gone


def test_a_killed_cleanup_left_the_session_whole_or_gone(tmp_path: Path) -> None:
    _killed_cleanups(tmp_path, 10)


@pytest.mark.soak
def test_300_killed_cleanups(tmp_path: Path) -> None:
    gone = _killed_cleanups(tmp_path, 300)
    assert 10 <= gone <= 295, gone
