"""Unpacking: private, whole or not at all, and a second time it changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from orchestrator.config import load_settings
from orchestrator.demo import bundled
from orchestrator.demo.bundled import DATA, DemoError, unpack
from orchestrator.demo.recorder.history import git
from orchestrator.journal.home import StateHome
from tests.fakes import FakeClock


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def unpacked(home: StateHome) -> Path:
    return unpack({"WARROOM_HOME": str(home.path), "HOME": str(home.path.parent)}, FakeClock(), "9.9")


def test_it_is_private_and_has_all_but_the_bundle(state_home: StateHome) -> None:
    folder = unpacked(state_home)
    assert folder == state_home.path / "demo" / "9.9" / "incident"
    assert [mode(place) for place in (folder.parents[1], folder.parent, folder)] == [0o700] * 3
    given = {path.name for path in DATA.iterdir()} - {bundled.BUNDLE}
    assert {path.name for path in folder.iterdir()} == given | {"repo"}
    assert all(mode(folder / name) == 0o600 for name in given)
    assert git(folder / "repo", "status", "--porcelain") == b""
    assert not [path for path in folder.parents[1].iterdir() if path.name.startswith(".")]


def test_again_it_changes_nothing(state_home: StateHome) -> None:
    folder = unpacked(state_home)
    git(folder / "repo", "branch", "triage/kept")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert unpacked(state_home) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert b"triage/kept" in git(folder / "repo", "branch")


def test_what_it_pushes_stays_here(state_home: StateHome) -> None:
    folder = unpacked(state_home)
    git(folder / "repo", "push", "-q", "origin", "main:refs/heads/elsewhere")
    assert b"elsewhere" in git(folder.parent / "origin.git", "branch")


def test_other_data_of_the_same_version_is_kept_aside(
    state_home: StateHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpacked(state_home)
    git(folder / "repo", "branch", "triage/kept")
    other = tmp_path / "data"
    shutil.copytree(DATA, other)
    (other / "flags.json").write_text("[]\n")
    monkeypatch.setattr(bundled, "DATA", other)
    assert unpacked(state_home) == folder
    assert (folder / "flags.json").read_text() == "[]\n"
    aside = [path for path in folder.parents[1].iterdir() if path.name.startswith("9.9-before-")]
    assert b"triage/kept" in git(aside[0] / "incident" / "repo", "branch")


def test_its_own_settings_count(state_home: StateHome) -> None:
    folder = unpacked(state_home)
    env = {"WARROOM_HOME": str(state_home.path), "HOME": str(state_home.path.parent)}
    loaded = load_settings(cwd=state_home.path, folders=[folder], env=env)
    assert [file.trust for file in loaded.files] == ["accepted"]
    assert loaded.problems == ()
    service = loaded.settings.services["storefront"]
    assert service.tests is not None
    assert service.rollback is not None
    assert "{previous}" in service.rollback


def test_without_git_it_says_so_and_leaves_nothing(state_home: StateHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "git_program", lambda: None)
    with pytest.raises(DemoError, match="git is not installed"):
        unpacked(state_home)
    assert list((state_home.path / "demo").iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_line(state_home: StateHome) -> None:
    state_home.ensure()
    (state_home.path / "demo").write_text("a file where a folder should be")
    with pytest.raises(DemoError, match="cannot be unpacked"):
        unpacked(state_home)
    assert os.path.isfile(state_home.path / "demo")
