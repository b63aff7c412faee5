"""The whole path by keys alone, in a real terminal: open, panes, evidence, review, approve; one new branch."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal, terminal

WARROOM = Path(sys.executable).parent / "warroom"


def everything_in(repo: Path) -> dict[str, str]:
    """Return the digest of every file of a repository, its git directory included."""
    return {
        str(path.relative_to(repo)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(repo.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def press_until(tty: Terminal, key: str, text: str) -> str:
    """Press a key until the screen shows a text; keys that come too early are ignored on purpose."""
    for _ in range(20):
        tty.keys(key)
        for _ in range(20):
            seen = tty.screen()
            if text in seen:
                return seen
    return tty.shows(text)


@pytest.mark.timeout(300)
@pytest.mark.needs("tmux")
@pytest.mark.needs("bwrap")
@pytest.mark.parametrize(
    "size", [pytest.param((200, 50), id="200x50", marks=pytest.mark.soak), pytest.param((80, 24), id="80x24")]
)
def test_from_the_alert_to_the_branch(tmp_path: Path, size: tuple[int, int]) -> None:
    with terminal(tmp_path, size) as tty:
        tty.type(f"clear; {WARROOM} demo")
        tty.shows("a reviews")
        seen = tty.shows("CAUSE")
        assert "NEXT" in seen
        assert "% sure" in seen
        (repo,) = (tmp_path / "state" / "demo").glob("*/incident/repo")
        before = everything_in(repo)
        tty.keys("1")
        tty.shows("1 logs")
        tty.keys("b", "j", "Enter")
        tty.shows("esc back")
        tty.shows("evidence")
        tty.keys("Escape")
        tty.shows("a reviews")
        tty.keys("a")
        tty.shows("files seen")
        tty.keys("Space", "Space")
        press_until(tty, "u", "2/2 files seen")  # pages that went by before they were painted have not been seen
        press_until(tty, "a", "ARMED")
        assert everything_in(repo) == before, "looking and arming change nothing"
        tty.keys("Y")
        tty.shows("DELIVERED")
        after = everything_in(repo)
        new = sorted(after.keys() - before.keys())
        changed = [path for path in before if after.get(path) != before[path]]
        assert changed == []
        refs = [path for path in new if "/objects/" not in f"/{path}"]
        assert len([path for path in refs if path.startswith(".git/refs/heads/triage/")]) == 1
        assert all(path.startswith((".git/refs/heads/triage/", ".git/logs/refs/heads/triage/")) for path in refs)
        tty.keys("Escape")
        tty.shows("hypotheses" if size[0] > 100 else "board")
        tty.keys("q")
        tty.shows("ready$")
