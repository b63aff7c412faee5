"""Single hunks: taken back exactly, where they stand alone; refused otherwise."""

from __future__ import annotations

import pytest

from subagents.codefix.hunks import parse_hunks
from subagents.codefix.refusal import DraftRefused
from tests.codefix.drafting import Bench, content, fsck, untouched
from tests.gitstore.repos import commit, git


def test_one_hunk_is_undone_and_the_rest_stays(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    with untouched(bench.repo):
        draft = bench.hunks(guilty, "a.py:30")
    text = content(draft, "a.py")
    assert b"line 30\n" in text
    assert b"fifth\n" in text
    assert draft.kind == "hunks"
    assert draft.title == 'Undo part of "cache: cut the TTL"'
    assert "1 of 2 hunks" in " ".join(draft.message.split())
    assert any("1 other hunk of" in warning for warning in draft.warnings)
    assert fsck(draft) == ""
    assert bench.hunks(guilty, "a.py").tree == bench.revert(guilty).tree


def test_a_hunk_is_found_again_where_lines_moved_and_refused_where_it_changed(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    moved = "new\n" * 9 + (bench.repo / "a.py").read_text().replace("fifth\n", "a fifth\n")
    commit(bench.repo, {"a.py": moved}, "moved")
    assert b"line 30\n" in content(bench.hunks(guilty, "a.py:30"), "a.py")
    with pytest.raises(ValueError, match="has changed since"):
        bench.hunks(guilty, "a.py:5")
    commit(bench.repo, {"a.py": moved + moved}, "twice")
    with pytest.raises(ValueError, match="more than once"):
        bench.hunks(guilty, "a.py:30")
    commit(bench.repo, {"a.py": None}, "gone")
    with pytest.raises(DraftRefused, match="no plain file"):
        bench.hunks(guilty, "a.py:30")


@pytest.mark.parametrize(
    "place", ["a.py:17", "b.py:5", "b.py", "", ":", "a.py:0", "-x", "../a.py:5", "a.py:99999999999"]
)
def test_places_without_a_hunk_are_refused(bench: Bench, place: str) -> None:
    with pytest.raises(ValueError, match=r"no hunk of the commit is at|there are: a\.py"):
        bench.hunks(bench.head("HEAD~1"), place)
    assert bench.branches() == {}


def test_hunks_that_lean_on_each_other_are_refused_by_name(bench: Bench) -> None:
    body = "def old_reader(x):\n    return x\n" + "# pad\n" * 20 + "value = old_reader(1)\n"
    commit(bench.repo, {"m.py": body}, "before")
    renamed = commit(bench.repo, {"m.py": body.replace("old_reader", "fresh_reader")}, "rename")
    with pytest.raises(DraftRefused, match="do not stand alone: the rest of the commit uses fresh_reader"):
        bench.hunks(renamed, "m.py:1")
    with pytest.raises(DraftRefused, match="do not stand alone"):
        bench.hunks(renamed, "m.py:23")
    assert bench.hunks(renamed, "m.py").tree == bench.revert(renamed).tree


def test_line_ends_and_missing_ends_are_kept(bench: Bench) -> None:
    lines = [f"row {n}\r\n".encode() for n in range(40)] + [b"the end"]
    commit(bench.repo, {"crlf.txt": b"".join(lines)}, "crlf")
    changed = list(lines)
    changed[3], changed[40] = b"ROW\r\n", b"THE END"
    guilty = commit(bench.repo, {"crlf.txt": b"".join(changed)}, "change both")
    changed[40] = b"the end"
    assert content(bench.hunks(guilty, "crlf.txt:41"), "crlf.txt") == b"".join(changed)
    lines[40] = b"THE END"
    assert content(bench.hunks(guilty, "crlf.txt:4"), "crlf.txt") == b"".join(lines)


def test_pure_additions_deletions_and_edges_of_files(bench: Bench) -> None:
    text = "".join(f"{n}\n" for n in range(30))
    commit(bench.repo, {"t": text}, "t")
    first = commit(bench.repo, {"t": "top\n" + text.replace("15\n", "") + "bottom\n"}, "edges")
    assert content(bench.hunks(first, "t:1"), "t").decode() == text.replace("15\n", "") + "bottom\n"
    assert content(bench.hunks(first, "t:16"), "t").decode() == "top\n" + text + "bottom\n"
    assert content(bench.hunks(first, "t:30"), "t").decode() == "top\n" + text.replace("15\n", "")
    assert content(bench.hunks(first, "t"), "t").decode() == text


def test_what_has_no_hunks_is_refused(bench: Bench) -> None:
    commit(bench.repo, {"b.bin": b"\0\1"}, "binary")
    (bench.repo / "link").symlink_to("a.py")
    guilty = commit(bench.repo, {"b.bin": b"\0\2", "added.py": "1\n", "other.py": "x = 3\n"}, "binary and new")
    assert f"3 files without hunks of {guilty[:12]} stay" in bench.hunks(guilty, "other.py:1").warnings
    for place in ("b.bin", "added.py:1", "link:1"):
        with pytest.raises(ValueError, match="no hunk of the commit"):
            bench.hunks(guilty, place)
    with pytest.raises(DraftRefused, match="first commit"):
        bench.hunks(git(bench.repo, "rev-list", "--max-parents=0", "HEAD"), "a.py:1")


def test_text_in_a_diff_that_looks_like_a_header_is_text() -> None:
    patch = b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-@@ -1 +1 @@\n+diff --git a/y b/y\n \\ not a note\n"
    (hunk,) = parse_hunks("x", patch)
    assert hunk.side(b" +") == b"diff --git a/y b/y\n\\ not a note\n"
    assert hunk.side(b" -") == b"@@ -1 +1 @@\n\\ not a note\n"
