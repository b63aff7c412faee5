"""S8: sessions killed at every boundary and at random ones. No effect twice, none lost, no call unanswered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that is possible: a kill loses nothing that was written, synced or not, and syncing is slow."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


def crash(mode: str, folder: Path, **plan: Any) -> Any:
    """Run the crash child; return what it says."""
    wanted = {"home": str(folder / "home"), "effects": str(folder / "effects"), **plan}
    argv = [sys.executable, "-m", "tests.session.crash_child", mode, json.dumps(wanted)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def _check(result: dict[str, Any], calls: int) -> None:
    outcomes, effects = result["outcomes"], result["effects"]
    keyed = {name for name in outcomes if name.endswith("-keyed")}
    unkeyed = set(outcomes) - keyed
    assert len(outcomes) == calls
    assert result["states"] == ["acknowledged"], "a call is left unanswered"
    assert set(result["results"].values()) == {1}, "a call is answered more than once"
    assert {outcomes[name] for name in keyed} == {"ok"}
    assert {effects.get(name) for name in keyed} == {1}, "keyed: exactly once in effect"
    assert {effects.get(name, 0) for name in unkeyed} <= {0, 1}, "unkeyed: at most once"
    unknown = {name for name in unkeyed if outcomes[name] == "unknown"}
    assert unknown == set(result["interrupted"]), "unknown is said of all that were interrupted, and of no other"
    assert all(outcomes[name] == "ok" and effects[name] == 1 for name in unkeyed - unknown)
    assert result["status"] == ["idle", "end_turn"]
    assert len(result["findings"]) == calls


def test_killed_at_every_boundary_it_ends_as_if_nothing_had_happened(folder: Path) -> None:
    whole, *others = crash("boundaries", folder, calls=4, agents=1)
    assert whole.pop("killed") is False
    assert others.pop()["killed"] is False
    assert len(others) > 50
    assert sum(bool(other["interrupted"]) for other in others) >= 4
    for number, other in enumerate(others, 1):
        assert other.pop("killed") is True
        _check(other, 4)
        for name in other.pop("interrupted"):
            assert other["outcomes"].pop(name) == "unknown"
            other["outcomes"][name] = "ok"
            other["texts"][name] = whole["texts"][name]
            other["effects"][name] = 1
        assert other == {key: value for key, value in whole.items() if key != "interrupted"}, f"boundary {number}"


def test_fifty_calls_under_random_kills(folder: Path) -> None:
    result = crash("random", folder, calls=50, seed=8, longest_life=60)
    assert result["kills"] >= 12
    assert result["interrupted"], "no kill fell into an effect: the test has lost its teeth"
    _check(result, 50)


def test_the_naive_loop_is_caught(folder: Path) -> None:
    result = crash("naive", folder, calls=100, seed=8, longest_life=12)
    assert sum(count > 1 for count in result["effects"].values()) >= 5


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_four_hundred_calls_under_three_hundred_kills(folder: Path) -> None:
    result = crash("random", folder, calls=400, seed=1, longest_life=36)
    assert result["kills"] >= 300
    _check(result, 400)
