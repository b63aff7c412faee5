"""Diffs and pages: everything is said, nothing is lost to wrapping, no content passes for structure."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from orchestrator.journal.text import hidden_count
from tests.tui.decisions import file_diff
from tui.views.diff import exact_line, files_of
from tui.views.page import Layout, PageLine, pieces_of, prose
from tui.views.paint import text_of


@pytest.mark.parametrize("text", ["", "a", "x" * 999, "\u6f22" * 99, "e\u0301" * 50, "a \u6f22 b " * 40, " " * 200])
@pytest.mark.parametrize("width", [2, 7, 80])
def test_wrapping_loses_no_character_and_exceeds_no_width(text: str, width: int) -> None:
    pieces = pieces_of(text, width)
    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(cell_len(text[start:end]) <= width for start, end in pieces)
    layout = Layout([PageLine(exact_line(text))], width)
    assert layout.rows == len(pieces)
    assert "".join(text_of(layout.row(row)[0]) for row in range(layout.rows)) == "".join(
        text_of(exact_line(text[start:end])) for start, end in pieces
    )


def test_rows_and_lines_find_each_other() -> None:
    layout = Layout([prose("one two three four"), PageLine(exact_line("x" * 30)), prose("")], 10)
    assert [layout.locate(row)[0] for row in range(layout.rows)] == sorted(
        layout.locate(row)[0] for row in range(layout.rows)
    )
    assert layout.row_of(1) == layout.row_at(1, 0)
    assert layout.row_at(1, 25) == layout.row_of(1) + 2
    assert layout.row(layout.rows - 1)[1] == 2


def test_what_is_not_text_is_said_in_words() -> None:
    head = "diff --git a/{0} b/{0}\n"
    diff = (
        head.format("run.sh") + "old mode 100644\nnew mode 100755\n"
        + head.format("logo.png") + "index 1..2 100644\nBinary files a/logo.png and b/logo.png differ\n"
        + head.format("link") + "new file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+target\n"
        + "\\ No newline at end of file\n"
        + head.format("gone") + "deleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        + "diff --git a/old b/new\nsimilarity index 90%\nrename from old\nrename to new\n"
        + head.format("lib") + "index 1..2 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n-Subproject commit 1\n"
        + "+Subproject commit 2\n"
        + head.format("tidy.py") + "--- a/tidy.py\n+++ b/tidy.py\n@@ -1 +1 @@\n-a  = 1\n+a = 1\n"
    )  # fmt: skip
    made = {file.path: file for file in files_of(diff, [("tidy.py", "a generated file")])}
    assert list(made) == ["run.sh", "logo.png", "link", "gone", "new", "lib", "tidy.py"]
    assert made["run.sh"].words == ("mode 100644 becomes 100755 (a file becomes an executable file)",)
    assert made["logo.png"].words == ("binary: its bytes are not shown here",)
    assert made["link"].words == ("it is a symbolic link", "no line end at the end of the file")
    assert (made["gone"].change, made["gone"].removed) == ("deleted", 1)
    assert made["new"].words == ("renamed from old", "90% of its lines stay")
    assert "a submodule: only the commit that it points to changes" in made["lib"].words
    assert made["tidy.py"].words == ("only white space changes", "a generated file")


def test_no_content_can_begin_a_file_or_hide_a_line() -> None:
    evil = "x\rdiff --git a/evil b/evil\x0b+++ b/evil\u2028@@ -1 +1 @@"
    (file,) = files_of(file_diff("a.py", ["-- a/evil"], [evil, "++ b/evil"]))
    assert (file.path, file.added, file.removed) == ("a.py", 2, 1)
    assert file.hidden == hidden_count(evil + "\n") == 3
    assert [one.text for one in file.lines][2] == "+x␍diff --git a/evil b/evil␋+++ b/evil\\u{2028}@@ -1 +1 @@"


def test_a_sequence_that_would_hide_text_is_shown_itself() -> None:
    (file,) = files_of(file_diff("a.py", [], ["ok \x1b[8mrm -rf\x1b[0m\x1b]0;x\x07 # end"]))
    assert file.lines[1].text == "+ok ␛[8mrm -rf␛[0m␛]0;x␇ # end"
    assert {one.tone for one in file.lines[1].body} == {"good", "match"}
    assert file.hidden == 14
