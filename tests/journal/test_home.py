"""Where state is kept, and what is said where it cannot be (D8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.journal.faults import StateError
from orchestrator.journal.home import StateHome, is_session_id, new_session_id
from tests.fakes import FakeClock


def test_where_it_is(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert StateHome.locate({"WARROOM_HOME": "/w", "XDG_STATE_HOME": "/x", "HOME": home}).path == Path("/w")
    assert StateHome.locate({"XDG_STATE_HOME": "/x", "HOME": home}).path == Path("/x/warroom")
    assert StateHome.locate({"HOME": home}).path == tmp_path / ".local/state/warroom"
    assert StateHome.locate({"WARROOM_HOME": "", "XDG_STATE_HOME": "rel", "HOME": home}).path.is_relative_to(tmp_path)
    assert StateHome.locate({"WARROOM_HOME": "rel"}).path == Path.cwd() / "rel"
    assert list(tmp_path.iterdir()) == [], "locating creates nothing"


def test_no_home(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no home directory .*set WARROOM_HOME"):
        StateHome.locate({"HOME": str(tmp_path / "absent")})


def test_it_is_private(state_home: StateHome, fake_clock: FakeClock) -> None:
    session = state_home.new_session(fake_clock)
    for path in (state_home.path, state_home.sessions, session, session / "blobs", session / "runs"):
        assert path.stat().st_mode & 0o777 == 0o700
    assert state_home.session_ids() == [session.name]


@pytest.mark.parametrize("where", ["file", "file/below", "x" * 300, "loop/below"])
def test_a_path_that_cannot_be_a_folder(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(StateError, match=r"cannot keep sessions there, .*; set WARROOM_HOME") as raised:
        StateHome(tmp_path / where).ensure()
    assert "\n" not in str(raised.value)


def test_ids_sort_and_are_unique(fake_clock: FakeClock) -> None:
    first = [new_session_id(fake_clock) for _ in range(50)]
    fake_clock.advance(1)
    later = new_session_id(fake_clock)
    assert len(set(first)) == 50
    assert all(is_session_id(one) and one < later for one in first)
    assert first[0].startswith("20260301-120000-")


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "20260301-120000-0a1b2c/..", "20260301-120000-0a1b2c\n", "/etc", "ü"]
)
def test_only_an_id_becomes_a_path(name: str, state_home: StateHome) -> None:
    with pytest.raises(StateError, match="is not a session id"):
        state_home.session_dir(name)


def test_finding_by_a_part(state_home: StateHome, fake_clock: FakeClock) -> None:
    one = state_home.new_session(fake_clock).name
    fake_clock.advance(60)
    two = state_home.new_session(fake_clock).name
    (state_home.sessions / "not-a-session").mkdir()
    assert state_home.find(one) == state_home.find(one[-6:]) == one
    assert state_home.find(two[:15]) == two
    with pytest.raises(StateError, match="fits 2 sessions"):
        state_home.find("2026")
    for part in ("", "zzz"):
        with pytest.raises(StateError, match="no session matches"):
            state_home.find(part)
    assert state_home.session_ids() == [one, two]
